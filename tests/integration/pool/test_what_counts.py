"""What filings count for in the ledger: subjects rather than references, and where a new version leaves the credit."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select

from repository.domain.ledger import COUNTS
from repository.storage.ledger import LEDGER
from tests.integration.pool.conftest import Counted, Desk
from tests.integration.pool.test_outcomes import log_in
from tests.support import encodings
from tests.support.clock import FakeClock
from tests.support.encodings import subject
from tests.support.rulebooks import use_rules


def counts(desk: Desk) -> dict[str, dict[str, int]]:
    """What a member's ledger holds, by line/class, over all days; what is 0 is left out."""
    row = LEDGER.c
    columns = [func.sum(row[name]) for name in COUNTS]
    sums = select(row.line, row.record_class, *columns).where(row.member_id == desk.member.id)
    with desk.services.database.reading() as connection:
        found = connection.execute(sums.group_by(row.line, row.record_class)).all()
    told = {f"{each[0]}/{each[1]}": dict(zip(COUNTS, each[2:], strict=True)) for each in found}
    return {pair: {name: int(n) for name, n in sums.items() if n} for pair, sums in told.items()}


def filing(reference: str, *who: Any, **changes: Any) -> dict[str, Any]:
    """A filing of the day the members were admitted, or what `changes` say: before it all would be back book."""
    return encodings.filing(reference, *who, **{"date": "2026-03-02"} | changes)


def many(number: int, *who: Any, **changes: Any) -> list[dict[str, Any]]:
    """So many filings of the same subjects, each under a reference of its own."""
    return [filing(f"A-{each}", *who, **changes) for each in range(number)]


def test_one_person_under_many_references_counts_three_times(alpha: Desk, beta: Desk, rows: Counted) -> None:
    """In volume and as met, in a batch and one by one; every record is taken, and another person counts."""
    beta.file(filing("B-1", subject("ann")))
    assert alpha.batch(many(10, subject("ann")))["rows"]["created"] == 10
    alpha.file(filing("A-10", subject("ann")))
    assert rows("filings") == 12
    assert counts(alpha) == {"motor/customer": {"accepted": 3, "corroborated": 3}}
    alpha.file(filing("A-11", subject("bob")))
    assert counts(alpha) == {"motor/customer": {"accepted": 4, "corroborated": 3}}


def test_other_lines_and_classes_count_by_themselves(alpha: Desk) -> None:
    """A customer may be insured in every line, and have claims; another role or order is no other record."""
    alpha.batch(
        [
            *many(5, subject("ann"), subject("bob", role="driver")),
            *[filing(f"O-{n}", subject("bob"), subject("ann", role="driver")) for n in range(5)],
            *[filing(f"H-{n}", subject("ann"), subject("bob"), line="home") for n in range(5)],
            *[filing(f"S-{n}", subject("ann"), subject("bob"), record_class="suspected") for n in range(5)],
        ]
    )
    three = {"accepted": 3}
    assert counts(alpha) == {"motor/customer": three, "home/customer": three, "motor/suspected": three}


def test_claims_of_other_days_count(alpha: Desk) -> None:
    """Somebody may have a claim each week, but not five on one day."""
    weekly = [filing(f"A-{n}", subject("ann"), record_class="claim", date=f"2026-02-{n:02}") for n in range(23, 28)]
    alpha.batch([*weekly, *[filing(f"O-{n}", subject("ann"), record_class="claim") for n in range(5)]])
    assert counts(alpha)["motor/claim"]["accepted"] == 5 + 3


def test_a_fleet_counts_by_its_vehicles(alpha: Desk) -> None:
    """An organisation with a vehicle in each record has as many records; without, it is one customer."""
    fleet = subject("fleet", kind="organisation")
    alpha.batch([filing(f"A-{n}", fleet, subject(n, kind="vehicle", role="insured_vehicle")) for n in range(5)])
    alpha.batch([filing(f"O-{n}", fleet) for n in range(5)], "key-2")
    assert counts(alpha) == {"motor/customer": {"accepted": 5 + 3}}


def test_another_telephone_does_not_make_another_person(alpha: Desk) -> None:
    """Subjects are compared by the first of their keys."""
    alpha.batch([filing(f"A-{n}", subject("ann", only=range(20 + n))) for n in range(5)])
    assert counts(alpha) == {"motor/customer": {"accepted": 3}}


def test_who_varies_a_person_meets_no_more(alpha: Desk, beta: Desk) -> None:
    """A record of another member is met three times, by whatever records; others are met by themselves."""
    beta.file(filing("B-1", subject("ann"), subject("eve", role="driver")))
    alpha.batch([filing(f"A-{n}", subject("ann", only=range(n, 30))) for n in range(5)])
    assert counts(alpha) == {"motor/customer": {"accepted": 5, "corroborated": 3}}
    alpha.file(filing("A-10", subject("ann", only=range(7, 30))))
    alpha.file(filing("A-11", subject("eve")))
    assert counts(alpha) == {"motor/customer": {"accepted": 7, "corroborated": 4}}


def test_records_with_few_keys_count_as_thin_each(alpha: Desk) -> None:
    """What is no record anyway is not forgiven for being filed again."""
    alpha.batch(many(5, subject("ann", only=[0, 1])))
    assert counts(alpha) == {"motor/customer": {"accepted": 5, "thin": 5}}


def test_a_person_counts_anew_after_the_window(alpha: Desk, clock: FakeClock) -> None:
    """The window slides; within it, a version with other subjects does not make room."""
    alpha.batch(many(3, subject("ann")))
    alpha.file(filing("A-0", subject("bob")))
    alpha.file(filing("A-3", subject("ann")))
    assert counts(alpha) == {"motor/customer": {"accepted": 3}}
    clock.advance(days=91)
    log_in(alpha)
    alpha.file(filing("A-4", subject("ann"), date="2026-06-01"))
    assert counts(alpha) == {"motor/customer": {"accepted": 4}}


def test_the_rulebook_says_how_often(alpha: Desk) -> None:
    """`same_subject_counts`, as it is today."""
    use_rules(alpha.services, "level", same_subject_counts=5)
    alpha.batch(many(7, subject("ann")))
    assert counts(alpha) == {"motor/customer": {"accepted": 5}}


def test_a_record_that_changes_its_line_counts_there(alpha: Desk) -> None:
    """Once: as thin where it was, as new where it is; and from the next change on nowhere. A batch does the same."""
    alpha.batch(many(2, subject("ann")))
    alpha.file(filing("A-0", subject("ann"), line="home"))
    left, moved = {"accepted": 2, "thin": 1}, {"accepted": 1}
    assert counts(alpha) == {"motor/customer": left, "home/customer": moved}
    for _ in range(2):
        alpha.file(filing("A-0", subject("ann")))
        assert counts(alpha) == {"motor/customer": left, "home/customer": moved | {"thin": 1}}
        alpha.file(filing("A-0", subject("ann"), line="home"))
    alpha.batch([filing("A-1", subject("bob"), line="home")], "key-2")
    assert counts(alpha) == {"motor/customer": {"accepted": 2, "thin": 2}, "home/customer": {"accepted": 2, "thin": 1}}


def test_changing_lines_makes_no_room_for_a_person(alpha: Desk) -> None:
    """In its new line a record counts only where its subjects do not count too often."""
    for number in range(5):
        alpha.file(filing(f"A-{number}", subject("ann")))
        alpha.file(filing(f"A-{number}", subject("ann"), line="home"))
    assert counts(alpha)["motor/customer"] == {"accepted": 5, "thin": 5}
    assert counts(alpha)["home/customer"] == {"accepted": 3}


def test_a_record_is_late_by_any_date_it_had(alpha: Desk, clock: FakeClock) -> None:
    """A timely one turns late, once, with an older date; no date makes it timely again, nor does another line."""
    clock.advance(days=20)
    log_in(alpha)
    alpha.file(filing("A-1", date="2026-03-20"))
    alpha.file(filing("A-2", date="2026-03-03"))
    assert counts(alpha) == {"motor/customer": {"accepted": 2, "late": 1}}
    for day in ("2026-03-19", "2026-03-05", "2026-03-20", "2026-03-04"):
        alpha.file(filing("A-1", date=day))
    alpha.file(filing("A-2", date="2026-03-20"))
    assert counts(alpha) == {"motor/customer": {"accepted": 2, "late": 2}}
    alpha.file(filing("A-2", date="2026-03-20", line="home"))
    assert counts(alpha)["home/customer"] == {"accepted": 1, "late": 1}


def test_a_later_correction_of_the_date_does_not_make_it_late(alpha: Desk, clock: FakeClock) -> None:
    """What counts is when the record was first filed, not when its new version was."""
    alpha.file(filing("A-1"))
    clock.advance(days=30)
    log_in(alpha)
    alpha.file(filing("A-1", date="2026-03-01"))
    alpha.file(filing("A-1", date="2026-03-02"))
    assert counts(alpha) == {"motor/customer": {"accepted": 1}}


def test_back_book_that_is_dated_later_is_late(alpha: Desk, clock: FakeClock) -> None:
    """A date before the admission does not hide when the record was due."""
    clock.advance(days=20)
    log_in(alpha)
    alpha.file(filing("A-1", date="2026-02-01"))
    alpha.file(filing("A-1", date="2026-03-03"))
    assert counts(alpha) == {"motor/customer": {"accepted": 1, "back_book": 1, "late": 1}}
