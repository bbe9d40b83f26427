"""Commands in processes of their own, forked from one that has imported everything: a start costs next to nothing.

For tests that start and kill many. A process is as much its own as one that was started from a shell: its session, its
environment, its output.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

_LOADED = ("__main__", "app", "repository.cli", "repository.jobs.intake", "pyarrow.parquet")
PATIENCE = 60.0


class Command:
    """`frankpledge-admin` with some arguments, running. `constants` are set before, such as {"module.NAME": 3}."""

    def __init__(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        log: Path,
        constants: Mapping[str, Any] | None = None,
    ) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(list(_LOADED))
        told = (list(arguments), dict(environment), str(log), dict(constants or {}))
        self._process: ForkServerProcess = context.Process(target=_run, args=told)
        self._process.start()
        pid = self._process.pid
        assert pid is not None
        self.pid = pid

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.is_alive()

    def ended(self) -> int | None:
        """Wait for its end; its exit code."""
        self._process.join(PATIENCE)
        return self._process.exitcode

    def signal(self, number: int) -> None:
        """Send it a signal, not what it started."""
        os.kill(self.pid, number)

    def signal_all(self, number: int) -> None:
        """Send a signal to it and to what it started; nothing where it is gone."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, number)

    def kill(self) -> None:
        """Kill it with -9, and all that it started."""
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:  # it has ended, or is too young to have a group
            self._process.kill()
        self._process.join(PATIENCE)


def _run(arguments: list[str], environment: dict[str, str], log: str, constants: dict[str, Any]) -> None:
    os.setsid()
    with Path(log).open("ab") as file:
        for stream in (1, 2):
            os.dup2(file.fileno(), stream)
    os.environ.clear()
    os.environ.update(environment)
    multiprocessing.set_start_method("fork", force=True)  # as in a process that was not made by this package
    for name, value in constants.items():
        module, _, constant = name.rpartition(".")
        setattr(import_module(module), constant, value)
    sys.argv = ["frankpledge-admin", *arguments]
    import_module("repository.cli").main(arguments)
