"""`frankpledge filing`: own filings that are in the pool no longer, or not for long."""

from __future__ import annotations

import datetime as dt
from itertools import islice
from typing import TYPE_CHECKING

import click

from frankpledge.cli.setup import open_pool, with_profile
from frankpledge.profile import Profile

if TYPE_CHECKING:
    from collections.abc import Iterable

    from frankpledge.results import Deletion

REASONS = ("not_the_person", "wrong_facts", "duplicate", "cleared", "subject_asked", "unlawful")
RENEWALS = ("investigation_open", "proceedings_pending", "new_evidence")
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print deletion proofs as NDJSON.")


@click.group("filing")
def command() -> None:
    """Withdraw own filings, see which expire, and show the proof that they are gone.

    A filing that is wrong in part is better filed again with the same reference: a new version takes its place.
    """


@command.command()
@click.argument("filing_id")
@click.option("--reason", required=True, type=click.Choice(REASONS), help="Why it is not to be in the pool.")
@AS_JSON
@with_profile
def withdraw(*, profile: Profile, filing_id: str, reason: str, as_json: bool) -> None:
    """Take the filing with FILING_ID out of the pool, for good."""
    with open_pool(profile) as pool:
        _show([pool.withdraw_filing(filing_id, reason)], as_json=as_json)


@command.command()
@click.argument("filing_id")
@AS_JSON
@with_profile
def deletion(*, profile: Profile, filing_id: str, as_json: bool) -> None:
    """Show the proof that the filing with FILING_ID is gone."""
    with open_pool(profile) as pool:
        _show([pool.deletion(filing_id)], as_json=as_json)


@command.command()
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="By this day.  [default: within a year]")
@click.option("--json", "as_json", is_flag=True, help="Print filings as NDJSON.")
@with_profile
def expiring(*, profile: Profile, until: dt.datetime | None, as_json: bool) -> None:
    """List own filings whose time is over by a day."""
    import orjson  # noqa: PLC0415 - keeps --help quick

    from frankpledge.cli import tables  # noqa: PLC0415 - keeps --help quick

    with open_pool(profile) as pool:
        found = pool.expiring_filings(until.date().isoformat() if until else None)
        if as_json:
            for each in found:
                click.echo(orjson.dumps(each.document).decode())
            return
        tables.console().print(tables.expiring(found))


@command.command()
@click.argument("filing_id")
@click.option("--reason", required=True, type=click.Choice(RENEWALS), help="Why the suspicion is kept for longer.")
@click.option("--note-reference", metavar="TEXT", help="Your own reference to the case file; no names.")
@with_profile
def renew(*, profile: Profile, filing_id: str, reason: str, note_reference: str | None) -> None:
    """Keep the suspicion with FILING_ID for as long again, up to the cap of its class."""
    with open_pool(profile) as pool:
        click.echo(f"{filing_id} is kept until {pool.renew_filing(filing_id, reason, note_reference)}.")


@command.command()
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="How many, latest first.")
@AS_JSON
@with_profile
def deletions(*, profile: Profile, limit: int, as_json: bool) -> None:
    """List the proofs of filings that are gone, withdrawn or past their time."""
    with open_pool(profile) as pool:
        _show(list(islice(pool.deletions(), limit)), as_json=as_json)


def _show(found: Iterable[Deletion], *, as_json: bool) -> None:
    import orjson  # noqa: PLC0415 - keeps --help quick

    from frankpledge.cli import tables  # noqa: PLC0415 - keeps --help quick

    if as_json:
        for each in found:
            click.echo(orjson.dumps(each.document).decode())
        return
    tables.console().print(tables.deletions(found))
