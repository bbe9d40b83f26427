"""The facts of a filing besides its subjects: reference, class, line, dates and claim, checked word by word."""

from __future__ import annotations

import datetime as dt
import functools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from frankpledge.columns import BASIS_COLUMNS, CLAIM_COLUMNS, LABEL_COLUMNS
from frankpledge.rejects import Reject
from matching.vocabulary import (
    AMOUNT_BANDS,
    BASIS,
    CLAIM_KINDS,
    CLAIM_STATUSES,
    CUSTOMER_KINDS,
    LABELS,
    LINES,
    MAX_REFERENCE_LENGTH,
    RECORD_CLASSES,
)

WORDS = {
    "class": RECORD_CLASSES,
    "line": LINES,
    "claim_kind": CLAIM_KINDS,
    "amount_band": AMOUNT_BANDS,
    "claim_status": CLAIM_STATUSES,
    "customer_kind": CUSTOMER_KINDS,
    **{column: LABELS[name] for column, name in LABEL_COLUMNS.items()},
}
DATES = ("date", "incident_date", "notification_date", *(names[-1] for names in BASIS.values()))
COLUMNS = (*DATES, *WORDS)
REQUIRED_OF_A_CLAIM = ("incident_date", "notification_date", "claim_kind", "claim_status")
MISSING = "is missing"
YEARS = range(1900, 2101)


@dataclass(frozen=True, slots=True)
class Defaults:
    """What holds for a whole file where a row says nothing. `date_format` is strptime's; None means YYYY-MM-DD."""

    record_class: str | None = None
    line: str | None = None
    date: str | None = None
    role: str | None = None
    date_format: str | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """The checked facts of one filing; dates are YYYY-MM-DD, `claim`, `basis` and `labels` as in the encoded filing."""

    ref: str
    record_class: str
    line: str
    date: str
    claim: dict[str, str] | None
    labels: dict[str, str] | None = None
    basis: dict[str, str] | None = None


@functools.lru_cache(maxsize=1024)
def word(text: str) -> str:
    """Write a word as the vocabulary does: "Third party" and "third-party" are third_party."""
    return re.sub(r"[\s_-]+", "_", text.strip()).casefold()


def read_cells(row: int, cells: Mapping[str, str], date_format: str | None) -> tuple[dict[str, str], list[Reject]]:
    """Check the facts that one row gives, by column. Empty cells are absent from the result."""
    facts: dict[str, str] = {}
    rejects: list[Reject] = []
    reference = cells.get("ref", "")
    if not (0 < len(reference) <= MAX_REFERENCE_LENGTH and reference.isascii() and reference.isprintable()):
        rejects.append(Reject(row, "ref", f"expected 1 to {MAX_REFERENCE_LENGTH} printable ASCII characters"))
    for column, words in WORDS.items():
        if cells.get(column):
            facts[column] = _spelt(column, cells[column])
            if facts[column] not in words:
                rejects.append(Reject(row, column, f"expected one of {', '.join(words)}"))
    for column in DATES:
        if cells.get(column):
            day = parse_day(cells[column], date_format)
            if day is None:
                rejects.append(Reject(row, column, f"expected a date as {date_format or 'YYYY-MM-DD'}, 1900 to 2100"))
            else:
                facts[column] = day
    return {"ref": reference, **facts}, rejects


def _spelt(column: str, text: str) -> str:
    """Write a cell as its list does, whether or not that has it: TLP:AMBER+STRICT is amber_strict, grade b is B."""
    if WORDS[column] is AMOUNT_BANDS:
        return re.sub(r"\s", "", text).casefold()
    if column in LABEL_COLUMNS:
        folded = word(text.replace("+", "_")).removeprefix("tlp:").strip("_")
        return {each.casefold(): each for each in WORDS[column]}.get(folded, folded)
    return word(text)


def parse_day(text: str, date_format: str | None) -> str | None:
    """Read a calendar day as YYYY-MM-DD; a time of day after it is let go. None when it is no such date."""
    try:
        moment = dt.datetime.strptime(text, date_format) if date_format else dt.datetime.fromisoformat(text)  # noqa: DTZ007 - a calendar day has no zone
    except ValueError:
        return None
    return moment.date().isoformat() if moment.year in YEARS else None


def merge(rows: Iterable[tuple[int, Mapping[str, str]]], defaults: Defaults) -> tuple[Facts | None, list[Reject]]:
    """Make the facts of one filing from those of its rows (number, facts by column), or say why not."""
    merged: dict[str, str] = {}
    rejects: list[Reject] = []
    first = 0
    for number, facts in rows:
        if not first:
            first, merged = number, dict(facts)
            continue
        for column, value in facts.items():
            if merged.setdefault(column, value) != value:
                rejects.append(Reject(number, column, "differs from an earlier row of the same ref"))
    for column, default in (("class", defaults.record_class), ("line", defaults.line), ("date", defaults.date)):
        if default:
            merged.setdefault(column, default)
    if merged.get("class") == "claim":
        _complete_claim(merged)
    rejects += _missing(first, merged)
    if rejects:
        return None, rejects
    claim = {name: merged[column] for column, name in CLAIM_COLUMNS.items() if column in merged}
    labels = {name: merged[column] for column, name in LABEL_COLUMNS.items() if column in merged}
    basis = {name: merged[column] for column, name in BASIS_COLUMNS.items() if column in merged}
    said = Facts(merged["ref"], merged["class"], merged["line"], merged["date"], claim or None, labels or None)
    return replace(said, basis=basis or None), []


def _complete_claim(merged: dict[str, str]) -> None:
    """The day a claim is notified is the day that triggers its filing: either stands for the other."""
    for absent, present in (("date", "notification_date"), ("notification_date", "date")):
        if present in merged:
            merged.setdefault(absent, merged[present])


def _missing(row: int, merged: Mapping[str, str]) -> list[Reject]:
    rejects = [Reject(row, column, MISSING) for column in ("class", "line", "date") if column not in merged]
    if merged.get("class") == "claim":
        rejects += [Reject(row, column, MISSING) for column in REQUIRED_OF_A_CLAIM if column not in merged]
        if merged.get("incident_date", "") > merged.get("notification_date", "9"):
            rejects.append(Reject(row, "notification_date", "expected a date not before incident_date"))
    elif "class" in merged:
        rejects += [Reject(row, column, "belongs to a claim only") for column in CLAIM_COLUMNS if column in merged]
    return rejects + _misplaced(row, merged)


def _misplaced(row: int, merged: Mapping[str, str]) -> list[Reject]:
    """What a row says of the day its time counts from, and another class, or another fact of it, does not have."""
    own = BASIS.get(merged.get("class", ""), ())
    owners = {name: record_class for record_class, names in BASIS.items() for name in names}
    rejects = [
        Reject(row, column, f"belongs to a {owners[column]} {'case ' * (owners[column] == 'proven')}only")
        for column in BASIS_COLUMNS
        if column in merged and column not in own and "class" in merged
    ]
    if merged.get("customer_kind") == "quote" and "policy_end" in merged:
        rejects.append(Reject(row, "policy_end", "belongs to a policy, and the row is a quote"))
    if "closed_on" in merged and merged.get("claim_status") == "open":
        rejects.append(Reject(row, "closed_on", "belongs to a claim that is not open"))
    if "closed_on" in merged and merged["closed_on"] < merged.get("notification_date", ""):
        rejects.append(Reject(row, "closed_on", "expected a date not before notification_date"))
    return rejects
