"""Keeping those who work under the operator's secret and who changes it apart: PostgreSQL's sessions hold a lock.

SQLite has one machine, on which a lock on a file does it (see `services.presence`).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event, text

_SECRET_LOCK = 0x6672616E6B736563  # "franksec"
_ENDING = 2.0
"""Seconds that the server may take to end the sessions of a process that has just ended."""
_ENTER = (
    f"SELECT pg_try_advisory_lock_shared({_SECRET_LOCK}),"  # noqa: S608 - a number and names of our own
    " (SELECT value FROM installation_facts WHERE name = %s)"
)


class SecretInUseError(RuntimeError):
    """Others work under the operator's secret at this moment."""


class SecretChangedError(RuntimeError):
    """The operator's secret is being changed, or has been changed since this process was started."""

    def __init__(self) -> None:
        super().__init__("the operator secret was changed, or is being changed: start again once it is")


def share(engine: Engine, fact: str, check: str) -> None:
    """Have each session of an engine hold the secret as it is; one that finds another secret's check does not come up.

    `fact` is where the check of the secret is kept, `check` that of the secret which the process works under.
    """
    if engine.dialect.name != "postgresql":
        return

    def enter(connection: Any, _record: object) -> None:  # DB-API connections have no common type
        with connection.cursor() as cursor:
            free, stored = cursor.execute(_ENTER, (fact,)).fetchone()
        connection.rollback()  # the lock is the session's
        if not free or (stored is not None and stored != check):
            connection.close()
            raise SecretChangedError

    event.listen(engine, "connect", enter)


@contextmanager
def alone(engine: Engine) -> Iterator[None]:
    """Be the only one who works under the secret, on a session of its own. Raises SecretInUseError."""
    if engine.dialect.name != "postgresql":
        yield
        return
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        held = {"lock": _SECRET_LOCK}
        until = time.monotonic() + _ENDING
        while not connection.execute(text("SELECT pg_try_advisory_lock(:lock)"), held).scalar_one():
            if time.monotonic() > until:
                raise SecretInUseError
            time.sleep(0.05)
        try:
            yield
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:lock)"), held)
