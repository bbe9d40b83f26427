"""What is counted: over several processes, and by words that are known beforehand."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from repository import metrics, sharing

COUNT = (
    "import os, sys; from repository.sharing import share_if_wanted; share_if_wanted(['serve'], os.environ);"
    " from repository import metrics;"
)


def _run(directory: Path, code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", COUNT + code],
        env=os.environ | {"FRANKPLEDGE_METRICS_DIR": str(directory)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


WORK = (
    "import os, signal\n"
    "for each in range(3):\n"
    "    child = os.fork()\n"
    "    if child:\n"
    "        continue\n"
    "    metrics.SCREENINGS.labels('clear').inc(10 ** each)\n"
    "    metrics.REQUESTS.labels('GET', '/livez', '200').observe(0.1)\n"
    "    metrics.IN_FLIGHT.inc()\n"
    "    os.kill(os.getpid(), signal.SIGKILL)\n"
    "for each in range(3):\n"
    "    os.wait()\n"
    "metrics.SCREENINGS.labels('clear').inc(1000)\n"
    "metrics.IN_FLIGHT.inc(2)\n"
    "print(metrics.exposition({'frankpledge_hot_keys': [((), 4)]}).decode())\n"
)


def test_numbers_of_several_processes_add_up(tmp_path: Path) -> None:
    """Counters of all, those that were killed too; what is under way only of those alive; what was read once."""
    text = _run(tmp_path / "metrics", WORK)
    assert 'frankpledge_screenings_total{answer="clear"} 1111.0' in text
    assert 'frankpledge_request_seconds_count{method="GET",route="/livez",status="200"} 3.0' in text
    assert re.search(r"^frankpledge_requests_in_flight 2\.0$", text, re.MULTILINE)
    assert re.search(r"^frankpledge_hot_keys 4\.0$", text, re.MULTILINE)
    assert "pid=" not in text


def test_a_new_start_begins_at_nothing_but_leaves_the_living(tmp_path: Path) -> None:
    """What dead processes counted is gone with the next start of the service; the files of a worker stay."""
    _run(tmp_path, WORK)
    before = sorted(tmp_path.glob("counter_*.db"))
    mine = before[0].rename(tmp_path / f"counter_{os.getpid()}.db")  # as if this process had counted it
    text = _run(tmp_path, "print(metrics.exposition({}).decode())")
    (total,) = re.findall(r'frankpledge_screenings_total\{answer="clear"\} (\S+)', text)
    assert float(total) in (1, 10, 100, 1000)
    assert mine.exists()
    assert not any(path.exists() for path in before)


def test_only_commands_that_serve_or_work_share(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Listing members leaves no files behind; without the setting nothing is shared."""
    monkeypatch.delenv(sharing.SHARED, raising=False)
    wanted = {sharing.SETTING: str(tmp_path / "made")}
    sharing.share_if_wanted(["member", "list"], wanted)
    sharing.share_if_wanted(["serve"], {})
    assert sharing.SHARED not in os.environ
    monkeypatch.setenv(sharing.SHARED, "")  # so that it is taken back
    sharing.share_if_wanted(["--data-dir", "x", "worker", "run"], wanted)
    assert os.environ[sharing.SHARED] == str(tmp_path / "made")
    assert (tmp_path / "made").stat().st_mode & 0o777 == 0o700


def test_what_can_happen_is_there_before_it_happens() -> None:
    """Every word of a label is a series from the start: a rate over what first shows with its first event misses it."""
    text = metrics.exposition({}).decode()
    for series in (
        'frankpledge_screenings_total{answer="refused"}',
        'frankpledge_batch_rows_total{result="rejected"}',
        'frankpledge_hits_total{band="strong"}',
    ):
        assert series in text
    assert 'band="none"' not in text
