"""Sharing the linkage key: members' public keys, and a key sealed to one of them, which the service cannot open."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from repository.domain.errors import FieldError
from repository.domain.ids import is_id

LONGEST_SEALED = 4096
"""Bytes; a linkage key sealed with age has some 350."""
LASTS = timedelta(days=30)
"""How long an offer may be opened, and is listed."""
MOST_TO_ONE = 4
"""Open offers of one member to another."""
LONGEST_EPOCH = 2**31 - 1

_RECIPIENT = re.compile(r"age1[02-9ac-hj-np-z]{58}")
_FINGERPRINT = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class Offered:
    """A linkage key as it is offered: to whom, sealed to which public key, and what it is known by."""

    to: str
    recipient: str
    fingerprint: str
    epoch: int
    sealed: bytes


def recipient_from_json(body: Mapping[str, object], field: str = "recipient") -> str:
    """A member's public key. Raises FieldError; the kit checks the letters, which the service has no use for."""
    value = body.get(field)
    if not isinstance(value, str) or _RECIPIENT.fullmatch(value) is None:
        raise FieldError(field, "an X25519 recipient of age, as `frankpledge keys identity show` prints it")
    return value


def offered_from_json(body: Mapping[str, object]) -> Offered:
    """An offer as a member sends it. Raises FieldError."""
    to, fingerprint, epoch = body.get("to"), body.get("fingerprint"), body.get("epoch")
    if not isinstance(to, str) or not is_id(to, "mem"):
        raise FieldError("to", "the id of a member")
    if not isinstance(fingerprint, str) or _FINGERPRINT.fullmatch(fingerprint) is None:
        raise FieldError("fingerprint", "the fingerprint of a linkage key, 16 hex digits in lower case")
    if type(epoch) is not int or not 1 <= epoch <= LONGEST_EPOCH:
        raise FieldError("epoch", "the epoch of the key, a whole number from 1")
    return Offered(to, recipient_from_json(body), fingerprint, epoch, _sealed(body.get("sealed")))


def _sealed(value: object) -> bytes:
    expected = f"the sealed key in base64, up to {LONGEST_SEALED} bytes"
    try:
        sealed = base64.b64decode(value if isinstance(value, str) else "!", validate=True)
    except (binascii.Error, ValueError):
        raise FieldError("sealed", expected) from None
    if not 0 < len(sealed) <= LONGEST_SEALED:
        raise FieldError("sealed", expected)
    return sealed
