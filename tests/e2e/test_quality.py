"""The linkage bars on real test data, through the command a user would run."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

Report = dict[str, Any]
DATA = Path(__file__).parents[2] / "demo" / "data"


@pytest.fixture(scope="module")
def report() -> Report:
    """FEBRL 4 without national_id, linked and scored."""
    command = [sys.executable, "-m", "frankpledge", "evaluate", "--truth", "cluster", "--drop", "national_id", "--json"]
    files = ["--left", str(DATA / "febrl4_a.csv"), "--right", str(DATA / "febrl4_b.csv")]
    done = subprocess.run([*command, *files], capture_output=True, text=True, check=True, timeout=600)
    found: Report = json.loads(done.stdout)
    return found


def test_febrl4_f1(report: Report) -> None:
    """Best pairwise F1 on FEBRL 4 without national_id is at least 0.990, without labels or plain text."""
    assert report["best"]["f1"] >= 0.990


def test_febrl4_completeness(report: Report) -> None:
    """The candidate keys reach at least 0.985 of the true pairs and leave out more than 99 % of all pairs."""
    assert report["pairs_completeness"] >= 0.985
    assert report["reduction_ratio"] > 0.99


def test_febrl4_bands(report: Report) -> None:
    """Bands mean what they say: strong is right in at least 99 %, probable in at least 90 %."""
    assert report["bands"]["strong"]["precision"] >= 0.99
    assert report["bands"]["probable"]["precision"] >= 0.90
    assert report["calibration"]["expected_calibration_error"] < 0.02
