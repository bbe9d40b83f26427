"""MinHash bands: keys that two records share when most of their letters agree, wherever they differ.

Broder (1997), 'On the resemblance and containment of documents'; banding as in Leskovec, Rajaraman and Ullman,
'Mining of Massive Datasets', 3.4. Two records of Jaccard similarity J share a given band with probability J ** rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from frankpledge.encode.keys import Digests
from frankpledge.encode.prf import BlockPrf, Mac, TokenHash
from matching.schema import KindSchema, LinkageSchema

RECORDS_AT_ONCE = 64
"""Records whose min-hashes are made together: few enough for their tables to stay in the processor's cache."""
BAND_BYTES = 16
"""Four 32-bit min-hashes."""


class BandKeys:
    """Makes the band keys of one kind of subject, for many records at once."""

    def __init__(
        self, schema: LinkageSchema, kind: KindSchema, hashes: TokenHash, prf: BlockPrf, secret: bytes
    ) -> None:
        if kind.bands is None:
            raise ValueError("this kind of subject has no bands")
        if kind.bands.rows != 4:
            # One AES block gives four 32-bit min-hashes: exactly one band of four rows.
            raise ValueError("bands of four rows only")
        self._schema, self._spec, self._hashes, self._prf = schema, kind.bands, hashes, prf
        self._floor = kind.entropy_floor
        self._numbers = np.arange(kind.bands.count, dtype=np.uint64)
        self._bits = tuple(bit for bit, key in enumerate(kind.keys) if key.band is not None)
        self._macs = [(band * BAND_BYTES, Mac(secret, f"band/{band}")) for band in range(kind.bands.count)]

    def add(self, records: Sequence[Mapping[str, str]], digests: Sequence[Digests]) -> None:
        """Add the bands of every record that holds enough to stay above the entropy floor."""
        wanted = [at for at, atoms in enumerate(records) if self._rich_enough(atoms)]
        for start in range(0, len(wanted), RECORDS_AT_ONCE):
            part = wanted[start : start + RECORDS_AT_ONCE]
            minima = self._minima([records[at] for at in part])
            for at, values in zip(part, minima, strict=True):
                digests[at].add(self._bits, [mac(values[start : start + BAND_BYTES]) for start, mac in self._macs])

    def _rich_enough(self, atoms: Mapping[str, str]) -> bool:
        known = sorted({spec.atom for spec in self._spec.tokens if atoms.get(spec.atom)})
        return self._schema.joint_bits(known) >= self._floor

    def _minima(self, records: Sequence[Mapping[str, str]]) -> list[bytes]:
        """Min-hashes of the records, each 16 bytes a band."""
        number: dict[int, int] = {}
        rows: list[list[int]] = []
        for atoms in records:
            found = {token for spec in self._spec.tokens for token in self._hashes(atoms, spec)}
            rows.append([number.setdefault(token, len(number)) for token in found])
        table = self._prf(np.array(list(number), np.uint64)[:, None], self._numbers)
        lanes = table.reshape(len(number), -1).view(np.uint32)
        return [lanes[own].min(axis=0).tobytes() for own in rows]
