"""What benchmarks of a pool print."""

from __future__ import annotations

import subprocess
import sys

LOGS = """
import structlog, benchmarks.pool
structlog.get_logger("x").info("told")
structlog.get_logger("x").error("wrong")
"""


def test_nothing_but_the_report_goes_to_standard_output() -> None:
    """What the service logs meanwhile is left out, and errors go to standard error, so that the report stays JSON."""
    done = subprocess.run([sys.executable, "-c", LOGS], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout == ""
    assert "wrong" in done.stderr
    assert "told" not in done.stderr
