"""The operator's guide names commands and variables that exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]
from click.testing import CliRunner

import repository
from repository.cli import main, members, setup
from repository.settings import Settings, SettingsError

ROOT = Path(repository.__file__).parent.parent
GUIDE = (ROOT / "docs" / "operator-guide.md").read_text("utf-8")
COMMANDS = re.findall(r"^(frankpledge-admin .+)$", GUIDE, re.MULTILINE)
COMPOSED = re.findall(r"^docker compose --file (\S+) (\w+) ?(.*)$", GUIDE, re.MULTILINE)
VARIABLES = sorted(set(re.findall(r"FRANKPLEDGE_\w+", GUIDE)))


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_of_the_guide_exists(command: str, tmp_path: Path) -> None:
    """Command and options are known: with --help after them there is help, and no usage error."""
    words = shlex.split(command)[1:]
    done = CliRunner().invoke(main, ["--data-dir", str(tmp_path), *words, "--help"])
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize(("file", "verb", "rest"), COMPOSED)
def test_each_command_of_the_containers_exists(file: str, verb: str, rest: str) -> None:
    """The compose file is there, its services are called so, and what is run in them is a command."""
    services = yaml.safe_load((ROOT / file).read_text("utf-8"))["services"]
    words = [word for word in rest.split() if not word.startswith("--")]
    assert verb in {"build", "up", "run", "stop"}
    assert set(words[:1]) <= set(services)
    if verb == "run":
        command = words[1:] or services[words[0]]["command"]
        assert CliRunner().invoke(main, [*command, "--help"]).exit_code == 0


@pytest.mark.parametrize("variable", VARIABLES)
def test_each_variable_of_the_guide_is_read(variable: str, tmp_path: Path) -> None:
    """A variable changes the settings, or is refused by name, or is one of those for passwords."""
    if variable in {setup.PASSWORD_VARIABLE, members.PASSWORD_VARIABLE}:
        return
    plain = {"FRANKPLEDGE_DATA_DIR": str(tmp_path)}
    try:
        changed = Settings.from_environment(plain | {variable: "7"})
    except SettingsError as error:
        assert variable in str(error)  # noqa: PT017 - both outcomes show that it is read
    else:
        assert changed != Settings.from_environment(plain)
