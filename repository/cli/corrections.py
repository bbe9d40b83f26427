"""Corrections as the operator sees them: what is outstanding, and who was told of one when."""

from __future__ import annotations

import click

from repository.cli.context import Pool, console, print_json, table
from repository.cli.options import as_json_option
from repository.services import corrections
from repository.services.clock import now
from repository.storage import corrections as stored

_TIMES = ("told_at", "delivered_at", "acknowledge_by", "acknowledged_at")


@click.group()
def correction() -> None:
    """Corrections of records that others were shown: what is outstanding, and the trail of one."""


@correction.command("show")
@as_json_option
@click.pass_obj
def show(pool: Pool, *, as_json: bool) -> None:
    """Count what members have not acknowledged yet, and what of that is overdue."""
    with pool.database.reading() as connection:
        found = stored.standing(connection, now=now())
    if as_json:
        print_json(found)
        return
    console().print(", ".join(f"{name}: {number:,}" for name, number in found.items()))


@correction.command("trail")
@click.argument("correction")
@as_json_option
@click.pass_obj
def trail(pool: Pool, *, correction: str, as_json: bool) -> None:
    """Show who was told of CORRECTION, when, and when each member acknowledged it, and by which role."""
    with pool.database.reading() as connection:
        found = corrections.trail_for_operator(connection, correction)
    if found is None:
        raise click.ClickException("there is no such correction: the event correction.made names each")
    if as_json:
        print_json(found)
        return
    console().print(f"[bold]{found['kind']}[/] {found['filing']} of {found['contributor']}, {found['at'][:16]}")
    rows = table("member", "role", "reminders", *(name.removesuffix("_at").replace("_", " ") for name in _TIMES))
    for each in found["receipts"]:
        times = ((each[name] or "-")[:16] for name in _TIMES)
        rows.add_row(each["member"] or "-", each["role"] or "-", str(each["reminders"]), *times)
    console().print(rows)
