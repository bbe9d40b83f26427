"""Reading an insurer's extract: CSV, NDJSON or Parquet, streaming, with bad rows named and not lost."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import IO, Literal

from frankpledge.errors import KitError
from frankpledge.readers.base import Row, Source
from frankpledge.readers.csv_rows import CsvSource
from frankpledge.readers.ndjson_rows import NdjsonSource

Format = Literal["csv", "ndjson", "parquet"]
SUFFIXES: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".parquet": "parquet",
    ".pq": "parquet",
}

__all__ = ["Format", "Row", "Source", "open_source"]


def open_source(
    path: Path, kind: Format | None = None, *, encoding: str | None = None, delimiter: str | None = None
) -> Source:
    """Open an extract by its suffix or by `kind`; the path "-" is standard input. Raises KitError when it cannot."""
    kind = kind or SUFFIXES.get(path.suffix.lower())
    if kind is None:
        raise KitError(f"The format of {path} is not known.", "Add --format csv, ndjson or parquet.")
    handle, total = _open(path)
    try:
        if kind == "csv":
            return CsvSource(handle, total=total, encoding=encoding, delimiter=delimiter)
        if kind == "ndjson":
            return NdjsonSource(handle, total=total)
        if total is None:
            raise KitError("Parquet cannot be read from a pipe.", "Give it as a file.")
        from frankpledge.readers.parquet_rows import ParquetSource  # noqa: PLC0415 - pyarrow is slow to import

        return ParquetSource(handle)
    except BaseException:
        if total is not None:
            handle.close()
        raise


def _open(path: Path) -> tuple[IO[bytes], int | None]:
    if str(path) == "-":
        return sys.stdin.buffer, None
    try:
        return path.open("rb"), path.stat().st_size
    except OSError as error:
        raise KitError(f"{path} cannot be read ({error.strerror}).", "Give the right path.") from None
