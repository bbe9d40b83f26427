"""The member's kit against the real pool, over HTTP in one process: the two sides of the contract meet."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import httpx
import orjson
import pytest
from flask import Flask

from frankpledge import batches, submission
from frankpledge.client import Pool
from frankpledge.credentials import Credentials, PersonCredentials
from frankpledge.drafts import drafts
from frankpledge.errors import KitError
from frankpledge.facts import Defaults
from frankpledge.keys import LinkageKey
from frankpledge.mapping import plan
from frankpledge.pipeline import encode_here
from frankpledge.problems import AuthenticationError, InvalidRequestError, NotFoundError, RefusedError
from frankpledge.questions import Question
from frankpledge.readers import open_source
from frankpledge.records import RecordEncoder
from frankpledge.results import Batch, Screening
from frankpledge.session import Retry
from frankpledge.submission import Outcome
from repository.api.base import EXTENSION
from repository.jobs.worker import IntakeWorker
from repository.services import Services
from repository.services.operator import accept_fingerprint
from tests.support.clock import FakeClock
from tests.support.encodings import claim
from tests.support.members import PASSWORD, Admissions, TestMember
from tests.support.proofs import colleague, proof

pytestmark = pytest.mark.parametrize("store", ["sqlite"], indirect=True)

KEY = LinkageKey(bytes(range(32)))
EXTRACT = """ref,given_name,family_name,date_of_birth,house_number,street,postcode,phone
P-1,Margaret,O'Brien,1980-03-09,12,High Street,WR9 0AE,07700 900123
P-2,William,Smith-Jones,1975-01-31,4,Mill Lane,W1A 1AA,07700 900456
P-3,Priya,Shah,1991-12-01,9,Elm Road,LS1 4AP,07700 900789
"""
ASKED = {"given_name": "Peggy", "family_name": "OBrien", "date_of_birth": "1980-03-09", "postcode": "wr90ae"}

Connect = Callable[[TestMember], Pool]


@pytest.fixture
def encoder() -> RecordEncoder:
    """The real encoder under the members' key."""
    return RecordEncoder.for_key(KEY)


@pytest.fixture
def connect(app: Flask, services: Services, clock: FakeClock) -> Connect:
    """Connect a member's kit to the pool, which accepts its key."""
    with services.database.write() as session:
        accept_fingerprint(session, "guarded/1", KEY.fingerprint, now=clock())

    def connect_member(member: TestMember) -> Pool:
        return Pool(
            "http://127.0.0.1",
            Credentials(member.client_id, member.client_secret),
            retry=Retry(attempts=1),
            transport=httpx.WSGITransport(app),
        )

    return connect_member


@pytest.fixture
def encoded(tmp_path: Path, encoder: RecordEncoder) -> Path:
    """The extract, encoded, as `frankpledge encode` writes it."""
    (tmp_path / "in.csv").write_text(EXTRACT)
    source = open_source(tmp_path / "in.csv")
    defaults = Defaults(record_class="customer", line="motor", date="2026-03-01")
    found = drafts(source.rows(), plan(source.headings, {}), defaults)
    path = tmp_path / "out.ndjson"
    path.write_bytes(b"".join(line for chunk in encode_here(found, encoder) for line in chunk.lines))
    source.close()
    return path


def submit(pool: Pool, path: Path, app: Flask, *, dry_run: bool = False) -> tuple[Outcome, list[Batch]]:
    """Submit as the command does, letting the pool's worker run whenever the kit waits."""
    worker = IntakeWorker(app.extensions[EXTENSION])
    submission.refuse_mismatch(pool.scheme(), batches.check(path))
    outcome, finished = Outcome(), []
    for sent in list(submission.send(pool, path, run="test", dry_run=dry_run)):
        finished.append(submission.follow(pool, sent.batch, lambda _: None, sleep=lambda _: worker.run_pending()))
        outcome.add(finished[-1])
    return outcome, finished


def test_contribute_then_ask(
    app: Flask, member: Admissions, connect: Connect, encoded: Path, encoder: RecordEncoder
) -> None:
    """Who has not contributed is refused with rule, figures and remedy; who has, is answered and told why."""
    alder, birch = connect(member("Alder")), connect(member("Birch"))
    asking = encoder.asking(purpose="new_business", line="motor")
    [subject] = encoder.subjects(ASKED, "policyholder")
    outcome, _ = submit(alder, encoded, app)
    assert outcome.rows == {"read": 3, "created": 3, "new_version": 0, "unchanged": 0, "rejected": 0}
    with pytest.raises(RefusedError) as refused:
        birch.screen(asking, Question("Q-1", subject))
    assert refused.value.problem.rule == "R2"
    assert refused.value.problem.figures
    assert refused.value.remedy
    outcome, _ = submit(birch, encoded, app)
    assert outcome.hits == 3
    answer = birch.screen(asking, Question("Q-1", subject))
    assert not answer.clear
    assert answer.hits[0].contributor == "Alder"
    assert round(sum(bits for _, _, bits in answer.hits[0].explanation), 1) == answer.hits[0].weight
    many = birch.screen_many(asking, [Question("Q-1", subject), Question("Q-2", subject)])
    assert [isinstance(each, Screening) and each.answer for each in many] == ["enquire", "enquire"]
    assert {hit.own["reference"] for hit in birch.hits(record_class="customer")} >= {"P-1", "P-2", "P-3", "Q-1"}
    assert birch.hit(answer.hits[0].id).id == answer.hits[0].id
    assert birch.standing()["lines"][0]["may_screen"] is True


def test_submitting_again_changes_nothing(app: Flask, member: Admissions, connect: Connect, encoded: Path) -> None:
    """The same file is the same batch; a file with one changed line is one new version and no doubles."""
    pool = connect(member("Alder"))
    _, [first] = submit(pool, encoded, app)
    _, [again] = submit(pool, encoded, app)
    assert again.id == first.id
    lines = [orjson.loads(line) for line in encoded.read_bytes().splitlines()]
    lines[0]["date"] = "2026-02-01"
    encoded.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
    outcome, _ = submit(pool, encoded, app)
    assert (outcome.rows["created"], outcome.rows["new_version"], outcome.rows["unchanged"]) == (0, 1, 2)
    assert len(list(pool.batches())) == 2


def test_a_dry_run_keeps_nothing(app: Flask, member: Admissions, connect: Connect, encoded: Path) -> None:
    """What a dry run found new is still new afterwards."""
    pool = connect(member("Alder"))
    dry, _ = submit(pool, encoded, app, dry_run=True)
    real, _ = submit(pool, encoded, app)
    assert dry.rows["created"] == real.rows["created"] == 3


def test_refused_rows_come_back_with_their_line(
    app: Flask, member: Admissions, connect: Connect, encoded: Path
) -> None:
    """A line that the member has no membership in is refused by row and field, the others land."""
    lines = [orjson.loads(line) for line in encoded.read_bytes().splitlines()]
    lines[1]["line"] = "home"
    encoded.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
    pool = connect(member("Alder"))
    outcome, [batch] = submit(pool, encoded, app)
    assert (outcome.rows["created"], outcome.rows["rejected"]) == (2, 1)
    [error] = pool.batch_errors(batch)
    assert (error.row, error.ref, error.field) == (2, "P-2", "line")


def test_one_filing_by_itself(member: Admissions, connect: Connect, encoded: Path) -> None:
    """A line can be filed without a batch; again, it is unchanged."""
    pool = connect(member("Alder"))
    filing = orjson.loads(encoded.read_bytes().splitlines()[0])
    assert pool.file(filing).result == "created"
    assert pool.file(filing).result == "unchanged"


def test_another_key_is_refused_on_both_sides(member: Admissions, connect: Connect) -> None:
    """The kit asks the scheme before it sends; the pool refuses what is sent all the same."""
    pool = connect(member("Alder"))
    stranger = RecordEncoder.for_key(LinkageKey(bytes(32)))
    with pytest.raises(KitError, match="not the pool's"):
        submission.refuse_mismatch(pool.scheme(), batches.Stamp("guarded/1", stranger.fingerprint, 1))
    [subject] = stranger.subjects(ASKED, "policyholder")
    with pytest.raises(InvalidRequestError, match="fingerprint"):
        pool.screen(stranger.asking(purpose="new_business", line="motor"), Question("Q-1", subject))


def test_members_cannot_look_at_each_other(app: Flask, member: Admissions, connect: Connect, encoded: Path) -> None:
    """A batch of another member is not there, and a wrong secret opens nothing."""
    alder, birch = member("Alder"), member("Birch")
    _, [batch] = submit(connect(alder), encoded, app)
    with pytest.raises(NotFoundError):
        connect(birch).batch(batch.id)
    thief = Pool("http://127.0.0.1", Credentials(alder.client_id, "x"), transport=httpx.WSGITransport(app))
    with pytest.raises(AuthenticationError):
        thief.log_in()


def test_a_person_uses_the_kit_by_name(app: Flask, member: Admissions) -> None:
    """A user's name and password open the pool as a program's id and secret do, and no other password does."""
    member.operator("olga", roles=("operator",))
    for password, fits in ((PASSWORD, True), ("not it", False)):
        pool = Pool("http://127.0.0.1", PersonCredentials("olga", password), transport=httpx.WSGITransport(app))
        with nullcontext() if fits else pytest.raises(AuthenticationError):
            pool.log_in()


def test_a_proven_case_with_labels_is_filed_by_two_people(
    app: Flask, member: Admissions, connect: Connect, encoder: RecordEncoder, tmp_path: Path
) -> None:
    """Labels go from a column to the pool and to who meets the record; the case is taken once it was approved."""
    alder, birch = member("Alder"), member("Birch")
    rows = EXTRACT.splitlines()[:2]
    (tmp_path / "in.csv").write_text(f"{rows[0]},role,tlp,information_grade\n{rows[1]},claimant,TLP:AMBER+STRICT,b\n")
    source = open_source(tmp_path / "in.csv")
    found = drafts(source.rows(), plan(source.headings, {}), Defaults("proven", "motor", "2026-03-01"))
    [line] = [line for chunk in encode_here(found, encoder) for line in chunk.lines]
    source.close()
    filing = orjson.loads(line)
    enters, approves = connect(alder), connect(colleague(app.test_client(), member.services, alder))
    with pytest.raises(InvalidRequestError):
        enters.file(filing)
    entered = enters.enter_proof(proof("P-1"))
    with pytest.raises(RefusedError):
        enters.approve_proof(entered.id)
    assert approves.approve_proof(entered.id).state == "approved"
    assert enters.file(filing).result == "created"
    assert [(each.id, each.filings) for each in approves.proofs()] == [(entered.id, 1)]
    asks = connect(birch)
    asks.file(filing | {"ref": "B-1", "class": "suspected"})
    asks.file(filing | {"ref": "B-2", "class": "claim", "claim": claim(), "labels": {}})
    [subject] = encoder.subjects(ASKED, "policyholder")
    [hit] = asks.screen(encoder.asking(purpose="claim_validation", line="motor"), Question("C-1", subject)).hits
    assert (hit.tier, hit.labels, hit.contributor) == (2, {"tlp": "amber_strict", "information": "B"}, None)
    assert hit.record_class == "proven"
    assert enters.withdraw_proof(entered.id).state == "withdrawn"
    with pytest.raises(InvalidRequestError):
        enters.file(filing)
