"""The whole way of a file: rows in, encoded filings out, in bounded memory, on one process or several."""

from __future__ import annotations

import gc
import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

from frankpledge.drafts import Draft, Refused
from frankpledge.errors import KitError
from frankpledge.records import CHUNK_ROWS, Chunk, RecordEncoder
from frankpledge.rejects import RejectsFile, Tally
from frankpledge.tabular import Lines

Drafts = list[Draft | Refused]


def chunks(drafts: Iterable[Draft | Refused], size: int = CHUNK_ROWS) -> Iterator[Drafts]:
    """Cut a stream of drafts into lists of about `size` rows."""
    chunk: Drafts = []
    rows = 0
    for draft in drafts:
        chunk.append(draft)
        rows += draft.rows
        if rows >= size:
            yield chunk
            chunk, rows = [], 0
    if chunk:
        yield chunk


def encode_here(drafts: Iterable[Draft | Refused], encoder: RecordEncoder) -> Iterator[Chunk]:
    """Encode chunk after chunk in this process."""
    return (encoder.filings(chunk) for chunk in chunks(drafts))


def encode_with_workers(
    drafts: Iterable[Draft | Refused], make_encoder: Callable[[], RecordEncoder], workers: int
) -> Iterator[Chunk]:
    """Encode in `workers` processes; chunks come in the order of the input and at most two a worker are waiting.

    Each process makes an encoder of its own by `make_encoder`, which must be picklable.

    Raises KitError when a worker dies.
    """
    waiting: deque[Future[Chunk]] = deque()
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, _Worker.start, (make_encoder,)) as pool:
        try:
            for chunk in chunks(drafts):
                waiting.append(pool.submit(_Worker.encode, chunk))
                if len(waiting) >= 2 * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool:
            raise KitError(
                "An encoding process died.", "Try again with fewer --workers: memory may be short."
            ) from None


def write(chunks: Iterable[Chunk], out: Lines, rejects: RejectsFile, tally: Tally) -> Iterator[Tally]:
    """Write encoded chunks and their rejects, counting into `tally`, which is given out after each chunk."""
    for chunk in chunks:
        out.writelines(chunk.lines)
        rejects.write(chunk.rejects)
        tally.rows += chunk.rows
        tally.filings += len(chunk.lines)
        tally.rejected_rows += chunk.rejected_rows
        tally.subjects.update(chunk.subjects)
        tally.notes.update(chunk.notes)
        tally.count(chunk.rejects)
        yield tally


def collect_seldom() -> None:
    """Look for garbage in cycles once in 100,000 new objects: encoding makes many and no cycles, and gains a sixth."""
    gc.freeze()
    gc.set_threshold(100_000)


class _Worker:
    """The encoder of a worker process, made once when the process starts."""

    encoder: RecordEncoder

    @classmethod
    def start(cls, make_encoder: Callable[[], RecordEncoder]) -> None:
        cls.encoder = make_encoder()
        collect_seldom()

    @classmethod
    def encode(cls, chunk: Drafts) -> Chunk:
        return cls.encoder.filings(chunk)
