"""The command line with a pool in memory behind it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner, Result

from frankpledge import keys
from frankpledge.cli import main
from tests.unit.frankpledge.fakes import CREDENTIALS, KEY, FakePool

Run = Callable[..., Result]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fake: FakePool) -> Path:
    """A machine with a config file, a linkage key, credentials in the environment, and nothing of this one."""
    for name in ("PROFILE", "SERVER", "SCHEMA", "KEY_FILE", "PASSPHRASE"):
        monkeypatch.delenv(f"FRANKPLEDGE_{name}", raising=False)
    monkeypatch.delenv("COLUMNS", raising=False)  # tests that run side by side are told how wide a terminal is
    keys.store(tmp_path / "linkage.key", KEY)
    (tmp_path / "config.toml").write_text(
        f'[profiles.default]\nserver = "https://pool.example"\nkey_file = "{tmp_path / "linkage.key"}"\n'
        'class = "customer"\nline = "motor"\npurpose = "new_business"\n\n'
        '[profiles.default.map]\nSurname = "family_name"\n'
    )
    monkeypatch.setenv("FRANKPLEDGE_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("FRANKPLEDGE_CONFIG", str(tmp_path / "config.toml"))
    monkeypatch.setenv("FRANKPLEDGE_CLIENT_ID", CREDENTIALS.client_id)
    monkeypatch.setenv("FRANKPLEDGE_CLIENT_SECRET", CREDENTIALS.client_secret)
    real = httpx.Client

    def client(**options: Any) -> httpx.Client:
        return real(**{**options, "transport": httpx.MockTransport(fake)})

    monkeypatch.setattr(httpx, "Client", client)
    return tmp_path


@pytest.fixture
def run(home: Path) -> Run:
    """Run the command with arguments; standard error is kept apart."""

    def runner(*arguments: object, stdin: str | bytes | None = None) -> Result:
        return CliRunner().invoke(main, [str(argument) for argument in arguments], input=stdin)

    return runner
