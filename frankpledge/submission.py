"""Uploading an encoded file: checked against the scheme, batch by batch, followed until the pool is done with it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from frankpledge import tabular, uploading
from frankpledge.batches import Payload, Stamp, split
from frankpledge.client import Pool
from frankpledge.errors import KitError
from frankpledge.following import until_over
from frankpledge.results import Batch, RowError, Scheme

CLOCK_TOLERANCE = 60.0
"""Seconds by which the clocks may differ before a warning."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A batch that the pool has accepted for processing, and where it begins in the file."""

    batch: Batch
    filings: int
    lines_before: int

    @property
    def known_before(self) -> bool:
        """Whether the pool was done with it already: the same was uploaded before, and nothing is done again."""
        return self.batch.finished


@dataclass(slots=True)
class Outcome:
    """What became of all batches: counts of rows by result, hits, and batches that failed as a whole."""

    rows: Counter[str] = field(default_factory=Counter)
    hits: int = 0
    capped_keys: int = 0
    failed: list[Batch] = field(default_factory=list)
    cancelled: list[Batch] = field(default_factory=list)

    def add(self, batch: Batch) -> None:
        """Count a finished batch."""
        self.rows.update(batch.rows)
        self.hits += batch.hits
        self.capped_keys += batch.capped_keys
        if batch.status == "failed":
            self.failed.append(batch)
        if batch.status == "cancelled":
            self.cancelled.append(batch)


def refuse_mismatch(scheme: Scheme, stamp: Stamp) -> None:
    """Raise KitError when the pool would not take records under this schema or key."""
    if stamp.schema_id != scheme.schema:
        raise KitError(
            f"The file was encoded under the linkage schema {stamp.schema_id}; the pool's is {scheme.schema}.",
            f'Set schema = "{scheme.schema}" in the profile, and encode again.',
        )
    known = scheme.keys
    if stamp.fingerprint not in known:
        raise KitError(
            f"The file was encoded under the key {stamp.fingerprint}, which is not the pool's.",
            f"Import the members' key and encode again; the pool's fingerprint is {', '.join(known) or 'not set yet'}.",
        )


def clock_warning(scheme: Scheme) -> str | None:
    """Say so when the local clock and the pool's differ by more than a minute."""
    seconds = scheme.ahead.total_seconds()
    if abs(seconds) <= CLOCK_TOLERANCE:
        return None
    return f"This machine's clock is {abs(seconds):,.0f} s {'behind' if seconds > 0 else 'ahead of'} the pool's."


def send(
    pool: Pool, path: Path, *, run: str, dry_run: bool, seen: Callable[[int, int], None] = lambda _, __: None
) -> Iterator[Sent]:
    """Upload batch after batch. Under the same name of the run they are the same batches, each there once.

    A file of columns is one batch, sent in pieces when it is large: `seen` is told its bytes that are there, and of
    how many.
    """
    if (kind := tabular.format_of(path)) is not None:
        batch = uploading.send_file(pool, path, kind, run=run, dry_run=dry_run, seen=seen)
        yield Sent(batch, 0, 0)
        return
    for payload in split(path):
        yield Sent(_upload(pool, payload, run, dry_run=dry_run), payload.filings, payload.lines_before)


def follow(
    pool: Pool, batch: Batch, seen: Callable[[Batch], None], *, sleep: Callable[[float], object] = time.sleep
) -> Batch:
    """Look at a batch until it is over; `seen` is told each time."""
    if batch.finished:
        batch = pool.batch(batch.id)  # the answer to an upload has no row errors, a look at the batch has
    return until_over(batch, lambda: pool.batch(batch.id), seen, sleep=sleep)


def file_errors(pool: Pool, sent: Sent, batch: Batch) -> Iterator[RowError]:
    """Give the row errors of a finished batch, with rows counted in the file and not in the batch."""
    for error in pool.batch_errors(batch):
        yield RowError(error.row + sent.lines_before, error.ref, error.field, error.expected)


def _upload(pool: Pool, payload: Payload, run: str, *, dry_run: bool) -> Batch:
    key = uploading.key_of(run, payload.digest, dry_run=dry_run)
    return pool.upload(payload.packed, idempotency_key=key, dry_run=dry_run)
