"""The worker that takes batches in, and what it has before it."""

from __future__ import annotations

import signal
from threading import Event

import click

from repository import logs, tracing
from repository.cli.context import Pool, console, print_json, table
from repository.jobs.exposing import Exposing
from repository.jobs.workers import Workers
from repository.services import operations
from repository.services.compose import compose


@click.group()
def worker() -> None:
    """The worker that takes batches in; `serve` runs one unless told not to."""


@worker.command()
@click.option("--metrics-host", default="127.0.0.1", show_default=True)
@click.option("--metrics-port", type=click.IntRange(0, 65535), help="Answer /metrics there, to who has its token.")
@click.pass_obj
def run(pool: Pool, metrics_host: str, metrics_port: int | None) -> None:
    """Take batches in until stopped, in a process of its own (beside `serve --no-worker`)."""
    pool.check()
    logs.configure(pool.settings.log_level)
    tracing.configure(pool.settings.otel_endpoint)
    services = compose(pool.settings)
    exposing = None if metrics_port is None else Exposing(services, metrics_host, metrics_port)
    workers = Workers(services)
    stopped = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    workers.start()
    console().print("Taking batches in; stop with Ctrl-C.")
    if exposing is not None:
        console().print(f"Metrics on http://{metrics_host}:{exposing.port}/metrics")
    stopped.wait()
    workers.stop()
    if exposing is not None:
        exposing.stop()
    tracing.end()


@worker.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
@click.pass_obj
def status(pool: Pool, as_json: bool) -> None:
    """Show whether a worker runs here, and the batches by status."""
    with pool.database.read() as session:
        queue = operations.queue(session)
    present = operations.worker_present(pool.settings.data_dir)
    if as_json:
        print_json({"worker": present, "batches": queue.by_status, "oldest_waiting": queue.oldest_waiting})
        return
    console().print(f"Worker of this data directory: [bold]{'running' if present else 'not running'}[/]")
    rows = table("status", "batches")
    for name, count in sorted(queue.by_status.items()):
        rows.add_row(name, str(count))
    console().print(rows if queue.by_status else "No batches yet.")
    if queue.oldest_waiting is not None:
        since = queue.oldest_waiting.isoformat(timespec="seconds")
        console().print(f"The oldest unfinished batch came in at {since}; {queue.rows_of_open} rows are read so far.")
