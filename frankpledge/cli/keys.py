"""`frankpledge keys`: the linkage key, which the members share and the pool never sees."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from frankpledge import keys
from frankpledge import profile as profiles
from frankpledge.cli.setup import PATH, open_key, passphrase
from frankpledge.errors import KitError
from frankpledge.files import read_private
from frankpledge.keys import LinkageKey

KEY_FILE = click.option("--key-file", type=PATH, metavar="FILE", help="The key file, instead of the profile's.")
PASSPHRASE_FILE = click.option("--passphrase-file", type=PATH, metavar="FILE", help="Where the passphrase is.")
PROFILE = click.option("--profile", "profile_name", metavar="NAME", help="Profile in the config file [default].")
CONFIG = click.option("--config", type=PATH, metavar="FILE", help="The config file, TOML.")


@click.group("keys")
def command() -> None:
    """Make, show, import and export the linkage key.

    All members encode under one key. One member makes it; the others import it. It is never sent to the pool, and never
    given as an argument, where other users of the machine could see it.
    """


@command.command()
@KEY_FILE
@PROFILE
@CONFIG
@click.option("--protect", is_flag=True, help="Seal the key under a passphrase.")
@PASSPHRASE_FILE
@click.option("--epoch", type=click.IntRange(1), default=1, show_default=True, help="Counts the keys of a scheme.")
def init(
    *,
    key_file: Path | None,
    profile_name: str | None,
    config: Path | None,
    protect: bool,
    passphrase_file: Path | None,
    epoch: int,
) -> None:
    """Make a new random key in a new file that only you can read."""
    path = _path(key_file, config, profile_name)
    secret = _needed(passphrase(passphrase_file, confirm=True)) if protect or passphrase_file else None
    _show(keys.create(path, secret, epoch=epoch), path)


@command.command()
@KEY_FILE
@PROFILE
@CONFIG
@PASSPHRASE_FILE
def show(*, key_file: Path | None, profile_name: str | None, config: Path | None, passphrase_file: Path | None) -> None:
    """Show the key's fingerprint and epoch, and nothing else of it."""
    path = _path(key_file, config, profile_name)
    _show(open_key(path, passphrase_file), path)


@command.command("import")
@click.argument("source", type=PATH, default=Path("-"), metavar="[FILE]")
@KEY_FILE
@PROFILE
@CONFIG
@PASSPHRASE_FILE
def import_(
    *,
    source: Path,
    key_file: Path | None,
    profile_name: str | None,
    config: Path | None,
    passphrase_file: Path | None,
) -> None:
    """Store a key that another member exported, from FILE or standard input. It stays protected as it came."""
    data = sys.stdin.buffer.read(1 << 16) if str(source) == "-" else read_private(source)
    path = _path(key_file, config, profile_name)
    secret = passphrase(passphrase_file) if keys.is_protected(data) else None
    _show(keys.import_key(data, path, secret), path)


@command.command()
@click.argument("target", type=PATH, metavar="FILE")
@KEY_FILE
@PROFILE
@CONFIG
@PASSPHRASE_FILE
@click.option("--new-passphrase-file", type=PATH, metavar="FILE", help="Where the passphrase of the copy is.")
def export(
    *,
    target: Path,
    key_file: Path | None,
    profile_name: str | None,
    config: Path | None,
    passphrase_file: Path | None,
    new_passphrase_file: Path | None,
) -> None:
    """Write a copy for another member, always sealed under a passphrase. Tell it to them by another way."""
    key = open_key(_path(key_file, config, profile_name), passphrase_file)
    click.echo("Passphrase of the copy:", err=True)
    keys.store(target, key, _needed(passphrase(new_passphrase_file, confirm=True)))
    _show(key, target)


def _path(key_file: Path | None, config: Path | None, profile_name: str | None) -> Path:
    return key_file or profiles.load(config, profile_name, os.environ).key_file


def _needed(secret: str | None) -> str:
    if secret is None:
        raise KitError("A passphrase is needed.", "Give --passphrase-file or FRANKPLEDGE_PASSPHRASE.")
    return secret


def _show(key: LinkageKey, path: Path) -> None:
    click.echo(f"fingerprint  {key.fingerprint}\nepoch        {key.epoch}\nfile         {path}")
