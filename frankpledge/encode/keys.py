"""Composite keys: one HMAC over several atoms together, never over one of low entropy."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter

import numpy as np
import numpy.typing as npt

from frankpledge.encode.prf import U8, U64, NewMac, named
from matching.schema import LinkageSchema
from matching.types import KEY_BYTES, Kind

SALT_BYTES = 8
DIGEST_BYTES = 32
REMEMBERED_PATTERNS = 4096
"""Sets of known atoms: few come up, and what follows from each is remembered."""

Bits = tuple[int, ...]
Values = Callable[[Mapping[str, str]], Iterable[str]]


def split(bits: Bits, anchor_mask: int, tags: Sequence[bytes]) -> tuple[int, U8, U64]:
    """The mask of the keys with these bits, and of the tags of some records that have just these: keys and salts.

    Of the 32 bytes of a tag 16 are the key, and 8 more, of an anchor, a salt that is never published. Keys are of shape
    (records, keys, 16), salts (records, anchors).
    """
    mask, anchors = _positions(bits, anchor_mask)
    columns = np.frombuffer(b"".join(tags), np.uint8).reshape(-1, len(bits), DIGEST_BYTES)
    salts = columns.view(np.uint64)[:, anchors, KEY_BYTES // SALT_BYTES]
    return mask, np.ascontiguousarray(columns[:, :, :KEY_BYTES]), salts


@functools.lru_cache(maxsize=REMEMBERED_PATTERNS)
def _positions(bits: Bits, anchor_mask: int) -> tuple[int, npt.NDArray[np.intp]]:
    """The mask of these bits, and which of them, counted from 0, are anchors."""
    anchors = np.array([at for at, bit in enumerate(bits) if anchor_mask >> bit & 1], np.intp)
    return sum([1 << bit for bit in bits]), anchors


class CompositeKeys:
    """Makes the composite keys of one kind of subject."""

    def __init__(self, schema: LinkageSchema, kind: Kind, secret: bytes) -> None:
        self._specs = [
            (bit, frozenset(spec.of), _values(spec.of), named(secret, f"{kind}/{spec.name}"))
            for bit, spec in enumerate(schema.keys(kind))
            if spec.of
        ]
        self.of = functools.lru_cache(maxsize=REMEMBERED_PATTERNS)(self._of)

    def _of(self, known: tuple[str, ...]) -> tuple[Bits, list[Values], list[NewMac]]:
        """The composites all of whose atoms are known: their bits, the values they join, and their HMACs."""
        made = [spec for spec in self._specs if spec[1].issubset(known)]
        return tuple([bit for bit, *_ in made]), [values for _, _, values, _ in made], [mac for *_, mac in made]


def joined(atoms: Mapping[str, str], composites: Iterable[Values]) -> list[bytes]:
    """The values of composites."""
    return ["\x1f".join(values(atoms)).encode() for values in composites]


def _values(names: tuple[str, ...]) -> Values:
    """A function from atoms to the values of these, in order."""
    if len(names) == 1:
        return lambda atoms: (atoms[names[0]],)
    return itemgetter(*names)
