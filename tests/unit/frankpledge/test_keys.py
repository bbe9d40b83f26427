"""The linkage key and its file."""

from __future__ import annotations

import hashlib
import hmac
import os
import stat
from pathlib import Path

import orjson
import pytest

from frankpledge import keys, protection
from frankpledge.errors import KitError
from frankpledge.keys import KeyFileError, LinkageKey, PassphraseNeededError
from frankpledge.protection import Cost, ProtectionError

PASSPHRASE = "correct horse battery"


@pytest.fixture(autouse=True)
def cheap_argon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Guessing may be cheap in tests."""
    monkeypatch.setattr(protection.seal, "__defaults__", (Cost(memory_kib=64, iterations=1, lanes=1),))


def test_fingerprint_is_the_documented_hmac() -> None:
    """The fingerprint is the first 8 bytes of HMAC-SHA-256 over the key-check label, in hex."""
    key = LinkageKey(bytes(range(32)))
    expected = hmac.new(bytes(range(32)), b"frankpledge/key-check/v1", hashlib.sha256).hexdigest()[:16]
    assert key.fingerprint == expected


def test_subkeys_are_separated_by_purpose() -> None:
    """Each purpose has its own subkey, the documented HMAC, and none is the secret."""
    key = LinkageKey(bytes(32))
    expected = hmac.new(bytes(32), b"frankpledge/derive/v1\0keys", hashlib.sha256).digest()
    assert key.derive(b"keys") == expected
    assert len({key.derive(b"keys"), key.derive(b"sketches"), key.secret}) == 3


def test_repr_does_not_show_the_secret() -> None:
    """A key in a log line or a traceback does not give itself away."""
    key = LinkageKey(b"S" * 32)
    assert "SSS" not in repr(key)


@pytest.mark.parametrize(("secret", "epoch"), [(b"short", 1), (bytes(32), 0)])
def test_impossible_keys_are_refused(secret: bytes, epoch: int) -> None:
    """A secret of another length and an epoch below 1 are programming errors."""
    with pytest.raises(ValueError, match=r"bytes|epochs"):
        LinkageKey(secret, epoch)


def test_created_file_is_private_and_loads(tmp_path: Path) -> None:
    """A new key file has mode 0600 and gives the same key back."""
    path = tmp_path / "deep" / "linkage.key"
    key = keys.create(path, epoch=3)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert keys.load(path) == key
    assert key.epoch == 3


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    """Making a key where a file is fails and leaves the file as it was."""
    path = tmp_path / "linkage.key"
    keys.create(path)
    before = path.read_bytes()
    with pytest.raises(KitError, match="exists already"):
        keys.create(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_key_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    """Any permission for group or world makes the key unusable until it is closed."""
    path = tmp_path / "linkage.key"
    keys.create(path)
    path.chmod(mode)
    with pytest.raises(KitError, match="chmod 600"):
        keys.load(path)


def test_missing_file_is_explained(tmp_path: Path) -> None:
    """A path without a file says so."""
    with pytest.raises(KitError, match="There is no file"):
        keys.load(tmp_path / "none.key")


def test_passphrase_protects_and_opens(tmp_path: Path) -> None:
    """A protected file holds no plain secret, opens with its passphrase and with no other."""
    path = tmp_path / "linkage.key"
    key = keys.create(path, PASSPHRASE)
    assert "secret" not in orjson.loads(path.read_bytes())
    assert keys.load(path, PASSPHRASE) == key
    with pytest.raises(ProtectionError, match="does not open"):
        keys.load(path, "another passphrase")
    with pytest.raises(PassphraseNeededError):
        keys.load(path)


def test_short_passphrase_is_refused(tmp_path: Path) -> None:
    """A passphrase under 12 characters is refused before a file is made."""
    with pytest.raises(KeyFileError, match="too short"):
        keys.create(tmp_path / "k", "short")
    assert not (tmp_path / "k").exists()


def test_header_of_a_protected_file_cannot_be_changed() -> None:
    """The epoch and the fingerprint are authenticated with the secret."""
    document = orjson.loads(keys.dump(LinkageKey(bytes(32), 1), PASSPHRASE))
    document["epoch"] = 2
    with pytest.raises(ProtectionError):
        keys.parse(orjson.dumps(document), PASSPHRASE)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("memory_kib", 1 << 30),
        ("memory_kib", True),
        ("memory_kib", 4),
        ("iterations", 0),
        ("lanes", "4"),
        ("salt", "!"),
        ("salt", ""),
        ("nonce", "AAAA"),
        ("kdf", "md5"),
        ("version", 18),
    ],
)
def test_forged_parameters_are_refused(name: str, value: object) -> None:
    """Parameters that would exhaust the machine, or make no sense, are refused before any work is done."""
    document = orjson.loads(keys.dump(LinkageKey(bytes(32)), PASSPHRASE))
    document["protection"][name] = value
    with pytest.raises(ProtectionError):
        keys.parse(orjson.dumps(document), PASSPHRASE)


def test_import_keeps_the_protection_it_came_with(tmp_path: Path) -> None:
    """An imported key is the same key, and is protected exactly when its source was."""
    key = LinkageKey(os.urandom(32), 2)
    assert keys.import_key(keys.dump(key), tmp_path / "plain") == key
    assert keys.import_key(keys.dump(key, PASSPHRASE), tmp_path / "sealed", PASSPHRASE) == key
    assert not keys.is_protected((tmp_path / "plain").read_bytes())
    assert keys.is_protected((tmp_path / "sealed").read_bytes())


@pytest.mark.parametrize(
    "change",
    [
        {"fingerprint": "0" * 16},
        {"fingerprint": 5},
        {"fingerprint": "\u0660" * 16},
        {"epoch": "1"},
        {"secret": "AAAA"},
        {"secret": None},
        {"protection": []},
    ],
)
def test_damaged_documents_are_refused(change: dict[str, object]) -> None:
    """A key file whose parts do not fit together is called damaged."""
    document = orjson.loads(keys.dump(LinkageKey(bytes(32)))) | change
    with pytest.raises(KeyFileError, match="damaged"):
        keys.parse(orjson.dumps(document))


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    """Pointing at a large file by mistake fails quickly."""
    path = tmp_path / "big"
    path.touch(0o600)
    path.write_bytes(b"x" * 70_000)
    with pytest.raises(KitError, match="too long"):
        keys.load(path)
