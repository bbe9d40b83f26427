"""What stands against serving with a configuration. Findings name a setting and what is expected; never a value."""

from __future__ import annotations

import difflib
import itertools
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from repository import tracing
from repository.domain.members import Role
from repository.services import connecting, migration, modelling, models
from repository.services.connecting import is_loopback
from repository.services.findings import Finding
from repository.services.onboarding import SHORTEST_PASSWORD
from repository.services.operator import WrongSchemaError, check_schema, secret_matches
from repository.services.signing import load_signing_keys
from repository.services.weakness import KNOWN_PASSWORDS, is_weak_password
from repository.settings import PREFIX, Settings, SettingsError, read_metrics_token, read_operator_secret
from repository.storage.engine import Database, create_engine
from repository.storage.members import ActorRow

_OTHERS = frozenset(  # read by the member's kit, the demo and the tests
    PREFIX + name
    for name in (
        *("CLIENT_ID", "CLIENT_SECRET", "CONFIG", "KEY_FILE", "PASSPHRASE", "PROFILE", "SERVER", "STATE_DIR"),
        *("DEMO_HOME", "DEMO_ROWS", "MODEL_STEPS", "TEST_DATABASE_URL"),
    )
)
_FEWEST_BYTES, _FEWEST_STEPS, _FEWEST_LETTERS = 18, 12, 12
"""Of 32 random bytes some 30 differ, and as many of their steps: fewer than these happen once in 10**9 or less."""
_PRINTABLE = range(0x20, 0x7F)
_FEWEST_CONNECTIONS, _BESIDES = 5, 2
"""A worker's: for the chunk at hand, the next one's look-up, a rescreen and two notices; and those besides requests."""
_PLENTY = 10
"""How many of the largest batches should fit on the disk of the spool."""


class _Asked(dict[str, str]):
    """An empty environment that remembers what it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def get(self, key: str, default: Any = None) -> Any:
        """Nothing is set."""
        self.names.add(key)
        return default


def variables() -> frozenset[str]:
    """Every variable that the settings are read from."""
    asked = _Asked()
    Settings.from_environment(asked)
    return frozenset(asked.names)


def check(environment: Mapping[str, str], host: str, threads: int, passwords: tuple[str, ...]) -> list[Finding]:
    """Everything that stands against serving on a host, problems first; `passwords` are the variables for some.

    `threads` is how many requests are going to be answered at once.
    """
    findings = [*_unknown(environment, passwords), *_passwords(environment, passwords), *_unreadable(environment)]
    bad = {each.setting for each in findings}
    settings = Settings.from_environment({name: value for name, value in environment.items() if name not in bad})
    findings += [*_files(settings), *_proxies(settings, host), *_disk(settings), *_webhooks(settings)]
    findings += [*_connections(settings, threads), *_metrics(settings), *_traces(settings, environment)]
    findings += connecting.findings(settings, environment)
    if f"{PREFIX}DATABASE_URL" not in bad:
        findings += _database(settings)
    return sorted(findings, key=lambda each: not each.problem)


def _unknown(environment: Mapping[str, str], passwords: tuple[str, ...]) -> Iterator[Finding]:
    known = variables() | set(passwords) | _OTHERS
    for name in sorted(each for each in environment if each.startswith(PREFIX) and each not in known):
        near = difflib.get_close_matches(name, known, 1)
        yield Finding(name, f"a variable that is read; {f'is it {near[0]}?' if near else 'this one is not'}")


def _passwords(environment: Mapping[str, str], passwords: tuple[str, ...]) -> Iterator[Finding]:
    for name in passwords:
        given = environment.get(name)
        if given is None:
            continue
        if is_weak_password(given):
            yield Finding(name, f"a password of {SHORTEST_PASSWORD} or more characters that no document shows")
        yield Finding(name, "not to be set once it was used: whoever sees the environment reads it", problem=False)


def _unreadable(environment: Mapping[str, str]) -> Iterator[Finding]:
    for name in sorted(variables() & environment.keys()):
        try:
            Settings.from_environment({name: environment[name]})
        except SettingsError as error:
            yield Finding(name, str(error).removeprefix(f"{name}: ").removeprefix("expected "))


def _files(settings: Settings) -> Iterator[Finding]:
    checks: tuple[tuple[str, Path, Callable[[], object]], ...] = (
        ("DATA_DIR", settings.data_dir, lambda: _private_directory(settings.data_dir)),
        ("OPERATOR_SECRET_FILE", settings.operator_secret_file, lambda: _strong_secret(settings.operator_secret_file)),
        ("SIGNING_KEYS_DIR", settings.signing_keys_dir, lambda: load_signing_keys(settings.signing_keys_dir)),
        ("METRICS_TOKEN_FILE", settings.metrics_token_file, lambda: _strong_token(settings.metrics_token_file)),
        ("DATA_DIR", settings.model_file, lambda: modelling.linker(settings)),
    )
    for name, path, look in checks:
        try:
            look()
        except SettingsError as error:
            said = str(error).replace(str(path), "the file" if path.is_file() else "what it names")
            yield Finding(PREFIX + name, f"something else: {said}" if "expected" not in said else said)
    database = make_url(settings.database_url).database if settings.database_url.startswith("sqlite") else None
    if database is None:
        return
    if Path(database).parent == settings.operator_secret_file.parent:
        apart = "another directory, or better disk, than the database's: whoever copies both can read the pool"
        yield Finding(f"{PREFIX}OPERATOR_SECRET_FILE", apart, problem=False)
    if Path(database).exists() and stat.S_IMODE(Path(database).stat().st_mode) & 0o077:
        yield Finding(f"{PREFIX}DATABASE_URL", "a file for its owner alone: mode 0600")


def _private_directory(path: Path) -> None:
    if not path.is_dir():
        raise SettingsError(f"{path} does not exist: run `frankpledge-admin init` first")
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise SettingsError(f"{path} is open to other users: expected mode 0700")


def _strong_secret(path: Path) -> None:
    secret = read_operator_secret(path)
    steps = {(later - earlier) % 256 for earlier, later in itertools.pairwise(secret)}
    repeats = len(set(secret)) < _FEWEST_BYTES or len(steps) < _FEWEST_STEPS
    if repeats or all(each in _PRINTABLE for each in secret):
        raise SettingsError("32 random bytes, as `init` makes them; these follow a pattern or are a text")


def _strong_token(path: Path) -> None:
    token = read_metrics_token(path)
    if token is not None and len(set(token)) < _FEWEST_LETTERS:
        raise SettingsError("a random token, as `init` makes it; this one follows a pattern")


def _proxies(settings: Settings, host: str) -> Iterator[Finding]:
    if not settings.trusted_proxies and not is_loopback(host):
        yield Finding(
            f"{PREFIX}TRUSTED_PROXIES",
            "how many proxies add to X-Forwarded-For, as the service does not listen on the loopback address only:"
            " without them it has neither TLS nor the callers' addresses",
        )


def _webhooks(settings: Settings) -> Iterator[Finding]:
    if settings.webhook_loopback:
        expected = "off, but for trials: members could have this machine's own services spoken to"
        yield Finding(f"{PREFIX}WEBHOOK_LOOPBACK", expected)


def _connections(settings: Settings, threads: int) -> Iterator[Finding]:
    name, most = f"{PREFIX}DB_POOL_SIZE", settings.limits.pool_size + settings.limits.pool_overflow
    if most < _FEWEST_CONNECTIONS:
        yield Finding(name, f"with DB_POOL_OVERFLOW at least {_FEWEST_CONNECTIONS}: a worker alone uses as many")
    elif most < threads + _BESIDES:
        expected = f"with DB_POOL_OVERFLOW at least {threads + _BESIDES}: the threads of `serve`, and {_BESIDES}"
        yield Finding(name, expected, problem=False)


def _metrics(settings: Settings) -> Iterator[Finding]:
    if settings.metrics_dir is None:
        return
    try:
        # A directory beside or in it: one that is made and removed again under its own name may be another's by then.
        with tempfile.TemporaryDirectory(dir=_nearest(settings.metrics_dir)):
            pass
    except OSError:
        yield Finding(f"{PREFIX}METRICS_DIR", "a directory that is there or can be made, and written into")


def _traces(settings: Settings, environment: Mapping[str, str]) -> Iterator[Finding]:
    standard = (each for each in tracing.STANDARD if environment.get(each))
    name = f"{PREFIX}OTEL_ENDPOINT" if settings.otel_endpoint else next(standard, None)
    if name is not None and not tracing.is_installed():
        yield Finding(name, "the extra `otel` installed: without it nothing is traced", problem=False)


def _nearest(path: Path) -> Path:
    """The path itself, or what there is of it."""
    return next(each for each in (path, *path.parents) if each.exists())


def _disk(settings: Settings) -> Iterator[Finding]:
    free = shutil.disk_usage(_nearest(settings.data_dir)).free
    if free < _PLENTY * settings.max_batch_bytes:
        expected = f"a disk with room for {_PLENTY} batches of the largest size ({PREFIX}MAX_BATCH_BYTES)"
        yield Finding(f"{PREFIX}DATA_DIR", expected, problem=free < 2 * settings.max_batch_bytes)


def _database(settings: Settings) -> Iterator[Finding]:
    name = f"{PREFIX}DATABASE_URL"
    url = make_url(settings.database_url)
    if url.drivername.startswith("sqlite") and not Path(url.database or "").is_file():
        yield Finding(name, "a database that is there: run `frankpledge-admin init` first")
        return
    database = Database(create_engine(settings.database_url))
    try:
        with database.read() as session:
            if not migration.serves(session):
                yield Finding(name, "the tables of this version: run `frankpledge-admin migrate`")
                return
            yield from _content(session, settings)
    except (SQLAlchemyError, OSError):
        yield Finding(name, "a database that answers, and lets this role in")
    finally:
        database.close()


def _content(session: Session, settings: Settings) -> Iterator[Finding]:
    try:
        if not secret_matches(session, read_operator_secret(settings.operator_secret_file)):
            yield Finding(
                f"{PREFIX}OPERATOR_SECRET_FILE", "the secret that the pool in this database was written under"
            )
    except SettingsError:
        pass  # said already
    try:
        check_schema(session, settings.schema)
    except WrongSchemaError as error:
        yield Finding(f"{PREFIX}SCHEMA", f"{error.stored}, of which the pool in this database is")
    with suppress(SettingsError):  # a file that is no model was said already
        differs = models.not_as_kept(session.connection(), settings)
        if differs is not None:
            yield Finding(f"{PREFIX}DATA_DIR", f"in model.json {differs}")
    statement = select(ActorRow).where(ActorRow.member_id.is_(None), ActorRow.disabled_at.is_(None))
    operators = [each for each in session.scalars(statement) if Role.OPERATOR.value in each.roles]
    if not operators:
        yield Finding("operator account", "one that is not disabled: run `frankpledge-admin init`")
    for each in operators:
        if any(_verifies(each.secret_hash, known) for known in KNOWN_PASSWORDS if len(known) >= SHORTEST_PASSWORD):
            yield Finding("operator account", f"a password that no document shows, for {each.id}")


def _verifies(hashed: str, password: str) -> bool:
    try:
        return PasswordHasher().verify(hashed, password)
    except (VerificationError, InvalidHashError):
        return False
