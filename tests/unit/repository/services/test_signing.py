"""Signing keys on disk."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from repository.services.signing import create_signing_key, load_signing_keys, thumbprint
from repository.settings import SettingsError, write_private_file


def test_the_newest_key_signs_and_all_verify(tmp_path: Path) -> None:
    """Keys are numbered; past 9 the order is still by number."""
    made = [create_signing_key(tmp_path) for _ in range(11)]
    keys = load_signing_keys(tmp_path)
    assert keys.signing_id == made[-1]
    assert list(keys.verifying) == made
    assert (tmp_path / "0011.pem").exists()


def test_a_number_is_not_reused_after_a_removal(tmp_path: Path) -> None:
    """Removing an old key leaves the order of the others."""
    create_signing_key(tmp_path)
    second = create_signing_key(tmp_path)
    (tmp_path / "0001.pem").unlink()
    third = create_signing_key(tmp_path)
    assert list(load_signing_keys(tmp_path).verifying) == [second, third]


def test_the_key_id_is_the_thumbprint_of_rfc_8037() -> None:
    """The example of RFC 8037, appendix A.3."""
    raw = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    assert thumbprint(Ed25519PublicKey.from_public_bytes(raw)) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def test_an_empty_directory_names_the_remedy(tmp_path: Path) -> None:
    """Without a key nothing can be signed."""
    with pytest.raises(SettingsError, match="frankpledge-admin init"):
        load_signing_keys(tmp_path)


def test_a_file_that_is_no_ed25519_key_is_refused(tmp_path: Path) -> None:
    """Neither text nor a key of another kind."""
    write_private_file(tmp_path / "0001.pem", b"no key")
    with pytest.raises(SettingsError, match="Ed25519"):
        load_signing_keys(tmp_path)
    (tmp_path / "0001.pem").unlink()
    other = rsa.generate_private_key(65537, 2048)
    pem = other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    write_private_file(tmp_path / "0001.pem", pem)
    with pytest.raises(SettingsError, match="Ed25519"):
        load_signing_keys(tmp_path)


def test_a_file_of_another_name_is_refused(tmp_path: Path) -> None:
    """What signs must not depend on how a stray name sorts."""
    create_signing_key(tmp_path)
    (tmp_path / "0001.pem").rename(tmp_path / "old.pem")
    with pytest.raises(SettingsError, match=r"0001\.pem"):
        load_signing_keys(tmp_path)


def test_an_open_key_is_refused(tmp_path: Path) -> None:
    """A key that others may read is not used."""
    create_signing_key(tmp_path)
    (tmp_path / "0001.pem").chmod(0o644)
    with pytest.raises(SettingsError, match="chmod 600"):
        load_signing_keys(tmp_path)
