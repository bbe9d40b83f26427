"""Pattern mining: bits that are set together wherever they are set betray the bigram behind them.

After Christen, Vidanage, Ranbaduge and Schnell (2018), 'Pattern-mining based cryptanalysis of Bloom filters': the bits
of a common bigram form a frequent pattern, the frequency of which is that of the bigram. Patterns are grown from one
bit by the bits that nearly always stand with it, and shared out by frequency. It is tried on filters over one
field, where it finds patterns, and on the bits of our keys, which have none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from benchmarks.privacy.clk import BITS, HASHES
from matching.types import EncodedSubject

Bits = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
_ALWAYS = 0.95
LEAST = 0.02
"""Patterns rarer than this are not looked for."""


def patterns(filters: Bits) -> list[tuple[frozenset[int], float]]:
    """Sets of bits that stand together, with the share of the records that have them; most frequent first."""
    bits = filters.astype(np.float32)
    together = bits.T @ bits
    alone = np.diagonal(together)
    with np.errstate(divide="ignore", invalid="ignore"):
        implied = np.nan_to_num(together / alone[:, None])
    found: dict[frozenset[int], float] = {}
    for bit in np.argsort(-alone, kind="stable"):
        if LEAST * len(bits) <= alone[bit] < 0.98 * len(bits):
            near = frozenset(np.flatnonzero(implied[bit] >= _ALWAYS).tolist())
            if len(near) >= HASHES // 2:
                found.setdefault(near, float(alone[bit]) / len(bits))
    return sorted(found.items(), key=lambda each: -each[1])


def read(filters: Bits, shares: Mapping[str, float], right: Mapping[str, frozenset[int]]) -> tuple[int, int, int]:
    """Of how many common bigrams a pattern lays the bits bare; how many are told by frequency; how many there are.

    `shares` are those of the bigrams in the attacker's list: to each, the commonest first, goes the pattern nearest in
    frequency of those that are left. One is read if the bits of that are its own.
    """
    found, hits = patterns(filters), 0
    common = [token for token, share in sorted(shares.items(), key=lambda each: -each[1]) if share >= LEAST]
    exposed = sum(any(_is(bits, right[token]) for bits, _ in found) for token in common if token in right)
    for token in common[: len(found)]:
        nearest = min(found, key=lambda each: abs(each[1] - shares[token]))
        found.remove(nearest)
        hits += _is(nearest[0], right.get(token, frozenset()))
    return exposed, hits, len(common)


def _is(bits: frozenset[int], own: frozenset[int]) -> bool:
    return len(bits & own) > 0.8 * len(own) > 0 and len(bits) < 2 * len(own)


def key_bits(subjects: Sequence[EncodedSubject]) -> Bits:
    """The first 1,024 bits of some records' keys, side by side as far as all have as many."""
    least = min(BITS // 8, *(len(subject.keys) for subject in subjects))
    return np.unpackbits(np.array([np.frombuffer(each.keys[:least], np.uint8) for each in subjects]), axis=1)
