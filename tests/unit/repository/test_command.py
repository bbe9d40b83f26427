"""The entry point of frankpledge-admin."""

from __future__ import annotations

import subprocess
import sys

BLOCK = "import sys; sys.modules['sqlalchemy'] = None; sys.argv = ['frankpledge-admin', 'member', 'list']; "


def run(code: str) -> subprocess.CompletedProcess[str]:
    """Run Python code in a process of its own."""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)


def test_without_the_server_it_says_what_to_install() -> None:
    """Where only the kit is installed there is a sentence instead of a trace back."""
    done = run(BLOCK + "from repository.command import main; main()")
    assert done.returncode == 1
    assert done.stderr == "frankpledge-admin needs the packages of the server: pip install '.[server]'\n"


def test_with_the_server_it_runs() -> None:
    """Otherwise it is the command itself."""
    done = run("import sys; sys.argv = ['frankpledge-admin', '--help']; from repository.command import main; main()")
    assert done.returncode == 0
    assert "Set up and run a Frankpledge pool" in done.stdout
