"""Which submission this is: an interrupted one goes on under its name, a finished one is no other.

The pool does a batch once under one idempotency key. The key is made of the content and the name of the run, which is
kept in a small file until the run is over: so running again after a crash continues, and submitting the same file anew
next month is looked at anew.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import platformdirs

RUN_BYTES = 12


def state_directory(environment: Mapping[str, str]) -> Path:
    """Say where unfinished runs are remembered: FRANKPLEDGE_STATE_DIR, or the user's state directory."""
    named = environment.get("FRANKPLEDGE_STATE_DIR")
    return Path(named) if named else Path(platformdirs.user_state_dir("frankpledge"))


@contextmanager
def run_of(source: Path, server: str, directory: Path) -> Iterator[str]:
    """Give the name of this run over `source`; it is forgotten when the block ends without an exception.

    Where nothing can be written the run has a name all the same, and cannot be continued: rows that landed are then
    found unchanged.
    """
    of = hashlib.sha256(f"{source.resolve()}\0{server}".encode()).hexdigest()
    marker = directory / "submissions" / of
    name = _remembered(marker) or secrets.token_hex(RUN_BYTES)
    with suppress(OSError):
        marker.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        marker.write_text(name, encoding="ascii")
    yield name
    with suppress(OSError):
        marker.unlink(missing_ok=True)


def _remembered(marker: Path) -> str | None:
    try:
        name = marker.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return name if len(name) == 2 * RUN_BYTES and set(name) <= set("0123456789abcdef") else None
