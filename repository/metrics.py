"""What the service counts, for Prometheus. Labels are closed word lists: nothing that a caller sent becomes one."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

REQUESTS = Histogram(
    "frankpledge_request_seconds",
    "Time to answer a request, by method, route template and status.",
    ("method", "route", "status"),
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
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
SCREENINGS = Counter("frankpledge_screenings_total", "Screenings by answer: clear, enquire or refused.", ("answer",))
HITS = Counter("frankpledge_hits_total", "Hits made, by band.", ("band",))
