"""What a run did, in words."""

from __future__ import annotations

from collections import Counter

import orjson
from rich.console import Console

from frankpledge import summary
from frankpledge.rejects import Tally

TALLY = Tally(
    rows=1200,
    filings=1000,
    rejected_rows=20,
    subjects=Counter(person=1000, vehicle=300),
    notes=Counter({("date_of_birth", "dummy value"): 7, ("postcode", "[not a markup]"): 9}),
    rejects=Counter({("ref", "is missing"): 20}),
)


def test_totals_are_one_line() -> None:
    """Rows, filings, kinds, rejects, seconds and rate."""
    assert summary.totals(TALLY, 2.0) == (
        "1,200 rows read, 1,000 filings written (1,000 persons, 300 vehicles), 20 rows rejected; 2.0 s, 600 rows/s"
    )


def test_tables_are_sorted_by_count_and_take_no_markup() -> None:
    """What happened most comes first; brackets in a reason are shown as they are."""
    console = Console(width=100, record=True)
    console.print(*summary.tables(TALLY))
    text = console.export_text()
    assert text.index("[not a markup]") < text.index("dummy value") < text.index("is missing")
    assert list(summary.tables(Tally())) == []


def test_json_has_the_same() -> None:
    """A job reads what a person reads."""
    document = orjson.loads(summary.as_json(TALLY, 2.0))
    assert document["rows_per_second"] == 600
    assert document["notes"][0] == {"field": "postcode", "reason": "[not a markup]", "count": 9}
