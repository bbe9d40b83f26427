"""What a linkage key is known by in a scheme that has a custodian: its encodings fit those of no other custodian."""

from __future__ import annotations

import hashlib
import hmac

from frankpledge.errors import KitError
from frankpledge.keys import LinkageKey

PUBLIC_BYTES = 32


def fingerprint(key: LinkageKey, public: bytes | None) -> str:
    """The fingerprint of a linkage key with a custodian's public key; without one, the linkage key's own."""
    if public is None:
        return key.fingerprint
    return hmac.digest(key.secret, b"frankpledge/key-check/custodian/v1\0" + public, hashlib.sha256)[:8].hex()


def public_key(text: str | None) -> bytes | None:
    """A custodian's public key from 64 hex digits. Raises KitError."""
    if text is None:
        return None
    try:
        public = bytes.fromhex(text)
    except ValueError:
        public = b""
    if len(public) != PUBLIC_BYTES:
        raise KitError("The custodian's public key is not as expected.", "Give 64 hex digits, as the custodian tells.")
    return public
