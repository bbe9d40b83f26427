"""Answers, hits and batches as tables for people."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table
from rich.text import Text

from frankpledge.results import Batch, Hit, Screening

BAND_STYLES = {"strong": "bold red", "probable": "yellow", "possible": "cyan"}


def console() -> Console:
    """Make the console for standard output; a file or pipe gets plain text, 120 columns wide."""
    found = Console()
    return found if found.is_terminal else Console(width=120)


def screening(answer: Screening, about: str) -> Iterable[Table | Text]:
    """Render one answer: the word, the hits, and why each matched as far as that may be seen."""
    style = "bold green" if answer.clear else "bold yellow"
    yield Text.assemble((answer.answer, style), f"  {about}  {answer.id}")
    if answer.hits:
        yield hits(answer.hits)
        yield from explanations(answer.hits)
    if answer.capped_keys:
        yield Text(f"{answer.capped_keys} keys are shared by too many records and were not looked up.")


def hits(found: Iterable[Hit]) -> Table:
    """Render hits, one a row; a dash is what the own tier does not show."""
    table = Table("hit", "band", "tier", "class", "count", "age", "own ref", "contributor", "date", "role", "bits", "p")
    for hit in found:
        shown = hit.document
        cells = (
            hit.tier,
            hit.record_class,
            shown.get("count"),
            shown.get("age_band"),
            hit.own.get("reference"),
            hit.contributor,
            hit.theirs.get("date"),
            hit.theirs.get("role"),
            None if hit.weight is None else f"{hit.weight:+.1f}",
            None if hit.probability is None else f"{hit.probability:.3f}",
        )
        table.add_row(Text(hit.id), Text(hit.band, BAND_STYLES.get(hit.band, "")), *map(_cell, cells))
    return table


def explanations(found: Iterable[Hit]) -> Iterable[Table]:
    """Render why each hit matched: what was compared, the level reached and its weight in bits, with the total."""
    for hit in found:
        if not hit.explanation:
            continue
        table = Table("compared", "level", title=f"Why {hit.id}", title_justify="left", show_footer=True)
        table.columns[0].footer = "total"
        table.add_column("bits", justify="right", footer=f"{sum(weight for _, _, weight in hit.explanation):+.1f}")
        for field, level, weight in hit.explanation:
            table.add_row(Text(field), Text(level), f"{weight:+.1f}")
        yield table


def batches(found: Iterable[Batch]) -> Table:
    """Render batches with what became of their rows."""
    table = Table("batch", "created", "status", "read", "new", "changed", "unchanged", "refused", "hits")
    for batch in found:
        counts = [
            f"{batch.rows.get(name, 0):,}" for name in ("read", "created", "new_version", "unchanged", "rejected")
        ]
        status = f"{batch.status} (dry run)" if batch.dry_run else batch.status
        table.add_row(batch.id, batch.created_at[:16], status, *counts, f"{batch.hits:,}")
    return table


def _cell(value: object) -> Text:
    return Text("-" if value is None else str(value))
