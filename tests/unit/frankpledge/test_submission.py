"""Uploading and following."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import httpx
import pytest

from frankpledge import batches, submission
from frankpledge.batches import Stamp
from frankpledge.client import Pool
from frankpledge.errors import KitError
from frankpledge.problems import UnavailableError
from frankpledge.results import Batch, RowError, Scheme
from frankpledge.submission import Outcome, Sent
from tests.unit.frankpledge.fakes import KEY, FakePool, encoded_line


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An encoded file that is cut into three batches of 4 lines."""
    lines = [encoded_line(f"P-{n:02d}", 500) for n in range(12)]
    monkeypatch.setattr(batches.split, "__defaults__", (len(lines[0]) * 4,))
    found = tmp_path / "out.ndjson"
    found.write_bytes(b"".join(lines))
    return found


def scheme(ahead: float = 0, **fingerprints: tuple[str, ...]) -> Scheme:
    """Make a scheme whose clock is ahead by seconds."""
    known = fingerprints or {"guarded/1": (KEY.fingerprint,)}
    return Scheme("Test", "guarded/1", known, (), (), dt.timedelta(seconds=ahead))


def test_every_line_is_uploaded_once(pool: Pool, fake: FakePool, path: Path) -> None:
    """All batches together are the file."""
    sent = list(submission.send(pool, path, run="r1", dry_run=False))
    assert [(each.filings, each.lines_before) for each in sent] == [(4, 0), (4, 4), (4, 8)]
    assert b"\n".join(fake.lines()) + b"\n" == path.read_bytes()


def test_run_again_after_a_crash_nothing_is_doubled(pool: Pool, fake: FakePool, path: Path) -> None:
    """The network dies in the second batch; the next run ends up with the same three batches."""
    sending = submission.send(pool, path, run="r1", dry_run=False)
    first = next(sending)
    fake.failures = [httpx.ReadTimeout("x")] * 4
    with pytest.raises(UnavailableError):
        next(sending)
    again = list(submission.send(pool, path, run="r1", dry_run=False))
    assert again[0].batch.id == first.batch.id
    assert len(fake.batches) == 3


def test_a_repeated_upload_has_the_same_key_and_bytes(pool: Pool, fake: FakePool, path: Path) -> None:
    """When it is unknown whether the pool took a batch, the very same request is sent again."""
    pool.log_in()
    fake.failures = [httpx.ReadTimeout("x")]
    next(submission.send(pool, path, run="r1", dry_run=False))
    first, second = fake.sent("/v1/batches")
    assert first.content == second.content
    assert first.headers["Idempotency-Key"] == second.headers["Idempotency-Key"]


def test_a_dry_run_is_another_request(pool: Pool, fake: FakePool, path: Path) -> None:
    """A dry run and the real one do not share a key, or the second would do nothing."""
    dry = next(submission.send(pool, path, run="r1", dry_run=True))
    real = next(submission.send(pool, path, run="r1", dry_run=False))
    assert dry.batch.dry_run
    assert not real.batch.dry_run
    assert dry.batch.id != real.batch.id


def test_another_run_is_another_batch(pool: Pool, fake: FakePool, path: Path) -> None:
    """The same file submitted anew is looked at anew: what was refused for a reason that is gone gets its chance."""
    first = next(submission.send(pool, path, run="r1", dry_run=False))
    second = next(submission.send(pool, path, run="r2", dry_run=False))
    assert first.batch.id != second.batch.id


def test_following_ends_when_the_job_does(pool: Pool, fake: FakePool, path: Path) -> None:
    """The job is looked at ever less often, and seen to its end."""
    sent = next(submission.send(pool, path, run="r1", dry_run=False))
    fake.looks = -4
    seen: list[Batch] = []
    pauses: list[float] = []
    batch = submission.follow(pool, sent.batch, seen.append, sleep=pauses.append)
    assert batch.status == "done"
    assert [each.status for each in seen] == ["queued", "queued", "done"]
    assert pauses == [0.2, 0.4]


def test_row_errors_are_counted_in_the_file(pool: Pool, fake: FakePool, path: Path) -> None:
    """All pages of errors come, with the line of the file and not of the batch."""
    fake.rejected = [1, 3, 4]
    sent = list(submission.send(pool, path, run="r1", dry_run=False))[2]
    batch = submission.follow(pool, sent.batch, lambda _: None, sleep=lambda _: None)
    errors = list(submission.file_errors(pool, sent, batch))
    assert errors == [RowError(row, None, "line", "a line") for row in (9, 11, 12)]


def test_the_outcome_adds_up(pool: Pool, fake: FakePool, path: Path) -> None:
    """Counts of all batches together; failed ones are kept."""
    fake.rejected = [2]
    outcome = Outcome()
    sents: list[Sent] = list(submission.send(pool, path, run="r1", dry_run=False))
    for sent in sents:
        outcome.add(sent.batch)
    assert (outcome.rows["read"], outcome.rows["created"], outcome.rows["rejected"]) == (12, 9, 3)
    assert (outcome.hits, outcome.failed) == (3, [])
    outcome.add(
        Batch.parse({**sents[0].batch.document, "status": "failed", "failure": {"field": "x", "expected": "y"}})
    )
    assert outcome.failed[0].failure == ("x", "y")


def test_another_key_or_schema_is_refused_before_the_upload() -> None:
    """The pool's fingerprints are named, so that the right key can be found; and its schema, and the file's."""
    submission.refuse_mismatch(scheme(), Stamp("guarded/1", KEY.fingerprint, 1))
    with pytest.raises(KitError, match=KEY.fingerprint):
        submission.refuse_mismatch(scheme(), Stamp("guarded/1", "0" * 16, 1))
    with pytest.raises(KitError, match="schema broad/1; the pool's is guarded/1"):
        submission.refuse_mismatch(scheme(), Stamp("broad/1", KEY.fingerprint, 1))


@pytest.mark.parametrize(("ahead", "word"), [(61, "behind"), (-61, "ahead of")])
def test_a_wrong_clock_is_named(ahead: float, word: str) -> None:
    """More than a minute either way is worth a warning, less is not."""
    warning = submission.clock_warning(scheme(ahead))
    assert warning is not None
    assert word in warning
    assert submission.clock_warning(scheme(ahead * 0.9)) is None
