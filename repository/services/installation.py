"""Setting up a pool: the files only its operator may read, the tables, and the first account."""

from __future__ import annotations

import secrets
import stat
from contextlib import ExitStack
from dataclasses import dataclass

from sqlalchemy import select

from matching.schema import DEFAULT_SCHEMA
from repository.domain.members import Role
from repository.services import Clock, migration, presence
from repository.services.onboarding import add_user
from repository.services.operator import remember_schema, remember_secret
from repository.services.signing import create_signing_key, load_signing_keys
from repository.settings import (
    SECRET_BYTES,
    Settings,
    SettingsError,
    read_metrics_token,
    read_operator_secret,
    write_private_file,
)
from repository.storage.dialect import fencing
from repository.storage.engine import Database, create_engine
from repository.storage.members import ActorRow
from repository.storage.operator import LINKAGE_SCHEMA, fact


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that `install` saw to; `done` is False when it was there already."""

    what: str
    done: bool


def install(settings: Settings) -> list[Step]:
    """Create what is missing of directory, operator secret, signing key, token for metrics and tables; keep the rest.

    A pool that holds no encodings is made one of the settings' linkage schema. Raises SettingsError for a file or
    directory that cannot be used and for a pool of another schema, WrongSecretError when the database was written under
    another operator secret, and SecretInUseError where a service is to have another schema.
    """
    steps = [make(settings) for make in (private_data_directory, _operator_secret, _signing_key, _metrics_token)]
    database = Database(create_engine(settings.database_url))
    try:
        steps.append(_tables(settings, database))
        with database.write() as session:
            remember_secret(session, read_operator_secret(settings.operator_secret_file))
        steps.append(_linkage_schema(settings, database))
    finally:
        database.close()
    return steps


def private_data_directory(settings: Settings) -> Step:
    """Make the data directory, for its owner alone. Raises SettingsError for one that others can enter."""
    missing = not settings.data_dir.exists()
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    mode = stat.S_IMODE(settings.data_dir.stat().st_mode)
    if mode & 0o077:
        raise SettingsError(
            f"{settings.data_dir} is open to other users (mode {mode:04o}): expected 0700, run `chmod 700` on it"
        )
    return Step("data directory", missing)


def has_operator(database: Database) -> bool:
    """Whether anyone could operate this pool."""
    with database.read() as session:
        users = session.scalars(select(ActorRow).where(ActorRow.member_id.is_(None), ActorRow.disabled_at.is_(None)))
        return any(Role.OPERATOR.value in user.roles for user in users)


def create_operator(database: Database, username: str, password: str, clock: Clock) -> str:
    """The account that operates the pool; its actor id. Raises OnboardingError."""
    with database.write() as session:
        return add_user(session, username, password, [Role.OPERATOR.value], now=clock())


def _operator_secret(settings: Settings) -> Step:
    missing = not settings.operator_secret_file.exists()
    if missing:
        settings.operator_secret_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private_file(settings.operator_secret_file, f"{secrets.token_hex(SECRET_BYTES)}\n".encode())
    read_operator_secret(settings.operator_secret_file)
    return Step("operator secret", missing)


def _signing_key(settings: Settings) -> Step:
    missing = not any(settings.signing_keys_dir.glob("*.pem"))
    if missing:
        create_signing_key(settings.signing_keys_dir)
    load_signing_keys(settings.signing_keys_dir)
    return Step("signing key", missing)


def _metrics_token(settings: Settings) -> Step:
    missing = read_metrics_token(settings.metrics_token_file) is None
    if missing:
        settings.metrics_token_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private_file(settings.metrics_token_file, f"{secrets.token_urlsafe(SECRET_BYTES)}\n".encode())
    return Step("token for metrics", missing)


def _tables(settings: Settings, database: Database) -> Step:
    with database.read() as session:
        current = migration.at_head(session)
    if not current:
        migration.upgrade(settings.database_url, settings.limits)
    return Step("tables", not current)


def _linkage_schema(settings: Settings, database: Database) -> Step:
    with database.read() as session:
        stored = fact(session, LINKAGE_SCHEMA)
    with ExitStack() as stack:
        if settings.schema != (stored or DEFAULT_SCHEMA):  # so that nobody files under the one before meanwhile
            stack.enter_context(presence.alone(settings.data_dir))
            stack.enter_context(fencing.alone(database.engine))
        with database.write() as session:
            remember_schema(session, settings.schema)
    return Step(f"linkage schema {settings.schema}", stored != settings.schema)
