"""The member's credentials for the pool: from the environment or the keyring, never from a file of ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import orjson

from frankpledge.errors import KitError

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

SERVICE = "frankpledge"
CLIENT_ID, CLIENT_SECRET = "FRANKPLEDGE_CLIENT_ID", "FRANKPLEDGE_CLIENT_SECRET"


class CredentialsError(KitError):
    """There are no credentials, or the keyring cannot be used."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """A client id and its secret."""

    client_id: str
    client_secret: str = field(repr=False)


def find(server: str, environment: Mapping[str, str]) -> Credentials:
    """Find the credentials for a pool. Raises CredentialsError saying how to give them."""
    client_id, secret = environment.get(CLIENT_ID), environment.get(CLIENT_SECRET)
    if client_id and secret:
        return Credentials(client_id, secret)
    if client_id or secret:
        raise CredentialsError(f"Only one of {CLIENT_ID} and {CLIENT_SECRET} is set.", "Set both, or none.")
    stored = _recall(server)
    if stored is None:
        raise CredentialsError(
            "There are no credentials for this pool.",
            f"Use `frankpledge login`, or set {CLIENT_ID} and {CLIENT_SECRET}.",
        )
    return stored


def remember(server: str, credentials: Credentials) -> None:
    """Put the credentials into the machine's keyring. Raises CredentialsError when it has none."""
    document = {"client_id": credentials.client_id, "client_secret": credentials.client_secret}
    from keyring.errors import KeyringError  # noqa: PLC0415 - keyring is slow to import

    try:
        _keyring().set_password(SERVICE, server, orjson.dumps(document).decode())
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


def _recall(server: str) -> Credentials | None:
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
        return Credentials(document["client_id"], document["client_secret"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        raise CredentialsError("The keyring's entry is damaged.", "Use `frankpledge login` again.") from None


def _keyring() -> KeyringBackend:
    import keyring  # noqa: PLC0415 - keyring is slow to import

    return keyring.get_keyring()


def _unusable() -> CredentialsError:
    return CredentialsError(
        "This machine has no keyring that can be used.", f"Set {CLIENT_ID} and {CLIENT_SECRET} instead."
    )
