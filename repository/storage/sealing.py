"""What the operator's secret does to a record at rest: keys re-keyed, pointers closed, the rest sealed.

Subkeys come from HKDF-SHA-256 (RFC 5869), one for each use. Re-keying and pointers are AES-256 on single 16-byte
blocks: a permutation of 128-bit values, done for a whole column in one call, and reversible by who holds the secret,
so that the secret can be changed without the members. Everything else is AES-256-GCM (NIST SP 800-38D) with a random
nonce.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from matching.types import KEY_BYTES, KINDS, Kind

SECRET_BYTES = 32
POINTER_BYTES = 16
_NONCE_BYTES = 12
SEAL_BYTES = _NONCE_BYTES + 16
"""What sealed content is longer than the content."""
_HALF = 8
_FIRST_HALF = np.array([1, 0], np.uint64)

Integers = npt.NDArray[np.int64]
Blocks = npt.NDArray[np.void]


class SealError(ValueError):
    """Sealed data that does not open: another secret, another record, or changed bytes."""


class IndexSealer:
    """Keys and pointers of one index under the operator's secret: subkeys of its own for each `use`."""

    def __init__(self, operator_secret: bytes, use: bytes = b"") -> None:
        names = {kind: use + b"rekey/" + kind.encode("ascii") for kind in KINDS}
        self._rekey = {kind: _blocks(_subkey(operator_secret, name)) for kind, name in names.items()}
        self._pointer = _blocks(_subkey(operator_secret, use + b"pointer"))

    def rekey(self, keys: bytes, kind: Kind) -> bytes:
        """Re-key any number of 16-byte keys of one kind of subject at once.

        The same key of the same kind always becomes the same re-keyed key; as each kind has a subkey of its own, the
        same bytes filed as another kind never meet it in the index. Only the first half of a key counts: it is what is
        kept of it, so that it can be re-keyed under another secret.
        """
        if len(keys) % KEY_BYTES:
            raise ValueError(f"keys come in blocks of {KEY_BYTES} bytes")
        halves = np.frombuffer(keys, np.uint64).reshape(-1, 2) * _FIRST_HALF
        return self._rekey[kind].encryptor().update(halves.tobytes())

    def pointers(self, record_ids: Integers, rekeyed: bytes) -> Blocks:
        """Close a column of pointers: one 16-byte block for each (record id, re-keyed key)."""
        plain = np.empty((len(record_ids), 2), dtype=">i8")
        plain[:, 0] = record_ids
        plain[:, 1] = index_keys(rekeyed)
        closed = self._pointer.encryptor().update(plain.tobytes())
        return np.frombuffer(closed, dtype=f"V{POINTER_BYTES}")

    def open_pointers(self, pointers: bytes, keys: Integers) -> Integers:
        """Open a column of pointers to record ids; `keys` are the index keys they were found under.

        Raises SealError when a pointer does not belong to its key: the row was moved, or the secret is another one.
        """
        opened = np.frombuffer(self._pointer.decryptor().update(pointers), dtype=">i8").reshape(-1, 2)
        if not np.array_equal(opened[:, 1], keys):
            raise SealError("an index row does not belong to its key under this operator secret")
        return opened[:, 0].astype(np.int64)


class Sealer(IndexSealer):
    """The operator's secret at work. Holds subkeys only; raises ValueError unless the secret has 32 bytes.

    Its own keys and pointers are those of the index of the pool; `watches` are those of what stands.
    """

    def __init__(self, operator_secret: bytes) -> None:
        if len(operator_secret) != SECRET_BYTES:
            raise ValueError(f"an operator secret has {SECRET_BYTES} bytes")
        super().__init__(operator_secret)
        self.watches = IndexSealer(operator_secret, b"watch/")
        self._handle = _blocks(_subkey(operator_secret, b"handle"))
        self._envelope = AESGCM(_subkey(operator_secret, b"envelope"))
        self._digest = hashlib.blake2b(key=_subkey(operator_secret, b"digest"), digest_size=32)

    def handle(self, key: int) -> bytes:
        """What an index key is called outside of the pool: 16 bytes that no one turns back without the secret."""
        return self._handle.encryptor().update(key.to_bytes(_HALF, "big", signed=True) + bytes(_HALF))

    def open_handle(self, handle: bytes) -> int:
        """The index key of a handle. Raises SealError when it is none."""
        opened = self._handle.decryptor().update(handle) if len(handle) == 2 * _HALF else b""
        if opened[_HALF:] != bytes(_HALF):
            raise SealError("not a handle under this operator secret")
        return int.from_bytes(opened[:_HALF], "big", signed=True)

    def seal(self, context: bytes, content: bytes) -> bytes:
        """Seal content; it opens only with the same context, which says whose content it is."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._envelope.encrypt(nonce, content, context)

    def unseal(self, context: bytes, sealed: bytes) -> bytes:
        """Open what `seal` made. Raises SealError for another secret, another context or changed bytes."""
        return self.unseal_each([(context, sealed)])[0]

    def unseal_each(self, sealed: Iterable[tuple[bytes, bytes]]) -> list[bytes]:
        """Open many, given as (context, sealed). Raises SealError when one does not open."""
        decrypt = self._envelope.decrypt
        try:
            return [decrypt(each[:_NONCE_BYTES], each[_NONCE_BYTES:], context) for context, each in sealed]
        except (InvalidTag, ValueError):
            raise SealError("an envelope does not open under this operator secret and record id") from None

    def digest(self, context: bytes, content: bytes) -> bytes:
        """32 bytes that tell whether content changed, and nothing to who lacks the secret (keyed BLAKE2b, RFC 7693)."""
        keyed = self.digester(context)
        keyed.update(content)
        return keyed.digest()

    def digester(self, context: bytes) -> hashlib.blake2b:
        """The same for content that comes in parts."""
        keyed = self._digest.copy()  # the key is worked in once
        keyed.update(len(context).to_bytes(4, "big") + context)
        return keyed


def index_keys(rekeyed: bytes) -> Integers:
    """The index column for re-keyed keys: the first 8 bytes of each as a signed integer."""
    return np.frombuffer(rekeyed, dtype=">i8").reshape(-1, 2)[:, 0].astype(np.int64)


def record_context(record_id: int) -> bytes:
    """The context under which a subject's envelope is sealed."""
    return b"subject" + record_id.to_bytes(_HALF, "big")


def named_context(identifier: str) -> bytes:
    """The context under which something with a prefixed id is sealed."""
    return identifier.encode("ascii")


def _subkey(secret: bytes, use: bytes) -> bytes:
    derivation = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"frankpledge/operator/v1/" + use)
    return derivation.derive(secret)


def _blocks(key: bytes) -> Cipher[modes.ECB]:
    # Single blocks of 128 uniform bits: ECB here is the block cipher itself, a keyed permutation, not a mode for text.
    return Cipher(algorithms.AES(key), modes.ECB())  # noqa: S305
