"""Memberships, applications and appeals, as an operator types them."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from repository.cli import main
from repository.domain.calendar import working_days_later

PASSWORD = "a long enough password"
ANOTHER = "another long password"
Admin = Callable[..., Result]
GUIDE = (Path(__file__).parents[3] / "docs" / "membership.md").read_text("utf-8")
COMMANDS = re.findall(r"^(frankpledge-admin .+)$", GUIDE, re.MULTILINE)


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pool with one operator, to copy."""
    pool = tmp_path_factory.mktemp("made") / "pool"
    done = CliRunner(env={"FRANKPLEDGE_OPERATOR_PASSWORD": PASSWORD}).invoke(main, ["--data-dir", str(pool), "init"])
    assert done.exit_code == 0, done.output
    return pool


@pytest.fixture
def admin(tmp_path: Path, made_once: Path, monkeypatch: pytest.MonkeyPatch, quick_hashing: None) -> Admin:
    """Runs a command on that pool."""
    for name in ("DATA_DIR", "DATABASE_URL", "OPERATOR_PASSWORD", "USER_PASSWORD", "OFFICER_PASSWORD"):
        monkeypatch.delenv(f"FRANKPLEDGE_{name}", raising=False)
    pool = tmp_path / "pool"
    shutil.copytree(made_once, pool)
    return lambda *words, **options: CliRunner().invoke(main, ["--data-dir", str(pool), *words], **options)


@pytest.fixture
def two(admin: Admin) -> Admin:
    """The same pool with a second operator, olga."""
    added = admin("user", "add", "olga", "--role", "operator", env={"FRANKPLEDGE_USER_PASSWORD": ANOTHER})
    assert added.exit_code == 0, added.output
    return admin


def _show(admin: Admin, name: str) -> dict[str, Any]:
    seen: dict[str, Any] = json.loads(admin("member", "show", name, "--json").output)
    return seen


def test_a_member_is_admitted_on_its_terms(admin: Admin) -> None:
    """Volumes declared, ramp and agreement; without a date the covenant is the longest there is."""
    terms = ("--declare", "motor/customer=800", "--declare", "motor/claim=40", "--agreement-version", "2026")
    assert admin("member", "add", "Alpha", "--line", "motor", *terms).exit_code == 0
    first = ("--ramp", "contribute_first")
    assert admin("member", "add", "Beta", "--line", "motor", "--line", "home", *first).exit_code == 0
    alpha, beta = (_show(admin, name) for name in ("Alpha", "Beta"))
    assert [(each["class"], each["per_month"]) for each in alpha["declarations"]] == [("claim", 40), ("customer", 800)]
    assert alpha["agreement"]["version"] == "2026"
    assert date.fromisoformat(alpha["ramp"]["covenant_until"]) > date.today() + timedelta(days=360)  # noqa: DTZ011
    assert beta["ramp"] == {"kind": "contribute_first", "covenant_until": None, "back_book_on": None}
    shown = admin("member", "show", "Alpha").output
    assert "membership.admitted" in shown
    assert "contribute_first, back book not loaded" in admin("member", "show", "Beta").output


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("--declare", "motor/customer"), 2, "expected LINE/CLASS=N"),
        (("--declare", "motor/customer=many"), 2, "expected LINE/CLASS=N"),
        (("--declare", "motor=5"), 2, "expected LINE/CLASS=N"),
        (("--declare", "motor/claim=5", "--declare", "motor/claim=6"), 2, "each LINE/CLASS once"),
        (("--declare", "pet/claim=5"), 1, "one of the member's lines of business"),
        (("--declare", "motor/gossip=5"), 1, "customer, claim, suspected"),
        (("--covenant-until", "2020-01-01"), 1, "a date after today"),
        (("--ramp", "contribute_first", "--covenant-until", "2099-01-01"), 1, "has no covenant date"),
    ],
)
def test_terms_that_cannot_be_are_said(admin: Admin, words: tuple[str, ...], status: int, said: str) -> None:
    """A sentence, no trace back, and nobody is admitted."""
    done = admin("member", "add", "Alpha", "--line", "motor", *words)
    assert (done.exit_code, said in done.output) == (status, True), done.output
    assert "No members yet" in admin("member", "list").output


def test_volumes_are_declared_and_the_operator_sees_less(admin: Admin) -> None:
    """Each change is an event; `member events` finds those that lower a volume."""
    admin("member", "add", "Alpha", "--line", "motor", "--declare", "motor/claim=40")
    assert admin("member", "declare", "Alpha", "motor/claim=30", "motor/customer=500").exit_code == 0
    happened = json.loads(admin("member", "events", "--kind", "membership.declared_less", "--json").output)
    assert [(each["figures"]["before"], each["figures"]["per_month"]) for each in happened] == [(40, 30)]
    assert happened[0]["member"] == _show(admin, "Alpha")["member"]["id"]
    assert "Alpha" in admin("member", "events").output
    assert admin("member", "declare", "Alpha", "motor/claim=30", "--from", "2020-01").exit_code == 1
    assert admin("member", "declare", "Nobody", "motor/claim=30").exit_code == 1


def test_the_back_book_is_recorded(admin: Admin) -> None:
    """Once, and only under contribute-first."""
    admin("member", "add", "Alpha", "--line", "motor", "--ramp", "contribute_first")
    assert admin("member", "back-book", "Alpha").exit_code == 0
    again = admin("member", "back-book", "Alpha")
    assert (again.exit_code, "declared loaded before" in again.output) == (1, True)


def test_a_status_has_a_reason_and_someone_who_changed_it(two: Admin) -> None:
    """With several operators one says who one is; the member's history has it."""
    two("member", "add", "Alpha", "--line", "motor")
    assert two("member", "suspend", "Alpha").exit_code == 2
    unsaid = two("member", "suspend", "Alpha", "--reason", "fishing")
    assert (unsaid.exit_code, "--by" in unsaid.output) == (1, True)
    assert two("member", "suspend", "Alpha", "--reason", "fishing", "--by", "nobody").exit_code == 1
    assert two("member", "suspend", "Alpha", "--reason", "fishing", "--by", "olga").exit_code == 0
    (event,) = [each for each in _show(two, "Alpha")["history"] if each["kind"] == "membership.suspended"]
    assert (event["reason"], event["rule"]) == ("fishing", "R6")
    assert event["by"].startswith("act_")


def test_a_grant_is_given_and_revoked(admin: Admin) -> None:
    """As wide as the rulebook allows unless narrowed, never wider, always with an end; not to who contributes."""
    admin("member", "add", "Police", "--line", "motor")
    grant = ("member", "grant", "Police", "--class", "law_enforcement", "--line", "motor", "--reason", "case 7/2026")
    assert admin(*grant).exit_code == 2
    wide = admin(*grant, "--days", "400")
    assert (wide.exit_code, "365 days from now at most" in wide.output) == (1, True)
    assert admin(*grant, "--days", "30", "--tier", "4").exit_code == 1
    assert admin(*grant, "--days", "30", "--purpose", "law_enforcement", "--record-class", "claim").exit_code == 0
    seen = _show(admin, "Police")
    assert seen["subscriber"] == "law_enforcement"
    assert (seen["grant"]["classes"], seen["grant"]["tier"], seen["grant"]["quota_per_day"]) == (["claim"], 3, 50)
    assert "law_enforcement, tier 3" in admin("member", "show", "Police").output
    assert admin("member", "revoke-grant", "Police", "--reason", "closed").exit_code == 0
    assert admin("member", "revoke-grant", "Police", "--reason", "closed").exit_code == 1
    assert _show(admin, "Police")["grant"] is None
    admin("member", "add", "Alpha", "--line", "motor", "--declare", "motor/claim=1")
    earned = admin("member", "grant", "Alpha", *grant[3:], "--days", "30")
    assert (earned.exit_code, "takes no grant" in earned.output) == (1, True)


def test_an_application_from_entry_to_admission(two: Admin) -> None:
    """Entered by one, decided by another who shows it by a password, and who may set another date for the covenant."""
    terms = ("--line", "motor", "--declare", "motor/claim=40", "--by", "operator", "--json")
    entered = json.loads(two("application", "add", "Gamma", *terms).output)
    assert entered["due_on"] == working_days_later(date.fromisoformat(entered["entered_at"][:10]), 5).isoformat()
    assert entered["id"] in two("application", "list").output
    accept = ("application", "accept", entered["id"], "--reason", "licensed")
    own = two(*accept, "--officer", "operator", env={"FRANKPLEDGE_OFFICER_PASSWORD": PASSWORD})
    assert (own.exit_code, "neither entered the case" in own.output) == (1, True)
    wrong = two(*accept, "--officer", "olga", env={"FRANKPLEDGE_OFFICER_PASSWORD": PASSWORD})
    assert (wrong.exit_code, "name and password" in wrong.output) == (1, True)
    until = (datetime.now(UTC) + timedelta(days=100)).date().isoformat()
    done = two(*accept, "--officer", "olga", "--covenant-until", until, env={"FRANKPLEDGE_OFFICER_PASSWORD": ANOTHER})
    assert done.exit_code == 0, done.output
    assert "No applications" in two("application", "list").output
    assert _show(two, "Gamma")["declarations"][0]["per_month"] == 40
    assert _show(two, "Gamma")["ramp"]["covenant_until"] == until
    assert json.loads(two("application", "list", "--all", "--json").output)[0]["status"] == "accepted"


def test_a_refusal_and_its_appeal(two: Admin) -> None:
    """It says why and how to appeal; the officer who refused does not decide the appeal."""
    added = two("user", "add", "oona", "--role", "operator", env={"FRANKPLEDGE_USER_PASSWORD": ANOTHER})
    assert added.exit_code == 0
    terms = ("--line", "motor", "--by", "operator", "--json")
    entered = json.loads(two("application", "add", "Gamma", *terms).output)["id"]
    officer = ("--reason", "no licence to insure", "--officer", "olga")
    refused = two("application", "refuse", entered, *officer, "--rule", "R1", input=f"{ANOTHER}\n")
    assert refused.exit_code == 0, refused.output
    assert "no licence to insure (R1" in refused.output
    assert "within 10 working days" in refused.output
    assert ANOTHER not in refused.output
    grounds = ("--grounds", "[bold]the licence[/] is here", "--by", "operator")
    assert two("appeal", "add", entered, *grounds).exit_code == 0
    assert two("appeal", "add", f"app_{'0' * 26}", *grounds).exit_code == 1
    assert "[bold]the licence[/]" in two("appeal", "list").output
    appeal = json.loads(two("appeal", "list", "--json").output)[0]["id"]
    for name, status in (("olga", 1), ("oona", 0)):
        words = ("appeal", "uphold", appeal, "--reason", "it is", "--officer", name)
        assert two(*words, env={"FRANKPLEDGE_OFFICER_PASSWORD": ANOTHER}).exit_code == status
    assert entered in two("application", "list").output
    assert "No appeals" in two("appeal", "list").output
    again = two("appeal", "dismiss", appeal, *officer, env={"FRANKPLEDGE_OFFICER_PASSWORD": ANOTHER})
    assert (again.exit_code, "decided before" in again.output) == (1, True)


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_of_the_page_exists(command: str, tmp_path: Path) -> None:
    """Command and options are known: with --help after them there is help, and no usage error."""
    words = re.findall(r'"[^"]*"|\S+', command)[1:]
    done = CliRunner().invoke(main, ["--data-dir", str(tmp_path), *(word.strip('"') for word in words), "--help"])
    assert done.exit_code == 0, done.output
