"""Persons' requests as the operator sees them: by members and days, never whose or what is in a record."""

from __future__ import annotations

from datetime import datetime

import click

from repository.cli.context import Pool, console, print_json, table
from repository.cli.options import DAY, as_json_option
from repository.domain.errors import FieldError
from repository.domain.subject_requests import DeferralReason, SubjectRequestError
from repository.services import subject_parts
from repository.services.clock import now
from repository.services.compose import compose
from repository.services.lifecycle import Act
from repository.storage import subject_requests

_MOST = 1000
_NAMES = (
    "id",
    "request_id",
    "kind",
    "member_id",
    "contributor_id",
    "ready_on",
    "decision",
    "deferred_until",
    "overdue",
)


@click.group("subject")
def command() -> None:
    """What persons ask about records on them, under way: list it, and defer telling of a record."""


@command.command("list")
@as_json_option
@click.pass_obj
def list_all(pool: Pool, *, as_json: bool) -> None:
    """List what is asked of which contributor, latest first (at most 1,000), and what is overdue."""
    with pool.database.reading() as connection:
        rows = subject_requests.all_of_pool(connection, now=now(), limit=_MOST)
    found = [{name: row[name] for name in (*_NAMES, "due_on", "deferral_reason")} for row in rows]
    if as_json:
        print_json(found)
        return
    shown = table(*(name.removesuffix("_id").replace("_", " ") for name in _NAMES))
    for each in found:
        shown.add_row(*("-" if each[name] is None else str(each[name]) for name in _NAMES))
    console().print(shown if found else "Nothing is under way.")


@command.command()
@click.argument("part")
@click.option("--reason", required=True, type=click.Choice([each.value for each in DeferralReason]), help="Why.")
@click.option("--until", required=True, type=DAY, help="The last day on which the person is not told of it.")
@click.pass_obj
def defer(pool: Pool, *, part: str, reason: str, until: datetime) -> None:
    """Have the person told of the record of a PART later, where the law lets it wait, for its contributor."""
    services = compose(pool.settings)
    body = {"reason": reason, "until": until.date().isoformat()}
    try:
        done = subject_parts.defer_for_pool(services, part, body, Act(services.clock()))
    except FieldError as error:
        raise click.ClickException(f"--{error.field} takes {error.expected}.") from None
    except SubjectRequestError as error:
        raise click.ClickException(f"It cannot be deferred: {error}.") from None
    finally:
        services.database.close()
    if not done:
        raise click.ClickException("There is no such part.")
    console().print(f"Deferred up to {body['until']}.")
