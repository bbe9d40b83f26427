"""What a batch is read from: groups of rows, in order, each of which becomes filings and refused rows."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import Any, Protocol, TypeVar

import pyarrow as pa  # type: ignore[import-untyped] # pyarrow ships no types
import pyarrow.parquet as pq  # type: ignore[import-untyped] # pyarrow ships no types
from sqlalchemy import RowMapping

from repository.domain.filings import Accepts
from repository.jobs import arrow_stream, columnar, layout, parquet_footer, parquet_pages
from repository.jobs.lines import Meter, StreamError, inflate
from repository.services import Services
from repository.services.batchwork import RowError
from repository.services.planning import Numbered
from repository.storage.spool import Spool, SpoolError

Group = TypeVar("Group")
Rows = tuple[int, Any]
"""A record batch and the number of its first row."""

NDJSON, ARROW, PARQUET = "ndjson", "arrow", "parquet"
_BUFFER_BYTES = 1 << 20


class Source(Protocol[Group]):
    """The rows of a batch that are not done yet. `groups` raises StreamError where the content cannot be read on."""

    @property
    def bytes_done(self) -> int:
        """How far the content was read, in bytes."""

    def groups(self) -> Iterator[Group]:
        """Rows that are looked at together, and checked against what the pool accepts at that moment."""

    def rows(self, group: Group, accepts: Accepts) -> Iterable[Numbered | RowError]:
        """Every row of a group: a filing, or what is wrong with it."""


def columns(services: Services, spool: Spool, batch: RowMapping, *, at_once: int, most: int) -> Source[Rows]:
    """The source of a batch in columns: `at_once` rows in a group, and `most` rows in all."""
    kind = _Parquet if batch["format"] == PARQUET else _Arrow
    return kind(services, spool, batch, at_once, most)


class _Columns:
    def __init__(self, services: Services, spool: Spool, batch: RowMapping, at_once: int, most: int) -> None:
        self._services = services
        self._spool = spool
        self._batch = batch
        self._at_once = at_once
        self._most = most
        self._done: int = batch["lines_done"]

    def rows(self, group: Rows, accepts: Accepts) -> Iterator[Numbered | RowError]:
        """Every row of a group."""
        first, batch = group
        return columnar.check(batch, first, self._services.schema, accepts)

    def _cut(self, before: int, batch: Any) -> Iterator[Rows]:
        """The rows of a record batch that are not done, some at a time."""
        for start in range(max(0, self._done - before), batch.num_rows, self._at_once):
            number = before + start + 1
            if number > self._most:
                raise StreamError("body", f"at most {self._most} rows; what follows is not read")
            yield number, batch.slice(start, min(self._at_once, self._most - number + 1))


class _Arrow(_Columns):
    def __init__(self, services: Services, spool: Spool, batch: RowMapping, at_once: int, most: int) -> None:
        super().__init__(services, spool, batch, at_once, most)
        self._meter = Meter(spool.read(batch["id"]))

    @property
    def bytes_done(self) -> int:
        """Bytes read."""
        return self._meter.count

    def groups(self) -> Iterator[Rows]:
        """The rows of each record batch."""
        limit = self._services.settings.max_batch_inflated_bytes
        content = inflate(self._meter, limit) if self._batch["gzipped"] else iter(self._meter)
        messages = arrow_stream.messages(content)
        first = next(messages, None)
        if first is None:
            return
        batches = arrow_stream.Batches(first)
        layout.check(batches.schema)
        before = 0
        for message in messages:
            if message.kind == arrow_stream.DICTIONARY:
                batches.learn(message)
                continue
            if message.kind != arrow_stream.RECORDS or before + message.rows > self._done:
                yield from self._cut(before, batches.of(message))
            before += message.rows


class _Parquet(_Columns):
    def __init__(self, services: Services, spool: Spool, batch: RowMapping, at_once: int, most: int) -> None:
        super().__init__(services, spool, batch, at_once, most)
        self._bytes_done: int = batch["bytes_done"]

    @property
    def bytes_done(self) -> int:
        """The share of the bytes that goes with the rows read."""
        return self._bytes_done

    def groups(self) -> Iterator[Rows]:
        """The rows of each row group, once all were weighed."""
        with self._spool.open(self._batch["id"]) as handle:
            try:
                yield from self._read(handle)
            except SpoolError:
                raise
            except (pa.ArrowException, OSError, ValueError, OverflowError):
                raise StreamError("(file)", "a whole Parquet file; what follows is not read") from None

    def _read(self, handle: Any) -> Iterator[Rows]:
        footer = parquet_footer.read(handle)
        metadata = pq.read_metadata(io.BytesIO(footer.alone()))  # and never the one of the file itself
        file = pq.ParquetFile(handle, metadata=metadata, buffer_size=_BUFFER_BYTES, pre_buffer=False)
        layout.check(file.schema_arrow)
        parquet_pages.weigh_all(handle, footer, self._services.settings.max_batch_inflated_bytes)
        before, rows = 0, footer.rows
        for number, group in enumerate(footer.groups):
            if before + group.rows > self._done:
                place = before
                for batch in file.iter_batches(self._at_once, row_groups=[number], use_threads=False):
                    yield from self._cut(place, batch)
                    place += batch.num_rows
                    self._bytes_done = self._batch["bytes_total"] * place // rows
            before += group.rows
