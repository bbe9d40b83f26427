"""The linkage key: the members' common secret, which never leaves them, and the file it is kept in.

The file is JSON with mode 0600: format, epoch, fingerprint, and either the secret or, under a
passphrase, its sealed form.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from frankpledge.errors import KitError
from frankpledge.files import create_private, read_private

FORMAT = "frankpledge-linkage-key/1"
SECRET_BYTES = 32
MIN_PASSPHRASE = 12


class KeyFileError(KitError):
    """The key file is missing, open to others, damaged, or not a key file."""


class PassphraseNeededError(KeyFileError):
    """The key file is protected and no passphrase was given."""


@dataclass(frozen=True, slots=True)
class LinkageKey:
    """The members' secret (32 bytes) and its epoch, counted from 1. Equal secrets make equal encodings."""

    secret: bytes = field(repr=False)
    epoch: int = 1

    def __post_init__(self) -> None:
        if len(self.secret) != SECRET_BYTES:
            raise ValueError(f"a linkage key has {SECRET_BYTES} bytes")
        if self.epoch < 1:
            raise ValueError("epochs count from 1")

    @property
    def check(self) -> str:
        """What members compare when the key is given on: 32 hex digits in groups of four, the fingerprint first.

        The fingerprint alone is for telling keys apart: whoever wants another key of the same one finds it by trying
        2**64 of them, which is not out of everybody's reach.
        """
        digits = hmac.digest(self.secret, b"frankpledge/key-check/v1", hashlib.sha256)[:16].hex()
        return " ".join(digits[start : start + 4] for start in range(0, len(digits), 4))

    @property
    def fingerprint(self) -> str:
        """The key-check value, 16 hex digits: 8 bytes of an HMAC. It tells keys apart and reveals nothing of them."""
        return hmac.digest(self.secret, b"frankpledge/key-check/v1", hashlib.sha256)[:8].hex()

    def derive(self, purpose: bytes) -> bytes:
        """Make a subkey of 32 bytes for one purpose: HMAC-SHA-256, domain-separated from the fingerprint."""
        return hmac.digest(self.secret, b"frankpledge/derive/v1\0" + purpose, hashlib.sha256)


def create(path: Path, passphrase: str | None = None, *, epoch: int = 1) -> LinkageKey:
    """Make a new random key and store it in a new file. Raises KitError when the file exists."""
    key = LinkageKey(os.urandom(SECRET_BYTES), epoch)
    store(path, key, passphrase)
    return key


def load(path: Path, passphrase: str | None = None) -> LinkageKey:
    """Read the key of a private file. Raises KeyFileError, PassphraseNeededError or ProtectionError."""
    return parse(read_private(path), passphrase)


def import_key(data: bytes, path: Path, passphrase: str | None = None) -> LinkageKey:
    """Store a key that came from elsewhere as the bytes of a key file; it stays protected as it came."""
    key = parse(data, passphrase)
    store(path, key, passphrase if is_protected(data) else None)
    return key


def store(path: Path, key: LinkageKey, passphrase: str | None = None) -> None:
    """Write the key to a new private file, sealed when there is a passphrase."""
    create_private(path, dump(key, passphrase))


def is_protected(data: bytes) -> bool:
    """Whether the bytes of a key file need a passphrase. Raises KeyFileError when they are no key file."""
    return "protection" in _document(data)


def dump(key: LinkageKey, passphrase: str | None = None) -> bytes:
    """Write the key as the bytes of a key file. Raises KeyFileError for a passphrase that is too short to protect."""
    document: dict[str, object] = {"format": FORMAT, "epoch": key.epoch, "fingerprint": key.fingerprint}
    if passphrase is None:
        document["secret"] = base64.b64encode(key.secret).decode()
    else:
        if len(passphrase) < MIN_PASSPHRASE:
            raise KeyFileError("The passphrase is too short.", f"Use at least {MIN_PASSPHRASE} characters.")
        from frankpledge import protection  # noqa: PLC0415 - argon2 only where a passphrase is used

        document["protection"] = protection.seal(key.secret, passphrase, _header(key.epoch, key.fingerprint))
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def parse(data: bytes, passphrase: str | None = None) -> LinkageKey:
    """Read the key from the bytes of a key file. Raises KeyFileError, PassphraseNeededError or ProtectionError."""
    document = _document(data)
    epoch, fingerprint = document.get("epoch"), document.get("fingerprint")
    if type(epoch) is not int or epoch < 1 or not isinstance(fingerprint, str):
        raise _damaged()
    if not re.fullmatch("[0-9a-f]{16}", fingerprint):
        raise _damaged()
    secret = _secret(document, epoch, fingerprint, passphrase)
    if len(secret) != SECRET_BYTES:
        raise _damaged()
    key = LinkageKey(secret, epoch)
    if not hmac.compare_digest(key.fingerprint, fingerprint):
        raise _damaged()
    return key


def _secret(document: dict[str, object], epoch: int, fingerprint: str, passphrase: str | None) -> bytes:
    protected = document.get("protection")
    if protected is None:
        try:
            return base64.b64decode(str(document.get("secret")), validate=True)
        except (binascii.Error, ValueError):
            raise _damaged() from None
    if not isinstance(protected, dict):
        raise _damaged()
    if passphrase is None:
        raise PassphraseNeededError(
            "The key file is protected by a passphrase.",
            "Set FRANKPLEDGE_PASSPHRASE, give --passphrase-file, or run in a terminal to be asked.",
        )
    from frankpledge import protection  # noqa: PLC0415 - argon2 only where a passphrase is used

    return protection.open_sealed(protected, passphrase, _header(epoch, fingerprint))


def _header(epoch: int, fingerprint: str) -> bytes:
    return f"{FORMAT}|{epoch}|{fingerprint}".encode()


def _document(data: bytes) -> dict[str, object]:
    try:
        document = orjson.loads(data)
    except orjson.JSONDecodeError:
        document = None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise KeyFileError("This is not a linkage key file.", "Give the file that `frankpledge keys init` made.")
    return document


def _damaged() -> KeyFileError:
    return KeyFileError("The key file is damaged.", "Import the key again from its source, or restore a backup.")
