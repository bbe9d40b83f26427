"""The demo's stage: a folder for each party, the commands typed there, and the service running behind them."""

from __future__ import annotations

import os
import secrets
import shlex
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from rich.console import Console
from rich.text import Text

BIN = Path(sys.executable).parent
WIDTH = 120
START_SECONDS = 30.0


class CommandError(Exception):
    """A command ended in another way than the story needs; holds what it printed."""


@dataclass(frozen=True)
class Party:
    """Someone on the stage: a name, a folder of its own, and what its environment holds."""

    name: str
    home: Path
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Output:
    """What a command printed, and how long it ran in seconds."""

    text: str
    seconds: float


class Stage:
    """Runs commands as their parties would, and shows what was typed and answered."""

    def __init__(self, console: Console) -> None:
        self.console = console

    def headline(self, text: str) -> None:
        """Start an act."""
        self.console.print()
        self.console.rule(f"[bold]{text}", align="left")

    def say(self, text: str) -> None:
        """Tell the story."""
        self.console.print(text, highlight=False)

    def run(
        self, party: Party, *command: str, status: tuple[int, ...] = (0,), hidden: dict[str, str] | None = None
    ) -> Output:
        """Run one of the project's commands in the party's folder and show it; `hidden` is environment not shown.

        Raises CommandError for an exit status that is not in `status`.
        """
        typed = Text.assemble((f"\n{party.name} $ ", "bold green"), (shlex.join(command), "bold"))
        self.console.print(typed, soft_wrap=True)
        with self.console.status(f"{party.name} is at work"):
            output = call(party, *command, status=status, hidden=hidden)
        shown = textwrap.indent(output.text.rstrip(), "    ")
        self.console.print(shown, markup=False, highlight=False, soft_wrap=True)
        return output


def call(party: Party, *command: str, status: tuple[int, ...] = (0,), hidden: dict[str, str] | None = None) -> Output:
    """Run one of the project's commands in the party's folder, unseen. Raises CommandError like Stage.run."""
    started = time.monotonic()
    done = subprocess.run(
        [BIN / command[0], *command[1:]],
        cwd=party.home,
        env=environment(party) | (hidden or {}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    if done.returncode not in status:
        raise CommandError(f"{shlex.join(command)} ended with status {done.returncode}:\n{done.stdout}")
    return Output(done.stdout, time.monotonic() - started)


def environment(party: Party) -> dict[str, str]:
    """Return the environment of a party's commands: this process's, without any pool's settings, and its own."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("FRANKPLEDGE_")}
    return inherited | {"COLUMNS": str(WIDTH)} | party.environment


@contextmanager
def service(operator: Party, port: int) -> Iterator[str]:
    """Serve the operator's pool on a loopback port, and give its address; the log is server.log in its folder.

    Raises CommandError when the service is not ready in time.
    """
    url = f"http://127.0.0.1:{port}"
    with (operator.home / "server.log").open("w", encoding="utf-8") as log:
        command = [str(BIN / "frankpledge-admin"), "serve", "--host", "127.0.0.1", "--port", str(port)]
        process = subprocess.Popen(
            command, cwd=operator.home, env=environment(operator), stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
        try:
            _await_ready(url, process)
            yield url
        finally:
            process.terminate()
            process.wait(timeout=60)


def _await_ready(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{url}/readyz", trust_env=False).is_success:
                return
        except httpx.TransportError:
            pass  # not listening yet; the deadline ends this
        time.sleep(0.1)
    raise CommandError(f"The service did not get ready within {START_SECONDS:.0f} s; see its server.log.")


def free_port() -> int:
    """Return a loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def password() -> str:
    """Return a new password for one of the demo's log-ins."""
    return secrets.token_urlsafe(12)
