"""How fast a pool is put under another operator secret: `python -m benchmarks.rotation --records 20000 --json`.

The generated market is filed (not matched), then every step of `secret rotate` is timed, its check at the end too. On a
busy machine read the processor time, which is the command's own: PostgreSQL's is not in it.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.pool import fill
from benchmarks.stores import of_a_pool, opened
from repository.services import migration, rotation
from repository.services.clock import now
from repository.settings import read_operator_secret
from repository.storage.engine import Database, create_engine


def measure(directory: Path, store: str, records: int, schema: str) -> dict[str, Any]:
    """Seconds and rows a second of each step."""
    with opened(store, directory) as made:
        migration.upgrade(made.url)
        services = fill(directory, records, 1, made.url, schema=schema).services
        settings, old = services.settings, read_operator_secret(services.settings.operator_secret_file)
        services.database.close()
        database = Database(create_engine(settings.database_url, settings.limits), settings.limits)
        steps: dict[str, dict[str, float]] = {}
        before = time.perf_counter(), time.process_time()
        both = rotation.Secrets(old, secrets.token_bytes(32))
        for each in rotation.rotate(settings, database, both, now):
            after = time.perf_counter(), time.process_time()
            wall, processor = (b - a for a, b in zip(before, after, strict=True))
            if each.what not in steps:
                steps[each.what] = {"rows": 0, "wall_s": 0.0, "processor_s": 0.0}
            steps[each.what]["rows"] = each.done
            steps[each.what]["wall_s"] += wall
            steps[each.what]["processor_s"] += processor
            before = after
        database.close()
    return {what: _rates(step) for what, step in steps.items() if step["rows"]}


def _rates(step: dict[str, float]) -> dict[str, float]:
    seconds = {name: round(step[name], 2) for name in ("wall_s", "processor_s")}
    return {"rows": step["rows"], **seconds, "rows_per_s": round(step["rows"] / step["wall_s"])}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print."""
    of_a_pool("rotation", __doc__, measure, arguments)


if __name__ == "__main__":
    main()
