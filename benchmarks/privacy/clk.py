"""Cryptographic longterm keys as clkhash makes them: the bigrams of all fields in one Bloom filter of 1,024 bits.

Schnell, Bachteler and Reiher (2011), 'A novel error-tolerant anonymous linking code': each bigram of each field sets
bits by double hashing with two HMACs, and two filters are compared by Dice's coefficient. It is here as the proof that
the attacks are real ones: what gets nothing out of our encoding gets nearly everybody out of these.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

Bits = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
BITS = 1024
HASHES = 12
"""Bits that a bigram sets: with some forty bigrams a record about a third of all are set."""


class Clk:
    """Makes filters under one secret."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self.positions = functools.cache(self._positions)

    def filters(self, people: Sequence[Mapping[str, str]], fields: Sequence[str]) -> Bits:
        """A filter for each person, of shape (people, 1024), a byte a bit."""
        filters = np.zeros((len(people), BITS), np.uint8)
        for row, person in zip(filters, people, strict=True):
            for field in fields:
                for token in bigrams(person[field]):
                    row[self.positions(field, token)] = 1
        return filters

    def _positions(self, field: str, token: str) -> npt.NDArray[np.int64]:
        message = f"{field}\x00{token}".encode()
        first, second = (
            int.from_bytes(hmac.digest(self._secret, message, algorithm)[:8], "big")
            for algorithm in (hashlib.sha1, hashlib.md5)
        )
        return np.array([(first + each * second) % BITS for each in range(HASHES)], np.int64)


def bigrams(text: str) -> set[str]:
    """The padded bigrams of a value; none of an empty one."""
    padded = f" {text.strip().lower()} "
    return {padded[at : at + 2] for at in range(len(padded) - 1)} if text else set()


def dice(filters: Bits) -> Floats:
    """Likeness of every two filters, of shape (filters, filters); 0 of each with itself."""
    bits = filters.astype(np.float32)
    counts = bits.sum(axis=1)
    likeness: Floats = 2 * (bits @ bits.T) / np.maximum(counts[:, None] + counts[None, :], 1)
    np.fill_diagonal(likeness, 0)
    return likeness
