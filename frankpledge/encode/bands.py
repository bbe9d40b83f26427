"""MinHash bands: keys that two records share when most of their letters agree, wherever they differ.

Broder (1997), 'On the resemblance and containment of documents'; banding as in Leskovec, Rajaraman and Ullman,
'Mining of Massive Datasets', 3.4. Two records of Jaccard similarity J share a given band with probability J ** rows.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from frankpledge.encode.keys import REMEMBERED_PATTERNS
from frankpledge.encode.prf import HASH_BYTES, BlockPrf, TokenHashes, named
from matching.schema import KindSchema, LinkageSchema

BAND_BYTES = 16
"""Four 32-bit min-hashes."""
REMEMBERED_MINIMA = 1 << 12
"""Values a field and tokens a kind whose min-hashes (640 bytes for 40 bands) are remembered: some 25 MB."""


class BandKeys:
    """Makes the band keys of one kind of subject, for many records at once."""

    def __init__(
        self, schema: LinkageSchema, kind: KindSchema, hashes: TokenHashes, prf: BlockPrf, secret: bytes
    ) -> None:
        if kind.bands is None:
            raise ValueError("this kind of subject has no bands")
        if kind.bands.rows != 4:
            # One AES block gives four 32-bit min-hashes: exactly one band of four rows.
            raise ValueError("bands of four rows only")
        self._schema, self._prf, self._floor = schema, prf, kind.entropy_floor
        self._numbers = np.arange(kind.bands.count, dtype=np.uint64)
        self.bits = tuple(bit for bit, key in enumerate(kind.keys) if key.band is not None)
        self.macs = [named(secret, f"band/{band}") for band in range(kind.bands.count)]
        self._token = functools.lru_cache(maxsize=REMEMBERED_MINIMA)(self._lanes_of_token)
        self._fields = [(spec.atom, self._minima_of_values(hashes.of(spec))) for spec in kind.bands.tokens]
        self.enough = functools.lru_cache(maxsize=REMEMBERED_PATTERNS)(self._above_floor)

    def _above_floor(self, known: tuple[str, ...]) -> bool:
        """Whether these atoms hold enough to stay above the entropy floor."""
        own = {atom for atom, _ in self._fields}.intersection(known)
        return self._schema.joint_bits(sorted(own)) >= self._floor

    def minima(self, records: Sequence[Mapping[str, str]]) -> list[list[bytes]]:
        """Min-hashes of the records, each 16 bytes a band."""
        bands = len(self._numbers)
        nothing = b"\xff" * (bands * BAND_BYTES)
        # The least over a record's tokens is the least over its fields, whose values come again and again.
        held = [minima(atoms[atom]) if atom in atoms else nothing for atoms in records for atom, minima in self._fields]
        lanes = np.frombuffer(b"".join(held), np.uint32).reshape(len(records), len(self._fields), -1).min(axis=1)
        found: list[list[bytes]] = lanes.view(f"V{BAND_BYTES}").tolist()
        return found

    def _minima_of_values(self, hashes: Callable[[str], bytes]) -> Callable[[str], bytes]:
        """A function from a value to the least over its tokens, lane by lane."""

        @functools.lru_cache(maxsize=REMEMBERED_MINIMA)
        def minima(value: str) -> bytes:
            found = hashes(value)
            tokens = [self._token(found[at : at + HASH_BYTES]) for at in range(0, len(found), HASH_BYTES)]
            lanes = np.frombuffer(b"".join(tokens), np.uint32).reshape(len(tokens), -1)
            return bytes(lanes.min(axis=0).data)

        return minima

    def _lanes_of_token(self, hashed: bytes) -> bytes:
        return self._prf(np.frombuffer(hashed, np.uint64), self._numbers).tobytes()
