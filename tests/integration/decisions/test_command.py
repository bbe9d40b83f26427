"""frankpledge-admin decisions, as an operator types it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import ColumnElement, func, select, update

from repository.cli import main
from repository.services import Services
from repository.settings import Settings
from repository.storage.decisions import DECISIONS
from tests.integration.pool.conftest import Desk
from tests.support.encodings import question

Admin = Callable[..., Result]


@pytest.fixture
def admin(settings: Settings) -> Admin:
    """Runs `frankpledge-admin decisions` on the pool of the test; `admin("replay")`."""
    environment = {"FRANKPLEDGE_DATABASE_URL": settings.database_url}
    words = ("--data-dir", str(settings.data_dir), "decisions")
    return lambda *more: CliRunner(env=environment).invoke(main, [*words, *more])


def words(result: Result) -> str:
    """What was printed, with any run of spaces as one."""
    return " ".join(result.output.split())


def count(services: Services, *conditions: ColumnElement[bool]) -> int:
    """How many decisions there are."""
    with services.database.reading() as connection:
        chosen = select(func.count()).select_from(DECISIONS).where(*conditions)
        return int(connection.execute(chosen).scalar_one())


def test_replay_of_a_clean_history(history: Desk, admin: Admin, services: Services) -> None:
    """All identical, and status 0; with --json the same figures."""
    total = count(services)
    done = admin("replay")
    assert done.exit_code == 0, done.output
    assert f"{total} decisions taken again" in words(done)
    assert f"{total} identical, 0 different, 0 not possible." in words(done)
    told = json.loads(admin("replay", "--json").stdout)
    assert {name: told[name] for name in ("replayed", "identical", "different", "not_possible")} == {
        "replayed": total,
        "identical": total,
        "different": 0,
        "not_possible": 0,
    }
    assert told["deviations"] == []
    assert told["per_second"] > 0
    alpha = json.loads(admin("replay", "--json", "--member", "Alpha", "--since", "2026-03-04").stdout)
    since = DECISIONS.c.at >= datetime(2026, 3, 4, tzinfo=UTC)
    assert alpha["replayed"] == count(services, since, DECISIONS.c.member_id == history.member.id) > 5
    until = DECISIONS.c.at < datetime(2026, 3, 3, tzinfo=UTC)
    assert json.loads(admin("replay", "--json", "--until", "2026-03-02").stdout)["replayed"] == count(services, until)
    assert json.loads(admin("replay", "--json", "--since", "2027-01-01").stdout)["replayed"] == 0


def test_replay_reports_what_differs(history: Desk, admin: Admin, services: Services) -> None:
    """Status 1, the decision's id, what is stored and what comes out; what is missing is counted apart."""
    minute = DECISIONS.c.rule == "R10"
    with services.database.writing() as connection:
        figures = {"used_this_minute": 7, "asked": 1, "per_minute": 2, "line": "motor"}
        connection.execute(update(DECISIONS).where(minute).values(allowed=True, figures=figures))
        connection.execute(update(DECISIONS).where(DECISIONS.c.rule == "PURPOSE").values(standing_id="0" * 64))
    done = admin("replay")
    assert done.exit_code == 1
    assert "allowed: stored yes, taken again no" in done.output
    assert "figures.used_this_minute: stored 7, taken again 2" in done.output
    assert "cannot be taken again: the standing it names is not there" in done.output
    assert f"{count(services) - 2} identical, 1 different, 1 not possible." in words(done)
    as_json = admin("replay", "--json")
    assert as_json.exit_code == 1
    told = json.loads(as_json.stdout)
    assert (told["different"], told["not_possible"], told["deviations_left_out"]) == (1, 1, 0)
    different, missing = told["deviations"]
    assert different["differs"]["allowed"] == {"stored": True, "again": False}
    assert different["decision"] in done.output
    assert missing["missing"] == "the standing it names is not there"
    assert admin("replay", "--until", "2026-03-03").exit_code == 0


def test_explain_a_decision(history: Desk, admin: Admin) -> None:
    """In words: the rule, the sum, what would change it, R9, the rulebook. No other member, and nothing asked about."""
    (row,) = [each for each in history.get("/v1/decisions?refused=true")["items"] if each["rule"] == "R10"]
    done = admin("explain", row["id"])
    assert done.exit_code == 0, done.output
    text = words(done)
    assert f"{row['id']}, 4 March 2026 at 09:00:00 (UTC)" in text
    assert "screening, line motor, purpose new_business: refused under R10" in text
    assert "Why At most 2 queries are answered in a minute." in text
    assert "Figures asked in this minute: 2 + 1 = 3 > 2" in text
    assert "To change it Wait a minute, and ask more slowly." in text
    assert f"appeals against {row['id']}" in text
    assert f"Rulebook {row['rulebook']['version']}, SHA-256 {row['rulebook']['digest']}" in text
    assert "Taken again identical" in text
    assert "Beta" not in text
    assert "Q-1" not in text
    assert json.loads(admin("explain", row["id"], "--json").stdout) == history.get(f"/v1/decisions/{row['id']}")


def test_explain_an_allowed_question(history: Desk, admin: Admin) -> None:
    """What was seen of each class, in words, and the sums that gave it."""
    allowed = [each for each in history.get("/v1/decisions?action=screening")["items"] if each["allowed"]]
    text = words(admin("explain", allowed[-1]["id"]))
    assert "screening, line motor, purpose new_business: allowed under R2" in text
    assert "motor claim: tier 3, who contributed it, and the record's facts" in text
    assert "accepted in line motor in 90 days: 1 >= 1" in text
    assert "Ladder Line motor was at target, in good standing." in text


def test_explain_a_day(history: Desk, admin: Admin) -> None:
    """By member and day: its last refusal, and how many there were of each; by line, too."""
    text = words(admin("explain", "--member", "Alpha", "--on", "2026-03-03"))
    assert "That day: 3 allowed; refused: 1 by R2." in text
    assert "line home, purpose new_business: refused under R2" in text
    motor = json.loads(admin("explain", "--member", "Alpha", "--on", "2026-03-03", "--line", "motor", "--json").stdout)
    assert (motor["allowed"], motor["line"]) == (True, "motor")
    assert motor["that_day"]["refused"] == {}


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_what_cannot_be_explained(alpha: Desk, admin: Admin) -> None:
    """An id of nothing, a day without decisions, a member that is none: a sentence each, without a trace back."""
    alpha.screen(question("ann"), status=403)
    nothing = admin("explain", f"dec_{'0' * 26}")
    assert (nothing.exit_code, nothing.output) == (
        1,
        "Error: there is no such decision: `frankpledge-admin decisions list` shows a member's\n",
    )
    day = admin("explain", "--member", "Alpha", "--on", "2026-03-01")
    assert "nothing was decided on that member that day" in day.output
    assert "there is no such member" in admin("replay", "--member", "Nobody").output
    for wrong in (("explain",), ("explain", "--member", "Alpha"), ("explain", "dec_1", "--line", "motor")):
        done = admin(*wrong)
        assert done.exit_code == 2, done.output
        assert "name a decision, or --member and --on" in done.output


def test_list(history: Desk, admin: Admin) -> None:
    """A member's decisions, latest first; refusals only; never more than the limit, and that is said."""
    done = admin("list", "--member", "Alpha")
    ids = [each["id"] for each in history.get("/v1/decisions")["items"]]
    assert [line.split()[0] for line in done.output.splitlines()[1:]] == ids
    refused = json.loads(admin("list", "--member", history.member.id, "--refused", "--json").stdout)
    assert {each["rule"] for each in refused["items"]} == {"R2", "R10", "PURPOSE"}
    assert refused["more"] is False
    short = admin("list", "--member", "Alpha", "--limit", "2")
    assert "There are more: only the last 2 are shown." in short.output
    assert admin("list", "--member", "Alpha", "--until", "2026-03-01").output == "No decisions.\n"
