"""Asking about many records: encoded here, sent in bodies that the pool takes, answered row by row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import orjson

from frankpledge.client import Pool
from frankpledge.errors import KitError
from frankpledge.facts import read_cells
from frankpledge.mapping import ColumnMap
from frankpledge.questions import Asking, Question
from frankpledge.readers import Row
from frankpledge.records import RecordEncoder
from frankpledge.rejects import Reject
from frankpledge.results import Screening

BODY_BYTES = 900_000
"""Size of the questions in one request, under the pool's 1 MiB for a body."""
BODY_QUESTIONS = 500
"""Questions in one request: of more than a pool answers in a minute it answers none, and by default that is 600."""


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer for one subject of a row."""

    row: int
    reference: str
    kind: str
    screening: Screening


@dataclass(frozen=True, slots=True)
class _Asked:
    row: int
    question: Question
    size: int


def screen_rows(
    pool: Pool,
    encoder: RecordEncoder,
    asking: Asking,
    rows: Iterable[Row | Reject],
    *,
    columns: ColumnMap,
    role: str | None,
    stands: Mapping[str, str] | None = None,
) -> Iterator[Answered | Reject]:
    """Ask about every row: one answer for each subject in it, or the reason why the row could not be asked about."""
    held: list[_Asked] = []
    size = 0
    for row in rows:
        asked = row if isinstance(row, Reject) else _questions(encoder, row, columns, role)
        if isinstance(asked, Reject):
            yield asked
            continue
        for each in (replace(one, question=replace(one.question, stands=stands)) for one in asked):
            if held and (size + each.size > BODY_BYTES or len(held) == BODY_QUESTIONS):
                yield from _ask(pool, asking, held)
                held, size = [], 0
            held.append(each)
            size += each.size
    if held:
        yield from _ask(pool, asking, held)


def _questions(encoder: RecordEncoder, row: Row, columns: ColumnMap, role: str | None) -> list[_Asked] | Reject:
    cells = columns.apply(row.cells)
    _, rejects = read_cells(row.number, {"ref": cells.get("ref", "")}, None)
    if rejects:
        return rejects[0]
    try:
        subjects = encoder.subjects(cells, role)
    except KitError as error:
        return Reject(row.number, "(row)", error.what)
    questions = [Question(cells["ref"], subject) for subject in subjects]
    return [_Asked(row.number, each, len(orjson.dumps(each.document()))) for each in questions]


def _ask(pool: Pool, asking: Asking, held: list[_Asked]) -> Iterator[Answered | Reject]:
    answers = pool.screen_many(asking, [each.question for each in held])
    for asked, answer in zip(held, answers, strict=True):
        if isinstance(answer, Screening):
            yield Answered(asked.row, asked.question.reference, asked.question.subject.kind, answer)
        else:
            yield Reject(asked.row, "(pool)", answer.what)
