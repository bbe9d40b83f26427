"""Working through a batch: chunk by chunk, each in one transaction with the cursor, so that no row is done twice.

Killed at any instant, the next worker goes on at the line after the last committed chunk.
"""

from __future__ import annotations

import gc
import itertools
import sys
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import Any, TypeVar, cast

import orjson
import structlog
from sqlalchemy import RowMapping

from matching.vocabulary import MAX_LINE_BYTES
from repository.domain.errors import FieldError
from repository.domain.filings import Accepts
from repository.domain.members import Member
from repository.jobs.columnar import OVERLONG, reference_of
from repository.jobs.lines import Line, Meter, StreamError, inflate, lines
from repository.jobs.sources import NDJSON, Source, columns
from repository.services import Services
from repository.services.batchwork import BatchWork, CancelledError, Chunk, GivenUpError, RowError
from repository.services.encodings import filing_from_json
from repository.services.foresight import Foreseen, LookedUp
from repository.services.planning import Numbered
from repository.storage.batches import SERVER_FAULT
from repository.storage.spool import Spool, SpoolError

CHUNK_LINES = CHUNK_SUBJECTS = 2500
"""Lines, and subjects, in one transaction; of subjects it may be more by the last line's.

Each subject is some forty index rows: the more at once, the fewer pages of the index are written again and again. Other
filings wait while it is written: a second on a quiet machine, some on a busy one.
"""
SINGLE_WRITER_CHUNK = 500
"""At most so many of both where nobody else writes at all meanwhile, no screening either (SQLite)."""
CHUNK_BYTES = 8 << 20
MAX_LINES = 2_000_000
"""Lines of a batch, blank ones too: a gigabyte of filings has fewer; a megabyte of gzip may hold a thousand million."""

_THRESHOLDS = (100_000, 50, 100)
"""Objects made, and looks at the young ones, before Python looks for garbage: see `gc.set_threshold`."""
_TURN_SECONDS = 0.0005
"""After which a thread that has waited for PostgreSQL takes its turn: see `sys.setswitchinterval`."""
_Item = TypeVar("_Item")
_log = structlog.get_logger("frankpledge.intake")


def work_through(
    services: Services, spool: Spool, batch: RowMapping, owner: str, stopping: Callable[[], bool] = lambda: False
) -> None:
    """Take in what is left of a batch under the lease of `owner`, and finish it. Raises LeaseLostError.

    Once `stopping` says so no chunk is begun, and the batch is left to whoever works on the spool next.
    """
    work = BatchWork(services, batch, owner)
    source = _source(services, spool, batch)
    failure: tuple[str, str] | None = None
    cancelled = work.cancelled()
    try:
        with (
            rarely_collecting(),
            taking_turns(),
            closing(ahead(() if cancelled else _prepared(services, work, source))) as prepared,
            closing(ahead(_looked_up(work, prepared))) as looked_up,
            closing(ahead(_foreseen(work, looked_up))) as ready,
        ):
            for chunk, member, bytes_done, foreseen in ready:
                if stopping():
                    _log.info("batch left", rows=work.progress.rows_read)
                    return
                work.take(chunk, member, bytes_done, foreseen)
    except (StreamError, GivenUpError) as error:
        failure = (error.field, error.expected)
    except CancelledError:
        cancelled = True
    except SpoolError:
        failure = (SERVER_FAULT, "the content as it was sent; it is no longer whole on the server: send it again")
    read_to = batch["bytes_total"] if not (failure or cancelled) else source.bytes_done
    work.finish(read_to, failure, cancelled)
    spool.remove(batch["id"])
    _log.info("batch", failed=failure is not None, cancelled=cancelled, rows=work.progress.rows_read)


@contextmanager
def rarely_collecting() -> Iterator[None]:
    """Have Python look for garbage in circles less often: a chunk is many thousand objects, and makes none.

    Each look goes through them all: an eighth of a worker's time.
    """
    before = gc.get_threshold()
    gc.set_threshold(*_THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)


@contextmanager
def taking_turns() -> Iterator[None]:
    """Have threads take turns more often: else what PostgreSQL waits for waits for the chunks that are made ready.

    A transaction sends and awaits something a hundred times, with little to do each time.
    """
    before = sys.getswitchinterval()
    sys.setswitchinterval(_TURN_SECONDS)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def ahead(items: Iterable[_Item]) -> Generator[_Item, None, None]:
    """Give items in their order, each made by a thread while the one before is at work; what it raises is raised here.

    For what waits for the database most of the time: meanwhile the next chunk is read and checked.
    """
    iterator, end = iter(items), object()
    with ThreadPoolExecutor(1, thread_name_prefix="ahead") as thread:
        upcoming = thread.submit(next, iterator, end)
        while (item := upcoming.result()) is not end:
            upcoming = thread.submit(next, iterator, end)
            yield cast("_Item", item)


def _prepared(services: Services, work: BatchWork, source: Source[Any]) -> Iterator[tuple[Chunk, Member, int]]:
    """Each chunk, checked by what the pool takes at the time, whose it is, and how far its content was read.

    Small groups make one chunk together. What was read before a stream broke is given before StreamError is raised.
    """
    most_lines, most_subjects = (_at_once(services, most) for most in (CHUNK_LINES, CHUNK_SUBJECTS))
    chunk = Chunk(last_line=0)
    try:
        for group in source.groups():
            accepts, member = work.accepts()
            for row in source.rows(group, accepts):
                chunk.add(row)
                if chunk.rows >= most_lines or chunk.subjects >= most_subjects:
                    yield chunk, member, source.bytes_done
                    chunk = Chunk(last_line=0)
    except StreamError:
        if chunk.rows:
            yield chunk, member, source.bytes_done
        raise
    if chunk.rows:
        yield chunk, member, source.bytes_done


def _looked_up(
    work: BatchWork, prepared: Iterable[tuple[Chunk, Member, int]]
) -> Iterator[tuple[Chunk, Member, int, LookedUp | None]]:
    """Each chunk with what the pool holds on it, looked up before its turn comes."""
    for chunk, member, bytes_done in prepared:
        yield chunk, member, bytes_done, work.look_ahead(chunk, member)


def _foreseen(
    work: BatchWork, looked_up: Iterable[tuple[Chunk, Member, int, LookedUp | None]]
) -> Iterator[tuple[Chunk, Member, int, Foreseen]]:
    """Each chunk with what else can be done for it before its turn comes."""
    for chunk, member, bytes_done, found in looked_up:
        yield chunk, member, bytes_done, work.foresee(found, member)


def _source(services: Services, spool: Spool, batch: RowMapping) -> Source[Any]:
    if batch["format"] == NDJSON:
        return _Lines(services, spool, batch)
    return columns(services, spool, batch, at_once=_at_once(services, CHUNK_LINES), most=MAX_LINES)


def _at_once(services: Services, most: int) -> int:
    single = services.database.engine.dialect.name == "sqlite"
    return min(most, SINGLE_WRITER_CHUNK) if single else most


class _Lines:
    """The rows of a batch as NDJSON: the lines that are not done yet."""

    def __init__(self, services: Services, spool: Spool, batch: RowMapping) -> None:
        self._services = services
        self._batch = batch
        self._meter = Meter(spool.read(batch["id"]))

    @property
    def bytes_done(self) -> int:
        """Bytes read."""
        return self._meter.count

    def groups(self) -> Iterator[list[Line]]:
        """Some lines at a time."""
        limit = self._services.settings.max_batch_inflated_bytes
        content = inflate(self._meter, limit) if self._batch["gzipped"] else iter(self._meter)
        done = self._batch["lines_done"]
        left = itertools.dropwhile(lambda line: line.number <= done, lines(content, MAX_LINE_BYTES))
        return _groups(left, _at_once(self._services, CHUNK_LINES))

    def rows(self, group: Iterable[Line], accepts: Accepts) -> Iterator[Numbered | RowError]:
        """Every line: a filing, or what is wrong with it."""
        for line in group:
            parsed: object = None
            try:
                parsed = _json(line)
                yield Numbered(line.number, filing_from_json(parsed, self._services.schema, accepts))
            except FieldError as error:
                yield RowError(line.number, reference_of(parsed), error)


def _groups(remaining: Iterable[Line], most: int) -> Iterator[list[Line]]:
    """Lines that are looked at together, `most` at a time, without blank ones, which cost no transaction.

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
            if len(group) >= most or size >= CHUNK_BYTES:
                yield group
                group, size = [], 0
    except StreamError as error:
        failure = error
    if group:
        yield group
    if failure is not None:
        raise failure


def _json(line: Line) -> object:
    if line.content is None:
        raise OVERLONG
    try:
        return orjson.loads(line.content)
    except orjson.JSONDecodeError:
        raise FieldError("(record)", "one JSON object a line, in UTF-8") from None
