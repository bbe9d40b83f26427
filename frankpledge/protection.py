"""A secret under a passphrase: argon2id (RFC 9106) makes the key, AES-256-GCM seals and authenticates."""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Mapping
from dataclasses import dataclass

from argon2.low_level import ARGON2_VERSION, Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from frankpledge.errors import KitError


@dataclass(frozen=True, slots=True)
class Cost:
    """What one guess at the passphrase costs: memory in KiB, passes and lanes. RFC 9106, second recommended option."""

    memory_kib: int = 65536
    iterations: int = 3
    lanes: int = 4


STANDARD_COST = Cost()
CEILING = Cost(memory_kib=1 << 20, iterations=64, lanes=64)
"""More than this is refused on reading: a forged file must not be able to exhaust the machine."""


class ProtectionError(KitError):
    """The protected part cannot be opened: wrong passphrase, or a damaged or forged file."""


def seal(secret: bytes, passphrase: str, header: bytes, cost: Cost = STANDARD_COST) -> dict[str, object]:
    """Put the secret under the passphrase, as a JSON object with all parameters; `header` is authenticated with it."""
    salt, nonce = os.urandom(16), os.urandom(12)
    sealed = AESGCM(_stretch(passphrase, salt, cost)).encrypt(nonce, secret, header)
    return {
        "kdf": "argon2id",
        "version": ARGON2_VERSION,
        "memory_kib": cost.memory_kib,
        "iterations": cost.iterations,
        "lanes": cost.lanes,
        "salt": base64.b64encode(salt).decode(),
        "cipher": "aes-256-gcm",
        "nonce": base64.b64encode(nonce).decode(),
        "sealed": base64.b64encode(sealed).decode(),
    }


def open_sealed(protection: Mapping[str, object], passphrase: str, header: bytes) -> bytes:
    """Return the secret that `seal` put away. Raises ProtectionError when it cannot be opened."""
    if protection.get("kdf") != "argon2id" or protection.get("cipher") != "aes-256-gcm":
        raise _damaged("names a protection this version does not know")
    if protection.get("version") != ARGON2_VERSION:
        raise _damaged("was made by another version of argon2")
    cost = Cost(
        memory_kib=_bounded(protection, "memory_kib", CEILING.memory_kib),
        iterations=_bounded(protection, "iterations", CEILING.iterations),
        lanes=_bounded(protection, "lanes", CEILING.lanes),
    )
    salt, nonce, sealed = (_binary(protection, name) for name in ("salt", "nonce", "sealed"))
    if len(salt) < 8 or len(nonce) != 12 or cost.memory_kib < 8 * cost.lanes:
        raise _damaged("has impossible protection parameters")
    try:
        return AESGCM(_stretch(passphrase, salt, cost)).decrypt(nonce, sealed, header)
    except InvalidTag:
        raise ProtectionError(
            "The passphrase does not open the key file.", "Type it again; if it is right, the file is damaged."
        ) from None


def _stretch(passphrase: str, salt: bytes, cost: Cost) -> bytes:
    return hash_secret_raw(
        passphrase.encode(errors="surrogateescape"),
        salt,
        time_cost=cost.iterations,
        memory_cost=cost.memory_kib,
        parallelism=cost.lanes,
        hash_len=32,
        type=Type.ID,
    )


def _bounded(protection: Mapping[str, object], name: str, ceiling: int) -> int:
    value = protection.get(name)
    if type(value) is not int or not 1 <= value <= ceiling:
        raise _damaged(f"has an impossible {name}")
    return value


def _binary(protection: Mapping[str, object], name: str) -> bytes:
    value = protection.get(name)
    try:
        return base64.b64decode(value if isinstance(value, str) else "!", validate=True)
    except (binascii.Error, ValueError):
        raise _damaged(f"has no readable {name}") from None


def _damaged(how: str) -> ProtectionError:
    return ProtectionError(f"The key file {how}.", "Import the key again from its source.")
