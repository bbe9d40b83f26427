"""Corrections: that a record changed after others were shown it, and what each of them owes to that. Pure rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from repository.domain.calendar import Calendar
from repository.domain.errors import FieldError
from repository.domain.flags import Flag, is_stricter
from repository.domain.rulebook import DisputeRules, Rulebook

LONGEST_ANSWER_DAYS = 28
"""The most that a rulebook leaves a contributor to answer a dispute."""
MOST_NOTICE_WORDS = 200
LONGEST_NOTICE = 2000
"""Characters of a notice."""
MOST_REMINDERS = 12
KEPT_MONTHS = 12
"""How long a correction is kept after all who were told of it have acknowledged it."""
MOST_HITS = 50
"""Ids of own hits that a correction names to one member."""


class NoticeError(ValueError):
    """The words of the person in a record are not the contributor's to change: the message says why."""


class CorrectionKind(StrEnum):
    """What became of a record."""

    AMENDED = "amended"
    WITHDRAWN = "withdrawn"
    ERASED = "erased"
    DISPUTED = "disputed"
    RESTRICTED = "restricted"
    SUPPRESSED = "suppressed"
    RESTORED = "restored"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True)
class Correction:
    """What became of a filing, which may be gone. `cause` is the dispute or request that it came of."""

    id: str
    filing_id: str
    contributor_id: str
    line: str
    record_class: str
    kind: CorrectionKind
    version: int
    at: datetime
    cause: str | None = None


@dataclass(frozen=True, slots=True)
class Saw:
    """What one member was shown of a filing: at most at a tier, last in a version (None: not known), in which hits."""

    tier: int
    version: int | None
    hits: tuple[str, ...] = ()


def by_flag(before: Flag | None, after: Flag | None) -> CorrectionKind:
    """What a change of the flag is told as: the new flag where it shows less, else that the record is shown again."""
    return CorrectionKind(after.value) if after is not None and is_stricter(after, before) else CorrectionKind.RESTORED


def answer_until(raised_at: datetime, rulebook: Rulebook) -> tuple[date, datetime]:
    """The last day on which a dispute is answered in time, in the scheme's zone, and the instant after it."""
    calendar, days = rulebook.calendar, rulebook.disputes.answer_days
    last = date.fromordinal(calendar.day_of(raised_at).toordinal() + min(days, LONGEST_ANSWER_DAYS))
    return last, calendar.end_of(last)


def acknowledge_until(told_at: datetime, calendar: Calendar, rules: DisputeRules) -> tuple[date, datetime]:
    """The last working day on which a correction is acknowledged in time, and the instant after it."""
    last = calendar.later(calendar.day_of(told_at), rules.acknowledge_working_days)
    return last, calendar.end_of(last)


def notices_joined(standing: str | None, words: str) -> str:
    """The words of a person on a record with others put to them, each once: nobody's take the place of another's."""
    if standing is None:
        return words
    between = "\n\n"
    known = f"{between}{words}{between}" in f"{between}{standing}{between}"
    return standing if known else f"{standing}{between}{words}"


def notice_from_json(body: Mapping[str, object], rules: DisputeRules, name: str = "notice") -> str | None:
    """The words of the person in a record, None where there are none. Raises FieldError."""
    text = body.get(name)
    if text is None:
        return None
    most = min(rules.notice_words, MOST_NOTICE_WORDS)
    expected = f"1 to {most} words, printable, of up to {LONGEST_NOTICE} characters"
    if not isinstance(text, str) or len(text) > LONGEST_NOTICE or not text.replace("\n", " ").isprintable():
        raise FieldError(name, expected)
    if not 1 <= len(text.split()) <= most:
        raise FieldError(name, expected)
    return text.strip()
