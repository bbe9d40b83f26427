"""`frankpledge correction`: what became of records that you were shown, and who took in what became of yours."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import click

from frankpledge.cli.setup import open_pool, with_profile
from frankpledge.profile import Profile

if TYPE_CHECKING:
    from collections.abc import Iterable

    from frankpledge.corrections import Correction

_ID = click.argument("correction_id", metavar="CORRECTION")
_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON, one document a line.")
_LIMIT = click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="How many, latest first.")


@click.group("correction")
def command() -> None:
    """See what became of records that you were shown, acknowledge that, and prove that others did."""


@command.command("list")
@click.option("--outstanding", is_flag=True, help="Only those that you have not acknowledged.")
@click.option("--made", is_flag=True, help="Those of your own records instead.")
@click.option("--filing", metavar="FILING", help="With --made: of one filing, which may be gone.")
@_LIMIT
@_AS_JSON
@with_profile
def list_corrections(
    *, profile: Profile, outstanding: bool, made: bool, filing: str | None, limit: int, as_json: bool
) -> None:
    """List the corrections of records that you were shown."""
    with open_pool(profile) as pool:
        found = pool.corrections.listed(made=made, outstanding=outstanding, filing=filing)
        _show(islice(found, limit), as_json=as_json)


@command.command()
@click.argument("correction_ids", metavar="CORRECTION...", nargs=-1, required=True)
@_AS_JSON
@with_profile
def ack(*, profile: Profile, correction_ids: tuple[str, ...], as_json: bool) -> None:
    """Acknowledge that CORRECTION was taken in, wherever the record was used. Again changes nothing."""
    with open_pool(profile) as pool:
        _show([pool.corrections.acknowledge(each) for each in correction_ids], as_json=as_json)


@command.command()
@_ID
@_AS_JSON
@with_profile
def trail(*, profile: Profile, correction_id: str, as_json: bool) -> None:
    """Show when each member that was shown a record of yours was told of CORRECTION, and acknowledged it."""
    import orjson  # noqa: PLC0415 - keeps --help quick

    from frankpledge.cli import tables  # noqa: PLC0415 - the same

    with open_pool(profile) as pool:
        document = pool.corrections.trail(correction_id)
    if as_json:
        click.echo(orjson.dumps(dict(document)).decode())
        return
    tables.console().print(tables.receipts(document["receipts"]))


def _show(found: Iterable[Correction], *, as_json: bool) -> None:
    import orjson  # noqa: PLC0415 - keeps --help quick

    from frankpledge.cli import tables  # noqa: PLC0415 - the same

    if as_json:
        for each in found:
            click.echo(orjson.dumps(dict(each.document)).decode())
        return
    tables.console().print(tables.corrections(found))
