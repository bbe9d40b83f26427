"""The Ed25519 keys that sign tokens: one signs, all verify, so that replacing a key logs nobody out."""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from repository.settings import SettingsError, read_private_file, write_private_file

_SUFFIX = ".pem"


@dataclass(frozen=True, slots=True)
class SigningKeys:
    """The key that signs, and every key that verifies, by key id."""

    signing_id: str
    signing: Ed25519PrivateKey
    verifying: dict[str, Ed25519PublicKey]

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """The verification keys as a JWK Set (RFC 7517, OKP keys of RFC 8037)."""
        keys = [{**_jwk(key), "kid": kid, "use": "sig", "alg": "EdDSA"} for kid, key in self.verifying.items()]
        return {"keys": keys}


def create_signing_key(directory: Path) -> str:
    """Write a new key, which from then on signs; the older ones go on verifying. Its key id."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = Ed25519PrivateKey.generate()
    sequence = max((_sequence(path) for path in directory.glob(f"*{_SUFFIX}")), default=0) + 1
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    write_private_file(directory / f"{sequence:04d}{_SUFFIX}", pem)
    return thumbprint(key.public_key())


def load_signing_keys(directory: Path) -> SigningKeys:
    """Every key of a directory, named 0001.pem, 0002.pem, ...: the highest number signs. Raises SettingsError."""
    keys = [_load(path) for path in sorted(directory.glob(f"*{_SUFFIX}"), key=_sequence)]
    if not keys:
        raise SettingsError(f"{directory} holds no signing key: run `frankpledge-admin init` first")
    verifying = {thumbprint(key.public_key()): key.public_key() for key in keys}
    return SigningKeys(thumbprint(keys[-1].public_key()), keys[-1], verifying)


def thumbprint(key: Ed25519PublicKey) -> str:
    """The key id: the JWK thumbprint of RFC 7638 (SHA-256, base64url)."""
    canonical = json.dumps(_jwk(key), sort_keys=True, separators=(",", ":")).encode()
    return _base64url(hashlib.sha256(canonical).digest())


def _load(path: Path) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(read_private_file(path), password=None)
    except SettingsError:
        raise
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise SettingsError(f"{path} is not a signing key: expected an Ed25519 private key in PEM, unencrypted")
    return key


def _sequence(path: Path) -> int:
    if not path.stem.isascii() or not path.stem.isdigit():
        raise SettingsError(f"{path} does not belong among the signing keys: expected names such as 0001.pem")
    return int(path.stem)


def _jwk(key: Ed25519PublicKey) -> dict[str, str]:
    return {"crv": "Ed25519", "kty": "OKP", "x": _base64url(key.public_bytes(Encoding.Raw, PublicFormat.Raw))}


def _base64url(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
