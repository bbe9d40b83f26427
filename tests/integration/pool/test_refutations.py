"""Refuted filings: what enough members cleared with two people each counts, after notice and the days to contest."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from click.testing import CliRunner

from repository.cli import main
from repository.storage.disputes import UPHELD
from repository.storage.refutations import refuters
from tests.integration.pool.conftest import Counted, Desk
from tests.integration.pool.test_casework import cases, decide, find, move
from tests.integration.pool.test_disputes import upheld
from tests.integration.pool.test_outcomes import log_in, say
from tests.support.clock import FakeClock
from tests.support.encodings import filing, subject
from tests.support.expiring import expire
from tests.support.members import Admissions
from tests.support.proofs import colleague
from tests.support.rulebooks import load_rules


@pytest.fixture
def three(alpha: Desk, beta: Desk, member: Admissions) -> tuple[Desk, Desk, Desk]:
    """Beta filed Ann as suspected; two others have a claim of hers. Two refute a filing; the zone is ahead of UTC."""
    load_rules(alpha.services, {"accuracy": {"refuted_by": 2}, "calendar": {"zone": "Pacific/Kiritimati"}})
    gamma = Desk(alpha.client, alpha.services, member("Gamma", lines=("motor",)))
    beta.file(filing("B-1", subject("ann"), record_class="suspected"))
    for desk in (alpha, gamma):
        desk.file(filing("C-1", subject("ann"), record_class="claim"))
    return alpha, beta, gamma


def cleared(desk: Desk, *, confirmed: bool = True) -> dict[str, Any]:
    """A member finds its hits on fraud to be of the same subject, and clears the case; a second person confirms it."""
    for hit in desk.hits():
        say(desk, hit["id"], "same_subject")
    closed = find(desk, move(desk, cases(desk)[0], "claim"), "clear")
    second = Desk(desk.client, desk.services, colleague(desk.client, desk.services, desk.member))
    return dict(decide(second, closed)) if confirmed else closed


def refutations(desk: Desk) -> list[dict[str, Any]]:
    """Those of a member's filings."""
    items: list[dict[str, Any]] = desk.get("/v1/refutations")["items"]
    return items


def answer(desk: Desk, refutation: dict[str, Any], *, accepts: bool, status: int = 200) -> dict[str, Any]:
    """The contributor's answer."""
    path, body = f"/v1/refutations/{refutation['id']}/answer", {"accepts": accepts, "note_reference": "N-1"}
    given = desk.client.post(path, json=body, headers=desk.member.headers)
    assert given.status_code == status, given.get_json()
    told: dict[str, Any] = given.get_json()
    return told


def test_what_is_not_contested_counts_once(three: tuple[Desk, Desk, Desk], clock: FakeClock, rows: Counted) -> None:
    """Two members with two people each; noticed to the contributor alone; counted the day after the last to contest."""
    alpha, beta, gamma = three
    unconfirmed = cleared(alpha, confirmed=False)
    cleared(gamma)
    assert rows("refutations") == 0
    second = Desk(alpha.client, alpha.services, colleague(alpha.client, alpha.services, alpha.member))
    decide(second, unconfirmed)
    (told,) = refutations(beta)
    assert (told["status"], told["reference"], told["version"]) == ("noticed", "B-1", 1)
    assert told["contest_until"] == "2026-03-30"
    assert not {"member", "members", "by", "contributor"} & told.keys()
    assert (refutations(alpha), refutations(gamma)) == ([], [])
    answer(alpha, told, accepts=False, status=404)
    (alert,) = [each for each in beta.get("/v1/alerts")["items"] if each["kind"] == "filing.refuted"]
    assert alert["about"] == {"refutation": told["id"]}
    clock.time = datetime(2026, 3, 30, 9, 59, 59, tzinfo=UTC)
    expire(alpha.services)
    assert upheld(beta) == []
    clock.advance(seconds=1)
    expire(alpha.services)
    log_in(beta)
    assert refutations(beta)[0]["status"] == "upheld"
    assert upheld(beta) == [(date(2026, 3, 30), "motor", "suspected", 1)]
    expire(alpha.services)
    assert (len(upheld(beta)), rows("upheld_versions")) == (1, 1)
    answer(beta, told, accepts=False, status=409)


def test_what_stands_no_more_is_void(three: tuple[Desk, Desk, Desk], clock: FakeClock) -> None:
    """A case that was opened again refutes nothing, nor do two people of one member."""
    alpha, beta, gamma = three
    cleared(gamma)
    closed = cleared(alpha)
    assert refutations(beta)[0]["status"] == "noticed"
    move(alpha, closed, "reopen", reason="A new invoice.")
    clock.advance(days=30)
    expire(alpha.services)
    log_in(beta)
    assert refutations(beta)[0]["status"] == "void"
    assert upheld(beta) == []


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("how", "counted"), [("accept", 1), ("uphold", 1), ("dismiss", 0), ("disputed before", 0)])
def test_it_is_accepted_or_contested(three: tuple[Desk, Desk, Desk], clock: FakeClock, how: str, counted: int) -> None:
    """Accepted, it counts at once; contested, the operator decides; a version that counts already counts no more."""
    alpha, beta, gamma = three
    cleared(alpha)
    cleared(gamma)
    (told,) = refutations(beta)
    if how == "disputed before":
        with alpha.services.database.writing() as connection:
            connection.execute(UPHELD.insert().values(filing_id=told["filing"], version=1, dispute_id=None))
    if how in ("accept", "disputed before"):
        assert answer(beta, told, accepts=True)["status"] == "upheld"
        assert answer(beta, told, accepts=True)["status"] == "upheld"
    else:
        assert answer(beta, told, accepts=False)["status"] == "contested"
        clock.advance(days=60)
        expire(alpha.services)
        settings = alpha.services.settings
        words = ["--data-dir", str(settings.data_dir), "refutation"]
        environment = {"FRANKPLEDGE_DATABASE_URL": settings.database_url}
        assert told["id"] in CliRunner().invoke(main, [*words, "list"], env=environment).output
        done = CliRunner().invoke(main, [*words, how, told["id"], "--reason", "So we find."], env=environment)
        assert done.exit_code == 0, done.output
    assert sum(row[3] for row in upheld(beta)) == counted


def test_who_files_somebody_else_is_refuted_anew(three: tuple[Desk, Desk, Desk], clock: FakeClock) -> None:
    """What was said of another subject does not count; a corrected date is no way out, nor is taking the record out."""
    alpha, beta, gamma = three
    cleared(alpha)
    cleared(gamma)
    clock.advance(seconds=1)
    beta.file(filing("B-1", subject("ann"), record_class="suspected", date="2026-02-20"))
    clock.advance(days=29)
    expire(alpha.services)
    log_in(*three)
    assert [each["status"] for each in refutations(beta)] == ["upheld"]
    with alpha.services.database.reading() as connection:
        assert len(refuters(connection, refutations(beta)[0]["filing"], 1)) == 2
    beta.file(filing("B-1", subject("ann", only=range(30)), record_class="suspected"))
    with alpha.services.database.reading() as connection:
        assert [refuters(connection, refutations(beta)[0]["filing"], version) for version in (1, 2, 3)] == [set()] * 3


def test_taking_the_record_out_accepts(three: tuple[Desk, Desk, Desk], clock: FakeClock) -> None:
    """Nobody withdraws what is refuted to be spared; a void one may be noticed again."""
    alpha, beta, gamma = three
    closed = cleared(alpha)
    cleared(gamma)
    (told,) = refutations(beta)
    again = move(alpha, closed, "reopen", reason="A new invoice.")
    clock.advance(days=29)
    expire(alpha.services)
    log_in(*three)
    assert refutations(beta)[0]["status"] == "void"
    second = Desk(alpha.client, alpha.services, colleague(alpha.client, alpha.services, alpha.member))
    decide(second, find(alpha, again, "clear"))
    (renewed,) = refutations(beta)
    assert (renewed["status"], renewed["contest_until"]) == ("noticed", "2026-04-28")
    path = f"/v1/filings/{told['filing']}/withdrawal"
    gone = beta.client.post(path, json={"reason": "duplicate"}, headers=beta.member.headers)
    assert gone.status_code == 200, gone.get_json()
    assert refutations(beta)[0]["status"] == "upheld"
    assert sum(row[3] for row in upheld(beta)) == 1
