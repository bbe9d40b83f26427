"""`frankpledge alerts`: what the pool tells us of by itself."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from frankpledge.cli.recurring import OPTIONS, given, told
from frankpledge.cli.setup import open_pool, with_profile
from frankpledge.profile import Profile

if TYPE_CHECKING:
    from collections.abc import Iterable

    from frankpledge.monitoring import Alert

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print alerts as NDJSON.")


@click.group("alerts")
def command() -> None:
    """Read the inbox: what the pool tells us of by itself, as far as we may see it now."""


@command.command("list")
@click.option("--kind", metavar="WORD", help="Only of this kind, such as watch.hit.")
@click.option("--unread", is_flag=True, help="Only those that nobody has read.")
@click.option("--read", "mark", is_flag=True, help="Note those that are listed as read.")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="How many, latest first.")
@_AS_JSON
@with_profile
def list_alerts(*, profile: Profile, kind: str | None, unread: bool, mark: bool, limit: int, as_json: bool) -> None:
    """List alerts, latest first; those put away until later are not there."""
    with open_pool(profile) as pool:
        found = list(islice(pool.monitoring.alerts(kind=kind, unread=unread), limit))
        if mark and found:
            pool.monitoring.read([each.id for each in found])
    _show(found, as_json=as_json)


@command.command()
@click.argument("alert_id")
@_AS_JSON
@with_profile
def acknowledge(*, profile: Profile, alert_id: str, as_json: bool) -> None:
    """Say that an alert was dealt with."""
    with open_pool(profile) as pool:
        _show([pool.monitoring.acknowledge(alert_id)], as_json=as_json)


@command.command()
@click.argument("alert_id")
@click.option("--until", required=True, metavar="TIME", help="Such as 2027-01-31T08:00:00+00:00, within 90 days.")
@_AS_JSON
@with_profile
def snooze(*, profile: Profile, alert_id: str, until: str, as_json: bool) -> None:
    """Put an alert away until a time."""
    with open_pool(profile) as pool:
        _show([pool.monitoring.snooze(alert_id, until)], as_json=as_json)


@command.command()
@OPTIONS
@click.option("--end", is_flag=True, help="Have it recur no more.")
@with_profile
def digest(*, profile: Profile, end: bool, **options: Any) -> None:
    """Count the alerts since the last digest; with --every and --at, have a digest recur."""
    import orjson  # noqa: PLC0415 - keeps --help quick

    with open_pool(profile) as pool:
        if end:
            pool.monitoring.end_digest()
            click.echo("No digest recurs any more.")
            return
        if schedule := given(options):
            click.echo(told(pool.monitoring.set_digest(schedule)))
            return
        click.echo(orjson.dumps(dict(pool.monitoring.digest()), option=orjson.OPT_INDENT_2).decode())


def _show(found: Iterable[Alert], *, as_json: bool) -> None:
    import orjson  # noqa: PLC0415 - keeps --help quick

    empty = True
    for each in found:
        empty = False
        about = " ".join(f"{name} {identifier}" for name, identifier in sorted(each.about.items()))
        line = f"{each.id}  {each.at[:16]}  {'read  ' if each.read else 'unread'}  {each.kind:22} {about}"
        click.echo(orjson.dumps(each.document).decode() if as_json else line)
        for asked in () if as_json else (each.document.get("told") or {}).get("asked", ()):
            click.echo(f"{'':6}asked for {asked['purpose']} in {asked['line']} by {asked.get('member', 'a member')}")
    if empty and not as_json:
        click.echo("There are no alerts.")
