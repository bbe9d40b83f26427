"""Rows to filings: consecutive rows with one reference are one filing with several subjects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from frankpledge import parties
from frankpledge.columns import BASIS_COLUMNS, CLAIM_COLUMNS, LABEL_COLUMNS
from frankpledge.facts import MISSING, Defaults, Facts, merge, read_cells, word
from frankpledge.mapping import ColumnMap
from frankpledge.parties import Party, PartyError
from frankpledge.readers.base import Row
from frankpledge.rejects import Reject
from matching.vocabulary import MAX_SUBJECTS

MAX_ROWS = 4 * MAX_SUBJECTS
"""Rows of one reference that are kept; more can only come of a column that is no reference."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A filing before standardising and encoding. `row` is its first row, `rows` how many it has."""

    row: int
    rows: int
    facts: Facts
    parties: tuple[Party, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """A filing that cannot be made, how many rows it has, and every reason found."""

    rows: int
    rejects: tuple[Reject, ...]


@dataclass(slots=True)
class _Group:
    key: tuple[str, str]
    size: int = 0
    facts: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    parties: list[Party] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)


def drafts(rows: Iterable[Row | Reject], columns: ColumnMap, defaults: Defaults) -> Iterator[Draft | Refused]:
    """Turn rows into filings in the order of the file, holding one group of rows at a time.

    A filing with one bad row is refused whole: half of a claim would mislead whoever finds it.
    """
    group: _Group | None = None
    for row in rows:
        if isinstance(row, Reject):
            if group:
                yield _finish(group, defaults)
                group = None
            yield Refused(1, (row,))
            continue
        cells, problems = _cells(row, columns)
        key = (cells.get("ref", ""), word(cells.get("class", "") or defaults.record_class or ""))
        if group is None or key != group.key or not key[0]:
            if group:
                yield _finish(group, defaults)
            group = _Group(key)
        group.rejects += problems
        _add(group, row, cells, columns, defaults)
    if group:
        yield _finish(group, defaults)


def _cells(row: Row, columns: ColumnMap) -> tuple[dict[str, str], list[Reject]]:
    cells, rejects = columns.apply(row.cells), []
    for nested, given, known in (
        ("claim", row.claim, CLAIM_COLUMNS),
        ("basis", row.basis, BASIS_COLUMNS),
        ("labels", row.labels, LABEL_COLUMNS),
    ):
        if given is None:
            continue
        wire_names = {name: column for column, name in known.items()}
        if given.keys() <= wire_names.keys():
            cells |= {wire_names[name]: value for name, value in given.items() if value}
        else:
            rejects.append(Reject(row.number, nested, f"expected no other keys than {', '.join(wire_names)}"))
    return cells, rejects


def _add(group: _Group, row: Row, cells: dict[str, str], columns: ColumnMap, defaults: Defaults) -> None:
    group.size += 1
    if group.size > MAX_ROWS:
        return
    facts, rejects = read_cells(row.number, cells, defaults.date_format)
    group.facts.append((row.number, facts))
    group.rejects += rejects
    role = defaults.role or ("policyholder" if group.key[1] == "customer" else None)
    where = ""
    try:
        if row.subjects is None:
            group.parties += parties.of_row(cells, role)
        for index, subject in enumerate(row.subjects or ()):
            where = f"subjects[{index}]."
            kind = {"kind": word(subject["kind"])} if subject.get("kind") else {}
            group.parties += parties.of_subject(columns.apply(subject) | kind, role)
    except PartyError as error:
        group.rejects.append(Reject(row.number, where + error.column, error.reason))


def _finish(group: _Group, defaults: Defaults) -> Draft | Refused:
    facts, problems = merge(group.facts, defaults)
    faulty = {reject.field for reject in group.rejects}
    rejects = group.rejects + [each for each in problems if each.reason != MISSING or each.field not in faulty]
    first = group.facts[0][0]
    if group.size > MAX_ROWS or len(group.parties) > MAX_SUBJECTS:
        rejects.append(Reject(first, "ref", f"has more than {MAX_SUBJECTS} subjects: is it a reference of its own?"))
    elif not group.parties and not rejects:
        rejects.append(Reject(first, "subjects", "expected at least one"))
    if facts is None or rejects:
        return Refused(group.size, tuple(rejects))
    return Draft(first, group.size, facts, tuple(group.parties))
