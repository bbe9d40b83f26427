"""`frankpledge dispute`: say that a record is wrong, and answer who says so of yours."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import click

from frankpledge.cli.setup import open_pool, with_profile
from frankpledge.profile import Profile

if TYPE_CHECKING:
    from collections.abc import Iterable

    from frankpledge.corrections import Dispute

GROUNDS = ("not_the_person", "wrong_facts", "out_of_date", "unlawful")
_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print disputes as NDJSON.")
_LIMIT = click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="How many, latest first.")


@click.group("dispute")
def command() -> None:
    """Dispute the other side of a hit, and answer disputes about own filings.

    A disputed record is restricted at once. One that nobody answers within 28 days is not shown any more.
    """


@command.command("raise")
@click.argument("hit", metavar="HIT")
@click.option("--ground", required=True, type=click.Choice(GROUNDS), help="What is wrong with the record.")
@click.option("--statement-reference", required=True, metavar="TEXT", help="Your own; the other side does not see it.")
@click.option("--notice", metavar="TEXT", help="Words of the person in the record, 200 at most; they travel with it.")
@_AS_JSON
@with_profile
def raise_one(*, profile: Profile, as_json: bool, notice: str | None, **said: str) -> None:
    """Dispute the other side of HIT, a hit that you were shown in full."""
    with open_pool(profile) as pool:
        _show([pool.disputes.raise_one({**said} | ({"notice": notice} if notice else {}))], as_json=as_json)


@command.command()
@click.argument("dispute_id", metavar="DISPUTE")
@click.option("--accept/--reject", "accepts", required=True, help="Whether the record is wrong, as was said.")
@click.option("--note-reference", metavar="TEXT", help="Your own reference; only you see it.")
@_AS_JSON
@with_profile
def answer(*, profile: Profile, dispute_id: str, accepts: bool, note_reference: str | None, as_json: bool) -> None:
    """Answer DISPUTE, about a filing of yours. Accepting upholds it at once; else the operator decides."""
    with open_pool(profile) as pool:
        _show([pool.disputes.answer(dispute_id, accepts=accepts, note_reference=note_reference)], as_json=as_json)


@command.command("list")
@click.option("--raised", is_flag=True, help="Those that you raised instead.")
@_LIMIT
@_AS_JSON
@with_profile
def list_disputes(*, profile: Profile, raised: bool, limit: int, as_json: bool) -> None:
    """List the disputes about your filings, with the day by which each is to be answered."""
    with open_pool(profile) as pool:
        _show(islice(pool.disputes.listed(raised=raised), limit), as_json=as_json)


def _show(found: Iterable[Dispute], *, as_json: bool) -> None:
    import orjson  # noqa: PLC0415 - keeps --help quick

    from frankpledge.cli import tables  # noqa: PLC0415 - the same

    if as_json:
        for each in found:
            click.echo(orjson.dumps(dict(each.document)).decode())
        return
    tables.console().print(tables.disputes(found))
