"""Composite keys: one HMAC over several atoms together, never over one of low entropy."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from operator import itemgetter

import numpy as np
import numpy.typing as npt

from frankpledge.encode.prf import U64, NewMac, named, tags
from matching.schema import LinkageSchema
from matching.types import KEY_BYTES, Kind

SALT_BYTES = 8
DIGEST_BYTES = 32
REMEMBERED_PATTERNS = 4096
"""Sets of known atoms: few come up, and what follows from each is remembered."""

Bits = tuple[int, ...]
Values = Callable[[Mapping[str, str]], Iterable[str]]


@dataclass(slots=True)
class Digests:
    """The HMACs of one subject by key bit, rising: 16 bytes are the key, 8 more a salt that is never published."""

    bits: Bits = ()
    found: list[bytes] = field(default_factory=list)

    def add(self, bits: Bits, digests: Iterable[bytes]) -> None:
        """Take further keys, above those taken so far."""
        self.bits += bits
        self.found += digests

    def split(self, anchor_mask: int) -> tuple[int, bytes, U64]:
        """The mask of the keys, the keys (16 bytes each), and the salts of the anchors, shape (anchors,)."""
        mask, anchors = _positions(self.bits, anchor_mask)
        columns = np.frombuffer(b"".join(self.found), np.uint8).reshape(-1, DIGEST_BYTES)
        salts = columns.view(np.uint64)[anchors, KEY_BYTES // SALT_BYTES]
        return mask, columns[:, :KEY_BYTES].tobytes(), salts


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
        self._possible = functools.lru_cache(maxsize=REMEMBERED_PATTERNS)(self._possible_of)

    def add(self, atoms: Mapping[str, str], digests: Digests) -> None:
        """Add every composite all of whose atoms are known."""
        bits, values, macs = self._possible(tuple(atoms))
        digests.add(bits, tags(macs, ["\x1f".join(own(atoms)).encode() for own in values]))

    def _possible_of(self, known: tuple[str, ...]) -> tuple[Bits, list[Values], list[NewMac]]:
        """The bits of the keys that these atoms make, the values they join, and their HMACs."""
        made = [spec for spec in self._specs if spec[1].issubset(known)]
        return tuple([bit for bit, *_ in made]), [values for _, _, values, _ in made], [mac for *_, mac in made]


def _values(names: tuple[str, ...]) -> Values:
    """A function from atoms to the values of these, in order."""
    if len(names) == 1:
        return lambda atoms: (atoms[names[0]],)
    return itemgetter(*names)
