"""`frankpledge custodian`."""

from __future__ import annotations

from pathlib import Path

import pytest

from frankpledge.custodian import oprf
from frankpledge.custodian.binding import fingerprint
from frankpledge.custodian.service import from_environment, token_hash
from tests.unit.frankpledge.cli.conftest import Run
from tests.unit.frankpledge.fakes import KEY


def test_the_commands_make_a_key_and_tokens(run: Run, tmp_path: Path) -> None:
    """The key is private and shown by its public part only; a token is kept as a hash; a profile needs all three."""
    key, members = tmp_path / "custodian.key", tmp_path / "members.json"
    shown = run("custodian", "init", "--key-file", key).stdout
    assert key.stat().st_mode & 0o077 == 0
    assert key.read_text().strip() not in shown
    public = oprf.public_key(bytes.fromhex(key.read_text())).hex()
    assert public in shown
    token = run("custodian", "member", "Alder", "--members-file", members).stdout.strip().split("=", 1)[1]
    assert token not in members.read_text()
    assert token_hash(token) in members.read_text()
    config = tmp_path / "config.toml"
    config.write_text(
        config.read_text().replace("[profiles.default]", f'[profiles.default]\ncustodian_key = "{public}"', 1)
    )
    asked = run("screen", "--record", "-", "--reference", "Q-1", stdin="{}")
    assert "custodian is not fully named" in asked.stderr
    assert fingerprint(KEY, bytes.fromhex(public)) in run("status").stdout
    environment = {"FRANKPLEDGE_CUSTODIAN_KEY_FILE": str(key), "FRANKPLEDGE_CUSTODIAN_MEMBERS_FILE": str(members)}
    served = from_environment(environment).test_client().get("/v1/key")
    assert served.get_json() == {"public": public}


def test_a_damaged_key_is_refused(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is served."""
    for name in ("KEY_FILE", "MEMBERS_FILE", "DAILY"):
        monkeypatch.setenv(f"FRANKPLEDGE_CUSTODIAN_{name}", "")  # the command sets them: afterwards they are gone again
    key, members = tmp_path / "custodian.key", tmp_path / "members.json"
    for path in (key, members):
        path.touch(0o600)
    key.write_text("abc")
    members.write_text("{}")
    shown = run("custodian", "serve", "--key-file", key, "--members-file", members)
    assert shown.exit_code == 2
    assert "key file is damaged" in shown.stderr
