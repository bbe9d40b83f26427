"""What the operator sets up: the check value of its secret, and the linkage keys the pool accepts."""

from __future__ import annotations

import hmac
import re
from datetime import datetime

from sqlalchemy.orm import Session

from repository.storage.operator import OPERATOR_CHECK, FingerprintRow, fact, set_fact

_FINGERPRINT = re.compile(r"[0-9a-f]{16}")


class WrongSecretError(Exception):
    """The operator secret in use is not the one this pool was written under."""


def check_value(secret: bytes) -> str:
    """What may be stored to recognise a secret by: 64 bits of an HMAC, which tell nothing of the secret."""
    return hmac.digest(secret, b"frankpledge/operator-check/v1", "sha256")[:8].hex()


def remember_secret(session: Session, secret: bytes) -> None:
    """Store the secret's check value the first time; raises WrongSecretError when another one is stored."""
    stored = fact(session, OPERATOR_CHECK)
    if stored is None:
        set_fact(session, OPERATOR_CHECK, check_value(secret))
    elif not hmac.compare_digest(stored, check_value(secret)):
        raise WrongSecretError


def secret_matches(session: Session, secret: bytes) -> bool:
    """Whether this is the secret the pool was written under; False before `init` stored one."""
    stored = fact(session, OPERATOR_CHECK)
    return stored is not None and hmac.compare_digest(stored, check_value(secret))


def accept_fingerprint(
    session: Session, schema_id: str, fingerprint: str, *, now: datetime, epoch: int | None = None
) -> bool:
    """Accept records encoded under a linkage key, from now on without an end; False when it was so already.

    Raises ValueError unless the fingerprint is 16 hex digits, as `frankpledge keys show` prints it.
    """
    lowered = fingerprint.strip().lower()
    if not _FINGERPRINT.fullmatch(lowered):
        raise ValueError("expected 16 hex digits, as `frankpledge keys show` prints them")
    row = session.get(FingerprintRow, (schema_id, lowered))
    if row is None:
        row = FingerprintRow(schema_id=schema_id, fingerprint=lowered, added_at=now, accepted_until=now)
        session.add(row)
    new, row.accepted_until = row.accepted_until is not None, None
    row.epoch = row.epoch if epoch is None else epoch
    return new


def retire_fingerprint(session: Session, schema_id: str, fingerprint: str, *, at: datetime, now: datetime) -> bool:
    """Take no more records and no more questions under a linkage key from an instant on; False when it is not accepted.

    What was filed under it stays: only questions under the same key could find it (see `services.epochs`).
    """
    row = session.get(FingerprintRow, (schema_id, fingerprint.strip().lower()))
    if row is None or not row.is_accepted(now):
        return False
    row.accepted_until = at
    return True
