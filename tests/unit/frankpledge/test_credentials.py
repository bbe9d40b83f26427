"""Credentials from the environment and the keyring."""

from __future__ import annotations

from collections.abc import Iterator

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends import fail
from keyring.errors import KeyringLocked, PasswordDeleteError

from frankpledge.credentials import Credentials, CredentialsError, PersonCredentials, find, forget, remember

SERVER = "https://pool.example"
CREDENTIALS = Credentials("cli_1", "s3cret")
PERSON = PersonCredentials("ann", "s3cret")
PROGRAM_SET = {"FRANKPLEDGE_CLIENT_ID": "cli_1", "FRANKPLEDGE_CLIENT_SECRET": "s3cret"}
PERSON_SET = {"FRANKPLEDGE_USERNAME": "ann", "FRANKPLEDGE_PASSWORD": "s3cret"}


class MemoryKeyring(KeyringBackend):
    """A keyring in memory."""

    priority = 1.0

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # keyring's is not annotated
        self.entries: dict[tuple[str, str], str] = {}
        self.locked = False

    def _open(self) -> dict[tuple[str, str], str]:
        if self.locked:
            raise KeyringLocked
        return self.entries

    def get_password(self, service: str, username: str) -> str | None:
        """Look up."""
        return self._open().get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        """Store."""
        self._open()[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        """Delete."""
        if self._open().pop((service, username), None) is None:
            raise PasswordDeleteError


@pytest.fixture
def ring() -> Iterator[MemoryKeyring]:
    """The machine's keyring."""
    before = keyring.get_keyring()
    memory = MemoryKeyring()
    keyring.set_keyring(memory)
    yield memory
    keyring.set_keyring(before)


def test_environment_wins(ring: MemoryKeyring) -> None:
    """A job's variables count before the keyring."""
    remember(SERVER, Credentials("cli_2", "other"))
    assert find(SERVER, PROGRAM_SET) == CREDENTIALS
    assert find(SERVER, PERSON_SET) == PERSON


@pytest.mark.parametrize("name", [*PROGRAM_SET, *PERSON_SET])
def test_half_an_environment_is_an_error(ring: MemoryKeyring, name: str) -> None:
    """One variable alone is a mistake, not a reason to use something else."""
    with pytest.raises(CredentialsError, match="Only one"):
        find(SERVER, {name: "x"})


def test_a_program_and_a_person_are_an_error(ring: MemoryKeyring) -> None:
    """In whose name something is done is never guessed."""
    with pytest.raises(CredentialsError, match="Both"):
        find(SERVER, PROGRAM_SET | PERSON_SET)


@pytest.mark.parametrize("credentials", [CREDENTIALS, PERSON])
def test_the_keyring_keeps_them_by_server(ring: MemoryKeyring, credentials: Credentials | PersonCredentials) -> None:
    """Each pool has its own, a program's or a person's; what was put away is found and can be taken out."""
    remember(SERVER, credentials)
    assert find(SERVER, {}) == credentials
    with pytest.raises(CredentialsError, match="no credentials"):
        find("https://other.example", {})
    assert forget(SERVER)
    assert not forget(SERVER)


@pytest.mark.parametrize("entry", ["", "[]", '{"client_id": "x"}', '{"username": "x"}'])
def test_a_damaged_entry_is_explained(ring: MemoryKeyring, entry: str) -> None:
    """What is not ours in the keyring is not used."""
    ring.set_password("frankpledge", SERVER, entry)
    with pytest.raises(CredentialsError, match="damaged"):
        find(SERVER, {})


def test_a_machine_without_keyring_is_explained(ring: MemoryKeyring) -> None:
    """A server has none: looking finds nothing, storing says what else to do."""
    keyring.set_keyring(fail.Keyring())  # type: ignore[no-untyped-call] # keyring's is not annotated
    with pytest.raises(CredentialsError, match="no credentials"):
        find(SERVER, {})
    with pytest.raises(CredentialsError, match="no keyring"):
        remember(SERVER, CREDENTIALS)


def test_a_locked_keyring_is_explained(ring: MemoryKeyring) -> None:
    """A locked keyring is not taken for an empty one."""
    ring.locked = True
    for use in (lambda: find(SERVER, {}), lambda: forget(SERVER), lambda: remember(SERVER, CREDENTIALS)):
        with pytest.raises(CredentialsError, match="no keyring"):
            use()


def test_the_secret_is_not_shown() -> None:
    """The repr of credentials is safe in a log."""
    assert "s3cret" not in repr([CREDENTIALS, PERSON])
