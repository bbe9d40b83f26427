"""Running the service from the command line."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import sys
from collections.abc import Callable
from importlib import import_module
from multiprocessing.util import Finalize
from typing import TYPE_CHECKING

import click
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels
from granian.server import Server
from sqlalchemy import text

from repository.cli.context import Pool, console
from repository.settings import PREFIX

if TYPE_CHECKING:
    from flask import Flask

_PR_SET_PDEATHSIG = 1


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8080, show_default=True, type=click.IntRange(1, 65535))
@click.option("--threads", default=16, show_default=True, type=click.IntRange(1, 64), help="Requests answered at once.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64), help="Serving processes.")
@click.option("--worker/--no-worker", default=True, show_default=True, help="Take batches in, in one of them.")
@click.option(
    "--stop-within",
    default=15,
    show_default=True,
    type=click.IntRange(1, 3600),
    metavar="SECONDS",
    help="How long answers under way, and the chunk of a batch at hand, may take once the service is told to stop.",
)
@click.pass_obj
def serve(pool: Pool, *, host: str, port: int, threads: int, workers: int, worker: bool, stop_within: int) -> None:
    """Serve the pool over HTTP. Put a proxy with TLS in front of it.

    Stopped by SIGTERM or Ctrl-C it takes no more requests, answers those under way, and ends with exit code 0.
    """
    pool.check()
    _check_port(host, port)
    os.environ[f"{PREFIX}DATA_DIR"] = str(pool.settings.data_dir)
    os.environ[f"{PREFIX}WORKER"] = "on" if worker else "off"
    console().print(f"Serving [bold]{pool.settings.scheme_name}[/] on http://{host}:{port} (docs at /v1/docs)")
    if workers > 1 and pool.settings.metrics_dir is None:
        console().print(f"[yellow]/metrics will tell of one process of {workers}[/]: set {PREFIX}METRICS_DIR")
    sys.stdout.flush()
    Server(
        "repository.cli.serving:application",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        websockets=False,
        workers=workers,
        # One process that dies takes none of the others with it; where it is the only one, whoever started us decides.
        respawn_failed_workers=workers > 1,
        blocking_threads=threads,
        backpressure=threads * 8,
        workers_kill_timeout=stop_within,
        factory=True,
        log_level=LogLevels.error,
    ).serve()
    _fold_log(pool)


def _fold_log(pool: Pool) -> None:
    """Open and close the database once more: SQLite's last connection folds the write-ahead log in and removes it.

    The serving process does not: its interpreter is stopped with connections open.
    """
    with pool.database.read() as session:
        session.execute(text("SELECT count(*) FROM members"))
    pool.database.close()


def application() -> Flask:
    """The application inside a serving process. It ends with the process that started it, however that ends."""
    _end_with_parent()
    # Named, not imported: app is above the commands in the order of imports.
    create_app: Callable[[], Flask] = import_module("app").create_app
    made = create_app()
    from repository.jobs.worker import STOP  # noqa: PLC0415 - the process that starts this one serves nothing itself

    stopping: list[Callable[[], None]] = made.extensions[STOP]
    for place, stop in enumerate(stopping):
        # Run when the last answer is given and before the process ends, which would drop the chunk at hand.
        Finalize(None, stop, exitpriority=10 - place)
    return made


def _end_with_parent() -> None:
    """Ask Linux to kill this process with its parent: left alone it would keep the port and go on with batches."""
    if not sys.platform.startswith("linux"):
        return
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")


def _check_port(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise click.ClickException(f"{host}:{port} cannot be used: {error.strerror}") from None
