"""What the service counts, for Prometheus. Labels are closed word lists: nothing that a caller sent becomes one.

What one process counts is kept in it, or, with several of them, in files of a directory that they share (see
`repository.sharing`), so that whichever process is asked answers for all. What the database and the disk hold is read
when it is asked for, and is handed to `exposition` as values of the families in `READ`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

from matching.types import Band
from repository.sharing import SHARED, is_alive, process_of

REQUESTS = Histogram(
    "frankpledge_request_seconds",
    "Time to answer a request, by method, route template and status.",
    ("method", "route", "status"),
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)
IN_FLIGHT = Gauge(
    "frankpledge_requests_in_flight", "Requests that are being answered now.", multiprocess_mode="livesum"
)
CANDIDATES = Histogram(
    "frankpledge_candidates",
    "Candidates that one look-up of a subject brought for comparison.",
    buckets=(0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000),
)
CAPPED_KEYS = Counter("frankpledge_capped_keys_total", "Keys skipped in a look-up because too many records share them.")
BATCH_ROWS = Counter(
    "frankpledge_batch_rows_total",
    "Rows of batches taken in, by result: created, new_version, unchanged or rejected.",
    ("result",),
)
BATCH_CHUNKS = Histogram(
    "frankpledge_batch_chunk_seconds",
    "Time to take one chunk of a batch in: one transaction.",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0),
)
JOBS = Counter(
    "frankpledge_jobs_total", "Jobs that are over, by kind and result: done, failed or cancelled.", ("kind", "result")
)
JOB_STEPS = Histogram(
    "frankpledge_job_step_seconds",
    "Time of one step of a job: one transaction.",
    ("kind",),
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0),
)
SCREENINGS = Counter("frankpledge_screenings_total", "Screenings by answer: clear, enquire or refused.", ("answer",))
HITS = Counter("frankpledge_hits_total", "Hits between filings made, by band.", ("band",))
DECISIONS = Counter(
    "frankpledge_decisions_total", "Decisions on what may be asked and seen, by outcome and rule.", ("allowed", "rule")
)
CONNECTIONS = Gauge(
    "frankpledge_database_connections_in_use",
    "Connections to the database that are taken from the pool now.",
    multiprocess_mode="livesum",
)

_COUNTED: Sequence[Counter | Gauge | Histogram] = (
    *(REQUESTS, IN_FLIGHT, CANDIDATES, CAPPED_KEYS, BATCH_ROWS),
    *(BATCH_CHUNKS, JOBS, JOB_STEPS, SCREENINGS, HITS, DECISIONS, CONNECTIONS),
)
_WORDS: Mapping[Counter, Sequence[str]] = {
    BATCH_ROWS: ("created", "new_version", "unchanged", "rejected"),
    SCREENINGS: ("clear", "enquire", "refused"),
    HITS: tuple(band.label for band in Band if band),
}
for _kind, _result in product(("rescreen", "webhook", "expiry"), ("done", "failed", "cancelled")):
    JOBS.labels(_kind, _result)
for _counter, _words in _WORDS.items():
    for _word in _words:
        _counter.labels(_word)  # there from the start: a rate over what first shows with its first event misses it

READ: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "frankpledge_build_info": ("1, with the version and the linkage schema.", ("version", "schema")),
    "frankpledge_database_up": ("1 if the database answered this scrape, else 0.", ()),
    "frankpledge_schema_info": ("1, with the migration the tables are at, and whether it is ours.", ("at", "fits")),
    "frankpledge_batches": ("Batches by status: queued, running, done or failed.", ("status",)),
    "frankpledge_queue_age_seconds": ("How long ago the oldest unfinished batch came in; 0 without one.", ()),
    "frankpledge_job_age_seconds": ("How long ago the oldest unfinished job of a kind came in; 0 without.", ("kind",)),
    "frankpledge_hot_keys": ("Keys that are remembered as hot.", ()),
    "frankpledge_worker_alive": ("1 if a worker runs on this data directory, else 0.", ()),
    "frankpledge_spool_bytes": ("Content of batches on disk.", ()),
    "frankpledge_disk_free_bytes": ("Free space of the disk that the data directory is on.", ()),
    "frankpledge_disk_size_bytes": ("Size of the disk that the data directory is on.", ()),
}
"""What is read at a scrape: help and labels by name."""

Reading = Mapping[str, Sequence[tuple[Sequence[str], float]]]
"""By name in `READ`, the samples: values of the labels, and the number."""


def exposition(reading: Reading) -> bytes:
    """Everything in Prometheus' text format: what was counted, in all processes that share, and what was read."""
    registry = CollectorRegistry(auto_describe=False)
    if shared := os.environ.get(SHARED):
        _bury(Path(shared))
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call] # ships this one without types
        registry.register(_Read(reading))
        return generate_latest(registry)
    registry.register(_Read(reading))
    return generate_latest(REGISTRY) + generate_latest(registry)


def families() -> frozenset[str]:
    """The name of every series that a scrape may give, as an expression names it."""
    return frozenset(_labels())


def labels_of(name: str) -> frozenset[str]:
    """The labels of a series besides those of every target. Raises KeyError."""
    return frozenset(_labels()[name])


def _labels() -> dict[str, tuple[str, ...]]:
    found = {name: labels for name, (_, labels) in READ.items()}
    for metric in _COUNTED:
        for family in metric.describe():
            suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}.get(family.type, ("",))
            found |= dict.fromkeys(
                (f"{family.name}{suffix}" for suffix in suffixes), metric._labelnames
            )  # no other way
    return found


class _Read(Collector):
    """What was read, as gauges."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """One family for each name that was read."""
        for name, samples in self._reading.items():
            help_text, labels = READ[name]
            family = GaugeMetricFamily(name, help_text, labels=labels)
            for values, number in samples:
                family.add_metric(list(values), number)
            yield family


def _bury(directory: Path) -> None:
    """Take dead processes out of the gauges: what a killed one was at, it is at no more. Its counters stay."""
    for path in [path for path in directory.glob("gauge_live*.db") if not is_alive(path)]:
        mark_process_dead(process_of(path), str(directory))  # type: ignore[no-untyped-call] # as above
