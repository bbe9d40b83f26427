"""Tier 4: a request for the detail of one record, the contributor's answer, and its clock. Pure rules.

open -> approved, approved in part, or refused by the contributor; or withdrawn by who asked. A request that is overdue
is still open: it may be escalated, and answered late.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from repository.domain.agreement import recipient_from_json
from repository.domain.calendar import Calendar
from repository.domain.errors import FieldError
from repository.domain.filings import reference_from_json
from repository.domain.rulebook import ExchangeRules

LONGEST_WORDS = 1000
LONGEST_SEALED = 256 * 1024
"""Bytes; what is larger goes from member to member by another way."""
_HEADER = b"age-encryption.org/v1\n"
_HEADER_END = b"\n--- "
_TO_ONE = re.compile(rb"^-> X25519 ", re.MULTILINE)


class RequestStatus(StrEnum):
    """Where a request stands. All but the first are for good."""

    OPEN = "open"
    APPROVED = "approved"
    APPROVED_IN_PART = "approved_in_part"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


ANSWERED = frozenset({RequestStatus.APPROVED, RequestStatus.APPROVED_IN_PART, RequestStatus.REFUSED})


class Withheld(StrEnum):
    """Why a contributor keeps something back."""

    NO_LEGAL_POWER = "no_legal_power"
    MORE_THAN_NEEDED = "more_than_needed"
    NOT_HELD = "not_held"
    LEGAL_PRIVILEGE = "legal_privilege"
    ONGOING_INVESTIGATION = "ongoing_investigation"
    HARM_TO_A_PERSON = "harm_to_a_person"
    OTHER = "other"


class ExchangeError(ValueError):
    """What was asked does not fit the present state; the message says why, and holds nothing that was sent."""


@dataclass(frozen=True, slots=True)
class Asking:
    """What a member asks of a contributor: by which power, for what, and why nothing less will do.

    `third_party`: whether it may reach anyone else.
    """

    purpose: str
    legal_power: str
    reference: str
    items: tuple[str, ...]
    third_party: bool
    asked: str
    minimum: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What a contributor answers: what of it it gives, sealed to a public key, and why it keeps the rest back."""

    granted: tuple[str, ...]
    withheld: Withheld | None = None
    reason: str | None = None
    note_reference: str | None = None
    recipient: str | None = None
    sealed: bytes | None = None


@dataclass(frozen=True, slots=True)
class Disclosure:
    """A request and its answer, without words and without what is sealed. `due_at` is where the last day in time ends.

    `took` counts working days. `reference` is that of who asks, `note_reference` that of who answers.
    """

    id: str
    requester_id: str
    contributor_id: str
    hit_id: str
    filing_id: str
    filing_version: int
    line: str
    record_class: str
    purpose: str
    legal_power: str
    reference: str
    items: tuple[str, ...]
    third_party: bool
    asked_at: datetime
    due_on: date
    due_at: datetime
    status: RequestStatus = RequestStatus.OPEN
    granted: tuple[str, ...] = ()
    withheld: Withheld | None = None
    note_reference: str | None = None
    answered_at: datetime | None = None
    took: int | None = None
    escalated_at: datetime | None = None
    withdrawn_at: datetime | None = None
    sealed_until: datetime | None = None
    sealed_bytes: int | None = None
    sealed_sha256: str | None = None
    opened_at: datetime | None = None

    def overdue(self, now: datetime) -> bool:
        """Whether it is open after its last day in time."""
        return self.status is RequestStatus.OPEN and now >= self.due_at

    @property
    def in_time(self) -> bool | None:
        """Whether it was answered in time; None before it is answered."""
        return None if self.answered_at is None else self.answered_at < self.due_at


def asking_from_json(body: Mapping[str, object], rules: ExchangeRules) -> Asking:
    """A request as a member sends it; purposes are judged elsewhere. Raises FieldError."""
    third_party = body.get("third_party")
    if not isinstance(third_party, bool):
        raise FieldError("third_party", "true or false: whether what is given may reach anyone else")
    return Asking(
        purpose=str(body.get("purpose")),
        legal_power=_word(body, "legal_power", rules.legal_powers),
        reference=reference_from_json(body, "reference"),
        items=_items(body, "items", rules.items),
        third_party=third_party,
        asked=words_from_json(body, "asked"),
        minimum=words_from_json(body, "minimum"),
    )


def approval_from_json(body: Mapping[str, object], asked: Collection[str]) -> Reply:
    """An approval as a contributor sends it: of all that was asked, or of a part with a reason. Raises FieldError."""
    granted = _items(body, "granted", tuple(asked))
    note = None if body.get("note_reference") is None else reference_from_json(body, "note_reference")
    reply = Reply(granted, None, None, note, recipient_from_json(body), sealed_from_json(body))
    if set(granted) == set(asked):
        for name in ("withheld", "reason"):
            if body.get(name) is not None:
                raise FieldError(name, "nothing, as all that was asked for is given")
        return reply
    return _kept_back(reply, body)


def refusal_from_json(body: Mapping[str, object]) -> Reply:
    """A refusal as a contributor sends it. Raises FieldError."""
    note = None if body.get("note_reference") is None else reference_from_json(body, "note_reference")
    return _kept_back(Reply((), None, None, note), body)


def words_from_json(body: Mapping[str, object], field: str) -> str:
    """Some sentences. Raises FieldError."""
    text = body.get(field)
    stripped = text.strip() if isinstance(text, str) else ""
    if not stripped or len(stripped) > LONGEST_WORDS or not stripped.replace("\n", " ").isprintable():
        raise FieldError(field, f"1 to {LONGEST_WORDS} printable characters")
    return stripped


def sealed_from_json(body: Mapping[str, object], field: str = "sealed") -> bytes:
    """An answer sealed by age to one X25519 key, which is all that can be seen of it. Raises FieldError."""
    expected = f"a file of age, sealed to one X25519 recipient, in base64, up to {LONGEST_SEALED} bytes"
    text = body.get(field)
    try:
        sealed = base64.b64decode(text if isinstance(text, str) else "!", validate=True)
    except (binascii.Error, ValueError):
        raise FieldError(field, expected) from None
    header, end, _ = sealed.partition(_HEADER_END)
    if not end or not header.startswith(_HEADER) or len(_TO_ONE.findall(header)) != 1:
        raise FieldError(field, expected)
    if len(sealed) > LONGEST_SEALED:
        raise FieldError(field, expected)
    return sealed


def replied(before: Disclosure, reply: Reply, calendar: Calendar, now: datetime) -> Disclosure:
    """The request after the contributor's answer. Raises ExchangeError unless it is open."""
    _open(before)
    status = RequestStatus.REFUSED
    if reply.granted:
        whole = set(reply.granted) == set(before.items)
        status = RequestStatus.APPROVED if whole else RequestStatus.APPROVED_IN_PART
    return replace(
        before,
        status=status,
        granted=reply.granted,
        withheld=reply.withheld,
        note_reference=reply.note_reference,
        answered_at=now,
        took=calendar.between(calendar.day_of(before.asked_at), calendar.day_of(now)),
    )


def withdrawn(before: Disclosure, now: datetime) -> Disclosure:
    """The request after who asked has taken it back. Raises ExchangeError unless it is open."""
    _open(before)
    return replace(before, status=RequestStatus.WITHDRAWN, withdrawn_at=now)


def escalated(before: Disclosure, now: datetime) -> Disclosure:
    """The request after who asked has told the operator. Raises ExchangeError unless it is overdue, or when it was."""
    _open(before)
    if not before.overdue(now):
        raise ExchangeError("the request is not overdue: its last day in time is not over")
    if before.escalated_at is not None:
        raise ExchangeError("the request was escalated before")
    return replace(before, escalated_at=now)


def _open(disclosure: Disclosure) -> None:
    if disclosure.status is not RequestStatus.OPEN:
        raise ExchangeError(f"the request is closed: it was {disclosure.status.replace('_', ' ')}")


def _kept_back(reply: Reply, body: Mapping[str, object]) -> Reply:
    withheld = Withheld(_word(body, "withheld", [each.value for each in Withheld]))
    return replace(reply, withheld=withheld, reason=words_from_json(body, "reason"))


def _word(body: Mapping[str, object], field: str, words: Collection[str]) -> str:
    value = body.get(field)
    if not isinstance(value, str) or value not in words:
        raise FieldError(field, f"one of: {', '.join(words)}")
    return value


def _items(body: Mapping[str, object], field: str, allowed: tuple[str, ...]) -> tuple[str, ...]:
    """Some of the words that are allowed, in the order of these."""
    value = body.get(field)
    given = value if isinstance(value, list) else []
    if not given or not all(isinstance(each, str) and each in allowed for each in given):
        raise FieldError(field, f"one or more of: {', '.join(allowed)}")
    return tuple(each for each in allowed if each in given)
