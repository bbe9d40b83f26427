"""The command as a whole: quick, and silent about values."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest

from frankpledge.cli import COMMANDS, main
from tests.unit.frankpledge.cli.conftest import Run

HEAVY = ("numpy", "pyarrow", "httpx", "keyring", "rich", "cryptography", "phonenumbers", "rapidfuzz")


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["encode", "--help"], ["screen", "--help"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    """What makes a command line slow to start is not imported to print its help."""
    code = (
        "import sys\nfrom frankpledge.cli import main\n"
        f"try: main({arguments})\nexcept SystemExit as end: assert end.code == 0\n"
        f"print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


def test_every_command_is_listed_and_has_help(run: Run) -> None:
    """The list of commands in the help is that of the commands there are."""
    listing = run("--help").stdout
    for name in COMMANDS:
        assert f"  {name} " in listing
        shown = run(name, "--help")
        assert shown.exit_code == 0, name
        assert "Usage:" in shown.stdout


def test_an_unknown_command_is_refused(run: Run) -> None:
    """A misspelt command is a usage error."""
    assert run("encod").exit_code == 2


def test_unforeseen_errors_show_no_value(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug is named by kind and place; its message could hold personal data and is not shown."""

    def fail(*_: object) -> None:
        raise RuntimeError("Ann Doe, born 1980-03-09")

    monkeypatch.setattr("frankpledge.profile.load", fail)
    shown = run("keys", "show")
    assert shown.exit_code == 2
    assert "RuntimeError in tests.unit.frankpledge.cli.test_startup" in shown.stderr
    assert "Doe" not in shown.output
    assert "Traceback" not in shown.output


def test_system_errors_are_sentences(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk is explained in one line."""

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("frankpledge.profile.load", fail)
    shown = run("keys", "show")
    assert shown.exit_code == 2
    assert "No space left on device" in shown.stderr


def test_clicks_own_errors_stay(run: Run) -> None:
    """A usage error is click's, with its hint."""
    assert "Missing option '--out'" in run("encode", "in.csv").stderr
    assert isinstance(main, click.Group)
