"""Flags, clocks and notices: what a record is flagged as, by when something is due, and what words are taken."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import product

import pytest

from repository.domain.calendar import Calendar
from repository.domain.corrections import (
    CorrectionKind,
    acknowledge_until,
    answer_until,
    by_flag,
    notice_from_json,
)
from repository.domain.disclosure import cap, reach
from repository.domain.errors import FieldError
from repository.domain.flags import Flag, is_stricter, strongest
from repository.domain.labels import Labels
from repository.domain.rulebook import CLASS_TIER, HIT_TIER, POINTER_TIER
from tests.support.rulebooks import DEFAULT_RULEBOOK

RULES = DEFAULT_RULEBOOK.disputes


def test_the_strictest_flag_counts() -> None:
    """Of any causes; none is the mildest."""
    assert strongest([]) is None
    assert strongest(["restricted", "disputed"]) is Flag.RESTRICTED
    assert strongest(["suppressed", "restricted", "disputed"]) is Flag.SUPPRESSED


@pytest.mark.parametrize(("before", "after"), [*product([None, *Flag], repeat=2)])
def test_a_change_is_told_as_what_it_is(before: Flag | None, after: Flag | None) -> None:
    """Where less is shown it has the flag's name; else the record is shown again."""
    stricter = is_stricter(after, before)
    assert by_flag(before, after) == (CorrectionKind(str(after)) if stricter else CorrectionKind.RESTORED)


@pytest.mark.parametrize(("flag", "highest"), [("disputed", 2), ("restricted", 1), ("suppressed", 0)])
def test_a_flag_caps_what_is_shown(flag: str, highest: int) -> None:
    """Of one record, whatever its labels allow, and in searches at each tier."""
    assert cap(Labels(flag=flag), DEFAULT_RULEBOOK) == highest
    assert cap(Labels(tlp="clear", flag=flag), DEFAULT_RULEBOOK) == highest
    for tier in (HIT_TIER, CLASS_TIER, POINTER_TIER):
        assert (flag in reach([], tier, DEFAULT_RULEBOOK).hidden["flag"]) == (tier > highest)


def test_a_flag_is_no_label_of_the_contributor() -> None:
    """What is told as labels, and what a filing's digest is made of, has none."""
    assert Labels(tlp="amber", flag="disputed").as_dict() == {"tlp": "amber"}


@pytest.mark.parametrize(
    ("zone", "raised", "day", "until"),
    [
        ("Europe/London", (2026, 3, 2, 9), (2026, 3, 30), (2026, 3, 30, 23)),  # the clocks went forward on the 29th
        ("Europe/London", (2028, 2, 1, 9), (2028, 2, 29), (2028, 3, 1, 0)),
        ("Pacific/Kiritimati", (2028, 2, 1, 9, 59), (2028, 2, 29), (2028, 2, 29, 10)),
        ("Pacific/Kiritimati", (2028, 2, 1, 10), (2028, 3, 1), (2028, 3, 1, 10)),
        ("Pacific/Pago_Pago", (2027, 2, 1, 10), (2027, 2, 28), (2027, 3, 1, 11)),
    ],
)
def test_a_dispute_is_answered_within_28_days_of_the_zone(
    zone: str, raised: tuple[int, ...], day: tuple[int, int, int], until: tuple[int, ...]
) -> None:
    """Up to the end of the 28th day after the day it was raised on there."""
    from dataclasses import replace

    rulebook = replace(DEFAULT_RULEBOOK, calendar=Calendar(zone))
    found = answer_until(datetime(*raised, tzinfo=UTC), rulebook)  # type: ignore[misc, arg-type] # year, month, day, hour
    assert found == (date(*day), datetime(*until, tzinfo=UTC))  # type: ignore[misc, arg-type] # the same


def test_a_correction_is_acknowledged_within_working_days() -> None:
    """Weekends and holidays do not count, a leap day does."""
    calendar = Calendar("Europe/London", (date(2028, 2, 28),))
    day, until = acknowledge_until(datetime(2028, 2, 25, 12, tzinfo=UTC), calendar, RULES)
    assert (day, until) == (date(2028, 3, 6), datetime(2028, 3, 7, tzinfo=UTC))


@pytest.mark.parametrize("words", [1, 200])
def test_a_notice_has_up_to_200_words(words: int) -> None:
    """Taken as it is, without space around it; lines are kept."""
    text = "\n".join(["word"] * words)
    assert notice_from_json({"notice": f" {text} "}, RULES) == text


@pytest.mark.parametrize("notice", ["", "   ", "w " * 201, "x" * 2001, "a\x00b", 7, ["word"]])
def test_anything_else_is_refused(notice: object) -> None:
    """Without a word of it in the error."""
    with pytest.raises(FieldError) as raised:
        notice_from_json({"notice": notice}, RULES)
    assert raised.value.field == "notice"
    assert notice_from_json({}, RULES) is None
