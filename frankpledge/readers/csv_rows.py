"""CSV: delimiter found in the heading line, UTF-8 unless told otherwise, malformed rows named by number."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from io import TextIOWrapper
from typing import IO, NoReturn

from frankpledge.errors import KitError
from frankpledge.readers.base import Row
from frankpledge.rejects import Reject

DELIMITERS = (",", ";", "\t", "|")
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
UNDECODED = range(0xDC80, 0xDD00)
"""Where Python's surrogateescape puts bytes that are not in the encoding (PEP 383)."""


class CsvSource:
    """A CSV file, read row by row. `total` is its size in bytes, None for a pipe."""

    def __init__(
        self, handle: IO[bytes], *, total: int | None, encoding: str | None = None, delimiter: str | None = None
    ) -> None:
        self.total = total
        self._raw = handle
        self._encoding = encoding
        try:
            self._text = TextIOWrapper(handle, encoding or "utf-8-sig", errors="surrogateescape", newline="")
        except LookupError:
            raise KitError("There is no encoding of that name.", "Try --encoding windows-1252 or utf-16.") from None
        first = self._heading_line()
        self._reader = csv.reader(self._text, delimiter=delimiter or sniff(first), strict=True)
        self.headings = self._parse_headings(first)

    @property
    def position(self) -> int:
        """Bytes read so far; 0 for a pipe, which cannot tell."""
        return self._raw.tell() if self.total is not None else 0

    def rows(self) -> Iterator[Row | Reject]:
        """Read the records; blank lines count for nothing. Raises KitError at a byte that is not in the encoding."""
        number, width = 0, len(self.headings)
        while True:
            start = self._reader.line_num
            try:
                values = next(self._reader)
            except StopIteration:
                return
            except csv.Error:
                number += 1
                yield Reject(number, "(row)", self._malformed(self._reader.line_num - start))
                continue
            except UnicodeDecodeError:
                self._not_in_encoding(number + 1, "(row)")
            if not values:
                continue
            number += 1
            self._check_encoding(number, values)
            if len(values) == width:
                yield Row(number, dict(zip(self.headings, map(str.strip, values), strict=True)))
            else:
                more = "more" if len(values) > width else "fewer"
                yield Reject(number, "(row)", f"has {more} cells than the heading")

    def close(self) -> None:
        """Close the file."""
        self._text.close()

    def _heading_line(self) -> str:
        try:
            line = self._text.readline(1 << 20)
        except UnicodeDecodeError:
            self._not_in_encoding(0, "the heading")
        if line.encode(errors="surrogateescape")[:2] in UTF16_MARKS:
            raise KitError("The file is in UTF-16.", "Add --encoding utf-16.")
        if not line.strip():
            raise KitError("The file has no heading line.", "Put the column names into the first line.")
        if any(ord(char) in UNDECODED for char in line):
            self._not_in_encoding(0, "the heading")
        return line

    def _parse_headings(self, line: str) -> tuple[str, ...]:
        try:
            values = next(csv.reader([line], dialect=self._reader.dialect))
        except csv.Error:
            raise KitError(
                "The heading line is not well-formed CSV.", "Close its quotes, and keep it on one line."
            ) from None
        return tuple(value.strip() or f"(column {index})" for index, value in enumerate(values, 1))

    def _check_encoding(self, number: int, values: list[str]) -> None:
        joined = "".join(values)
        if joined.isascii():
            return
        for heading, value in zip(self.headings, values, strict=False):
            if any(ord(char) in UNDECODED for char in value):
                self._not_in_encoding(number, heading)

    def _not_in_encoding(self, number: int, heading: str) -> NoReturn:
        where = f"Row {number}, column {heading!r}" if number else "The heading line"
        raise KitError(
            f"{where} is not in {self._encoding or 'UTF-8'}.",
            "Save the file as UTF-8, or name its encoding, often: --encoding windows-1252",
        )

    @staticmethod
    def _malformed(lines: int) -> str:
        swallowed = ", in this or the lines that were taken for its own" if lines > 1 else ""
        return f"is not well-formed CSV: look for a quote that is not closed or not doubled{swallowed}"


def sniff(line: str) -> str:
    """Find the delimiter that splits the heading line into most cells; a comma when none splits it."""
    return max(DELIMITERS, key=lambda mark: len(next(csv.reader([line], delimiter=mark), [])))
