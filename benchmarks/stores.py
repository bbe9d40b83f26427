"""The database of a benchmark: a SQLite file, or a PostgreSQL server of its own that loses nothing it has answered."""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.linking import add_schema
from benchmarks.machine import show
from tests.support import postgres

STORES = ("sqlite", "postgresql")
_DATABASE = "frankpledge"
_MEMORY_MB = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20
_SERVING = {
    # As PostgreSQL's manual has it for a server of its own. A million people's index takes some four gigabytes.
    "shared_buffers": f"{min(8192, _MEMORY_MB // 4)}MB",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "15min",
    "wal_compression": "off",  # pglz takes twice the time of an index row, and its pages of random keys do not shrink
    "random_page_cost": "1.1",
    "effective_cache_size": f"{_MEMORY_MB // 2}MB",
}
"""What a server with some memory is set to; commits are synced, as they are by default."""


@dataclass(frozen=True, slots=True)
class Store:
    """Where a pool's tables are; `process` is the database server's, None where it is a library."""

    name: str
    url: str
    process: int | None

    def settle(self) -> None:
        """Do what PostgreSQL does by itself some time after a table is filled."""
        if self.process is not None:
            with psycopg.connect(self.url.replace("+psycopg", ""), autocommit=True) as connection:
                connection.execute("VACUUM (ANALYZE)")
                connection.execute("CHECKPOINT")


@contextmanager
def opened(name: str, directory: Path) -> Iterator[Store]:
    """An empty database for as long as the context lasts. Raises ValueError for a name not in STORES."""
    if name not in STORES:
        raise ValueError(f"a store is one of {', '.join(STORES)}")
    if name == "sqlite":
        yield Store(name, f"sqlite:///{directory / 'frankpledge.db'}", None)
        return
    server = postgres.start(_SERVING)
    try:
        address = server.url("postgres").replace("+psycopg", "")
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {_DATABASE}")
        yield Store(name, server.url(_DATABASE), server.process.pid)
    finally:
        server.stop()


def of_a_pool(
    name: str,
    described: str | None,
    measure: Callable[[Path, str, int, str], dict[str, Any]],
    arguments: Sequence[str] | None,
) -> None:
    """Run a benchmark of a pool of some records in one of the stores: read its arguments, measure, print."""
    parser = argparse.ArgumentParser(description=described, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=20_000, help="people who are filed")
    parser.add_argument("--store", choices=STORES, default="sqlite")
    add_schema(parser)
    parser.add_argument("--json", action="store_true", help="accepted for uniformity; the output is always JSON")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as directory:
        figures = measure(Path(directory), options.store, options.records, options.schema)
    asked = {each: getattr(options, each) for each in ("schema", "records", "store")}
    show({"benchmark": name, **asked, **figures})
