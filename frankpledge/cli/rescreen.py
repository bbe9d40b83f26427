"""`frankpledge rescreen`: have the own filings looked for in the pool again, and watch that."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from frankpledge.cli.setup import open_pool, with_profile
from frankpledge.profile import Profile

if TYPE_CHECKING:
    from frankpledge.results import Rescreen


@click.command(
    "rescreen",
    epilog="Exit code: 0 asked for (with --follow: done); 2 not done. Interrupted, it goes on: follow it by its id.",
)
@click.argument("rescreen_id", required=False)
@click.option("--purpose", metavar="WORD", help="What for [the pool takes investigation].")
@click.option("--follow", is_flag=True, help="Wait until it is done, and show how far it is.")
@click.option("--cancel", is_flag=True, help="Cancel the one with RESCREEN_ID.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@with_profile
def command(
    *, profile: Profile, rescreen_id: str | None, purpose: str | None, follow: bool, cancel: bool, as_json: bool
) -> None:
    """Look for all own filings in the pool again, or look at the rescreen with RESCREEN_ID.

    Filings are matched when they come in. This is for when the pool's model or rulebook is another one since.
    """
    if cancel and not rescreen_id:
        raise click.UsageError("--cancel needs a RESCREEN_ID.")
    with open_pool(profile) as pool:
        if cancel:
            found = pool.cancel_rescreen(str(rescreen_id))
        else:
            found = pool.rescreen(rescreen_id) if rescreen_id else pool.begin_rescreen(purpose)
        if follow:
            from frankpledge.following import until_over  # noqa: PLC0415 - keeps --help quick
            from frankpledge.progress import Meter  # noqa: PLC0415 - keeps --help quick

            with Meter("rescreening", found.filings_total) as meter:
                identifier = found.id
                found = until_over(
                    found,
                    lambda: pool.rescreen(identifier),
                    lambda seen: meter.advance_to(seen.filings_done, seen.filings_done),
                )
    _tell(found, as_json=as_json)
    over_without = found.finished and found.status != "done"
    sys.exit(2 if over_without and not cancel else 0)


def _tell(found: Rescreen, *, as_json: bool) -> None:
    if as_json:
        import orjson  # noqa: PLC0415 - keeps --help quick

        click.echo(orjson.dumps(found.document).decode())
        return
    done = f"{found.filings_done:,} of {found.filings_total:,} filings"
    click.echo(f"{found.id}  {found.status}, {done}, {found.hits:,} hits.")
    if found.error:
        click.echo(f"What stands against it: {found.error}.", err=True)
    if not found.finished:
        click.echo(f"See `frankpledge rescreen {found.id} --follow` for how far it is.")
