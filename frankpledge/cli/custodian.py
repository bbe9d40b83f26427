"""`frankpledge custodian`: for whoever keeps the key of a scheme in which no member encodes alone. Off by default."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any

import click

from frankpledge.cli.setup import PATH
from frankpledge.errors import KitError
from frankpledge.files import create_private, replacing

_KEY = click.option("--key-file", type=PATH, required=True, metavar="FILE", help="The custodian's key.")
_MEMBERS = click.option("--members-file", type=PATH, required=True, metavar="FILE", help="Who may ask.")


@click.group("custodian")
def command() -> None:
    """Keep a key without which no member encodes, value by value, nor tries guesses out.

    Run it where neither the pool's operator nor a single member has its files.
    """


@command.command()
@_KEY
def init(*, key_file: Path) -> None:
    """Make the custodian's key in a new private file; its public part goes into the members' profiles."""
    oprf = _oprf()
    key = oprf.new_key()
    create_private(key_file, key.hex().encode() + b"\n")
    click.echo(f"custodian_key  {oprf.public_key(key).hex()}\nfile           {key_file}")


@command.command("member")
@click.argument("name")
@_MEMBERS
def add_member(*, name: str, members_file: Path) -> None:
    """Let a member ask, and show its token, this once. Again it is another token, in the place of the first."""
    import orjson  # noqa: PLC0415 - keeps --help quick

    _oprf()
    from frankpledge.custodian.service import read_members, token_hash  # noqa: PLC0415 - needs the extra

    token = secrets.token_urlsafe(32)
    members = read_members(members_file) if members_file.exists() else {}
    with replacing(members_file) as file:
        file.write(orjson.dumps(members | {name: token_hash(token)}, option=orjson.OPT_INDENT_2))
    click.echo(f"FRANKPLEDGE_CUSTODIAN_TOKEN={token}")


@command.command()
@_KEY
@_MEMBERS
@click.option("--daily", type=click.IntRange(1), default=1_000_000, show_default=True, help="Values of a member a day.")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(1, 65535), default=8090, show_default=True)
def serve(*, key_file: Path, members_file: Path, daily: int, host: str, port: int) -> None:
    """Evaluate for the members. It speaks plain HTTP: put a proxy with TLS before it, as before a pool."""
    _oprf()
    from granian.constants import Interfaces  # noqa: PLC0415 - needs the extra
    from granian.server import Server  # noqa: PLC0415 - the same

    from frankpledge.custodian.service import from_environment  # noqa: PLC0415 - the same

    settings = {"KEY_FILE": str(key_file), "MEMBERS_FILE": str(members_file), "DAILY": str(daily)}
    os.environ.update({f"FRANKPLEDGE_CUSTODIAN_{name}": value for name, value in settings.items()})
    from_environment()  # what is wrong with the files is told here
    # One process: the quota is counted in it.
    Server(
        "frankpledge.custodian.service:from_environment",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        factory=True,
        workers=1,
    ).serve()


def _oprf() -> Any:
    try:
        from frankpledge.custodian import oprf  # noqa: PLC0415 - needs the extra
    except ImportError:
        raise KitError("The custodian's packages are not installed.", "pip install 'frankpledge[custodian]'") from None
    return oprf
