"""NDJSON: one JSON object a line, flat like a CSV row, or nested with `claim`, `basis`, `labels` and `subjects`."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import IO

import orjson

from frankpledge.columns import CANONICAL
from frankpledge.mapping import loose
from frankpledge.readers.base import Row
from frankpledge.readers.values import NotTextError, as_text
from frankpledge.rejects import Reject

BOM = b"\xef\xbb\xbf"
MAX_LINE_BYTES = 1 << 20
LOOK_AHEAD = 100
"""Lines looked at for headings before the first row is given out."""
_KNOWN = frozenset(map(loose, CANONICAL))
EXPECTED = "one JSON object on a line"


class NdjsonSource:
    """An NDJSON file, read line by line. `total` is its size in bytes, None for a pipe."""

    def __init__(self, handle: IO[bytes], *, total: int | None) -> None:
        self.total = total
        self.position = 0
        self._handle = handle
        self._number = 0
        self._ahead: deque[Row | Reject] = deque()
        while len(self._ahead) < LOOK_AHEAD and (item := self._read()) is not None:
            self._ahead.append(item)
        self.headings = self._find_headings()

    def rows(self) -> Iterator[Row | Reject]:
        """Read the records; blank lines are numbered and skipped. A line over 1 MiB is refused without keeping it."""
        known = frozenset(self.headings)
        while True:
            item = self._ahead.popleft() if self._ahead else self._read()
            if item is None:
                return
            if isinstance(item, Row) and not known.issuperset(_headings(item)):
                yield Reject(item.number, "(row)", f"has a key that none of the first {LOOK_AHEAD} lines has")
            else:
                yield item

    def close(self) -> None:
        """Close the file."""
        self._handle.close()

    def _read(self) -> Row | Reject | None:
        while line := self._handle.readline(MAX_LINE_BYTES + 1):
            self.position += len(line)
            self._number += 1
            if len(line) > MAX_LINE_BYTES and not line.endswith(b"\n"):
                self._skip_line()
                return Reject(self._number, "(row)", "is longer than 1 MiB")
            if self._number == 1:
                line = line.removeprefix(BOM)
            if line.strip():
                return parse(self._number, line)
        return None

    def _skip_line(self) -> None:
        while (rest := self._handle.readline(1 << 16)) and not rest.endswith(b"\n"):
            self.position += len(rest)
        self.position += len(rest)

    def _find_headings(self) -> tuple[str, ...]:
        rows = (item for item in self._ahead if isinstance(item, Row))
        return tuple(dict.fromkeys(heading for row in rows for heading in _headings(row)))


def parse(number: int, line: bytes) -> Row | Reject:
    """Read one line; a Reject says which field was not as expected."""
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError:
        return Reject(number, "(row)", f"expected {EXPECTED}, in UTF-8")
    if not isinstance(record, dict):
        return Reject(number, "(row)", f"expected {EXPECTED}")
    claim, basis, labels, subjects = (record.pop(name, None) for name in ("claim", "basis", "labels", "subjects"))
    try:
        cells = _texts(record, "")
        facts = None if claim is None else _texts(claim, "claim")
        kept = None if basis is None else _texts(basis, "basis")
        handling = None if labels is None else _texts(labels, "labels")
        parties = None if subjects is None else _parties(subjects)
    except _ShapeError as error:
        return Reject(number, error.where, f"expected {error.expected}")
    return Row(number, cells, facts, parties, handling, kept)


class _ShapeError(ValueError):
    """Where a record is not as expected, and what was."""

    def __init__(self, where: str, expected: str) -> None:
        super().__init__(where)
        self.where = where
        self.expected = expected


def _parties(subjects: object) -> tuple[dict[str, str], ...]:
    if not isinstance(subjects, list):
        raise _ShapeError("subjects", "a list of objects")
    return tuple(_texts(subject, f"subjects[{index}]") for index, subject in enumerate(subjects))


def _texts(record: object, where: str) -> dict[str, str]:
    if not isinstance(record, dict):
        raise _ShapeError(where, "an object")
    texts = {}
    for name, value in record.items():
        try:
            texts[name] = as_text(value)
        except NotTextError as error:
            shown = name if loose(name) in _KNOWN else "(a key)"
            raise _ShapeError(f"{where}.{shown}".removeprefix("."), str(error)) from None
    return texts


def _headings(row: Row) -> Iterator[str]:
    yield from row.cells
    for subject in row.subjects or ():
        yield from (name for name in subject if name != "kind")
