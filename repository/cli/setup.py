"""Setting a pool up, and bringing its tables up to date."""

from __future__ import annotations

import secrets
import sys
from typing import IO

import click

from repository.cli import passwords
from repository.cli.context import Pool, console
from repository.services import installation, migration
from repository.services.clock import now
from repository.services.operator import accept_fingerprint

PASSWORD_VARIABLE = "FRANKPLEDGE_OPERATOR_PASSWORD"  # noqa: S105 - the name of one


def _fingerprint(_context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    for value in values:
        if len(value) != 16 or not set(value.lower()) <= set("0123456789abcdef"):
            raise click.BadParameter("expected 16 hex digits, as `frankpledge keys show` prints them")
    return values


@click.command()
@click.option("--operator", "username", default="operator", show_default=True, help="Name of the first account.")
@passwords.password_file
@click.option(
    "--fingerprint", "fingerprints", multiple=True, callback=_fingerprint, help="A linkage key to accept; repeatable."
)
@click.pass_obj
def init(pool: Pool, username: str, password_file: IO[str] | None, fingerprints: tuple[str, ...]) -> None:
    """Set up a pool: secrets, tables, and the operator's account. What is there already is kept.

    The operator's password comes from --password-file or FRANKPLEDGE_OPERATOR_PASSWORD; without either you are asked
    for it, or where there is no terminal one is made and shown.
    """
    out = console()
    for step in installation.install(pool.settings):
        out.print(f"  [green]{'created' if step.done else 'kept   '}[/]  {step.what}")
    if installation.has_operator(pool.database):
        out.print("  [green]kept   [/]  operator account")
    else:
        given = passwords.given(PASSWORD_VARIABLE, password_file)
        if given is None and sys.stdin.isatty():
            given = passwords.ask("the operator")
        password = secrets.token_urlsafe(18) if given is None else given
        installation.create_operator(pool.database, username, password, now)
        out.print(f"  [green]created[/]  operator account [bold]{username}[/]")
        if given is None:
            out.print(f"           its password, shown only now: [bold]{password}[/]")
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
    migration.upgrade(pool.settings.database_url, pool.settings.limits)
    console().print("The tables were brought up to this version.")


def _accept(pool: Pool, fingerprints: tuple[str, ...]) -> None:
    schema_id = pool.settings.schema
    with pool.database.write() as session:
        for fingerprint in fingerprints:
            accept_fingerprint(session, schema_id, fingerprint, now=now())
            console().print(f"  [green]accepts[/]  linkage key [bold]{fingerprint.lower()}[/] for {schema_id}")
