"""The keyed functions of the encoding: AES as a fast PRF, on arrays of blocks and on texts.

A pseudo-random function is needed some thousand times a record. AES under a secret key is one on 128-bit blocks, and
chained it is one on messages none of which begins another (Bellare, Kilian and Rogaway 1994; Petrank and Rackoff 2000).
A whole array of blocks goes through the processor's AES unit in one call.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

U64 = npt.NDArray[np.uint64]
U8 = npt.NDArray[np.uint8]
Bool = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.intp]
BLOCK_BYTES = 16
LENGTH_BYTES = 4

Derive = Callable[[str], bytes]
"""Gives the 32-byte subkey for a use."""


def start(derive: Derive, use: str) -> U64:
    """The secret block from which a use of a PRF starts, so that no two uses put the same block through it."""
    return np.frombuffer(derive(f"start/{use}")[:BLOCK_BYTES], np.uint64)


class BlockPrf(threading.local):
    """AES-256 on arrays of 16-byte blocks, one call for the whole array."""

    def __init__(self, secret: bytes) -> None:
        # ECB here is the bare permutation, not a cipher mode. Two threads must not use one encryptor at once: being
        # a `threading.local`, this is called in each thread and gives each its own.
        self._encryptor = Cipher(algorithms.AES(secret), modes.ECB()).encryptor()  # noqa: S305

    def __call__(self, blocks: U64) -> U64:
        """Of blocks of shape (..., 2)."""
        flat = np.ascontiguousarray(blocks).reshape(-1, 2)
        return self.into(flat, room(len(flat))).reshape(blocks.shape)

    def into(self, blocks: U64, out: U64) -> U64:
        """Of blocks of shape (n, 2), into an array that has `room` for them; gives the part that was filled."""
        self._encryptor.update_into(blocks.view(np.uint8).data, out.view(np.uint8).data)
        return out[: len(blocks)]

    def one_way(self, blocks: U64) -> U64:
        """AES of each block xor the block: a PRF as well, and one that even who has the secret cannot go back from."""
        return self(blocks) ^ blocks


def room(blocks: int) -> U64:
    """An array to be filled with so many blocks; `cryptography` asks for one more."""
    return np.empty((blocks + 1, 2), np.uint64)


def text_hashes(prf: BlockPrf, texts: Sequence[str]) -> tuple[U64, Ints]:
    """Hashes of texts, of shape (texts, 2), and how many bytes these have: a CBC-MAC of the length and the text."""
    encoded = "".join(texts).encode()
    lengths = byte_lengths(texts, len(encoded))
    blocks = -(-(lengths + LENGTH_BYTES) // BLOCK_BYTES)
    width = int(blocks.max(initial=1))
    padded = np.zeros((len(texts), width * BLOCK_BYTES), np.uint8)
    padded.view("<u4")[:, 0] = lengths
    starts = np.arange(len(texts)) * (width * BLOCK_BYTES) + LENGTH_BYTES
    places = np.repeat(starts - (np.cumsum(lengths) - lengths), lengths) + np.arange(len(encoded))
    padded.reshape(-1)[places] = np.frombuffer(encoded, np.uint8)
    message = padded.view(np.uint64).reshape(len(texts), width, 2)
    hashes = prf.one_way(message[:, 0])
    for at in range(1, width):
        longer = np.flatnonzero(blocks > at)
        hashes[longer] = prf.one_way(hashes[longer] ^ message[longer, at])
    return hashes, lengths


def byte_lengths(texts: Sequence[str], together: int) -> Ints:
    """How many bytes each text has in UTF-8, where they have so many together."""
    lengths = np.fromiter(map(len, texts), np.intp, len(texts))
    if int(lengths.sum()) == together:  # one byte for each character
        return lengths
    return np.array([len(text.encode()) for text in texts], np.intp)
