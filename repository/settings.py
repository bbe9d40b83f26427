"""What the service is told from outside: one frozen object, read once from FRANKPLEDGE_* variables."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from matching.schema import DEFAULT_SCHEMA, UnknownSchemaError, schema_id, shipped_schemas
from repository.storage.limits import DEFAULTS, Limits

PREFIX = "FRANKPLEDGE_"
SECRET_BYTES = 32
_MOST_PROXIES = 9
_MOST_CONNECTIONS = 1_000
_METRICS_TOKEN = re.compile(rb"[A-Za-z0-9_-]{32,256}")

_Value = TypeVar("_Value")


class SettingsError(ValueError):
    """A setting, or a file it points to, cannot be used; the message names it and says what was expected."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that may differ between two installations. Sizes are in bytes.

    `schema` is the linkage schema whose records the pool holds, the same for as long as it holds any.
    What waits is limited for all members and for each; a daily limit of 0 is none. `lease` is how long a worker has for
    a chunk before another may take its batch over. `trusted_proxies` is how many proxies in front of the service add to
    X-Forwarded-For; without any it is not read.
    `webhook_loopback`: notices may go to this machine itself, in plain http, too: for trials.
    `metrics_dir` is where processes of one installation add up what they count; without it each counts for itself.
    """

    data_dir: Path
    database_url: str
    operator_secret_file: Path
    signing_keys_dir: Path
    metrics_token_file: Path
    scheme_name: str = "Frankpledge"
    schema: str = DEFAULT_SCHEMA
    worker: bool = False
    access_lifetime: timedelta = timedelta(minutes=15)
    refresh_lifetime: timedelta = timedelta(days=14)
    clock_leeway: timedelta = timedelta(seconds=30)
    max_json_bytes: int = 1 << 20
    max_json_depth: int = 32
    max_batch_bytes: int = 64 << 20
    max_batch_inflated_bytes: int = 1 << 30
    max_upload_bytes: int = 1 << 30
    upload_lifetime: timedelta = timedelta(days=2)
    max_waiting_batches: int = 1_000
    max_waiting_bytes: int = 32 << 30
    max_member_waiting_batches: int = 200
    max_member_waiting_bytes: int = 8 << 30
    max_member_daily_bytes: int = 0
    max_member_daily_rows: int = 0
    max_member_daily_rescreens: int = 2
    lease: timedelta = timedelta(seconds=60)
    webhook_loopback: bool = False
    trusted_proxies: int = 0
    log_level: str = "info"
    metrics_dir: Path | None = None
    otel_endpoint: str | None = None
    limits: Limits = DEFAULTS

    @property
    def model_file(self) -> Path:
        """The pool's own linkage model; where there is none, the shipped one is used."""
        return self.data_dir / "model.json"

    @classmethod
    def under(cls, data_dir: Path) -> Settings:
        """The defaults for one data directory: SQLite and every secret inside it."""
        return cls(
            data_dir=data_dir,
            database_url=f"sqlite:///{data_dir / 'frankpledge.db'}",
            operator_secret_file=data_dir / "operator.secret",
            signing_keys_dir=data_dir / "signing-keys",
            metrics_token_file=data_dir / "metrics.token",
        )

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Read FRANKPLEDGE_DATA_DIR, FRANKPLEDGE_DATABASE_URL and so on; raises SettingsError naming the variable."""
        found = os.environ if environment is None else environment
        data_dir = Path(found.get(f"{PREFIX}DATA_DIR") or "var").resolve()
        defaults = cls.under(data_dir)
        return cls(
            data_dir=data_dir,
            database_url=_read(found, "DATABASE_URL", _database_url, defaults.database_url),
            operator_secret_file=_read(found, "OPERATOR_SECRET_FILE", _path, defaults.operator_secret_file),
            signing_keys_dir=_read(found, "SIGNING_KEYS_DIR", _path, defaults.signing_keys_dir),
            metrics_token_file=_read(found, "METRICS_TOKEN_FILE", _path, defaults.metrics_token_file),
            scheme_name=_read(found, "SCHEME_NAME", str, defaults.scheme_name),
            schema=_read(found, "SCHEMA", _schema, defaults.schema),
            worker=_read(found, "WORKER", _switch, defaults.worker),
            access_lifetime=_read(found, "ACCESS_SECONDS", _seconds, defaults.access_lifetime),
            refresh_lifetime=_read(found, "REFRESH_SECONDS", _seconds, defaults.refresh_lifetime),
            clock_leeway=_read(found, "CLOCK_LEEWAY_SECONDS", _seconds, defaults.clock_leeway),
            max_json_bytes=_read(found, "MAX_JSON_BYTES", _positive, defaults.max_json_bytes),
            max_json_depth=_read(found, "MAX_JSON_DEPTH", _positive, defaults.max_json_depth),
            max_batch_bytes=_read(found, "MAX_BATCH_BYTES", _positive, defaults.max_batch_bytes),
            max_batch_inflated_bytes=_read(
                found, "MAX_BATCH_INFLATED_BYTES", _positive, defaults.max_batch_inflated_bytes
            ),
            max_upload_bytes=_read(found, "MAX_UPLOAD_BYTES", _positive, defaults.max_upload_bytes),
            upload_lifetime=_read(found, "UPLOAD_SECONDS", _seconds, defaults.upload_lifetime),
            max_waiting_batches=_read(found, "MAX_WAITING_BATCHES", _positive, defaults.max_waiting_batches),
            max_waiting_bytes=_read(found, "MAX_WAITING_BYTES", _positive, defaults.max_waiting_bytes),
            max_member_waiting_batches=_read(
                found, "MAX_MEMBER_WAITING_BATCHES", _positive, defaults.max_member_waiting_batches
            ),
            max_member_waiting_bytes=_read(
                found, "MAX_MEMBER_WAITING_BYTES", _positive, defaults.max_member_waiting_bytes
            ),
            max_member_daily_bytes=_read(found, "MAX_MEMBER_DAILY_BYTES", _any_size, defaults.max_member_daily_bytes),
            max_member_daily_rows=_read(found, "MAX_MEMBER_DAILY_ROWS", _any_size, defaults.max_member_daily_rows),
            max_member_daily_rescreens=_read(
                found, "MAX_MEMBER_DAILY_RESCREENS", _any_size, defaults.max_member_daily_rescreens
            ),
            lease=_read(found, "LEASE_SECONDS", _seconds, defaults.lease),
            webhook_loopback=_read(found, "WEBHOOK_LOOPBACK", _switch, defaults.webhook_loopback),
            trusted_proxies=_read(found, "TRUSTED_PROXIES", _count, defaults.trusted_proxies),
            log_level=_read(found, "LOG_LEVEL", _log_level, defaults.log_level),
            metrics_dir=_read(found, "METRICS_DIR", _path, defaults.metrics_dir),
            otel_endpoint=_read(found, "OTEL_ENDPOINT", _endpoint, defaults.otel_endpoint),
            limits=_limits(found),
        )


def read_private_file(path: Path) -> bytes:
    """The content of a secret file; raises SettingsError when it is missing or open to other users of the machine."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        content = path.read_bytes()
    except FileNotFoundError:
        raise SettingsError(f"{path} does not exist: run `frankpledge-admin init` first") from None
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}") from None
    if mode & _closed_to(path):
        raise SettingsError(f"{path} is open to other users (mode {mode:04o}): expected 0600, run `chmod 600` on it")
    return content


def _closed_to(path: Path) -> int:
    """The bits that a secret file must not have. systemd lets one service read a credential by an access list.

    In the mode that shows as the group's right to read.
    """
    credentials = os.environ.get("CREDENTIALS_DIRECTORY")
    return 0o037 if credentials and path.parent == Path(credentials).resolve() else 0o077


def write_private_file(path: Path, content: bytes) -> None:
    """Create a secret file with mode 0600; raises FileExistsError rather than replace one."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def read_operator_secret(path: Path) -> bytes:
    """The operator's 32-byte secret, written as 64 hex digits; raises SettingsError without showing any of it."""
    try:
        secret = bytes.fromhex(read_private_file(path).decode("ascii"))
    except ValueError as error:
        if isinstance(error, SettingsError):
            raise
        raise SettingsError(f"{path} is not an operator secret: expected 64 hex digits") from None
    if len(secret) != SECRET_BYTES:
        raise SettingsError(f"{path} is not an operator secret: expected 64 hex digits")
    return secret


def read_metrics_token(path: Path) -> bytes | None:
    """The token that may read /metrics, None where there is no such file; raises SettingsError for an unsafe one."""
    if not path.exists():
        return None
    token = read_private_file(path).strip()
    if not _METRICS_TOKEN.fullmatch(token):
        raise SettingsError(f"{path} is no token for metrics: expected 32 or more of A-Z a-z 0-9 - _")
    return token


def _read(found: Mapping[str, str], name: str, parse: Callable[[str], _Value], default: _Value) -> _Value:
    raw = found.get(PREFIX + name)
    if raw is None or not raw.strip():
        return default
    try:
        return parse(raw.strip())
    except ValueError as error:
        raise SettingsError(f"{PREFIX}{name}: expected {error}") from None


def _limits(found: Mapping[str, str]) -> Limits:
    limits = Limits(
        pool_size=_read(found, "DB_POOL_SIZE", _positive, DEFAULTS.pool_size),
        pool_overflow=_read(found, "DB_POOL_OVERFLOW", _whole, DEFAULTS.pool_overflow),
        pool=_read(found, "DB_POOL_SECONDS", _seconds, DEFAULTS.pool),
        connect=_read(found, "DB_CONNECT_SECONDS", _seconds, DEFAULTS.connect),
        statement=_read(found, "DB_STATEMENT_SECONDS", _seconds, DEFAULTS.statement),
        lock=_read(found, "DB_LOCK_SECONDS", _seconds, DEFAULTS.lock),
        idle=_read(found, "DB_IDLE_SECONDS", _seconds, DEFAULTS.idle),
        long=_read(found, "DB_LONG_SECONDS", _seconds, DEFAULTS.long),
    )
    if limits.long < max(limits.statement, limits.lock, limits.idle):
        raise SettingsError(
            f"{PREFIX}DB_LONG_SECONDS: expected at least {PREFIX}DB_STATEMENT_SECONDS, {PREFIX}DB_LOCK_SECONDS and"
            f" {PREFIX}DB_IDLE_SECONDS, since it is the time that long work has instead of them"
        )
    return limits


def _database_url(raw: str) -> str:
    expected = "an URL such as sqlite:////srv/frankpledge/frankpledge.db or postgresql+psycopg://user@host/name"
    try:
        url = make_url(raw)
    except ArgumentError:
        raise ValueError(expected) from None
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    in_file = url.drivername in ("sqlite", "sqlite+pysqlite") and url.database not in (None, "", ":memory:")
    if not in_file and url.drivername != "postgresql+psycopg":
        raise ValueError(expected)
    return url.render_as_string(hide_password=False)


def _path(raw: str) -> Path:
    return Path(raw).resolve()


def _schema(raw: str) -> str:
    try:
        return schema_id(raw)
    except UnknownSchemaError:
        raise ValueError(f"a linkage schema: one of {', '.join(shipped_schemas())}") from None


def _switch(raw: str) -> bool:
    words = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    try:
        return words[raw.lower()]
    except KeyError:
        raise ValueError("on or off") from None


def _positive(raw: str) -> int:
    if not raw.isascii() or not raw.isdigit() or int(raw) < 1:
        raise ValueError("a whole number above zero")
    return int(raw)


def _any_size(raw: str) -> int:
    if not raw.isascii() or not raw.isdigit():
        raise ValueError("a whole number, 0 for no limit")
    return int(raw)


def _whole(raw: str) -> int:
    if not raw.isascii() or not raw.isdigit() or int(raw) > _MOST_CONNECTIONS:
        raise ValueError(f"a whole number from 0 to {_MOST_CONNECTIONS}")
    return int(raw)


def _count(raw: str) -> int:
    if not raw.isascii() or not raw.isdigit() or int(raw) > _MOST_PROXIES:
        raise ValueError(f"a whole number from 0 to {_MOST_PROXIES}")
    return int(raw)


def _seconds(raw: str) -> timedelta:
    return timedelta(seconds=_positive(raw))


def _endpoint(raw: str) -> str:
    parts = urlsplit(raw)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise ValueError("an URL such as http://127.0.0.1:4318, without a user name")
    return raw.rstrip("/")


def _log_level(raw: str) -> str:
    if raw.lower() not in ("debug", "info", "warning", "error"):
        raise ValueError("debug, info, warning or error")
    return raw.lower()
