"""Working through a batch: chunk by chunk, each in one transaction with the cursor, so that no row is done twice.

Killed at any instant, the next worker goes on at the line after the last committed chunk.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence

import orjson
import structlog
from sqlalchemy import RowMapping

from matching.vocabulary import MAX_LINE_BYTES
from repository.domain.errors import FieldError
from repository.domain.filings import Accepts, reference_from_json
from repository.jobs.lines import Line, Meter, StreamError, inflate, lines
from repository.services import Services
from repository.services.batchwork import BatchWork, Chunk, GivenUpError, RowError
from repository.services.encodings import filing_from_json
from repository.services.intake import Numbered
from repository.storage.batches import SERVER_FAULT
from repository.storage.spool import Spool, SpoolError

CHUNK_LINES = 500
CHUNK_BYTES = 8 << 20
CHUNK_SUBJECTS = 500
"""Subjects in one transaction, short of the last line's: each is some ninety index rows under the write lock."""
MAX_LINES = 2_000_000
"""Lines of a batch, blank ones too: a gigabyte of filings has fewer; a megabyte of gzip may hold a thousand million."""

_log = structlog.get_logger("frankpledge.intake")


def work_through(
    services: Services, spool: Spool, batch: RowMapping, owner: str, stopping: Callable[[], bool] = lambda: False
) -> None:
    """Take in what is left of a batch under the lease of `owner`, and finish it. Raises LeaseLostError.

    Once `stopping` says so no chunk is begun, and the batch is left to whoever works on the spool next.
    """
    work = BatchWork(services, batch, owner)
    meter = Meter(spool.read(batch["id"]))
    failure: tuple[str, str] | None = None
    try:
        for group in _groups(_remaining(services, meter, batch)):
            accepts, member = work.accepts()
            for chunk in _chunks(services, group, accepts):
                if stopping():
                    _log.info("batch left", rows=work.progress.rows_read)
                    return
                work.take(chunk, member, meter.count)
    except (StreamError, GivenUpError) as error:
        failure = (error.field, error.expected)
    except SpoolError:
        failure = (SERVER_FAULT, "the content as it was sent; it is no longer whole on the server: send it again")
    work.finish(meter.count, failure)
    spool.remove(batch["id"])
    _log.info("batch", failed=failure is not None, rows=work.progress.rows_read)


def _remaining(services: Services, meter: Meter, batch: RowMapping) -> Iterator[Line]:
    """The lines that are not done yet."""
    limit = services.settings.max_batch_inflated_bytes
    content = inflate(meter, limit) if batch["gzipped"] else iter(meter)
    return itertools.dropwhile(lambda line: line.number <= batch["lines_done"], lines(content, MAX_LINE_BYTES))


def _groups(remaining: Iterable[Line]) -> Iterator[list[Line]]:
    """Lines that are looked at together, without blank ones, which cost no transaction.

    What was read before a stream broke, or went on for too long, is given before StreamError is raised.
    """
    group: list[Line] = []
    size = 0
    failure: StreamError | None = None
    try:
        for line in remaining:
            if line.number > MAX_LINES:
                raise StreamError("body", f"at most {MAX_LINES} lines; what follows is not read")
            if line.content is not None and not line.content.strip():
                continue
            group.append(line)
            size += len(line.content or b"")
            if len(group) >= CHUNK_LINES or size >= CHUNK_BYTES:
                yield group
                group, size = [], 0
    except StreamError as error:
        failure = error
    if group:
        yield group
    if failure is not None:
        raise failure


def _chunks(services: Services, group: Sequence[Line], accepts: Accepts) -> Iterator[Chunk]:
    """Check every line of a group, and cut it into what goes into one transaction each."""
    chunk = Chunk(last_line=0)
    subjects = 0
    for line in group:
        chunk.rows += 1
        chunk.last_line = line.number
        parsed: object = None
        try:
            parsed = _json(line)
            filing = filing_from_json(parsed, services.schema, accepts)
            chunk.good.append(Numbered(line.number, filing))
            subjects += len(filing.subjects)
        except FieldError as error:
            chunk.bad.append(RowError(line.number, _reference(parsed), error))
        if subjects >= CHUNK_SUBJECTS:
            yield chunk
            chunk, subjects = Chunk(last_line=0), 0
    if chunk.rows:
        yield chunk


def _json(line: Line) -> object:
    if line.content is None:
        raise FieldError("(record)", f"a line of at most {MAX_LINE_BYTES} bytes")
    try:
        return orjson.loads(line.content)
    except orjson.JSONDecodeError:
        raise FieldError("(record)", "one JSON object a line, in UTF-8") from None


def _reference(parsed: object) -> str | None:
    """The reference of a refused row, where it is one, so that its sender finds the row."""
    if not isinstance(parsed, dict):
        return None
    try:
        return reference_from_json(parsed, "ref")
    except FieldError:
        return None
