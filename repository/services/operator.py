"""What the operator sets up: the check value of its secret, and the linkage keys the pool accepts."""

from __future__ import annotations

import hmac
import re
from datetime import datetime

from sqlalchemy.orm import Session

from matching.schema import DEFAULT_SCHEMA
from repository.settings import PREFIX, SettingsError
from repository.storage import epochs
from repository.storage.operator import LINKAGE_SCHEMA, OPERATOR_CHECK, FingerprintRow, fact, set_fact

_FINGERPRINT = re.compile(r"[0-9a-f]{16}")


class WrongSecretError(Exception):
    """The operator secret in use is not the one this pool was written under."""


class WrongSchemaError(SettingsError):
    """The pool is of another linkage schema than the settings say; the message says of which, and what to do."""

    def __init__(self, stored: str, wanted: str, remedy: str) -> None:
        super().__init__(f"the pool is of the linkage schema {stored}, and {PREFIX}SCHEMA says {wanted}: {remedy}")
        self.stored = stored


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


def is_of_schema(session: Session, schema: str) -> bool:
    """Whether the pool is of this linkage schema."""
    return _schema_of(session) == schema


def check_schema(session: Session, schema: str) -> None:
    """Raises WrongSchemaError unless the pool is of this linkage schema."""
    stored = _schema_of(session)
    if stored != schema:
        remedy = f"set it to {stored}; a pool that holds no encodings yet is made one of {schema} by `init`"
        raise WrongSchemaError(stored, schema, remedy)


def remember_schema(session: Session, schema: str) -> None:
    """Make the pool one of a linkage schema; raises WrongSchemaError when it holds encodings under another one."""
    stored = _schema_of(session)
    if stored != schema and epochs.any_encoded(session.connection()):
        remedy = (
            f"it holds encodings, which only their members can make anew. Set it to {stored}, or take another"
            " data directory and an empty database, or first retire and erase every linkage key (`fingerprint`)"
        )
        raise WrongSchemaError(stored, schema, remedy)
    set_fact(session, LINKAGE_SCHEMA, schema)


def _schema_of(session: Session) -> str:
    """The pool's linkage schema; those from before there was a choice are of the default one."""
    return fact(session, LINKAGE_SCHEMA) or DEFAULT_SCHEMA


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
