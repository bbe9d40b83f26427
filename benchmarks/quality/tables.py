"""The report as Markdown tables, and their places in the documentation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from benchmarks.quality import ours
from benchmarks.quality.report import Report, title

NONE = "-"


def quality(report: Report) -> str:
    """Every tool on every set: best F1, precision and recall there, area, completeness."""
    rows = []
    for name, tools in report["sets"].items():
        shown = title(name, report["market_people"])
        for tool, figures in tools.items():
            if "best" not in figures:
                rows.append([shown, tool, figures["absent"], *[NONE] * 5])
            else:
                best = figures["best"]
                sampled = f", {figures['sampled_rows']:,} rows" if "sampled_rows" in figures else ""
                numbers = [best["f1"], best["precision"], best["recall"], figures["auc_pr"]]
                numbers += [figures["pairs_completeness"], figures.get("one_to_one", {}).get("f1")]
                rows.append([shown, tool + sampled, *map(_four, numbers)])
            shown = ""
    return _table(("set", "tool", "best F1", "precision", "recall", "area", "pairs told", "one to one"), rows)


def bands(report: Report) -> str:
    """What the bands of tools that give probabilities are worth."""
    rows = []
    for name, tools in report["sets"].items():
        shown = title(name, report["market_people"])
        for tool, figures in tools.items():
            if "bands" in figures:
                rows.append([shown, tool, *_banded(figures)])
                shown = ""
    return _table(("set", "tool", *BANDED), rows)


def pools(report: Report) -> str:
    """The market at several sizes."""
    rows = []
    for people, tools in report.get("pools", {}).items():
        shown = f"{int(people):,}"
        for tool, figures in tools.items():
            rows.append([shown, tool, *_banded(figures)])
            shown = ""
    return _table(("people", "tool", *BANDED), rows)


def disguised(report: Report) -> str:
    """Recall of those who altered their identity."""
    rows = []
    for name, tools in report["sets"].items():
        shown = title(name, report["market_people"])
        for tool, figures in tools.items():
            if "disguised" in figures:
                own = figures["disguised"]
                numbers = (own["recall_at_best"], own.get("strong"), own.get("probable"), own.get("possible"))
                rows.append([shown, tool, str(own["pairs"]), *map(_four, numbers)])
                shown = ""
    return _table(
        ("set", "tool", "disguised", "at best F1", "strong", "probable or better", "possible or better"), rows
    )


def fairness(report: Report) -> str:
    """Rates by group, in percent, with their intervals, under both models of the default schema."""
    rows = []
    told: Mapping[str, Any] = report.get("fairness", {})
    models = sorted(told, key=lambda tool: not tool.endswith(ours.OWN))
    for grouping in next(iter(told.values()), {}):
        shown = grouping
        for group in told[models[0]][grouping]:
            cells = [told[model][grouping][group] for model in models]
            asked, there = cells[0]["wronged"]["of"], cells[0]["missed"]["of"]
            rates = [_percent(cell[what]) for cell in cells for what in ("missed", "wronged")]
            rows.append([shown, group.split(": ")[-1], f"{asked:,}", f"{there:,}", *rates])
            shown = ""
    heads = [f"{what}, {model.split(' ', 1)[-1]}" for model in models for what in ("missed", "wronged")]
    return _table(("by", "group", "asked", "in both books", *heads), rows)


TABLES = {"quality": quality, "bands": bands, "pools": pools, "disguised": disguised, "fairness": fairness}
BANDED = (
    "strong: precision", "recall", "probable or better: precision", "recall", "F1 there", "lost to the best",
    "calibration error", "of pairs shown",
)  # fmt: skip


def written(text: str, report: Report) -> str:
    """The text with each table between its markers as the report has it; raises ValueError where a marker lacks."""
    for name, table in TABLES.items():
        begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        if text.count(begin) != 1 or text.count(end) != 1:
            raise ValueError(f"the text has not one place for the table {name!r}")
        text = text[: text.index(begin)] + begin + table(report) + text[text.index(end) :]
    return text


def _banded(figures: Mapping[str, Any]) -> list[str]:
    own = figures["bands"]
    numbers = [own[band][what] for band in ("strong", "probable") for what in ("precision", "recall")]
    numbers += [figures[name] for name in ("probable_f1", "gap", "calibration_error", "calibration_error_of_shown")]
    return [*map(_four, numbers)]


def _four(value: float | None) -> str:
    return NONE if value is None else f"{value:.4f}".removeprefix("0") if value < 1 else "1.000"


def _percent(rate: Mapping[str, Any]) -> str:
    if rate["rate"] is None:
        return NONE
    return f"{rate['rate'] * 100:.2f} ({rate['low'] * 100:.2f} to {rate['high'] * 100:.2f})"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
