"""Members, terms and ledgers for tests of standing, in round figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from repository.domain.entitlement import Entitlement, Request, entitle
from repository.domain.members import Member, MemberStatus
from repository.domain.rulebook import Rulebook
from repository.domain.standing import Declared, Ledger, Membership, Ramp, Standing, assess, collect
from tests.support.rulebooks import DEFAULT_RULEBOOK

RULES = replace(
    DEFAULT_RULEBOOK,
    standing=replace(
        DEFAULT_RULEBOOK.standing,
        tolerance=2.0,
        spared=0.0,
        corroboration_from=200,
        corroboration_expected=0.0,
        corroboration_share=0.2,
    ),
    level=replace(DEFAULT_RULEBOOK.level, seen_days=90, counts_tolerance=2.0, counted_over=1, met_from=0),
)
"""Numbers that are easy to work with by hand; a scheme's own may change."""
ADMITTED = date(2026, 1, 5)
SIXTEEN_A_DAY = 487
"""Declared per month: 487 x 12 / 365.25 is 16."""
Row = tuple[date, str, str, Mapping[str, int]]


def day(number: int) -> date:
    """The day that many days after admission."""
    return ADMITTED + timedelta(days=number)


def noon(number: int) -> datetime:
    """Noon of the day that many days after admission."""
    return datetime.combine(day(number), datetime.min.time(), UTC) + timedelta(hours=12)


def member(*lines: str) -> Member:
    """A member in good order."""
    return Member("mem_1", "Alpha", MemberStatus.ACTIVE, frozenset(lines or ("motor",)), ADMITTED, ADMITTED)


def terms(
    declared: Mapping[str, int] | None = None,
    *,
    ramp: Ramp = Ramp.COVENANT,
    covenant_until: date | None = ADMITTED,
    back_book_on: date | None = None,
) -> Membership:
    """Terms with volumes declared by `line/class` from admission on; unless said otherwise all of it due at once."""
    volumes = {"motor/claim": SIXTEEN_A_DAY} if declared is None else declared
    pairs = {name: name.split("/") for name in volumes}
    each = tuple(Declared(line, kind, ADMITTED, volumes[name]) for name, (line, kind) in pairs.items())
    return Membership(ADMITTED, ramp, covenant_until if ramp is Ramp.COVENANT else None, back_book_on, each)


def filed(days: Iterable[int], pair: str = "motor/claim", **counts: int) -> list[Row]:
    """The same counts on each of these days."""
    line, record_class = pair.split("/")
    return [(day(number), line, record_class, counts) for number in days]


def ledger(*rows: list[Row]) -> Ledger:
    """A ledger from admission on."""
    return collect(ADMITTED, [row for each in rows for row in each])


def stand(
    number: int,
    *rows: list[Row],
    on: Membership | None = None,
    who: Member | None = None,
    rulebook: Rulebook = RULES,
    peers: Mapping[tuple[str, str], float | None] | None = None,
) -> Standing:
    """The standing on the day that many days after admission."""
    schedule = [(ADMITTED, rulebook)]
    return assess(who or member(), on or terms(), ledger(*rows), schedule, peers or {}, today=day(number))


def ask(
    standing: Standing,
    *,
    who: Member | None = None,
    purpose: str | None = "new_business",
    line: str | None = "motor",
    used_today: int = 0,
    used_this_minute: int = 0,
    asked: int = 1,
    rulebook: Rulebook = RULES,
    at: datetime | None = None,
) -> Entitlement:
    """What a member is entitled to at noon of the day of its standing."""
    request = Request("screen", purpose, line, used_today, used_this_minute, asked)
    now = at or datetime.combine(standing.on, datetime.min.time(), UTC) + timedelta(hours=12)
    return entitle(who or member(), standing, request, rulebook, now)
