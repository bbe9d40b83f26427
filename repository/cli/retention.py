"""How long filings are kept: what expires when, removing it now, and legal holds."""

from __future__ import annotations

from datetime import datetime

import click

from repository.cli.context import Pool, console, print_json, table
from repository.cli.options import DAY, as_json_option
from repository.domain.errors import FieldError
from repository.domain.holds import HoldReason
from repository.services import holds, retention
from repository.services.clock import now
from repository.services.compose import compose
from repository.services.holds import Placing
from repository.services.lifecycle import Act

_MOST = 1000
_REASONS = [each.value for each in HoldReason]


@click.group("retention")
def command() -> None:
    """How long filings are kept, and legal holds on them."""


@command.command()
@as_json_option
@click.pass_obj
def report(pool: Pool, *, as_json: bool) -> None:
    """Count the filings of all members that expire within so many days, by kind; those held are among them."""
    services = compose(pool.settings)
    try:
        found = retention.report(services)
    finally:
        services.database.close()
    if as_json:
        print_json(found)
        return
    rows = table("within days", "by", "kind", "filings", "of these held")
    for each in found:
        rows.add_row(str(each["within_days"]), each["by"], each["kind"], f"{each['filings']:,}", f"{each['held']:,}")
    console().print(rows)


@command.command()
@as_json_option
@click.pass_obj
def run(pool: Pool, *, as_json: bool) -> None:
    """Queue the removal of what is over now, as is done each day; a worker does it."""
    services = compose(pool.settings)
    try:
        over = retention.queue(services)
    finally:
        services.database.close()
    if as_json:
        print_json({"over": over})
        return
    console().print(f"{over:,} filings are over: a worker removes them." if over else "No filing is over.")


@command.group("hold")
def hold() -> None:
    """Legal holds: a filing that is held is not removed."""


@hold.command("add")
@click.argument("filing")
@click.option("--reason", required=True, type=click.Choice(_REASONS), help="Why it is held.")
@click.option("--until", required=True, type=DAY, help="The day on which the hold ends by itself.")
@click.option("--note-reference", help="The operator's own reference to its file; no names.")
@as_json_option
@click.pass_obj
def add(pool: Pool, *, filing: str, reason: str, until: datetime, note_reference: str | None, as_json: bool) -> None:
    """Hold the FILING with this id, whosever it is."""
    placing = Placing(filing, HoldReason(reason), until.date(), note_reference)
    try:
        with pool.database.writing() as connection:
            placed = holds.place(connection, Act(now()), placing)
    except FieldError as error:
        raise click.ClickException(f"{error.field}: expected {error.expected}") from None
    if placed is None:
        raise click.ClickException("there is no such filing")
    if as_json:
        print_json(placed)
        return
    console().print(f"[bold]{placed['id']}[/] holds {filing} until {placed['ends_on']}.")


@hold.command("list")
@as_json_option
@click.pass_obj
def list_holds(pool: Pool, *, as_json: bool) -> None:
    """List the holds in force, latest first (at most 1,000)."""
    with pool.database.reading() as connection:
        found, _ = holds.listed(connection, now().date(), limit=_MOST)
    if as_json:
        print_json(found)
        return
    rows = table("hold", "filing", "by", "reason", "placed", "ends", "note")
    for each in found:
        names = ("id", "filing", "by", "reason", "placed_at", "ends_on", "note_reference")
        rows.add_row(*(each[name] or "-" for name in names))
    console().print(rows if found else "No holds.")


@hold.command("release")
@click.argument("hold_id")
@as_json_option
@click.pass_obj
def release(pool: Pool, *, hold_id: str, as_json: bool) -> None:
    """End a hold of the operator's before its day."""
    with pool.database.writing() as connection:
        released = holds.release(connection, Act(now()), hold_id)
    if released is None:
        raise click.ClickException("there is no such hold of the operator's: `retention hold list` shows them")
    if as_json:
        print_json(released)
        return
    console().print(f"[bold]{released['id']}[/] is released.")
