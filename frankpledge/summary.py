"""What a run of `encode` did, as a table for people and as JSON for machines: counts, never values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import orjson
from rich.table import Table
from rich.text import Text

from frankpledge.rejects import Tally


def totals(tally: Tally, seconds: float) -> str:
    """Write the run in one line."""
    subjects = ", ".join(f"{count:,} {kind}s" for kind, count in sorted(tally.subjects.items())) or "none"
    return (
        f"{tally.rows:,} rows read, {tally.filings:,} filings written ({subjects}), {tally.rejected_rows:,} rows "
        f"rejected; {seconds:.1f} s, {tally.rows / max(seconds, 1e-3):,.0f} rows/s"
    )


def tables(tally: Tally) -> Iterator[Table]:
    """Render what was dropped or mended, then what was rejected, where there was any."""
    if tally.notes:
        yield _table("Values dropped or mended", tally.notes)
    if tally.rejects:
        yield _table("Rows rejected", tally.rejects)


def as_json(tally: Tally, seconds: float) -> str:
    """Write the run as one JSON object."""
    document = {
        "rows": tally.rows,
        "filings": tally.filings,
        "rejected_rows": tally.rejected_rows,
        "subjects": dict(tally.subjects),
        "notes": _entries(tally.notes),
        "rejects": _entries(tally.rejects),
        "seconds": round(seconds, 3),
        "rows_per_second": round(tally.rows / max(seconds, 1e-3)),
    }
    return orjson.dumps(document).decode()


def _table(title: str, counts: Counter[tuple[str, str]]) -> Table:
    table = Table("field", "why", title=title, title_justify="left")
    table.add_column("count", justify="right")
    for (field, reason), count in counts.most_common():
        table.add_row(Text(field), Text(reason), f"{count:,}")
    return table


def _entries(counts: Counter[tuple[str, str]]) -> list[dict[str, object]]:
    return [{"field": field, "reason": reason, "count": count} for (field, reason), count in counts.most_common()]
