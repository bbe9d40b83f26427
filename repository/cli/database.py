"""Rights in the database itself: PostgreSQL's roles."""

from __future__ import annotations

from collections.abc import Callable

import click
from sqlalchemy import Connection

from repository.cli.context import Pool, console
from repository.storage import roles

_dry_run = click.option("--dry-run", is_flag=True, help="Print the SQL and change nothing.")


@click.group()
def database() -> None:
    """Roles of PostgreSQL with no more rights than they need. Run as the owner of the tables."""


@database.command("grant-auditor")
@click.argument("role")
@_dry_run
@click.pass_obj
def grant_auditor(pool: Pool, role: str, dry_run: bool) -> None:
    """Let ROLE read what an auditor may: no keys, envelopes, digests or secrets, and no writing. May be repeated."""
    _grant(pool, roles.auditor, role, dry_run=dry_run)


@database.command("grant-service")
@click.argument("role")
@_dry_run
@click.pass_obj
def grant_service(pool: Pool, role: str, dry_run: bool) -> None:
    """Let ROLE run the service, but neither change tables nor rewrite events and decisions. Repeat after `migrate`."""
    _grant(pool, roles.service, role, dry_run=dry_run)


def _grant(pool: Pool, rights: Callable[[Connection, str], roles.Plan], role: str, *, dry_run: bool) -> None:
    try:
        with pool.database.writing() as connection:
            plan = rights(connection, role)
            if not dry_run:
                roles.run(connection, plan)
    except roles.RoleError as error:
        raise click.ClickException(str(error)) from None
    if dry_run:
        for each in plan.statements:
            click.echo(f"{each};")
    else:
        console().print(f"[bold]{role}[/] has these rights now, and no others. --dry-run shows them.")
