"""Networks of claims: how many there are, and linking them anew."""

from __future__ import annotations

import click

from repository.cli.context import Pool, console, print_json, table
from repository.cli.options import as_json_option
from repository.services import unlinking
from repository.services.compose import compose
from repository.storage import networks


@click.group("network")
def command() -> None:
    """Networks of claims that people link."""


@command.command()
@as_json_option
@click.pass_obj
def show(pool: Pool, *, as_json: bool) -> None:
    """Count claims that are linked, their networks and links, and what members were told of."""
    with pool.database.reading() as connection:
        found = dict(networks.counts(connection))
    if as_json:
        print_json(found)
        return
    rows = table("", "")
    for name, number in found.items():
        rows.add_row(name, f"{number:,}")
    console().print(rows)


@command.command()
@as_json_option
@click.pass_obj
def rebuild(pool: Pool, *, as_json: bool) -> None:
    """Have every claim linked anew by a worker, by the rulebook in force; what there is stays meanwhile.

    After another rulebook or model, after the operator's secret was replaced, and for members that may see more than
    they did.
    """
    services = compose(pool.settings)
    try:
        queued = unlinking.queue_all(services)
    finally:
        services.database.close()
    if as_json:
        print_json({"claims": queued})
        return
    console().print(f"{queued:,} claims are linked anew by a worker.")
