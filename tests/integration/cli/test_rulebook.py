"""frankpledge-admin rulebook, as an operator types it."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
import shutil
import tomllib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import repository
from repository.cli import main
from repository.services import rulebook_file
from tests.support.rulebooks import changed_text

TEXT = rulebook_file.default_text()
SHIPPED = rulebook_file.default().version
PAGE = (Path(repository.__file__).parent.parent / "docs" / "rulebook.md").read_text("utf-8")
Admin = Callable[..., Result]


def today(days: int = 0) -> str:
    """The day that many days from now, in UTC."""
    return str((datetime.now(UTC) + timedelta(days=days)).date())


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pool that was set up, to copy."""
    pool = tmp_path_factory.mktemp("made") / "pool"
    environment = {"FRANKPLEDGE_OPERATOR_PASSWORD": "a long enough password"}
    done = CliRunner(env=environment).invoke(main, ["--data-dir", str(pool), "init"])
    assert done.exit_code == 0, done.output
    return pool


@pytest.fixture
def admin(tmp_path: Path, made_once: Path, monkeypatch: pytest.MonkeyPatch) -> Admin:
    """Runs `frankpledge-admin rulebook` on a pool that was set up; `admin("list")`."""
    for name in ("DATA_DIR", "DATABASE_URL"):
        monkeypatch.delenv(f"FRANKPLEDGE_{name}", raising=False)
    pool = tmp_path / "pool"
    shutil.copytree(made_once, pool)
    return lambda *words: CliRunner().invoke(main, ["--data-dir", str(pool), "rulebook", *words])


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    """A rulebook file of the scheme's own: a plan is owed two days sooner."""
    path = tmp_path / "ours.toml"
    path.write_text(changed_text(TEXT, {"ladder": {"plan": 28}}, "ours.1"), "utf-8")
    return path


def test_a_file_is_checked(admin: Admin, ours: Path) -> None:
    """A good file is told with its version and the SHA-256 that sha256sum gives."""
    done = admin("check", str(ours))
    assert done.exit_code == 0, done.output
    assert "ours.1" in done.output
    assert hashlib.sha256(ours.read_bytes()).hexdigest() in done.output


def test_a_bad_file_is_told_entry_by_entry(admin: Admin, ours: Path) -> None:
    """Each entry at fault has a line of its own; nothing is loaded; a script sees it by the exit code."""
    ours.write_text(changed_text(TEXT, {"ladder": {"plan": "x", "plam": 1}, "window": {"days": 0}}))
    for words in (("check", str(ours)), ("load", str(ours), "--effective", today()), ("diff", "current", str(ours))):
        done = admin(*words)
        assert done.exit_code == 1
        assert "\n  ladder.plan: a whole number from 1 to 3650\n" in done.output
        assert "\n  ladder.plam: no such entry; is plan meant?\n" in done.output
        assert "\n  window.days: a whole number from 1 to 3650\n" in done.output
    assert [each["version"] for each in json.loads(admin("list", "--json").output)] == [SHIPPED]


def test_what_is_no_text_file(admin: Admin, tmp_path: Path) -> None:
    """A file that is not there, a directory's content, other bytes: a sentence each."""
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    assert "UTF-8" in admin("check", str(tmp_path / "bytes.toml")).output
    missing = admin("load", str(tmp_path / "none.toml"), "--effective", today())
    assert (missing.exit_code, "cannot be read" in missing.output) == (1, True)
    assert admin("check", str(tmp_path)).exit_code != 0


def test_a_rulebook_is_loaded_for_a_day(admin: Admin, ours: Path) -> None:
    """It is listed, not in force before its day, and can be shown now; `--at` shows what will be in force."""
    done = admin("load", str(ours), "--effective", today(10))
    assert done.exit_code == 0, done.output
    assert today(10) in done.output
    listed = json.loads(admin("list", "--json").output)
    assert [(each["version"], each["in_force"]) for each in listed] == [(SHIPPED, True), ("ours.1", False)]
    assert (listed[1]["effective_from"], listed[1]["loaded_by"]) == (today(10), "operator")
    assert listed[0]["effective_from"] is None
    assert json.loads(admin("show", "--json").output)["version"] == SHIPPED
    shown = json.loads(admin("show", "--json", "--at", today(10)).output)
    assert (shown["version"], shown["rules"]["ladder"]["plan"]) == ("ours.1", 28)
    assert json.loads(admin("show", "ours.1", "--json").output) == shown
    assert f"{SHIPPED} (in force)" in admin("list").output


def test_the_file_comes_back_as_it_was(admin: Admin, ours: Path) -> None:
    """--toml prints the file byte for byte."""
    ours.write_bytes(ours.read_bytes().replace(b"\n", b"\r\n") + "# Grüße".encode())
    assert admin("load", str(ours), "--effective", today()).exit_code == 0
    assert admin("show", "--toml").stdout_bytes == ours.read_bytes()


def test_what_cannot_be_loaded(admin: Admin, ours: Path) -> None:
    """A day that is past, and a version that another rulebook has."""
    past = admin("load", str(ours), "--effective", today(-1))
    assert (past.exit_code, "never from before" in past.output) == (1, True)
    ours.write_text(TEXT + "\n")
    taken = admin("load", str(ours), "--effective", today(1))
    assert (taken.exit_code, "a version of its own" in taken.output) == (1, True)


def test_what_the_software_brings_can_be_compared_and_loaded(admin: Admin, monkeypatch: pytest.MonkeyPatch) -> None:
    """After an upgrade the list says that another rulebook came with it; `shipped` names it."""
    assert "diff current shipped" not in admin("list").output
    monkeypatch.setattr(rulebook_file, "default_text", lambda: changed_text(TEXT, {"ladder": {"plan": 31}}, "2099.1"))
    rulebook_file.default.cache_clear()
    try:
        assert "diff current shipped" in admin("list").output
        (entry,) = json.loads(admin("diff", "current", "shipped", "--json").output)["entries"]
        assert entry == {"entry": "ladder.plan", "old": 30, "new": 31}
        assert admin("load", "shipped", "--effective", today()).exit_code == 0
        assert json.loads(admin("show", "--json").output)["version"] == "2099.1"
        assert "diff current shipped" not in admin("list").output
    finally:
        rulebook_file.default.cache_clear()


def test_show_names_every_entry(admin: Admin) -> None:
    """The table has an entry a line, under the path that errors use."""
    shown = admin("show").output
    assert re.search(r"^ladder\.plan +30 *$", shown, re.MULTILINE)
    assert re.search(r"^purposes\.closed +\(none\) *$", shown, re.MULTILINE)
    assert re.search(r"^tiers\.claims\.proven +3 *$", shown, re.MULTILINE)
    assert rulebook_file.default().digest in shown


def test_two_rulebooks_are_compared(admin: Admin, ours: Path) -> None:
    """Versions and files, in words and as JSON: which entries change, from what to what."""
    told = admin("diff", "current", str(ours)).output
    assert re.search(r"^ladder\.plan +30 +28 *$", told, re.MULTILINE)
    assert "Nothing differs for any member." in told
    admin("load", str(ours), "--effective", today(1))
    compared = json.loads(admin("diff", "ours.1", SHIPPED, "--json").output)
    assert (compared["old"], compared["new"], compared["members"]) == ("ours.1", SHIPPED, [])
    assert compared["entries"][-1] == {"entry": "ladder.plan", "old": 28, "new": 30}
    assert "No entry differs" in admin("diff", "current", SHIPPED).output
    nothing = admin("diff", "current", "2020.1")
    assert (nothing.exit_code, "rulebook list" in nothing.output) == (1, True)


def test_files_are_compared_without_a_pool(tmp_path: Path, ours: Path) -> None:
    """Before there is a pool: check, and the entries that differ between files. Nothing is made."""
    pool = tmp_path / "none"
    shipped = tmp_path / "shipped.toml"
    shipped.write_text(TEXT, "utf-8")
    for words in (("check", str(ours)), ("diff", str(shipped), str(ours)), ("diff", "shipped", str(ours))):
        done = CliRunner().invoke(main, ["--data-dir", str(pool), "rulebook", *words])
        assert done.exit_code == 0, done.output
    assert "ladder.plan" in done.output
    assert "member" not in done.output
    missing = CliRunner().invoke(main, ["--data-dir", str(pool), "rulebook", "list"])
    assert (missing.exit_code, "frankpledge-admin init" in missing.output) == (1, True)
    assert not pool.exists()


@pytest.mark.parametrize("command", re.findall(r"^(frankpledge-admin .+?)(?: +#.*)?$", PAGE, re.MULTILINE))
def test_each_command_of_the_page_exists(command: str, tmp_path: Path) -> None:
    """docs/rulebook.md names commands and options that there are."""
    done = CliRunner().invoke(main, ["--data-dir", str(tmp_path), *shlex.split(command)[1:], "--help"])
    assert done.exit_code == 0, done.output


def test_the_page_names_every_table(tmp_path: Path) -> None:
    """docs/rulebook.md has a row for each table of the file."""
    tables = [name for name, entry in tomllib.loads(TEXT).items() if isinstance(entry, dict)]
    assert tables
    assert [name for name in tables if f"| `[{name}]`" not in PAGE and f"| `[{name}." not in PAGE] == []
