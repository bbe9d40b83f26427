"""Why a filing is taken out of the pool, and the proof that it was: words, and what they are made of. Pure rules."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import orjson


class Cause(StrEnum):
    """Why a filing is not in the pool any more."""

    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class WithdrawalReason(StrEnum):
    """Why a contributor withdraws a filing. From a closed list: words of people would outlive the record."""

    NOT_THE_PERSON = "not_the_person"
    WRONG_FACTS = "wrong_facts"
    DUPLICATE = "duplicate"
    CLEARED = "cleared"
    SUBJECT_ASKED = "subject_asked"
    UNLAWFUL = "unlawful"


class HeldError(ValueError):
    """A filing under a legal hold is not taken out of the pool."""


@dataclass(frozen=True, slots=True)
class Removed:
    """What a deletion proof says of a filing that is gone: whose, of which line and class, why, and when.

    `kept_from` is the day that its time counted from.
    """

    filing_id: str
    member_id: str
    line: str
    record_class: str
    version: int
    cause: Cause
    reason: str | None
    kept_from: date
    removed_on: date
    rulebook: str

    def commitment(self, salt: bytes, content_digest: bytes) -> bytes:
        """SHA-256 over what is said here and the digest of the content, which nobody can make without the secret.

        Who has the record still, and the operator together can show that it is this one; who has the proof alone can
        test no guess on it, not even one at the reference.
        """
        said = [self.filing_id, self.member_id, self.line, self.record_class, self.version, self.cause.value]
        said += [self.reason, self.kept_from, self.removed_on, self.rulebook, salt.hex(), content_digest.hex()]
        return hashlib.sha256(orjson.dumps(said)).digest()
