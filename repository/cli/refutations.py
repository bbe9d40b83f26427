"""Refuted filings: seeing them, and deciding those that the contributor contests."""

from __future__ import annotations

import click

from repository.cli.context import Pool, console, print_json, table
from repository.cli.options import as_json_option, reason_option
from repository.domain.errors import FieldError
from repository.domain.refutations import RefutationError
from repository.services import refuting
from repository.services.clock import now
from repository.services.lifecycle import Act

_reason = reason_option(
    "Why; the contributor reads it: name neither members nor anything of the record.", required=True
)
_MOST = 1000


@click.group()
def refutation() -> None:
    """Filings that several members refuted."""


@refutation.command("list")
@click.option("--all", "everything", is_flag=True, help="Those that are closed, too.")
@as_json_option
@click.pass_obj
def list_refutations(pool: Pool, *, everything: bool, as_json: bool) -> None:
    """List the refutations that are not closed, latest first (at most 1,000)."""
    with pool.database.reading() as connection:
        found = [
            refuting.to_operator(each) for each in refuting.of_pool(connection, everything=everything, limit=_MOST)
        ]
    if as_json:
        print_json(found)
        return
    names = ("id", "status", "noticed_on", "contest_until", "line", "class", "contributor")
    rows = table(*names)
    for each in found:
        rows.add_row(*(str(each[name]) for name in names))
    console().print(rows if found else "No refutations.")


@refutation.command("uphold")
@click.argument("refutation_id", metavar="REFUTATION")
@_reason
@click.pass_obj
def uphold(pool: Pool, *, refutation_id: str, reason: str) -> None:
    """Uphold a refutation that is contested: it counts against the accuracy of the contributor (R8)."""
    _decide(pool, refutation_id, reason, upheld=True)


@refutation.command("dismiss")
@click.argument("refutation_id", metavar="REFUTATION")
@_reason
@click.pass_obj
def dismiss(pool: Pool, *, refutation_id: str, reason: str) -> None:
    """Dismiss a refutation that is contested."""
    _decide(pool, refutation_id, reason, upheld=False)


def _decide(pool: Pool, refutation_id: str, reason: str, *, upheld: bool) -> None:
    try:
        with pool.database.writing() as connection:
            decided = refuting.decide(connection, refutation_id, Act(now(), reason=reason), upheld=upheld)
    except (RefutationError, FieldError) as error:
        raise click.ClickException(str(error)) from None
    if decided is None:
        raise click.ClickException("there is no such refutation: `frankpledge-admin refutation list` shows them")
    console().print(f"[bold]{decided.id}[/] is {decided.status}.")
