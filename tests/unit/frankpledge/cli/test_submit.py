"""`frankpledge submit`."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import orjson
import pytest

from frankpledge import batches
from tests.unit.frankpledge.cli.conftest import Run
from tests.unit.frankpledge.fakes import FakePool, encoded_line, problem


@pytest.fixture
def encoded(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An encoded file of two batches."""
    lines = [encoded_line(f"P-{n}", 500) for n in range(4)]
    monkeypatch.setattr(batches.split, "__defaults__", (len(lines[0]) * 2,))
    path = home / "out.ndjson"
    path.write_bytes(b"".join(lines))
    return path


def test_without_follow_it_uploads_and_names_the_batches(run: Run, encoded: Path, fake: FakePool) -> None:
    """Exit code 0 says uploaded; the ids lead to the rest."""
    shown = run("submit", encoded)
    assert shown.exit_code == 0, shown.output
    assert shown.stdout.splitlines()[0] == "bat_1  2 filings uploaded, queued"
    assert len(fake.lines()) == 4
    assert orjson.loads(run("submit", encoded, "--json").stdout) == {"batches": ["bat_3", "bat_4"]}


def test_follow_tells_what_became_of_the_rows(run: Run, encoded: Path) -> None:
    """All accepted is exit code 0."""
    shown = run("submit", encoded, "--follow")
    assert shown.exit_code == 0, shown.output
    told, crowded = shown.stdout.splitlines()
    assert told == "4 filings read: 4 new, 0 changed, 0 unchanged, 0 refused; 2 hits."
    assert crowded.startswith("4 keys are shared by too many records")


def test_a_file_submitted_again_is_looked_at_anew(run: Run, encoded: Path, fake: FakePool) -> None:
    """After a run that came to its end the next is a run of its own: the pool says which rows it knows."""
    run("submit", encoded, "--follow")
    run("submit", encoded, "--follow")
    assert len(fake.batches) == 4


def test_an_interrupted_submission_continues(run: Run, encoded: Path, home: Path, fake: FakePool) -> None:
    """After a crash the same batches are followed to their end, with their row errors, and none is sent twice."""
    fake.rejected = [2]
    fake.refuse_batches = True
    broken = run("submit", encoded, "--follow")
    assert broken.exit_code == 2
    fake.refuse_batches = False
    for batch in fake.batches.values():
        batch["status"] = "done"
    again = run("submit", encoded, "--errors", home / "errors.ndjson")
    assert again.exit_code == 1
    assert "2 of 2 batches were done before the interruption" in again.stderr
    assert len((home / "errors.ndjson").read_bytes().splitlines()) == 2
    assert len(fake.batches) == 2


def test_refused_rows_are_shown_and_written(run: Run, encoded: Path, home: Path, fake: FakePool) -> None:
    """Exit code 1, the line of the file, field and what was expected."""
    fake.rejected = [2]
    shown = run("submit", encoded, "--errors", home / "errors.ndjson")
    assert shown.exit_code == 1
    assert "Line 2: line: expected a line" in shown.stderr
    assert "Line 4: line: expected a line" in shown.stderr
    rows = [orjson.loads(line)["row"] for line in (home / "errors.ndjson").read_bytes().splitlines()]
    assert rows == [2, 4]


def test_many_refused_rows_are_cut_short_on_the_screen(
    run: Run, home: Path, fake: FakePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten are shown; the rest goes to a file when asked."""
    path = home / "many.ndjson"
    path.write_bytes(b"".join(encoded_line(f"P-{n}") for n in range(30)))
    fake.rejected = list(range(1, 31))
    shown = run("submit", path, "--follow")
    assert shown.stderr.count("expected a line") == 10
    assert "--errors FILE" in shown.stderr


def test_refused_rows_that_the_pool_does_not_keep_are_told(run: Run, encoded: Path, home: Path, fake: FakePool) -> None:
    """An errors file that has not all of them is not passed off as whole, for people nor for scripts."""
    fake.rejected, fake.kept_errors = [1, 2], 1
    for options in ((), ("--json",)):
        shown = run("submit", encoded, "--errors", home / "errors.ndjson", *options)
        assert len((home / "errors.ndjson").read_bytes().splitlines()) == 2
        assert "2 more refused rows are not in " in shown.stderr
    fake.kept_errors = 1_000
    assert "refused rows" not in run("submit", encoded, "--errors", home / "errors.ndjson").stderr


def test_a_dry_run_follows_and_says_so(run: Run, encoded: Path, fake: FakePool) -> None:
    """Nothing is kept, everything is checked."""
    shown = run("submit", encoded, "--dry-run", "--json")
    document = orjson.loads(shown.stdout)
    assert document["dry_run"] is True
    assert document["rows"]["read"] == 4
    assert all(batch["dry_run"] for batch in fake.batches.values())
    assert run("submit", encoded, "--dry-run").stdout.startswith("Dry run, nothing kept: 4 filings read")


def test_a_batch_that_fails_is_exit_code_2(run: Run, encoded: Path, fake: FakePool) -> None:
    """The field and what was expected are named."""
    fake.refuse_batches = True
    run("submit", encoded, "--follow")
    fake.refuse_batches = False
    for batch in fake.batches.values():
        batch |= {"status": "failed", "failure": {"field": "(batch)", "expected": "gzip that ends"}}
    fake.looks = -100
    shown = run("submit", encoded, "--follow")
    assert shown.exit_code == 2
    assert "Batch bat_1 failed: (batch): expected gzip that ends." in shown.stderr


def test_a_plain_extract_never_leaves(run: Run, home: Path, fake: FakePool) -> None:
    """Submitting the extract instead of its encoding sends nothing at all."""
    path = home / "extract.csv"
    path.write_text("ref,family_name\nP-1,Doe\n")
    shown = run("submit", path)
    assert shown.exit_code == 2
    assert "Line 1 is not an encoded filing. Nothing was sent." in shown.stderr
    assert fake.requests == []


def test_another_key_is_noticed_before_the_upload(run: Run, encoded: Path, fake: FakePool) -> None:
    """The fingerprints are compared with the scheme's first."""
    fake.fingerprints = ["0" * 16]
    shown = run("submit", encoded)
    assert shown.exit_code == 2
    assert "which is not the pool's" in shown.stderr
    assert fake.batches == {}


def test_a_wrong_clock_is_a_warning(run: Run, encoded: Path, fake: FakePool) -> None:
    """Two hours off is said, and the upload goes on."""
    fake.time = dt.datetime.now(dt.UTC) + dt.timedelta(hours=2)
    shown = run("submit", encoded)
    assert shown.exit_code == 0
    assert "behind the pool's" in shown.stderr


def test_a_refusal_is_told_with_rule_and_remedy(run: Run, encoded: Path, fake: FakePool) -> None:
    """What the pool explains reaches the person."""
    fake.failures = [problem(403, detail="Not a member", rule="R1", figures={"status": "suspended"}, remedy="Ask us.")]
    shown = run("submit", encoded)
    assert shown.exit_code == 2
    assert "Not a member. (Rule R1: status suspended.)\nAsk us." in shown.stderr


def test_the_address_and_credentials_are_needed(run: Run, encoded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plain http to another machine, and half a pair of credentials, are refused before anything is sent."""
    assert "plain http" in run("submit", encoded, "--server", "http://pool.example").stderr
    monkeypatch.delenv("FRANKPLEDGE_CLIENT_SECRET")
    assert "Only one of" in run("submit", encoded).stderr


def test_waiting_is_told(run: Run, encoded: Path, fake: FakePool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever watches learns that the pool asked for time, and the upload goes on."""
    waited: list[float] = []
    monkeypatch.setattr("frankpledge.cli.setup.time.sleep", waited.append)
    fake.failures = [problem(503, {"Retry-After": "20"})]
    shown = run("submit", encoded)
    assert shown.exit_code == 0
    assert "trying again in 20 s" in shown.stderr
    assert len(waited) == 1
