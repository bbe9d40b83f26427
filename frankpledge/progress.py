"""A progress bar on standard error, when a person is watching."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn


class Meter:
    """A bar of `total` units (an endless one when unknown), with rows and rows a second beside it."""

    def __init__(self, label: str, total: int | None, console: Console | None = None) -> None:
        console = console or Console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[note]}"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._progress.add_task(label, total=total, note="")
        self._started = time.monotonic()

    def __enter__(self) -> Meter:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def advance_to(self, position: int, rows: int, *, total: int | None = None) -> None:
        """Show how far the work has come, and how many rows that were."""
        rate = rows / max(time.monotonic() - self._started, 1e-3)
        self._progress.update(self._task, completed=position, note=f"{rows:,} rows, {rate:,.0f} rows/s")
        if total is not None:
            self._progress.update(self._task, total=total)
