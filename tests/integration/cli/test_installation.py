"""Setting a pool up: nobody but its owner gets at its files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from repository.services.installation import install
from repository.settings import Settings, SettingsError


@pytest.mark.parametrize("mode", [0o755, 0o750, 0o701])
def test_a_directory_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    """One that was there already, made under a usual umask: it says what to do, and nothing is written into it."""
    directory = tmp_path / "pool"
    directory.mkdir()
    directory.chmod(mode)
    with pytest.raises(SettingsError, match="chmod 700"):
        install(Settings.under(directory))
    assert list(directory.iterdir()) == []
    directory.chmod(0o700)
    install(Settings.under(directory))


def test_every_file_of_a_new_pool_is_for_its_owner_alone(tmp_path: Path) -> None:
    """Database, secrets and directories alike, whatever the umask is."""
    before = os.umask(0)
    try:
        install(Settings.under(tmp_path / "pool"))
    finally:
        os.umask(before)
    found = [tmp_path / "pool", *(tmp_path / "pool").rglob("*")]
    assert len(found) > 4
    assert [path.name for path in found if path.stat().st_mode & 0o077] == []
