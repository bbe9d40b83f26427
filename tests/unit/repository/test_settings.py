"""Settings from the environment, and files that only their owner may read."""

from __future__ import annotations

import os
import stat
from datetime import timedelta
from pathlib import Path

import pytest

from repository.settings import (
    Settings,
    SettingsError,
    read_metrics_token,
    read_operator_secret,
    read_private_file,
    write_private_file,
)
from repository.storage.limits import Limits


def test_nothing_needs_to_be_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without variables everything is under ./var, on SQLite."""
    monkeypatch.chdir(tmp_path)
    settings = Settings.from_environment({})
    assert settings == Settings.under(tmp_path / "var")
    assert settings.database_url == f"sqlite:///{tmp_path / 'var' / 'frankpledge.db'}"


def test_each_variable_is_read(tmp_path: Path) -> None:
    """The data directory moves what is in it; the rest overrides one by one; blank is as if not set."""
    settings = Settings.from_environment(
        {
            "FRANKPLEDGE_DATA_DIR": str(tmp_path),
            "FRANKPLEDGE_DATABASE_URL": "postgresql://me@/pool",
            "FRANKPLEDGE_WORKER": "On",
            "FRANKPLEDGE_ACCESS_SECONDS": "60",
            "FRANKPLEDGE_MAX_JSON_BYTES": " 2048 ",
            "FRANKPLEDGE_SCHEME_NAME": "",
            "FRANKPLEDGE_SCHEMA": "broad",
            "FRANKPLEDGE_TRUSTED_PROXIES": "1",
            "FRANKPLEDGE_LOG_LEVEL": "WARNING",
            "FRANKPLEDGE_METRICS_DIR": str(tmp_path / "metrics"),
            "FRANKPLEDGE_OTEL_ENDPOINT": "http://127.0.0.1:4318/",
        }
    )
    assert settings.operator_secret_file == tmp_path / "operator.secret"
    assert settings.database_url == "postgresql+psycopg://me@/pool"
    assert settings.worker is True
    assert settings.access_lifetime == timedelta(minutes=1)
    assert settings.max_json_bytes == 2048
    assert settings.scheme_name == "Frankpledge"
    assert settings.schema == "broad/1"
    assert settings.trusted_proxies == 1
    assert settings.log_level == "warning"
    assert settings.metrics_dir == tmp_path / "metrics"
    assert settings.otel_endpoint == "http://127.0.0.1:4318"


def test_limits_of_the_database_are_read() -> None:
    """One by one; a pool without overflow is allowed, and what long work has is never less than what others have."""
    given = {"DB_POOL_SIZE": "3", "DB_POOL_OVERFLOW": "0", "DB_STATEMENT_SECONDS": "700", "DB_LONG_SECONDS": "900"}
    limits = Settings.from_environment({f"FRANKPLEDGE_{name}": value for name, value in given.items()}).limits
    assert limits == Limits(pool_size=3, pool_overflow=0, statement=timedelta(seconds=700), long=timedelta(seconds=900))
    with pytest.raises(SettingsError, match="FRANKPLEDGE_DB_LONG_SECONDS: expected at least"):
        Settings.from_environment({"FRANKPLEDGE_DB_STATEMENT_SECONDS": "700"})


def test_a_password_in_the_url_survives() -> None:
    """The URL is kept whole, special characters included."""
    url = "postgresql+psycopg://me:p%40ss@db/pool"
    assert Settings.from_environment({"FRANKPLEDGE_DATABASE_URL": url}).database_url == url


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "no url, hunter2"),
        ("DATABASE_URL", "mysql://root:hunter2@db/pool"),
        ("DATABASE_URL", "sqlite://"),
        ("DATABASE_URL", "sqlite:///:memory:"),
        ("WORKER", "hunter2"),
        ("SCHEMA", "hunter2"),
        ("ACCESS_SECONDS", "0"),
        ("REFRESH_SECONDS", "-1"),
        ("MAX_JSON_BYTES", "1e6"),
        ("MAX_JSON_DEPTH", "\u0661"),
        ("TRUSTED_PROXIES", "-1"),
        ("TRUSTED_PROXIES", "10"),
        ("LOG_LEVEL", "loud"),
        ("OTEL_ENDPOINT", "127.0.0.1:4318"),
        ("OTEL_ENDPOINT", "https://me:hunter2@collector"),
        ("DB_POOL_SIZE", "0"),
        ("DB_POOL_OVERFLOW", "-1"),
        ("DB_STATEMENT_SECONDS", "0"),
        ("DB_LOCK_SECONDS", "10s"),
        ("DB_LONG_SECONDS", "59"),
    ],
)
def test_a_value_that_cannot_be_read_names_its_variable(name: str, value: str) -> None:
    """The error names the variable and what was expected, and does not repeat the value."""
    with pytest.raises(SettingsError, match=rf"FRANKPLEDGE_{name}: expected") as caught:
        Settings.from_environment({f"FRANKPLEDGE_{name}": value})
    assert "hunter2" not in str(caught.value)


def test_a_private_file_is_for_its_owner_only(tmp_path: Path) -> None:
    """Written with mode 0600 whatever the umask, and never over another."""
    old = os.umask(0)
    try:
        write_private_file(tmp_path / "secret", b"content")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600
    assert read_private_file(tmp_path / "secret") == b"content"
    with pytest.raises(FileExistsError):
        write_private_file(tmp_path / "secret", b"other")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o777])
def test_an_open_file_is_refused(tmp_path: Path, mode: int) -> None:
    """Any right of others is too much, and the remedy is named."""
    path = tmp_path / "secret"
    write_private_file(path, b"content")
    path.chmod(mode)
    with pytest.raises(SettingsError, match="chmod 600"):
        read_private_file(path)


def test_a_missing_file_names_the_remedy(tmp_path: Path) -> None:
    """The first start without `init` says so."""
    with pytest.raises(SettingsError, match="frankpledge-admin init"):
        read_private_file(tmp_path / "secret")


def test_a_directory_is_not_a_secret(tmp_path: Path) -> None:
    """What cannot be read is said, without a trace back of the system's."""
    (tmp_path / "secret").mkdir(mode=0o700)
    with pytest.raises(SettingsError, match="cannot be read"):
        read_private_file(tmp_path / "secret")


def test_an_operator_secret_is_64_hex_digits(tmp_path: Path) -> None:
    """A line break at the end is fine."""
    write_private_file(tmp_path / "secret", b"ab" * 32 + b"\n")
    assert read_operator_secret(tmp_path / "secret") == bytes.fromhex("ab" * 32)


def test_a_token_for_metrics_may_be_missing(tmp_path: Path) -> None:
    """Without the file no token is good; with it, the line break at the end does not count."""
    assert read_metrics_token(tmp_path / "token") is None
    write_private_file(tmp_path / "token", b"x" * 43 + b"\n")
    assert read_metrics_token(tmp_path / "token") == b"x" * 43


@pytest.mark.parametrize("content", [b"", b"\n", b"hunter2", b"hunter2 " * 8, b"\xff" * 40])
def test_a_weak_token_for_metrics_is_refused(tmp_path: Path, content: bytes) -> None:
    """An empty file would make an empty token good."""
    write_private_file(tmp_path / "token", content)
    with pytest.raises(SettingsError, match="expected 32 or more") as caught:
        read_metrics_token(tmp_path / "token")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"ab" * 31, b"ab" * 33, b"hunter2" * 10, b"\xff" * 64])
def test_another_content_is_no_operator_secret(tmp_path: Path, content: bytes) -> None:
    """Refused without showing any of it."""
    write_private_file(tmp_path / "secret", content)
    with pytest.raises(SettingsError, match="expected 64 hex digits") as caught:
        read_operator_secret(tmp_path / "secret")
    assert "hunter2" not in str(caught.value)
