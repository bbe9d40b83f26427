"""Disputes about filings: seeing them, and deciding those that the contributor does not accept."""

from __future__ import annotations

import click

from repository.cli.context import Pool, console, print_json, table
from repository.domain.disputes import CLOSED, DisputeError, DisputeStatus
from repository.services import disputes
from repository.services.clock import now
from repository.services.compose import compose
from repository.services.disputes import Decision
from repository.services.lifecycle import Act

_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
_reason = click.option(
    "--reason", required=True, help="Why; both sides read it: name neither members nor anything of the record."
)
_unheard = click.option("--unheard", is_flag=True, help="Decide though the contributor has not answered.")
_MOST = 1000


@click.group()
def dispute() -> None:
    """Disputes about filings."""


@dispute.command("list")
@click.option("--all", "everything", is_flag=True, help="Those that are closed, too.")
@_as_json
@click.pass_obj
def list_disputes(pool: Pool, *, everything: bool, as_json: bool) -> None:
    """List the disputes that are not closed, latest first (at most 1,000)."""
    statuses = [status for status in DisputeStatus if everything or status not in CLOSED]
    with pool.database.reading() as connection:
        found = [disputes.to_operator(each) for each in disputes.of_pool(connection, statuses, limit=_MOST)]
    if as_json:
        print_json(found)
        return
    rows = table("dispute", "status", "raised", "answered", "ground", "line", "class", "contributor", "raiser")
    for each in found:
        names = ("id", "status", "raised_on", "answered_on", "ground", "line", "class", "contributor", "raiser")
        rows.add_row(*(each[name] or "-" for name in names))
    console().print(rows if found else "No disputes.")


@dispute.command("uphold")
@click.argument("dispute")
@_reason
@_unheard
@_as_json
@click.pass_obj
def uphold(pool: Pool, *, dispute: str, reason: str, unheard: bool, as_json: bool) -> None:
    """Uphold a dispute: it counts against the accuracy of the contributor (R8)."""
    _decide(pool, dispute, reason, Decision(upheld=True, unheard=unheard), as_json=as_json)


@dispute.command("dismiss")
@click.argument("dispute")
@_reason
@_unheard
@_as_json
@click.pass_obj
def dismiss(pool: Pool, *, dispute: str, reason: str, unheard: bool, as_json: bool) -> None:
    """Dismiss a dispute."""
    _decide(pool, dispute, reason, Decision(upheld=False, unheard=unheard), as_json=as_json)


def _decide(pool: Pool, dispute_id: str, reason: str, decision: Decision, *, as_json: bool) -> None:
    services = compose(pool.settings)
    try:
        with services.database.writing() as connection:
            decided = disputes.decide(services, connection, dispute_id, Act(now(), reason=reason), decision)
    except DisputeError as error:
        raise click.ClickException(str(error)) from None
    finally:
        services.database.close()
    if decided is None:
        raise click.ClickException("there is no such dispute: `frankpledge-admin dispute list` shows them")
    if as_json:
        print_json(disputes.to_operator(decided))
        return
    console().print(f"[bold]{decided.id}[/] is {decided.status}.")
