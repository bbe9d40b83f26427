"""Pattern mining: bits that are set together wherever they are set betray the bigram behind them.

After Christen, Vidanage, Ranbaduge and Schnell (2018), 'Pattern-mining based cryptanalysis of Bloom filters': the bits
of a common bigram form a frequent pattern, the frequency of which is that of the bigram. Patterns are grown from one bit
by the bits that nearly always stand with it, and shared out by frequency. It is tried on filters over one field, where
it works, and on the bits of our keys, which have no such patterns.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from benchmarks.privacy.clk import HASHES

Bits = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
_ALWAYS = 0.995
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


def read(filters: Bits, shares: dict[str, float], right: dict[str, frozenset[int]]) -> tuple[int, int]:
    """How many of the bigrams' patterns are found and given to the right bigram, and of how many bigrams.

    `shares` are those of the bigrams in the attacker's list; a bigram is read if most of the bits of the pattern that
    is nearest in frequency, among those not yet given, are its own.
    """
    left, hits = patterns(filters), 0
    common = [token for token, share in sorted(shares.items(), key=lambda each: -each[1]) if share >= LEAST]
    for token in common:
        if not left:
            break
        nearest = min(left, key=lambda each: abs(each[1] - shares[token]))
        left.remove(nearest)
        hits += len(nearest[0] & right.get(token, frozenset())) > 0.8 * len(right.get(token, frozenset("-")))
    return hits, len(common)
