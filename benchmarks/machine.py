"""What a figure was measured on, and how benchmarks print."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

REPOSITORY = Path(__file__).resolve().parent.parent
FEBRL4 = (REPOSITORY / "demo" / "data" / "febrl4_a.csv", REPOSITORY / "demo" / "data" / "febrl4_b.csv")


def machine() -> dict[str, Any]:
    """Processor, cores, load and Python version; no host name."""
    model = ""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text("utf-8").splitlines()
        model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "")
    return {
        "processor": model or platform.machine(),
        "cores": os.cpu_count(),
        "load": [round(value, 2) for value in os.getloadavg()],
        "python": platform.python_version(),
    }


def show(report: Mapping[str, Any]) -> None:
    """Print a report as JSON, the machine with it."""
    print(orjson.dumps({**report, "machine": machine()}, option=orjson.OPT_INDENT_2).decode())
