"""`frankpledge keys`."""

from __future__ import annotations

import stat
from pathlib import Path

import orjson
import pytest

from frankpledge import keys, protection
from tests.unit.frankpledge.cli.conftest import Run
from tests.unit.frankpledge.fakes import KEY

PASSPHRASE = "correct horse battery"


@pytest.fixture(autouse=True)
def cheap_argon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Guessing may be cheap in tests."""
    monkeypatch.setattr(protection.seal, "__defaults__", (protection.Cost(memory_kib=64, iterations=1, lanes=1),))


def secret_file(path: Path, text: str) -> Path:
    """Write a file that only its owner reads."""
    path.touch(0o600)
    path.write_text(text)
    return path


def test_init_makes_a_private_key_and_shows_its_fingerprint_only(run: Run, tmp_path: Path) -> None:
    """The secret is in the file and nowhere else."""
    path = tmp_path / "new.key"
    shown = run("keys", "init", "--key-file", path, "--epoch", 2)
    assert shown.exit_code == 0
    key = keys.load(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert key.fingerprint in shown.stdout
    assert key.epoch == 2
    assert orjson.loads(path.read_bytes())["secret"] not in shown.output


def test_init_never_overwrites(run: Run, home: Path) -> None:
    """A second init is refused, and the key of before is still there."""
    shown = run("keys", "init")
    assert shown.exit_code == 2
    assert "exists already" in shown.stderr
    assert keys.load(home / "linkage.key") == KEY


def test_show_reads_the_profiles_key(run: Run) -> None:
    """Fingerprint and epoch, and nothing else of the key."""
    shown = run("keys", "show")
    assert shown.stdout.splitlines()[0].split() == ["fingerprint", KEY.fingerprint]


def test_a_key_open_to_others_is_refused(run: Run, home: Path) -> None:
    """The remedy can be pasted."""
    (home / "linkage.key").chmod(0o644)
    shown = run("keys", "show")
    assert shown.exit_code == 2
    assert f"chmod 600 {home / 'linkage.key'}" in shown.stderr


def test_a_protected_key_needs_its_passphrase(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From a file or from the environment; without a terminal it is not asked for."""
    path, words = tmp_path / "sealed.key", secret_file(tmp_path / "words", PASSPHRASE + "\n")
    assert run("keys", "init", "--key-file", path, "--passphrase-file", words).exit_code == 0
    assert "secret" not in orjson.loads(path.read_bytes())
    assert "protected by a passphrase" in run("keys", "show", "--key-file", path).stderr
    assert run("keys", "show", "--key-file", path, "--passphrase-file", words).exit_code == 0
    monkeypatch.setenv("FRANKPLEDGE_PASSPHRASE", PASSPHRASE)
    assert run("keys", "show", "--key-file", path).exit_code == 0
    monkeypatch.setenv("FRANKPLEDGE_PASSPHRASE", "another one entirely")
    assert "does not open" in run("keys", "show", "--key-file", path).stderr


def test_protect_without_any_passphrase_is_refused(run: Run, tmp_path: Path) -> None:
    """A job cannot be asked."""
    shown = run("keys", "init", "--key-file", tmp_path / "k", "--protect")
    assert shown.exit_code == 2
    assert "A passphrase is needed" in shown.stderr


def test_export_and_import_carry_the_key(run: Run, tmp_path: Path) -> None:
    """A member exports under a passphrase, another imports from standard input and stays protected."""
    words = secret_file(tmp_path / "words", PASSPHRASE)
    copy, path = tmp_path / "copy.key", tmp_path / "imported.key"
    assert run("keys", "export", copy, "--new-passphrase-file", words).exit_code == 0
    shown = run("keys", "import", "--key-file", path, "--passphrase-file", words, stdin=copy.read_bytes())
    assert shown.exit_code == 0
    assert keys.load(path, PASSPHRASE) == KEY
    again = run("keys", "import", copy, "--key-file", tmp_path / "again.key", "--passphrase-file", words)
    assert again.exit_code == 0


def test_export_is_never_plain(run: Run, tmp_path: Path) -> None:
    """Without a passphrase there is no copy."""
    assert run("keys", "export", tmp_path / "copy.key").exit_code == 2
    assert not (tmp_path / "copy.key").exists()


@pytest.mark.parametrize("data", [b"", b"deadbeef", b"{}", b"\xff\x00"])
def test_import_refuses_what_is_no_key(run: Run, tmp_path: Path, data: bytes) -> None:
    """Garbage makes no key file."""
    shown = run("keys", "import", "--key-file", tmp_path / "k", stdin=data)
    assert shown.exit_code == 2
    assert not (tmp_path / "k").exists()
