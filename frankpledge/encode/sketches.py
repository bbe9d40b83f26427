"""Anchored sketches: what else a record holds, comparable only with a record that shares the anchor's value.

Each block hangs on one anchor key and is salted with bytes that are made beside that key and never published, so that
two blocks have something in common only where their anchors had the same value.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from frankpledge.encode.prf import U8, U64, BlockPrf, Derive, Ints, room
from frankpledge.encode.tokens import TEXTS_AT_ONCE, Atoms, Bigrams, Steps, Tokens
from matching.schema import KindSchema


class SketchBlocks:
    """Makes the sketch blocks of one kind of subject."""

    def __init__(self, kind: KindSchema, tokens: Tokens, derive: Derive) -> None:
        self._size = kind.block_size
        self._tokens, self._prf = tokens, BlockPrf(derive("sketches"))
        self._tags = [part for part in kind.sketch if part.token.cut == "whole"]
        self._slots = [part for part in kind.sketch if part.token.cut != "whole"]

    def of(self, records: Atoms, bigrams: Bigrams, anchors: Ints, salts: U64) -> tuple[U64, U8]:
        """The masks of the fields observed in some records, and a block for each salt.

        The records have so many `anchors` each, the salts of which follow each other record by record.
        """
        observed = np.zeros(len(records), np.uint64)
        out = np.zeros((len(salts), self._size), np.uint8)
        salted = _Salted(self._prf, anchors, salts)
        tokens, known = self._tokens.whole(records, [part.token for part in self._tags])
        for part, tags, held in zip(self._tags, salted.tags(tokens), known, strict=True):
            out[:, part.offset] = tags if held.all() else np.where(np.repeat(held, anchors), tags, 0)
            observed |= held.astype(np.uint64) << np.uint64(part.number)
        for part, starts, counts in zip(self._slots, bigrams.starts, bigrams.counts, strict=True):
            where, slots = salted.slots(bigrams, Steps(starts, counts))
            out[where, part.offset : part.offset + part.size] = slots[:, : part.size]
            observed |= (counts > 0).astype(np.uint64) << np.uint64(part.number)
        return observed, out


class _Salted:
    """AES of (salt, token) for every salt of some records, one or more tokens of each record at a time."""

    def __init__(self, prf: BlockPrf, counts: Ints, salts: U64) -> None:
        self._prf, self._counts, self._salts = prf, counts, salts
        # Written once and read often: allocated anew at each step they would cost as much as AES does.
        most = max(len(salts), TEXTS_AT_ONCE * int(counts.max(initial=0)))
        self._blocks, self._random = room(most), room(most)

    def tags(self, tokens: U64) -> Iterator[U8]:
        """A byte for each salt, of each row of one token a record."""
        at_once = max(1, TEXTS_AT_ONCE // len(self._counts))
        for first in range(0, len(tokens), at_once):
            yield from self._through(tokens[first : first + at_once], self._counts, self._salts).view(np.uint8)[..., 0]

    def slots(self, bigrams: Bigrams, steps: Steps) -> tuple[Ints, U8]:
        """Slots of MinHash over the tokens of each record: for which salts, and 8 slots for each of those.

        16 bits decide each minimum and 8 of them are kept, so that strangers' slots agree once in 256.
        """
        counts = self._counts[steps.order]
        ends = np.cumsum(counts)
        starts = (np.cumsum(self._counts) - self._counts)[steps.order]
        where: Ints = np.repeat(starts - (ends - counts), counts) + np.arange(len(self._salts))
        salts = self._salts[where]
        least: npt.NDArray[np.uint16] = np.zeros((0, 8), np.uint16)
        for at in steps.places(TEXTS_AT_ONCE):
            lanes = self._through(bigrams.different[bigrams.which[at]], counts[: at.shape[1]], salts).view(np.uint16)
            if not len(least):
                least = lanes.min(axis=0)
            else:
                for each in lanes:
                    np.minimum(least[: len(each)], each, out=least[: len(each)])
        return where[: len(least)], least.astype(np.uint8)

    def _through(self, tokens: U64, counts: Ints, salts: U64) -> U64:
        """AES of (salt, token), of shape (tokens of a record, salts, 2), of records with so many salts each."""
        each = np.repeat(tokens, counts, axis=1)
        blocks = self._blocks[: each.size].reshape(*each.shape, 2)
        blocks[..., 0], blocks[..., 1] = salts[: each.shape[1]], each
        return self._prf.into(self._blocks[: each.size], self._random).reshape(blocks.shape)
