"""`frankpledge watch`: screenings that stand, and the own book looked for again by itself."""

from __future__ import annotations

import datetime as dt
from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from frankpledge.cli.recurring import OPTIONS, given, told
from frankpledge.cli.setup import open_pool, with_profile
from frankpledge.profile import Profile
from matching.vocabulary import PURPOSES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from frankpledge.monitoring import Watch

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print watches as NDJSON.")


@click.group("watch")
def command() -> None:
    """See and end screenings that stand (`frankpledge screen --stands`), and have the own book looked for again."""


@command.command("list")
@click.option("--standing/--ended", default=None, help="Only those that stand, or that ended.")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="How many, latest first.")
@_AS_JSON
@with_profile
def list_watches(*, profile: Profile, standing: bool | None, limit: int, as_json: bool) -> None:
    """List screenings that stand, or stood, latest first."""
    with open_pool(profile) as pool:
        _show(list(islice(pool.monitoring.watches(standing=standing), limit)), as_json=as_json)


@command.command()
@click.argument("watch_id")
@_AS_JSON
@with_profile
def end(*, profile: Profile, watch_id: str, as_json: bool) -> None:
    """Have a screening stand no more."""
    with open_pool(profile) as pool:
        _show([pool.monitoring.end(watch_id)], as_json=as_json)


@command.command()
@click.argument("watch_id")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="The last day; else as the rulebook says.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
@with_profile
def renew(*, profile: Profile, watch_id: str, until: dt.datetime | None, as_json: bool) -> None:
    """Ask again what stands as a policy: it counts as an enquiry, and is answered as of now."""
    import orjson  # noqa: PLC0415 - keeps --help quick

    from frankpledge.cli import tables  # noqa: PLC0415 - keeps --help quick

    with open_pool(profile) as pool:
        answer = pool.monitoring.renew(watch_id, until.date().isoformat() if until else None)
    if as_json:
        click.echo(orjson.dumps(answer.document).decode())
        return
    console = tables.console()
    for part in tables.screening(answer, f"renewal of {watch_id}"):
        console.print(part)


@command.command()
@OPTIONS
@click.option("--purpose", type=click.Choice(PURPOSES), help="What for; else investigation.")
@click.option("--end", "over", is_flag=True, help="Have it looked for by itself no more.")
@with_profile
def book(*, profile: Profile, over: bool, **options: Any) -> None:
    """Show when the own book is looked for again by itself; with --every and --at, set it."""
    with open_pool(profile) as pool:
        if over:
            pool.monitoring.end_schedule()
            click.echo("The book is not looked for by itself any more.")
            return
        schedule = given(options)
        found = pool.monitoring.set_schedule(schedule) if schedule else pool.monitoring.schedule()
        click.echo(told(found) if found else "The book is not looked for by itself.")


def _show(found: Iterable[Watch], *, as_json: bool) -> None:
    import orjson  # noqa: PLC0415 - keeps --help quick

    empty = True
    for each in found:
        empty = False
        state = f"until {each.until}" if each.reason is None else f"ended: {each.reason}"
        line = f"{each.id}  {each.stands_as:6}  {state:18}  {each.reference}"
        click.echo(orjson.dumps(each.document).decode() if as_json else line)
    if empty and not as_json:
        click.echo("There are no watches.")
