"""Composite keys: one HMAC over several atoms together, never over one of low entropy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from frankpledge.encode.prf import U64, Mac
from matching.schema import LinkageSchema
from matching.types import KEY_BYTES, Kind

SALT_BYTES = 8


@dataclass(slots=True)
class Digests:
    """The HMACs of one subject by key bit, rising: 16 bytes are the key, 8 more a salt that is never published."""

    found: list[tuple[int, bytes]] = field(default_factory=list)

    @property
    def mask(self) -> int:
        """Bit i is set where key i was made."""
        return sum([1 << bit for bit, _ in self.found])

    @property
    def keys(self) -> bytes:
        """The keys, 16 bytes each."""
        return b"".join([digest[:KEY_BYTES] for _, digest in self.found])

    def salts(self, anchor_mask: int) -> U64:
        """The salts of the anchors, shape (anchors,)."""
        stop = KEY_BYTES + SALT_BYTES
        salts = [digest[KEY_BYTES:stop] for bit, digest in self.found if anchor_mask >> bit & 1]
        return np.frombuffer(b"".join(salts), np.uint64)


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
                digests.found.append((bit, mac(value.encode())))
