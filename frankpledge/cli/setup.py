"""What commands have in common: the profile, the linkage key and the pool that the options name."""

from __future__ import annotations

import functools
import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from frankpledge import profile as profiles
from frankpledge.errors import KitError
from frankpledge.files import read_private
from frankpledge.profile import Profile

if TYPE_CHECKING:
    from frankpledge.client import Pool
    from frankpledge.custodian.client import Custodian
    from frankpledge.keys import LinkageKey
    from frankpledge.records import RecordEncoder
    from frankpledge.session import Retry

Command = TypeVar("Command", bound=Callable[..., Any])

TELL_FROM = 3.0
"""Seconds of waiting from which a person is told why nothing happens."""
PATH = click.Path(path_type=Path)


def with_profile(command: Command) -> Command:
    """Add --profile, --config and --server to a command, which is given the `profile`."""

    @click.option("--profile", "profile_name", metavar="NAME", help="Profile in the config file [default].")
    @click.option("--config", type=PATH, metavar="FILE", help="The config file, TOML.")
    @click.option("--server", metavar="URL", help="The pool's address, instead of the profile's.")
    @functools.wraps(command)
    def wrapped(*, profile_name: str | None, config: Path | None, server: str | None, **options: Any) -> Any:
        profile = profiles.load(config, profile_name, os.environ)
        return command(profile=replace(profile, server=server) if server else profile, **options)

    return wrapped  # type: ignore[return-value] # click needs the function, not its exact type


def with_key(command: Command) -> Command:
    """Add --key-file and --passphrase-file to a command that has a profile, which is given the linkage `key`."""

    @key_options
    @functools.wraps(command)
    def wrapped(*, profile: Profile, key_file: Path | None, passphrase_file: Path | None, **options: Any) -> Any:
        key = open_key(key_file or profile.key_file, passphrase_file)
        return command(profile=profile, key=key, **options)

    return wrapped  # type: ignore[return-value] # click needs the function, not its exact type


def key_options(command: Command) -> Command:
    """Add --key-file and --passphrase-file to a command."""
    command = click.option("--passphrase-file", type=PATH, metavar="FILE", help="Where the key's passphrase is.")(
        command
    )
    return click.option("--key-file", type=PATH, metavar="FILE", help="The linkage key, instead of the profile's.")(
        command
    )


def open_key(path: Path, passphrase_file: Path | None) -> LinkageKey:
    """Load the linkage key, asking for its passphrase when it needs one and a person is there."""
    from frankpledge import keys  # noqa: PLC0415 - keeps --help quick

    data = read_private(path)
    return keys.parse(data, passphrase(passphrase_file) if keys.is_protected(data) else None)


def passphrase(path: Path | None, *, confirm: bool = False, prompt: str = "Passphrase") -> str | None:
    """Take the passphrase from a file, else from FRANKPLEDGE_PASSPHRASE, else from the terminal; None without one."""
    if path is not None:
        return read_private(path).decode(errors="surrogateescape").rstrip("\r\n")
    if from_environment := os.environ.get("FRANKPLEDGE_PASSPHRASE"):
        return from_environment
    if sys.stderr.isatty():
        return str(click.prompt(prompt, hide_input=True, confirmation_prompt=confirm, err=True))
    return None


def record_encoder(profile: Profile, key: LinkageKey) -> RecordEncoder:
    """Make the encoder of the profile's linkage schema. Raises KitError when the kit does not have that schema."""
    from frankpledge.records import RecordEncoder  # noqa: PLC0415 - keeps --help quick
    from matching.schema import UnknownSchemaError, shipped_schemas  # noqa: PLC0415 - keeps --help quick

    try:
        asked = custodian(profile)
        return RecordEncoder.for_key(key, profile.schema, names_in_clear=profile.names_in_clear, custodian=asked)
    except UnknownSchemaError:
        remedy = f"Set it to one of {', '.join(shipped_schemas())}, or update the kit."
        raise KitError("The profile's linkage schema is not known here.", remedy) from None


def custodian(profile: Profile) -> Custodian | None:
    """Connect to the custodian of the profile's scheme, if it has one. Raises KitError."""
    from frankpledge.custodian.binding import public_key  # noqa: PLC0415 - keeps --help quick

    public, token = public_key(profile.custodian_key), os.environ.get("FRANKPLEDGE_CUSTODIAN_TOKEN")
    if public is None and profile.custodian is None:
        return None
    if public is None or profile.custodian is None or not token:
        raise KitError(
            "The scheme's custodian is not fully named.",
            "Set `custodian` and `custodian_key` in the profile, and FRANKPLEDGE_CUSTODIAN_TOKEN.",
        )
    try:
        from frankpledge.custodian.client import Custodian  # noqa: PLC0415 - needs the extra
    except ImportError:
        raise KitError("The custodian's packages are not installed.", "pip install 'frankpledge[custodian]'") from None
    return Custodian(profiles.safe_address(profile.custodian, plain_http=profile.plain_http), token, public)


def fingerprint(profile: Profile, key: LinkageKey) -> str:
    """What the pool knows a linkage key by: its fingerprint, with the scheme's custodian if it has one."""
    from frankpledge.custodian import binding  # noqa: PLC0415 - keeps --help quick

    return binding.fingerprint(key, binding.public_key(profile.custodian_key))


def open_pool(profile: Profile) -> Pool:
    """Connect to the profile's pool with the member's credentials."""
    from frankpledge.client import Pool  # noqa: PLC0415 - keeps --help quick
    from frankpledge.credentials import find  # noqa: PLC0415 - keeps --help quick

    server = profile.address()
    return Pool(server, find(server, os.environ), retry=patience())


def patience() -> Retry:
    """Try again as the client does, and tell whoever is watching when that takes a while."""
    from frankpledge.session import Retry  # noqa: PLC0415 - keeps --help quick

    def wait(seconds: float) -> None:
        if seconds >= TELL_FROM:
            click.echo(f"The pool is not ready; trying again in {seconds:.0f} s.", err=True)
        time.sleep(seconds)

    return Retry(sleep=wait)


def refuse_same(first: Path, second: Path | None) -> None:
    """Raise KitError when two paths are one file: an output must not destroy an input."""
    if second is not None and first.exists() and second.exists() and first.samefile(second):
        raise KitError(f"{first} and {second} are the same file.", "Write to another file.")
