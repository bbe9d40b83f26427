"""`frankpledge networks`: claims that the same people link, across members, as far as our standing lets us see."""

from __future__ import annotations

from itertools import islice

import click

from frankpledge.cli.setup import open_pool, with_profile
from frankpledge.profile import Profile


@click.command("networks")
@click.argument("network_id", required=False)
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="How many, latest first.")
@click.option("--json", "as_json", is_flag=True, help="Print networks as NDJSON.")
@with_profile
def command(*, profile: Profile, network_id: str | None, limit: int, as_json: bool) -> None:
    """List the networks that were reported to us, or show the one with NETWORK_ID: its claims, links and patterns."""
    import orjson  # noqa: PLC0415 - keeps --help quick

    with open_pool(profile) as pool:
        found = [pool.network(network_id)] if network_id else list(islice(pool.networks(), limit))
    if as_json:
        for each in found:
            click.echo(orjson.dumps(each).decode())
        return
    if not found:
        click.echo("There are no networks.")
    for each in found:
        head = f"{each['id']}: {each['claims']} claims of {each['members']} members, {each['score']:g} bits"
        click.echo(f"{head}: {', '.join(each['patterns'])}")
        for rule in each.get("rules", ()):
            click.echo(f"  {rule['pattern']} ({rule['bits']:g} bits): {rule['says']} {rule['would_change_it']}")
        for node in each.get("nodes", ()):
            told = (node.get(name) for name in ("reference", "contributor", "date", "age_band"))
            click.echo(f"  [{node['node']}] {node['class']}: {', '.join(str(one) for one in told if one)}")
        for edge in each.get("edges", ()):
            click.echo(f"  {edge['from']} - {edge['to']}: {', '.join(edge['shared'])}")
