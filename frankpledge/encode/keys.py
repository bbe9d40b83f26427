"""Composite keys: one HMAC over several atoms together, never over one of low entropy."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from frankpledge.encode.prf import U64, Mac
from matching.schema import LinkageSchema
from matching.types import KEY_BYTES, Kind

SALT_BYTES = 8
DIGEST_BYTES = 32


@dataclass(slots=True)
class Digests:
    """The HMACs of one subject by key bit, rising: 16 bytes are the key, 8 more a salt that is never published."""

    bits: list[int] = field(default_factory=list)
    found: list[bytes] = field(default_factory=list)

    def add(self, bits: Sequence[int], digests: Sequence[bytes]) -> None:
        """Take further keys, above those taken so far."""
        self.bits += bits
        self.found += digests

    def split(self, anchor_mask: int) -> tuple[int, bytes, U64]:
        """The mask of the keys, the keys (16 bytes each), and the salts of the anchors, shape (anchors,)."""
        mask, anchors = _positions(tuple(self.bits), anchor_mask)
        columns = np.frombuffer(b"".join(self.found), np.uint8).reshape(-1, DIGEST_BYTES)
        salts = columns[anchors, KEY_BYTES : KEY_BYTES + SALT_BYTES]
        return mask, columns[:, :KEY_BYTES].tobytes(), np.ascontiguousarray(salts).view(np.uint64).ravel()


@functools.lru_cache(maxsize=4096)
def _positions(bits: tuple[int, ...], anchor_mask: int) -> tuple[int, npt.NDArray[np.intp]]:
    """The mask of these bits, and which of them, counted from 0, are anchors; few patterns of bits come up."""
    anchors = np.array([at for at, bit in enumerate(bits) if anchor_mask >> bit & 1], np.intp)
    return sum([1 << bit for bit in bits]), anchors


class CompositeKeys:
    """Makes the composite keys of one kind of subject."""

    def __init__(self, schema: LinkageSchema, kind: Kind, secret: bytes) -> None:
        self._specs = [
            (bit, spec.of, frozenset(spec.of), Mac(secret, f"{kind}/{spec.name}"))
            for bit, spec in enumerate(schema.keys(kind))
            if spec.of
        ]

    def add(self, atoms: Mapping[str, str], digests: Digests) -> None:
        """Add every composite all of whose atoms are known."""
        known = {name for name, value in atoms.items() if value}
        for bit, names, needed, mac in self._specs:
            if needed <= known:
                value = "\x1f".join([atoms[name] for name in names])
                digests.bits.append(bit)
                digests.found.append(mac(value.encode()))
