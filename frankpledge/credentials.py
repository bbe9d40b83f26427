"""The member's credentials for the pool: from the environment or the keyring, never from a file of ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

import orjson

from frankpledge.errors import KitError

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

SERVICE = "frankpledge"
CLIENT_ID, CLIENT_SECRET = "FRANKPLEDGE_CLIENT_ID", "FRANKPLEDGE_CLIENT_SECRET"
USERNAME, PASSWORD = "FRANKPLEDGE_USERNAME", "FRANKPLEDGE_PASSWORD"


class CredentialsError(KitError):
    """There are no credentials, or the keyring cannot be used."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """A program's: a client id and its secret."""

    client_id: str
    client_secret: str = field(repr=False)

    def grant(self) -> dict[str, str]:
        """What a token is asked for with (RFC 6749, 4.4)."""
        return {"grant_type": "client_credentials", "client_id": self.client_id, "client_secret": self.client_secret}


@dataclass(frozen=True, slots=True)
class PersonCredentials:
    """A person's: a user name and its password."""

    username: str
    password: str = field(repr=False)

    def grant(self) -> dict[str, str]:
        """What a token is asked for with (RFC 6749, 4.3)."""
        return {"grant_type": "password", "username": self.username, "password": self.password}


AnyCredentials = Credentials | PersonCredentials


def find(server: str, environment: Mapping[str, str]) -> AnyCredentials:
    """Find the credentials for a pool. Raises CredentialsError saying how to give them."""
    program, person = _pair(environment, CLIENT_ID, CLIENT_SECRET), _pair(environment, USERNAME, PASSWORD)
    if program and person:
        raise CredentialsError(
            f"Both {CLIENT_ID} and {USERNAME} are set.", "Set the credentials of a program, or those of a person."
        )
    if program:
        return Credentials(*program)
    if person:
        return PersonCredentials(*person)
    stored = _recall(server)
    if stored is None:
        raise CredentialsError(
            "There are no credentials for this pool.",
            f"Use `frankpledge login`, or set {CLIENT_ID} and {CLIENT_SECRET}, or {USERNAME} and {PASSWORD}.",
        )
    return stored


def _pair(environment: Mapping[str, str], name: str, secret: str) -> tuple[str, str] | None:
    """Two variables that are set together, or not at all. Raises CredentialsError."""
    first, second = environment.get(name), environment.get(secret)
    if first and second:
        return first, second
    if first or second:
        raise CredentialsError(f"Only one of {name} and {secret} is set.", "Set both, or none.")
    return None


def remember(server: str, credentials: AnyCredentials) -> None:
    """Put the credentials into the machine's keyring. Raises CredentialsError when it has none."""
    from keyring.errors import KeyringError  # noqa: PLC0415 - keyring is slow to import

    try:
        _keyring().set_password(SERVICE, server, orjson.dumps(asdict(credentials)).decode())
    except KeyringError:
        raise _unusable() from None


def forget(server: str) -> bool:
    """Take the credentials out of the keyring; False when there were none."""
    from keyring.errors import KeyringError, PasswordDeleteError  # noqa: PLC0415 - keyring is slow to import

    try:
        _keyring().delete_password(SERVICE, server)
    except PasswordDeleteError:
        return False
    except KeyringError:
        raise _unusable() from None
    return True


def _recall(server: str) -> AnyCredentials | None:
    from keyring.errors import KeyringError, NoKeyringError  # noqa: PLC0415 - keyring is slow to import

    try:
        text = _keyring().get_password(SERVICE, server)
    except NoKeyringError:
        return None
    except KeyringError:
        raise _unusable() from None
    if text is None:
        return None
    try:
        document = orjson.loads(text)
        if "username" in document:
            return PersonCredentials(document["username"], document["password"])
        return Credentials(document["client_id"], document["client_secret"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        raise CredentialsError("The keyring's entry is damaged.", "Use `frankpledge login` again.") from None


def _keyring() -> KeyringBackend:
    import keyring  # noqa: PLC0415 - keyring is slow to import

    return keyring.get_keyring()


def _unusable() -> CredentialsError:
    return CredentialsError(
        "This machine has no keyring that can be used.",
        f"Set {CLIENT_ID} and {CLIENT_SECRET} instead, or {USERNAME} and {PASSWORD}.",
    )
