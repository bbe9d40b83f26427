"""`frankpledge hits`: what the pool found for us, as far as our standing lets us see."""

from __future__ import annotations

from itertools import islice

import click

from frankpledge.cli.setup import open_pool, with_profile
from frankpledge.profile import Profile
from matching.vocabulary import LINES, RECORD_CLASSES


@click.command("hits")
@click.argument("hit_id", required=False)
@click.option("--band", type=click.Choice(["possible", "probable", "strong"]), help="Only hits of this band.")
@click.option("--line", type=click.Choice(LINES), help="Only hits in this line.")
@click.option("--class", "record_class", type=click.Choice(RECORD_CLASSES), help="Only hits on this class.")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="How many, latest first.")
@click.option("--json", "as_json", is_flag=True, help="Print hits as NDJSON.")
@with_profile
def command(
    *,
    profile: Profile,
    hit_id: str | None,
    band: str | None,
    line: str | None,
    record_class: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """List the latest hits, or show the one with HIT_ID and why it matched."""
    import orjson  # noqa: PLC0415 - keeps --help quick

    from frankpledge.cli import tables  # noqa: PLC0415 - keeps --help quick

    with open_pool(profile) as pool:
        listed = pool.hits(band=band, line=line, record_class=record_class)
        found = [pool.hit(hit_id)] if hit_id else list(islice(listed, limit))
    if as_json:
        for hit in found:
            click.echo(orjson.dumps(hit.document).decode())
        return
    if not found:
        click.echo("There are no hits.")
        return
    console = tables.console()
    console.print(tables.hits(found))
    if hit_id:
        for table in tables.explanations(found):
            console.print(table)
