"""Commands start fast: they load what they need, and the help of all of them loads next to nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
import pytest

from frankpledge.cli import main as kit
from repository.cli import COMMANDS, main
from repository.cli.groups import LazyGroup
from repository.storage.dump import tables

HEAVY = ("alembic", "flask", "granian", "httpx", "numpy", "opentelemetry", "pyarrow", "rich", "sqlalchemy")
_LOADED = """
import sys
from {module} import main
try:
    main({arguments!r}, prog_name="command")
except SystemExit as ended:
    assert not ended.code, ended.code
print("loaded:", *sorted(name for name in {heavy!r} if name in sys.modules))
"""


def _loaded(module: str, *arguments: str) -> set[str]:
    script = _LOADED.format(module=module, arguments=list(arguments), heavy=HEAVY)
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(ran.stdout.splitlines()[-1].split()[1:])


@pytest.mark.parametrize("module", ["frankpledge.cli", "repository.cli"])
def test_help_loads_nothing_heavy(module: str) -> None:
    """The list of commands comes at once."""
    assert _loaded(module, "--help") == set()


def test_what_serves_is_not_loaded_to_administer() -> None:
    """Neither what reads batches, nor what serves, nor what migrates is loaded for a command on members."""
    assert _loaded("repository.cli", "member", "--help") <= {"numpy", "rich", "sqlalchemy"}
    assert _loaded("frankpledge.cli", "encode", "--help") == set()


def test_a_command_knows_every_table_nevertheless(tmp_path: Path) -> None:
    """Rights are granted on all tables, and rows of tables that refer to others are written, whatever was imported."""
    script = (
        "from repository.cli.context import Pool\n"
        "from repository.storage.base import Base\n"
        f"pool = Pool.of({{'FRANKPLEDGE_DATA_DIR': {str(tmp_path)!r}}})\n"
        "pool.settings.operator_secret_file.touch()\n"
        "pool.database\n"
        "print(*Base.metadata.tables)\n"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert set(ran.stdout.split()) == {each.name for each in tables()}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_named_is_there(name: str) -> None:
    """Each has the name it is listed under, and so have the commands of a group that are only named, too."""
    found = main.get_command(click.Context(main), name)
    assert found is not None
    assert found.name == name
    if isinstance(found, click.Group):
        context = click.Context(found)
        assert [getattr(found.get_command(context, each), "name", None) for each in found.list_commands(context)] == [
            *found.list_commands(context)
        ]


def test_a_lazy_group_lists_what_it_has_and_what_it_only_names() -> None:
    """The help of `rulebook` has the commands of its own module, and the one that another module has."""
    rulebook = main.get_command(click.Context(main), "rulebook")
    assert isinstance(rulebook, LazyGroup)
    listed = rulebook.get_help(click.Context(rulebook))
    assert "  check " in listed
    assert "  simulate " in listed
    assert rulebook.get_command(click.Context(rulebook), "no-such-command") is None


def test_the_kit_and_the_service_take_help_alike() -> None:
    """-h works everywhere."""
    assert all(each.context_settings["help_option_names"] == ["-h", "--help"] for each in (kit, main))
