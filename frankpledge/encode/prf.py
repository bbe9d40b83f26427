"""The keyed functions of the encoding: HMAC-SHA-256 for keys, AES as a fast PRF for min-hashes and sketches.

A pseudo-random function is needed some thousand times a record. AES under a secret key is one on 128-bit blocks
(Bellare, Kilian and Rogaway 1994), and a whole array of blocks goes through the processor's AES unit in one call.
"""

from __future__ import annotations

import hashlib
import hmac

import numpy as np
import numpy.typing as npt
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

U64 = npt.NDArray[np.uint64]
U8 = npt.NDArray[np.uint8]
BLOCK_BYTES = 16
_TOKEN_CACHE = 1 << 16


class TokenHash:
    """Keyed 64-bit hash of tokens (BLAKE2b, RFC 7693), remembered for the tokens that come again."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._seen: dict[str, int] = {}

    def __call__(self, tokens: list[str]) -> U64:
        """Hashes of the tokens, shape (len(tokens),)."""
        seen = self._seen
        if len(seen) > _TOKEN_CACHE:
            seen.clear()
        out = np.empty(len(tokens), np.uint64)
        for at, token in enumerate(tokens):
            value = seen.get(token)
            if value is None:
                digest = hashlib.blake2b(token.encode(), digest_size=8, key=self._secret).digest()
                value = seen[token] = int.from_bytes(digest, "little")
            out[at] = value
        return out


class BlockPrf:
    """AES-256 on arrays of 16-byte blocks, one call for the whole array."""

    def __init__(self, secret: bytes) -> None:
        # Each block is a distinct (salt, token) or (token, band): ECB here is the bare permutation, not a cipher mode.
        self._encryptor = Cipher(algorithms.AES(secret), modes.ECB()).encryptor()  # noqa: S305

    def __call__(self, high: U64, low: U64) -> U8:
        """PRF of every pair (high[i], low[j]), shape (len(high), len(low), 16)."""
        blocks = np.empty((len(high), len(low), 2), np.uint64)
        blocks[:, :, 0] = high[:, None]
        blocks[:, :, 1] = low[None, :]
        out = np.frombuffer(self._encryptor.update(blocks.tobytes()), np.uint8)
        return out.reshape(len(high), len(low), BLOCK_BYTES)


def mac(secret: bytes, name: bytes, value: bytes) -> bytes:
    """HMAC-SHA-256 (RFC 2104) of a named value: 32 bytes, the name length first so that no two inputs meet."""
    return hmac.digest(secret, len(name).to_bytes(1, "big") + name + value, "sha256")
