"""`frankpledge keys`: the linkage key, which the members share and the pool never sees."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from frankpledge import keys
from frankpledge import profile as profiles
from frankpledge.cli import agreement
from frankpledge.cli.setup import PATH, open_key, passphrase
from frankpledge.files import read_private
from frankpledge.keys import LinkageKey

Command = TypeVar("Command", bound=Callable[..., Any])


def with_path(command: Command) -> Command:
    """Add the options that name the key file, which the command is given as `path`, and its passphrase's file."""

    @click.option("--key-file", type=PATH, metavar="FILE", help="The key file, instead of the profile's.")
    @click.option("--passphrase-file", type=PATH, metavar="FILE", help="Where the passphrase is.")
    @click.option("--profile", "profile_name", metavar="NAME", help="Profile in the config file [default].")
    @click.option("--config", type=PATH, metavar="FILE", help="The config file, TOML.")
    @functools.wraps(command)
    def wrapped(*, key_file: Path | None, profile_name: str | None, config: Path | None, **options: Any) -> Any:
        path = key_file or profiles.load(config, profile_name, os.environ).key_file
        return command(path=path, **options)

    return wrapped  # type: ignore[return-value] # click needs the function, not its exact type


@click.group("keys")
def command() -> None:
    """Make, show, give on, replace, import and export the linkage key.

    All members encode under one key. One member makes it and offers it to the others, sealed to their public keys. The
    pool never sees it, and it is never given as an argument, where other users of the machine could see it.
    """


@command.command()
@click.option("--protect", is_flag=True, help="Seal the key under a passphrase.")
@click.option("--epoch", type=click.IntRange(1), default=1, show_default=True, help="Counts the keys of a scheme.")
@with_path
def init(*, path: Path, passphrase_file: Path | None, protect: bool, epoch: int) -> None:
    """Make a new random key in a new file that only you can read."""
    secret = agreement.needed(passphrase(passphrase_file, confirm=True)) if protect or passphrase_file else None
    _show(keys.create(path, secret, epoch=epoch), path)


@command.command()
@with_path
def show(*, path: Path, passphrase_file: Path | None) -> None:
    """Show the key's fingerprint and epoch, and nothing else of it."""
    _show(open_key(path, passphrase_file), path)


@command.command("import")
@click.argument("source", type=PATH, default=Path("-"), metavar="[FILE]")
@with_path
def import_(*, path: Path, passphrase_file: Path | None, source: Path) -> None:
    """Store a key that another member exported, from FILE or standard input. It stays protected as it came."""
    data = sys.stdin.buffer.read(1 << 16) if str(source) == "-" else read_private(source)
    secret = passphrase(passphrase_file) if keys.is_protected(data) else None
    _show(keys.import_key(data, path, secret), path)


@command.command()
@click.argument("target", type=PATH, metavar="FILE")
@click.option("--new-passphrase-file", type=PATH, metavar="FILE", help="Where the passphrase of the copy is.")
@with_path
def export(*, path: Path, passphrase_file: Path | None, target: Path, new_passphrase_file: Path | None) -> None:
    """Write a copy for another member, always sealed under a passphrase. Tell it to them by another way."""
    key = open_key(path, passphrase_file)
    keys.store(
        target, key, agreement.needed(passphrase(new_passphrase_file, confirm=True, prompt="Passphrase of the copy"))
    )
    _show(key, target)


def _show(key: LinkageKey, path: Path) -> None:
    click.echo(
        f"fingerprint  {key.fingerprint}\nepoch        {key.epoch}\ncheck        {key.check}\nfile         {path}"
    )


for each in agreement.COMMANDS:
    command.add_command(each)
