"""MinHash bands: keys that two records share when most of their letters agree, wherever they differ.

Broder (1997), 'On the resemblance and containment of documents'; banding as in Leskovec, Rajaraman and Ullman,
'Mining of Massive Datasets', 3.4. Two records of Jaccard similarity J share a given band with probability J ** rows.
"""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt

from frankpledge.encode.prf import U64, BlockPrf, Bool, Derive
from frankpledge.encode.tokens import TEXTS_AT_ONCE, Atoms, Bigrams, Steps, Tokens
from matching.schema import KindSchema, LinkageSchema

REMEMBERED_PATTERNS = 4096
"""Sets of known atoms: few come up, and what follows from each is remembered."""
ROWS = 4
NONE = 0xFFFFFFFF
"""What no min-hash is above."""

Lanes = npt.NDArray[np.uint32]
"""Min-hashes: four for each band."""


class Bands:
    """Makes the min-hashes of one kind of subject, for many records at once."""

    def __init__(self, schema: LinkageSchema, kind: KindSchema, tokens: Tokens, derive: Derive) -> None:
        if kind.bands is None:
            raise ValueError("this kind of subject has no bands")
        if kind.bands.rows != ROWS:
            # One AES block gives four 32-bit min-hashes: exactly one band of four rows.
            raise ValueError("bands of four rows only")
        self._schema, self._floor = schema, kind.entropy_floor
        self._whole = [spec for spec in kind.bands.tokens if spec.cut == "whole"]
        self._cut = [spec for spec in kind.bands.tokens if spec.cut != "whole"]
        self._tokens, self._prf = tokens, BlockPrf(derive("bands"))
        self._numbers = np.arange(kind.bands.count, dtype=np.uint64)
        self._enough = functools.lru_cache(maxsize=REMEMBERED_PATTERNS)(self._above_floor)

    def of(self, records: Atoms, bigrams: Bigrams) -> tuple[U64, Bool]:
        """Min-hashes of the records, of shape (records, bands, 2), and which records hold enough for bands."""
        tokens, known = self._tokens.whole(records, self._whole)
        least: Lanes = np.full((len(records), ROWS * len(self._numbers)), NONE, np.uint32)
        for each, held in zip(tokens, known, strict=True):
            lanes = self._lanes(each)
            lanes[~held] = NONE
            np.minimum(least, lanes, out=least)
        for lanes in self._least(bigrams).reshape(-1, *least.shape):
            np.minimum(least, lanes, out=least)
        patterns = map(tuple, np.concatenate([known, bigrams.counts > 0]).T.tolist())
        enough = np.array([self._enough(pattern) for pattern in patterns], np.bool_)
        return least.view(np.uint64).reshape(len(records), len(self._numbers), 2), enough

    def _lanes(self, tokens: U64) -> Lanes:
        blocks = np.empty((len(tokens), len(self._numbers), 2), np.uint64)
        blocks[..., 0], blocks[..., 1] = tokens[:, None], self._numbers
        return self._prf(blocks).view(np.uint32).reshape(len(tokens), ROWS * len(self._numbers))

    def _least(self, bigrams: Bigrams) -> Lanes:
        """The least over the bigrams of each text, lane by lane."""
        # Few of all bigrams come up: each goes through AES once, whichever texts have it.
        lanes = self._lanes(bigrams.different)
        steps = Steps(bigrams.starts.ravel(), bigrams.counts.ravel())
        least: Lanes = np.full((bigrams.counts.size, lanes.shape[1]), NONE, np.uint32)
        for at in steps.places(TEXTS_AT_ONCE):
            part = least[: at.shape[1]]
            for each in bigrams.which[at]:
                np.minimum(part, lanes[each], out=part)
        found: Lanes = np.empty_like(least)
        found[steps.order] = least
        return found

    def _above_floor(self, known: tuple[bool, ...]) -> bool:
        """Whether the atoms that are known hold enough to stay above the entropy floor."""
        own = {spec.atom for spec, held in zip((*self._whole, *self._cut), known, strict=True) if held}
        return self._schema.joint_bits(sorted(own)) >= self._floor
