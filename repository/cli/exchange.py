"""The disclosure exchange as the operator sees it: how much, how late, and whose; never what is asked or answered."""

from __future__ import annotations

import click

from repository.cli.context import Pool, console, print_json, table
from repository.cli.options import as_json_option, rulebook
from repository.services import response_times
from repository.services.clock import now
from repository.storage import exchange as stored


@click.group()
def exchange() -> None:
    """The disclosure exchange: counts and what is overdue. What members ask and answer is not the operator's."""


@exchange.command("show")
@as_json_option
@click.pass_obj
def show(pool: Pool, *, as_json: bool) -> None:
    """Count the requests by where they stand, and how quickly each member answers."""
    rules, at = rulebook(pool), now()
    with pool.database.reading() as connection:
        counts, league = stored.counts(connection, now=at), response_times.league(connection, rules, at, None)
    if as_json:
        print_json({"requests": counts, "response_times": league})
        return
    console().print(", ".join(f"{name.replace('_', ' ')}: {number}" for name, number in counts.items()))
    rows = table("member", "requests", "in time", "working days", "overdue")
    names = ("name", "requests", "share_in_time", "median_working_days", "overdue")
    for each in league["items"]:
        rows.add_row(*("-" if each[name] is None else str(each[name]) for name in names))
    console().print(rows if league["items"] else f"Nobody was asked in {league['days']} days.")


@exchange.command("overdue")
@as_json_option
@click.pass_obj
def overdue(pool: Pool, *, as_json: bool) -> None:
    """List the requests that are overdue, latest first (at most 1,000): whose, since when, and whether escalated."""
    rules = rulebook(pool)
    with pool.database.reading() as connection:
        found = response_times.overdue(connection, rules, now())
    if as_json:
        print_json(found)
        return
    names = ("id", "contributor", "requester", "asked_on", "due_on", "working_days_over", "escalated_on")
    rows = table(*(name.replace("_", " ") for name in names))
    for each in found:
        rows.add_row(*("-" if each[name] is None else str(each[name]) for name in names))
    console().print(rows if found else "Nothing is overdue.")
