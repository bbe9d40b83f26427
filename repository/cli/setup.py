"""Setting a pool up, and bringing its tables up to date."""

from __future__ import annotations

import secrets
import sys

import click

from matching.schema import load_schema
from repository.cli.context import Pool, console
from repository.services import installation, migration
from repository.services.compose import now
from repository.services.operator import accept_fingerprint


def _fingerprint(_context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    for value in values:
        if len(value) != 16 or not set(value.lower()) <= set("0123456789abcdef"):
            raise click.BadParameter("expected 16 hex digits, as `frankpledge keys show` prints them")
    return values


@click.command()
@click.option("--operator", "username", default="operator", show_default=True, help="Name of the first account.")
@click.option(
    "--password",
    envvar="FRANKPLEDGE_OPERATOR_PASSWORD",
    help="Its password. Better left out: you are asked for it, or without a terminal one is made and shown.",
)
@click.option(
    "--fingerprint", "fingerprints", multiple=True, callback=_fingerprint, help="A linkage key to accept; repeatable."
)
@click.pass_obj
def init(pool: Pool, username: str, password: str | None, fingerprints: tuple[str, ...]) -> None:
    """Set up a pool: secrets, tables, and the operator's account. What is there already is kept."""
    out = console()
    for step in installation.install(pool.settings):
        out.print(f"  [green]{'created' if step.done else 'kept   '}[/]  {step.what}")
    if installation.has_operator(pool.database):
        out.print("  [green]kept   [/]  operator account")
    else:
        made = _password(password)
        installation.create_operator(pool.database, username, made or password or "", now)
        out.print(f"  [green]created[/]  operator account [bold]{username}[/]")
        if made and password is None and not sys.stdin.isatty():
            out.print(f"           its password, shown only now: [bold]{made}[/]")
    _accept(pool, fingerprints)
    out.print(
        f"\nThe pool is in [bold]{pool.settings.data_dir}[/]. Keep a copy of the operator secret in another place:"
    )
    out.print("without it the pool cannot be read, and with it and the database it can.")
    out.print('Next: frankpledge-admin member add "Name of the insurer" --line motor')


@click.command()
@click.pass_obj
def migrate(pool: Pool) -> None:
    """Bring the tables up to this version."""
    with pool.database.read() as session:
        current = migration.at_head(session)
    if current:
        console().print("The tables are those of this version.")
        return
    migration.upgrade(pool.settings.database_url)
    console().print("The tables were brought up to this version.")


def _password(given: str | None) -> str:
    if given is not None:
        return given
    if sys.stdin.isatty():
        prompted: str = click.prompt("Password for the operator", hide_input=True, confirmation_prompt=True)
        return prompted
    return secrets.token_urlsafe(18)


def _accept(pool: Pool, fingerprints: tuple[str, ...]) -> None:
    schema_id = load_schema().id
    with pool.database.write() as session:
        for fingerprint in fingerprints:
            accept_fingerprint(session, schema_id, fingerprint, now=now())
            console().print(f"  [green]accepts[/]  linkage key [bold]{fingerprint.lower()}[/] for {schema_id}")


COMMANDS = (init, migrate)
