"""Persons' requests: the month, the working days of contributors, deferrals with their end, and decisions."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from repository.domain import subject_requests as rules
from repository.domain.calendar import Calendar
from repository.domain.errors import FieldError
from repository.domain.subject_requests import (
    DeferralReason,
    Part,
    PartDecision,
    RequestKind,
    RequestStatus,
    SubjectRequest,
    SubjectRequestError,
)
from repository.services import rulebook_file

ACCESS = rulebook_file.default().subject_access
LONDON, KIRITIMATI = Calendar("Europe/London"), Calendar("Pacific/Kiritimati")
NOW = datetime(2028, 2, 29, 12, tzinfo=UTC)


def entered(received: date, calendar: Calendar = LONDON, kind: RequestKind = RequestKind.ACCESS) -> SubjectRequest:
    """A request as it is entered."""
    asked = rules.Asked(kind, "D-1", "ID-1", received)
    return rules.entered(asked, ("sbr_1", "mem_1", "act_1"), calendar, ACCESS, NOW)


def confirmed(kind: RequestKind = RequestKind.ACCESS, calendar: Calendar = LONDON) -> SubjectRequest:
    """One that a second person vouched for."""
    return rules.confirmed(entered(NOW.date(), calendar, kind), "act_2", calendar, ACCESS, NOW)


def part(**changes: Any) -> Part:
    """A record that it is about."""
    made = Part("sbp_1", "sbr_1", "mem_2", "fil_1", 1, "motor", "suspected", ("driver",), NOW)
    return replace(made, **changes)


@pytest.mark.parametrize(
    ("received", "calendar", "due_on", "due_at"),
    [
        (date(2028, 1, 29), LONDON, date(2028, 2, 29), datetime(2028, 3, 1, tzinfo=UTC)),
        (date(2028, 1, 31), LONDON, date(2028, 2, 29), datetime(2028, 3, 1, tzinfo=UTC)),
        (date(2027, 1, 31), LONDON, date(2027, 2, 28), datetime(2027, 3, 1, tzinfo=UTC)),
        (date(2028, 2, 29), LONDON, date(2028, 3, 29), datetime(2028, 3, 29, 23, tzinfo=UTC)),
        (date(2028, 2, 29), KIRITIMATI, date(2028, 3, 29), datetime(2028, 3, 29, 10, tzinfo=UTC)),
    ],
)
def test_it_is_due_a_calendar_month_later(received: date, calendar: Calendar, due_on: date, due_at: datetime) -> None:
    """Of a day that the month has not, its last; over when the day is in the scheme's zone, by its summer time."""
    made = entered(received, calendar)
    assert (made.due_on, made.due_at) == (due_on, due_at)
    assert not made.is_late(due_at - timedelta(microseconds=1))
    assert made.is_late(due_at)


@pytest.mark.parametrize(
    ("calendar", "ready_on", "ready_at"),
    [
        (LONDON, date(2028, 3, 14), datetime(2028, 3, 15, tzinfo=UTC)),
        (KIRITIMATI, date(2028, 3, 15), datetime(2028, 3, 15, 10, tzinfo=UTC)),
        (Calendar("Europe/London", (date(2028, 3, 14),)), date(2028, 3, 15), datetime(2028, 3, 16, tzinfo=UTC)),
    ],
)
def test_it_is_ready_after_the_contributors_working_days(
    calendar: Calendar, ready_on: date, ready_at: datetime
) -> None:
    """Ten of them after a leap day, without the scheme's holidays; where it is tomorrow already, from that day on."""
    made = confirmed(calendar=calendar)
    assert (made.ready_on, made.ready_at) == (ready_on, ready_at)
    assert not made.is_ready(ready_at - timedelta(microseconds=1))
    assert made.is_ready(ready_at)


def test_a_second_person_confirms_where_the_scheme_wants_one() -> None:
    """Not who entered it; once only."""
    made = entered(NOW.date())
    with pytest.raises(SubjectRequestError, match="second person"):
        rules.confirmed(made, "act_1", LONDON, ACCESS, NOW)
    alone = replace(ACCESS, second_person=False)
    assert rules.confirmed(made, "act_1", LONDON, alone, NOW).status is RequestStatus.CONFIRMED
    with pytest.raises(SubjectRequestError, match="confirmed"):
        rules.confirmed(confirmed(), "act_3", LONDON, ACCESS, NOW)


def defer(found: Part, until: date, at: datetime = NOW, request: SubjectRequest | None = None) -> Part:
    """Put a part off up to a day."""
    body = {"reason": "crime_prevention", "until": until.isoformat()}
    return rules.deferred(found, request or confirmed(), body, "act_9", (LONDON, ACCESS.deferral_days, at))


def test_a_deferral_ends_with_its_day_and_is_renewed_up_to_the_most() -> None:
    """In the scheme's zone; the days count from the confirmation; when it has ended nothing is put off again."""
    last = date(2028, 5, 29)  # ninety days
    found = defer(part(), last)
    assert (found.deferred_end, found.deferral_reason) == (
        datetime(2028, 5, 29, 23, tzinfo=UTC),
        DeferralReason.CRIME_PREVENTION,
    )
    with pytest.raises(FieldError):
        defer(part(), last + timedelta(days=1))
    with pytest.raises(FieldError):
        defer(part(), date(2028, 2, 28))
    end = found.deferred_end
    assert end is not None
    assert rules.told([found], end - timedelta(microseconds=1)) == []
    assert rules.told([found], end) == [found]
    renewed = defer(replace(found, deferred_end=NOW + timedelta(days=40)), last, NOW + timedelta(days=39))
    assert renewed.deferred_end == end
    with pytest.raises(SubjectRequestError, match="over"):
        defer(replace(found, deferred_end=NOW + timedelta(days=40)), last, NOW + timedelta(days=40))


def test_what_may_have_been_told_is_not_put_off() -> None:
    """Whether somebody read it or not: by the day alone."""
    request = confirmed()
    assert request.ready_at is not None
    defer(part(), date(2028, 4, 1), request.ready_at - timedelta(microseconds=1))
    with pytest.raises(SubjectRequestError, match="over"):
        defer(part(), date(2028, 4, 1), request.ready_at)


def decide(found: Part, kind: RequestKind = RequestKind.ERASURE, **body: Any) -> Part:
    """Decide on a part."""
    return rules.decided(found, confirmed(kind), body, "act_9", NOW)


def test_a_contributor_decides_what_it_is_asked() -> None:
    """Not of access, nor where a dispute is; a refusal has a reason, of a person's own registration there is none."""
    assert decide(part(), decision="erase").decision is PartDecision.ERASE
    for found, kind in ((part(), RequestKind.ACCESS), (part(dispute_id="dsp_1"), RequestKind.DISPUTE)):
        with pytest.raises(SubjectRequestError):
            decide(found, kind, decision="erase")
    bodies: list[dict[str, Any]] = [{"decision": "refuse"}, {"decision": "erase", "reason": "legal_claims"}]
    for body in bodies:
        with pytest.raises(FieldError):
            decide(part(), **body)
    refusal: dict[str, Any] = {"decision": "refuse", "reason": "legal_claims"}
    assert decide(decide(part(), **refusal), decision="restrict").decision is PartDecision.RESTRICT
    with pytest.raises(SubjectRequestError, match="erased"):
        decide(decide(part(), decision="erase"), **refusal)
    with pytest.raises(SubjectRequestError, match="protective"):
        decide(part(record_class="victim"), **refusal)


def test_a_registration_is_ended_and_not_withdrawn() -> None:
    """Once made; before it may be taken back as any."""
    assert rules.withdrawn(entered(NOW.date(), kind=RequestKind.VICTIM)).status is RequestStatus.WITHDRAWN
    with pytest.raises(SubjectRequestError, match="ended"):
        rules.withdrawn(confirmed(RequestKind.VICTIM))
    assert confirmed(RequestKind.VICTIM).ready_at is None
