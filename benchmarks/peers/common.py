"""What every compared tool does alike: read two files, time its stages, tell what it found."""

from __future__ import annotations

import argparse
import csv
import json
import resource
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

Link = tuple[int, int, float]
"""Row of the left file, row of the right one, score: the higher the likelier."""


class Stages:
    """Seconds of wall time by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time what is done under a name."""
        started = time.perf_counter()
        yield
        self.add(name, time.perf_counter() - started)

    def add(self, name: str, seconds: float) -> None:
        """Add time that was measured elsewhere."""
        self.seconds[name] = round(self.seconds.get(name, 0.0) + seconds, 3)


def arguments(description: str | None) -> argparse.ArgumentParser:
    """The arguments every tool takes; a module may add its own."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("left", type=Path)
    parser.add_argument("right", type=Path, help="the left file again, for the duplicates within it")
    parser.add_argument("--links", type=Path, help="where to write the links, as CSV")
    return parser


def cpu_seconds() -> float:
    """Processor time of this process and of those it started that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def versions(*names: str) -> dict[str, str]:
    """The installed versions of some packages."""
    return {name: metadata.version(name) for name in names}


def read(path: Path) -> list[dict[str, str]]:
    """All rows of a file."""
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def tell(stages: Stages, links: Sequence[Link], to: Path | None, **more: Any) -> None:
    """Write the links to their file, and print times and memory as JSON. Writing is not timed."""
    if to is not None:
        with to.open("w", encoding="utf-8", newline="") as handle:
            csv.writer(handle).writerows(links)
    own, workers = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    json.dump(
        {
            "seconds": stages.seconds,
            "end_to_end": round(sum(stages.seconds.values()), 3),
            "cpu_seconds": round(cpu_seconds(), 1),
            "peak_mb": {"process": own.ru_maxrss // 1024, "largest_worker": workers.ru_maxrss // 1024},
            **more,
        },
        sys.stdout,
    )
