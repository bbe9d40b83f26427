"""The exchange's pure rules: what a request must say, what may follow what, and the clock of an answer."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repository.domain.calendar import Calendar
from repository.domain.errors import FieldError
from repository.domain.exchange import (
    LONGEST_SEALED,
    Disclosure,
    ExchangeError,
    Reply,
    RequestStatus,
    Withheld,
    approval_from_json,
    escalated,
    refusal_from_json,
    replied,
    sealed_from_json,
    withdrawn,
)
from repository.domain.response_times import Timed, Times, times
from tests.support.rulebooks import DEFAULT_RULEBOOK

NOW = datetime(2028, 2, 25, 23, 30, tzinfo=UTC)
ITEMS = ("circumstances", "amounts")
KIRITIMATI, PAGO = Calendar("Pacific/Kiritimati"), Calendar("Pacific/Pago_Pago")
HEADER = b"age-encryption.org/v1\n-> X25519 one\nbody\n-> grease x\n--- mac\nrest"


def asked(calendar: Calendar, at: datetime = NOW, days: int = 5) -> Disclosure:
    """A request of an instant, due by a calendar."""
    due_on = calendar.later(calendar.day_of(at), days)
    return Disclosure(
        id="drq",
        requester_id="mem_a",
        contributor_id="mem_b",
        hit_id="hit",
        filing_id="fil",
        filing_version=1,
        line="motor",
        record_class="claim",
        purpose="investigation",
        legal_power="consent",
        reference="C-1",
        items=ITEMS,
        third_party=False,
        asked_at=at,
        due_on=due_on,
        due_at=calendar.end_of(due_on),
    )


REQUEST = asked(Calendar("UTC"))
ALL, PART, NONE = Reply(ITEMS), Reply(ITEMS[:1], Withheld.NOT_HELD), Reply((), Withheld.OTHER)


def test_a_leap_day_is_a_day_like_any_other() -> None:
    """Asked late on a Friday in UTC, it is Saturday in Kiritimati and Friday at noon in Pago Pago."""
    assert (asked(KIRITIMATI).due_on, asked(PAGO).due_on) == (date(2028, 3, 3), date(2028, 3, 3))
    assert asked(KIRITIMATI, days=2).due_on == date(2028, 2, 29)
    assert asked(KIRITIMATI).due_at == datetime(2028, 3, 3, 10, tzinfo=UTC)
    assert asked(PAGO).due_at == datetime(2028, 3, 4, 11, tzinfo=UTC)


@pytest.mark.parametrize(
    ("reply", "status"),
    [(ALL, RequestStatus.APPROVED), (PART, RequestStatus.APPROVED_IN_PART), (NONE, RequestStatus.REFUSED)],
)
def test_an_answer_is_whole_in_part_or_a_refusal(reply: Reply, status: RequestStatus) -> None:
    """By what is given; in time to the end of its last day and not a moment longer, counted in working days."""
    for after, in_time in ((timedelta(0), False), (-timedelta(microseconds=1), True)):
        done = replied(REQUEST, reply, Calendar("UTC"), REQUEST.due_at + after)
        assert (done.status, done.granted, done.in_time) == (status, reply.granted, in_time)
        assert done.took == 5


def test_what_is_closed_stays_as_it_is() -> None:
    """Answered or withdrawn, nothing follows; what is overdue may be escalated, once, and answered still."""
    late = REQUEST.due_at
    closed = [replied(REQUEST, each, Calendar("UTC"), NOW) for each in (ALL, PART, NONE)] + [withdrawn(REQUEST, NOW)]
    steps: list[Callable[[Disclosure], Disclosure]] = [
        lambda each: replied(each, ALL, Calendar("UTC"), late),
        lambda each: withdrawn(each, late),
        lambda each: escalated(each, late),
    ]
    for before, step in product(closed, steps):
        assert not before.overdue(late)
        with pytest.raises(ExchangeError, match="closed"):
            step(before)
    with pytest.raises(ExchangeError, match="not overdue"):
        escalated(REQUEST, late - timedelta(microseconds=1))
    told = escalated(REQUEST, late)
    with pytest.raises(ExchangeError, match="before"):
        escalated(told, late)
    assert replied(told, ALL, Calendar("UTC"), late).in_time is False


@pytest.mark.parametrize(
    "sealed",
    [
        b"",
        b"in clear",
        HEADER.replace(b"X25519", b"scrypt"),
        HEADER.replace(b"-> grease", b"-> X25519"),
        HEADER.replace(b"--- ", b"---"),
        HEADER + bytes(LONGEST_SEALED),
    ],
)
def test_only_what_is_sealed_to_one_key_is_carried(sealed: bytes) -> None:
    """Nothing in clear, under a passphrase, to two, cut off, or too large."""
    with pytest.raises(FieldError, match="sealed"):
        sealed_from_json({"sealed": base64.b64encode(sealed).decode()})
    assert sealed_from_json({"sealed": base64.b64encode(HEADER).decode()}) == HEADER
    with pytest.raises(FieldError, match="sealed"):
        sealed_from_json({"sealed": "no base64!"})


def test_reasons_go_with_what_is_kept_back() -> None:
    """A part and a refusal have a ground and words; the whole has neither."""
    body: dict[str, Any] = {
        "recipient": f"age1{'q' * 58}",
        "sealed": base64.b64encode(HEADER).decode(),
        "granted": list(ITEMS),
    }
    reason = {"withheld": "not_held", "reason": "none"}
    assert approval_from_json(body, ITEMS).withheld is None
    assert approval_from_json(body | {"granted": ["amounts"]} | reason, ITEMS).granted == ("amounts",)
    assert refusal_from_json(reason).granted == ()
    for wrong in (body | reason, body | {"granted": ["amounts"]}, body | {"granted": []}):
        with pytest.raises(FieldError):
            approval_from_json(wrong, ITEMS)
    for missing in reason:
        with pytest.raises(FieldError, match=missing):
            refusal_from_json({name: text for name, text in reason.items() if name != missing})


def test_times_are_sums_to_do_with_a_pencil() -> None:
    """Two in time, one late, one overdue, one not yet due: 2 of 4 in time, a median of 3 working days."""
    due, later = NOW, NOW + timedelta(days=1)
    rows = [
        Timed("b", due, due - timedelta(hours=1), 1),
        Timed("b", due, due - timedelta(hours=1), 3),
        Timed("b", due, due, 6),
        Timed("b", due, None, None),
        Timed("b", later, None, None),
        Timed("a", later, None, None),
    ]
    assert times(rows, NOW) == [Times("a", 0, 0, 0, None), Times("b", 4, 2, 1, 3.0)]
    told = times(rows, NOW)[1].as_dict(DEFAULT_RULEBOOK, whole=False)
    assert told == {"requests": 4, "share_in_time": 0.5, "overdue": 1, "median_working_days": 3.0}
    assert times(rows, NOW)[0].as_dict(DEFAULT_RULEBOOK, whole=True)["share_in_time"] is None


@given(
    st.lists(
        st.builds(
            lambda who, due, answered, took: Timed(
                who, NOW + timedelta(hours=due), None if answered is None else NOW + timedelta(hours=answered), took
            ),
            st.sampled_from("abc"),
            st.integers(-99, 99),
            st.none() | st.integers(-99, 0),
            st.integers(0, 9),
        ),
        max_size=30,
    )
)
def test_no_request_counts_twice(rows: list[Timed]) -> None:
    """Each answered or overdue request counts once; few of them tell others nothing but that they are few."""
    found = times(rows, NOW)
    assert sum(each.counted for each in found) == sum(
        each.answered_at is not None or each.due_at <= NOW for each in rows
    )
    for each in found:
        assert each.in_time + each.overdue <= each.counted
        told = each.as_dict(DEFAULT_RULEBOOK, whole=False)
        assert (told["requests"] == {"fewer_than": 3}) == (each.counted < 3)
        if each.counted < 3:
            assert told == replace(each, overdue=0).as_dict(DEFAULT_RULEBOOK, whole=False)
