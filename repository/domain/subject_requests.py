"""What a person asks through any member about records on them: the clock, and what contributors decide. Pure rules.

entered -> confirmed by a second person -> told from `ready_at` on; or withdrawn, or lapsed where nobody confirmed it.
What a contributor defers is in no answer until the deferral ends, and nothing of the answer says that it is missing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from matching.vocabulary import LINES
from repository.domain.calendar import Calendar
from repository.domain.disputes import Ground
from repository.domain.errors import FieldError
from repository.domain.filings import PROTECTED_CLASSES, one_of, reference_from_json
from repository.domain.filings import day as day_from_json
from repository.domain.retention import months_later
from repository.domain.rulebook import SubjectAccessRules

MOST_SUBJECTS = 5
"""Encodings of one person in a request: names and addresses of before are encoded each by itself."""
BACKDATED_DAYS = 31
"""How long before it is entered a request may have been received."""


class RequestKind(StrEnum):
    """What a person asks for."""

    ACCESS = "access"
    DISPUTE = "dispute"
    ERASURE = "erasure"
    RESTRICTION = "restriction"
    VICTIM = "victim"
    PROTECTIVE = "protective"


REGISTRATIONS = frozenset({RequestKind.VICTIM, RequestKind.PROTECTIVE})
"""Those that file something, and look for nothing."""


class RequestStatus(StrEnum):
    """Where a request stands. The last two are for good."""

    ENTERED = "entered"
    CONFIRMED = "confirmed"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"


class DeferralReason(StrEnum):
    """Why what is held is not told yet. From a closed list: words would outlive the record."""

    CRIME_PREVENTION = "crime_prevention"
    LEGAL_PROCEEDINGS = "legal_proceedings"
    LEGAL_PRIVILEGE = "legal_privilege"
    AUTHORITY_REQUEST = "authority_request"
    RIGHTS_OF_OTHERS = "rights_of_others"
    IDENTITY_IN_DOUBT = "identity_in_doubt"


class PartDecision(StrEnum):
    """What a contributor does with its record after a request about it."""

    ERASE = "erase"
    RESTRICT = "restrict"
    CORRECT = "correct"
    REFUSE = "refuse"


class RefusalReason(StrEnum):
    """Why a record stays as it is. From a closed list; the person reads it."""

    LEGAL_OBLIGATION = "legal_obligation"
    LEGAL_CLAIMS = "legal_claims"
    SUBSTANTIAL_PUBLIC_INTEREST = "substantial_public_interest"
    ACCURATE_AND_NEEDED = "accurate_and_needed"
    NOT_THE_PERSON = "not_the_person"
    IDENTITY_IN_DOUBT = "identity_in_doubt"


DECIDED = frozenset({RequestKind.ERASURE, RequestKind.RESTRICTION, RequestKind.DISPUTE})
"""Kinds of which each contributor decides its parts, but where a dispute was opened: that is answered as any."""


class SubjectRequestError(ValueError):
    """What was asked does not fit the present state; the message says why, and holds nothing that was sent."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a member enters: the person's request, its own references, and where it has them, a ground and a line.

    `identity_reference` says where the member keeps how identity was proven; the proof itself stays there.
    """

    kind: RequestKind
    reference: str
    identity_reference: str
    received_on: date
    ground: Ground | None = None
    line: str | None = None


@dataclass(frozen=True, slots=True)
class SubjectRequest:
    """A request. `ready_at` is when its answer may first be read, the same whatever is found.

    `filing_id` is what a registration filed. `told` says as which version the report was last made, `report_until`
    how long it is kept.
    """

    id: str
    member_id: str
    kind: RequestKind
    reference: str
    identity_reference: str
    received_on: date
    due_on: date
    due_at: datetime
    entered_at: datetime
    entered_by: str
    status: RequestStatus = RequestStatus.ENTERED
    ground: Ground | None = None
    line: str | None = None
    confirmed_at: datetime | None = None
    confirmed_by: str | None = None
    ready_on: date | None = None
    ready_at: datetime | None = None
    report_until: datetime | None = None
    told: int = 0
    told_at: datetime | None = None
    filing_id: str | None = None
    ended_at: datetime | None = None

    def is_ready(self, now: datetime) -> bool:
        """Whether its answer may be read: not a registration's, which has its receipt at once."""
        return self.ready_at is not None and now >= self.ready_at

    def is_late(self, now: datetime) -> bool:
        """Whether its last day in time is over before anything was told."""
        open_ = self.status in (RequestStatus.ENTERED, RequestStatus.CONFIRMED) and self.kind not in REGISTRATIONS
        return open_ and self.told == 0 and now >= self.due_at


@dataclass(frozen=True, slots=True)
class Part:
    """One record that a request is about, of one contributor; `id` is how the two speak about it."""

    id: str
    request_id: str
    contributor_id: str
    filing_id: str
    filing_version: int
    line: str
    record_class: str
    roles: tuple[str, ...]
    found_at: datetime
    decision: PartDecision | None = None
    reason: RefusalReason | None = None
    decided_at: datetime | None = None
    decided_by: str | None = None
    note_reference: str | None = None
    deferred_until: date | None = None
    deferred_end: datetime | None = None
    deferral_reason: DeferralReason | None = None
    deferred_by: str | None = None
    told_at: datetime | None = None
    restricted_at: datetime | None = None
    dispute_id: str | None = None

    def is_deferred(self, now: datetime) -> bool:
        """Whether it may not be told yet."""
        return self.deferred_end is not None and now < self.deferred_end


def asked_from_json(body: Mapping[str, object], today: date) -> Asked:
    """A request as a member enters it; `today` is in the scheme's zone. Raises FieldError."""
    kind = RequestKind(one_of(body, "kind", [each.value for each in RequestKind]))
    received = day_from_json(body, "received_on", latest=today)
    if received < today - timedelta(days=BACKDATED_DAYS):
        raise FieldError("received_on", f"a day of the last {BACKDATED_DAYS}")
    return Asked(
        kind,
        reference_from_json(body, "reference"),
        reference_from_json(body, "identity_reference"),
        received,
        _ground(body, kind),
        _line(body, kind),
    )


def entered(
    asked: Asked, who: tuple[str, str, str], calendar: Calendar, rules: SubjectAccessRules, now: datetime
) -> SubjectRequest:
    """A new request, due calendar months after it was received; `who` are its id, the member's and the actor's."""
    due_on = months_later(asked.received_on, rules.answer_months)
    return SubjectRequest(
        id=who[0],
        member_id=who[1],
        kind=asked.kind,
        reference=asked.reference,
        identity_reference=asked.identity_reference,
        received_on=asked.received_on,
        due_on=due_on,
        due_at=calendar.end_of(due_on),
        entered_at=now,
        entered_by=who[2],
        ground=asked.ground,
        line=asked.line,
    )


def confirmed(
    before: SubjectRequest, actor_id: str, calendar: Calendar, rules: SubjectAccessRules, now: datetime
) -> SubjectRequest:
    """The request after somebody who did not enter it vouched for it. Raises SubjectRequestError.

    What is found is told no sooner than contributors had their working days to say what must wait.
    """
    _is(before, RequestStatus.ENTERED)
    if rules.second_person and actor_id == before.entered_by:
        raise SubjectRequestError("a second person confirms a request: not the one who entered it")
    after = replace(before, status=RequestStatus.CONFIRMED, confirmed_at=now, confirmed_by=actor_id)
    if before.kind in REGISTRATIONS:
        return after
    ready_on = calendar.later(calendar.day_of(now), rules.contributor_working_days)
    ready_at = calendar.end_of(ready_on)
    return replace(after, ready_on=ready_on, ready_at=ready_at, report_until=report_end(ready_at, rules))


def report_end(at: datetime, rules: SubjectAccessRules) -> datetime:
    """Until when a report is kept that may be read from an instant on."""
    return at + timedelta(days=rules.report_days)


def withdrawn(before: SubjectRequest) -> SubjectRequest:
    """The request after the person took it back. Raises SubjectRequestError where it is over, or filed something."""
    if before.status is RequestStatus.CONFIRMED and before.kind in REGISTRATIONS:
        raise SubjectRequestError("the registration is made: it is ended, not withdrawn")
    _is(before, RequestStatus.ENTERED, RequestStatus.CONFIRMED)
    return replace(before, status=RequestStatus.WITHDRAWN)


def deferred(
    part: Part, request: SubjectRequest, body: Mapping[str, object], who: str, when: tuple[Calendar, int, datetime]
) -> Part:
    """The part after it was put off with a reason, up to the end of a day; `when` has the most days, and now.

    Raises FieldError, and SubjectRequestError where it was told already, or was decided. The most days count from the
    day on which the request was confirmed, however often it is put off.
    """
    calendar, most_days, now = when
    _open(part, request, now)
    if request.confirmed_at is None:
        raise SubjectRequestError("the request is not confirmed")
    reason = DeferralReason(one_of(body, "reason", [each.value for each in DeferralReason]))
    today, latest = calendar.day_of(now), calendar.day_of(request.confirmed_at) + timedelta(days=most_days)
    until = day_from_json(body, "until", latest=latest)
    if until < today:
        raise FieldError("until", "a day that is not over")
    return replace(
        part, deferred_until=until, deferred_end=calendar.end_of(until), deferral_reason=reason, deferred_by=who
    )


def decided(part: Part, request: SubjectRequest, body: Mapping[str, object], who: str, now: datetime) -> Part:
    """The part after its contributor's decision. Raises FieldError, SubjectRequestError.

    What a person registered on themselves is theirs: it is erased when they ask.
    """
    if request.kind not in DECIDED:
        raise SubjectRequestError("there is nothing to decide: the person asks for something else")
    if part.dispute_id is not None:
        raise SubjectRequestError("there is a dispute about the record: answer that")
    if request.status is not RequestStatus.CONFIRMED:
        raise SubjectRequestError(f"the request is {request.status}")
    decision = PartDecision(one_of(body, "decision", [each.value for each in PartDecision]))
    reason = None
    if decision is PartDecision.REFUSE:
        if part.record_class in PROTECTED_CLASSES:
            raise SubjectRequestError("a victim's or a protective entry is erased when the person asks")
        reason = RefusalReason(one_of(body, "reason", [each.value for each in RefusalReason]))
    elif body.get("reason") is not None:
        raise FieldError("reason", "nothing, as nothing is refused")
    note = None if body.get("note_reference") is None else reference_from_json(body, "note_reference")
    if part.decision is PartDecision.ERASE and decision is not PartDecision.ERASE:
        raise SubjectRequestError("the record is erased")
    return replace(part, decision=decision, reason=reason, decided_at=now, decided_by=who, note_reference=note)


def is_asked(part: Part, request: SubjectRequest) -> bool:
    """Whether the contributor is to say what becomes of its record."""
    confirmed_ = request.status is RequestStatus.CONFIRMED
    return confirmed_ and request.kind in DECIDED and part.dispute_id is None and part.decision is None


def told(parts: Collection[Part], now: datetime) -> list[Part]:
    """The parts that an answer has, in the order of their ids: what is deferred is not there."""
    return sorted((each for each in parts if not each.is_deferred(now)), key=lambda each: each.id)


def _open(part: Part, request: SubjectRequest, now: datetime) -> None:
    if request.status is not RequestStatus.CONFIRMED:
        raise SubjectRequestError(f"the request is {request.status}")
    if part.told_at is not None or (request.is_ready(now) and not part.is_deferred(now)):
        raise SubjectRequestError("the time to put it off is over: it may have been told")
    if part.decision is not None:
        raise SubjectRequestError("it is decided what becomes of the record")


def _is(request: SubjectRequest, *statuses: RequestStatus) -> None:
    if request.status not in statuses:
        raise SubjectRequestError(f"the request is {request.status}")


def _ground(body: Mapping[str, object], kind: RequestKind) -> Ground | None:
    if kind is RequestKind.DISPUTE:
        return Ground(one_of(body, "ground", [each.value for each in Ground]))
    if body.get("ground") is not None:
        raise FieldError("ground", f"nothing, as the kind is {kind}")
    return None


def _line(body: Mapping[str, object], kind: RequestKind) -> str | None:
    if kind in REGISTRATIONS:
        return one_of(body, "line", LINES)
    if body.get("line") is not None:
        raise FieldError("line", f"nothing, as the kind is {kind}: records of all lines are looked at")
    return None
