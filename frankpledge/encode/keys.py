"""Composite keys: one HMAC over several atoms together, never over one of low entropy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from frankpledge.encode.prf import U64, mac
from matching.schema import KeySpec, LinkageSchema
from matching.types import KEY_BYTES, Kind


class Digests:
    """The keys of one subject as they are found: 16 published bytes and an 8-byte salt that is never published."""

    def __init__(self) -> None:
        self.mask = 0
        self._keys: list[bytes] = []
        self._salts: list[bytes] = []

    def add(self, bit: int, digest: bytes, *, anchor: bool) -> None:
        """Take the next key, in rising order of bits."""
        self.mask |= 1 << bit
        self._keys.append(digest[:KEY_BYTES])
        if anchor:
            self._salts.append(digest[KEY_BYTES : KEY_BYTES + 8])

    @property
    def keys(self) -> bytes:
        """The published keys, 16 bytes each."""
        return b"".join(self._keys)

    @property
    def salts(self) -> U64:
        """The salts of the anchors, shape (anchors,)."""
        return np.frombuffer(b"".join(self._salts), np.uint64)


class CompositeKeys:
    """Makes the composite keys of one kind of subject."""

    def __init__(self, schema: LinkageSchema, kind: Kind, secret: bytes) -> None:
        self._secret = secret
        self._specs: list[tuple[int, KeySpec, bytes]] = [
            (bit, spec, f"{kind}/{spec.name}".encode()) for bit, spec in enumerate(schema.keys(kind)) if spec.of
        ]

    def add(self, atoms: Mapping[str, str], digests: Digests) -> None:
        """Add every composite all of whose atoms are known."""
        for bit, spec, name in self._specs:
            values = [atoms.get(atom) for atom in spec.of]
            if all(values):
                value = "\x1f".join(value for value in values if value).encode()
                digests.add(bit, mac(self._secret, name, value), anchor=spec.anchor)


def joint_bits(schema: LinkageSchema, names: Sequence[str]) -> float:
    """Entropy of several atoms together in bits, were they independent."""
    return sum(schema.atom_bits.get(name, 0.0) for name in names)
