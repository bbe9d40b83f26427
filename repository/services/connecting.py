"""What stands against the way to the database: passwords that anyone would try, open files, no encryption."""

from __future__ import annotations

import ipaddress
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from sqlalchemy.engine import URL, make_url

from repository.services.findings import Finding
from repository.services.weakness import is_weak_password
from repository.settings import PREFIX, Settings
from repository.storage.dialect.conninfo import Way, way

_NAME = f"{PREFIX}DATABASE_URL"
_PASSWORD, _FILE = "PGPASSWORD", "PGPASSFILE"


def findings(settings: Settings, environment: Mapping[str, str]) -> Iterator[Finding]:
    """By what PostgreSQL's library would use, wherever it finds it; nothing for SQLite."""
    url = make_url(settings.database_url)
    if not url.drivername.startswith("postgresql"):
        return
    used = way(settings.database_url)
    if used is None:
        yield Finding(_NAME, "parameters that PostgreSQL's library takes, and a service that its file has")
        return
    yield from _passwords(url, used, environment)
    yield from _file(url, used, environment)
    apart = any(not each.startswith("/") and not is_loopback(each) for each in used.hosts)
    if apart and used.encryption == "prefer" and "sslmode" not in url.query:
        yield Finding(_NAME, "?sslmode=verify-full, unless the way to the database is private", problem=False)


def is_loopback(host: str) -> bool:
    """Whether a name or an address is this machine's own."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _passwords(url: URL, used: Way, environment: Mapping[str, str]) -> Iterator[Finding]:
    in_url = url.password is not None or "password" in url.query
    by_variable = not in_url and bool(environment.get(_PASSWORD))
    if used.password and (is_weak_password(used.password) or used.password in (used.user, used.database)):
        where = "" if in_url or by_variable else " in the file that the password is read from"
        expected = f"a password that no document shows, and not the name of the role or the database{where}"
        yield Finding(_PASSWORD if by_variable else _NAME, expected)
    if in_url or by_variable:
        expected = "no password in it: use ?passfile= with a file of mode 0600"
        yield Finding(_PASSWORD if by_variable else _NAME, expected, problem=False)


def _file(url: URL, used: Way, environment: Mapping[str, str]) -> Iterator[Finding]:
    # One that is open to others the library passes over, and says so on standard error only.
    named = "passfile" in url.query or bool(environment.get(_FILE))
    name = _NAME if "passfile" in url.query or not named else _FILE
    try:
        mode = stat.S_IMODE(Path(used.password_file).stat().st_mode) if used.password_file else 0
    except OSError:
        if named:
            yield Finding(name, "a file of passwords that is there and can be read")
        return
    if mode & 0o077:
        yield Finding(name, "a file of passwords for its owner alone: mode 0600")
