"""The keyed functions of the encoding: HMAC-SHA-256 for keys, AES as a fast PRF for min-hashes and sketches.

A pseudo-random function is needed some thousand times a record. AES under a secret key is one on 128-bit blocks
(Bellare, Kilian and Rogaway 1994), and a whole array of blocks goes through the processor's AES unit in one call.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC

from frankpledge.encode.tokens import pieces
from matching.schema import Cut, TokenSpec

U64 = npt.NDArray[np.uint64]
U8 = npt.NDArray[np.uint8]
BLOCK_BYTES = 16
REMEMBERED_VALUES = 1 << 14


class TokenHash:
    """Keyed 64-bit hashes of an atom's tokens (BLAKE2b, RFC 7693), remembered for the values that come again."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._cached = functools.lru_cache(maxsize=REMEMBERED_VALUES)(self._hashes)

    def __call__(self, atoms: Mapping[str, str], spec: TokenSpec) -> tuple[int, ...]:
        """The hashes of one atom's tokens, in their order; empty when the atom is missing."""
        value = atoms.get(spec.atom)
        return self._cached(value, spec.space, spec.cut) if value else ()

    def _hashes(self, value: str, space: str, cut: Cut) -> tuple[int, ...]:
        place = f"{space}\0{cut}\0"
        digests = [
            hashlib.blake2b((place + piece).encode(), digest_size=8, key=self._secret).digest()
            for piece in pieces(value, cut)
        ]
        return tuple([int.from_bytes(digest, "little") for digest in digests])


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


class Mac:
    """HMAC-SHA-256 (RFC 2104) of named values; the name's length comes first, so that no two inputs meet."""

    def __init__(self, secret: bytes, name: str) -> None:
        self._named = HMAC(secret, SHA256())
        self._named.update(len(name).to_bytes(1, "big") + name.encode())

    def __call__(self, value: bytes) -> bytes:
        """The 32 bytes of the tag. A copy of the prepared state costs less than half of a fresh HMAC."""
        state = self._named.copy()
        state.update(value)
        return state.finalize()
