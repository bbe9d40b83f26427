"""How much processor time a process and all that it started have used so far."""

from __future__ import annotations

import os
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
_PARENT, _USER, _SYSTEM = 1, 11, 12  # fields of /proc/<pid>/stat after the name, from 0 (proc(5))


def seconds(root: int) -> float:
    """User and system time of a process and of its living descendants, in seconds. Linux only."""
    stats = dict(_stats())
    members, pending = set(), [root]
    while pending:
        process = pending.pop()
        members.add(process)
        pending += [child for child, fields in stats.items() if int(fields[_PARENT]) == process]
    ticks = sum(int(stats[each][_USER]) + int(stats[each][_SYSTEM]) for each in members if each in stats)
    return ticks / _TICKS


def _stats() -> list[tuple[int, list[str]]]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = path.read_text("ascii", errors="replace")
        except OSError:
            continue  # it ended meanwhile
        found.append((int(path.parent.name), text.rpartition(")")[2].split()))
    return found
