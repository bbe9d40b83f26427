"""What did not make it: rejected rows, and values that were dropped or mended, counted but never repeated."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TextIO

import orjson


@dataclass(frozen=True, slots=True)
class Reject:
    """One reason why a row was refused: its number (the first record is 1), the field, and what was expected."""

    row: int
    field: str
    reason: str


@dataclass(slots=True)
class Tally:
    """What a run has done so far."""

    rows: int = 0
    filings: int = 0
    rejected_rows: int = 0
    subjects: Counter[str] = field(default_factory=Counter)
    notes: Counter[tuple[str, str]] = field(default_factory=Counter)
    rejects: Counter[tuple[str, str]] = field(default_factory=Counter)

    def count(self, rejects: Iterable[Reject]) -> None:
        """Add rejects to the counts per field and reason; the places in a list of subjects count as one field."""
        self.rejects.update((re.sub(r"\[\d+\]", "", reject.field), reject.reason) for reject in rejects)


class RejectsFile:
    """Writes rejects as they come: CSV when the path ends so, NDJSON otherwise. With no path it only forgets them."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._handle: TextIO | None = None

    def __enter__(self) -> RejectsFile:
        if self.path is not None:
            self._handle = self.path.open("w", encoding="utf-8", newline="")
            if self._is_csv:
                self._handle.write("row,field,reason\n")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._handle is not None:
            self._handle.close()

    def write(self, rejects: Iterable[Reject]) -> None:
        """Write one line for each reject."""
        if self._handle is None:
            return
        for reject in rejects:
            self._handle.write(_csv_line(reject) if self._is_csv else orjson.dumps(reject).decode() + "\n")

    @property
    def _is_csv(self) -> bool:
        return self.path is not None and self.path.suffix.lower() == ".csv"


def _csv_line(reject: Reject) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC).writerow(
        (reject.row, reject.field, reject.reason)
    )
    return buffer.getvalue()
