"""The keyed functions of the encoding: HMAC-SHA-256 for keys, AES as a fast PRF for min-hashes and sketches.

A pseudo-random function is needed some thousand times a record. AES under a secret key is one on 128-bit blocks
(Bellare, Kilian and Rogaway 1994), and a whole array of blocks goes through the processor's AES unit in one call.
"""

from __future__ import annotations

import functools
import hashlib
from collections import deque
from collections.abc import Callable, Iterable

import numpy as np
import numpy.typing as npt
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC

from frankpledge.encode.tokens import pieces
from matching.schema import TokenSpec

U64 = npt.NDArray[np.uint64]
U8 = npt.NDArray[np.uint8]
BLOCK_BYTES = 16
HASH_BYTES = 8
REMEMBERED_VALUES = 1 << 14
REMEMBERED_BIGRAMS = 1 << 11
"""More than there are of letters and digits."""

NewMac = Callable[[], HMAC]
"""Gives an HMAC to feed one value to."""


class TokenHashes:
    """Keyed 64-bit hashes of the tokens of values (BLAKE2b, RFC 7693), remembered for the values that come again."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._made: dict[tuple[str, str], Callable[[str], bytes]] = {}

    def of(self, spec: TokenSpec) -> Callable[[str], bytes]:
        """A function from a value to the hashes of its tokens in their order, 8 bytes each."""
        place = (spec.space, spec.cut)
        if place not in self._made:
            self._made[place] = self._function(spec)
        return self._made[place]

    def _function(self, spec: TokenSpec) -> Callable[[str], bytes]:
        place, secret = f"{spec.space}\0{spec.cut}\0", self._secret

        def token(piece: str) -> bytes:
            return hashlib.blake2b((place + piece).encode(), digest_size=HASH_BYTES, key=secret).digest()

        if spec.cut == "whole":
            return functools.lru_cache(maxsize=REMEMBERED_VALUES)(token)
        bigram = functools.lru_cache(maxsize=REMEMBERED_BIGRAMS)(token)

        @functools.lru_cache(maxsize=REMEMBERED_VALUES)
        def value(text: str) -> bytes:
            return b"".join([bigram(piece) for piece in pieces(text, spec.cut)])

        return value


class BlockPrf:
    """AES-256 on arrays of 16-byte blocks, one call for the whole array."""

    def __init__(self, secret: bytes) -> None:
        # Each block is a distinct (salt, token) or (token, band): ECB here is the bare permutation, not a cipher mode.
        self._encryptor = Cipher(algorithms.AES(secret), modes.ECB()).encryptor()  # noqa: S305

    def __call__(self, high: U64, low: U64) -> U8:
        """PRF of the pairs of two arrays, broadcast against each other: their common shape, and 16 bytes for each."""
        blocks = np.empty((*np.broadcast_shapes(high.shape, low.shape), 2), np.uint64)
        blocks[..., 0] = high
        blocks[..., 1] = low
        out = np.frombuffer(self._encryptor.update(blocks.view(np.uint8).ravel().data), np.uint8)
        return out.reshape(*blocks.shape[:-1], BLOCK_BYTES)


def named(secret: bytes, name: str) -> NewMac:
    """HMAC-SHA-256 (RFC 2104) of named values; the name's length comes first, so that no two inputs meet."""
    prepared = HMAC(secret, SHA256())
    prepared.update(len(name).to_bytes(1, "big") + name.encode())
    return prepared.copy  # a copy of the prepared state costs less than half of a fresh HMAC


def tags(macs: Iterable[NewMac], values: Iterable[bytes]) -> list[bytes]:
    """The 32 bytes of each value's tag under its own HMAC."""
    # Some sixty a record are most of encoding; mapped, the interpreter's own share of them is a fifth less.
    states = [new() for new in macs]
    deque(map(HMAC.update, states, values), maxlen=0)
    return list(map(HMAC.finalize, states))
