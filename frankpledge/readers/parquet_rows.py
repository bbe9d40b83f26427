"""Parquet, batch by batch through pyarrow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

import pyarrow as pa  # type: ignore[import-untyped] # pyarrow ships no types
import pyarrow.parquet as pq  # type: ignore[import-untyped] # pyarrow ships no types

from frankpledge.errors import KitError
from frankpledge.readers.base import Row
from frankpledge.readers.values import NotTextError, as_text
from frankpledge.rejects import Reject

BATCH_ROWS = 2048


class ParquetSource:
    """A Parquet file of flat columns. `total` and `position` are in rows."""

    def __init__(self, handle: IO[bytes]) -> None:
        self._handle = handle
        self.position = 0
        try:
            self._file = pq.ParquetFile(handle)
        except (pa.ArrowException, OSError):
            raise _damaged() from None
        self.total = self._file.metadata.num_rows
        self.headings = tuple(self._file.schema_arrow.names)

    def rows(self) -> Iterator[Row | Reject]:
        """Read the records; a value that is not text, number or date makes its row a reject."""
        try:
            for batch in self._file.iter_batches(batch_size=BATCH_ROWS):
                columns = [column.to_pylist() for column in batch.columns]
                for values in zip(*columns, strict=True):
                    self.position += 1
                    yield self._row(self.position, values)
        except (pa.ArrowException, OSError):
            raise _damaged() from None

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        self._handle.close()

    def _row(self, number: int, values: tuple[object, ...]) -> Row | Reject:
        cells = {}
        for heading, value in zip(self.headings, values, strict=True):
            try:
                cells[heading] = as_text(value)
            except NotTextError as error:
                return Reject(number, heading, f"expected {error}")
        return Row(number, cells)


def _damaged() -> KitError:
    return KitError("The file is not a whole Parquet file.", "Export it again, or name the right --format.")
