"""The keys that look-ups skip."""

from __future__ import annotations

import click

from repository.cli.context import Pool, console, print_json, table
from repository.cli.options import as_json_option, rulebook
from repository.services import hot_keys
from repository.settings import read_operator_secret
from repository.storage.sealing import Sealer


@click.command("hot-keys")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1), help="The most crowded so many.")
@as_json_option
@click.pass_obj
def list_hot_keys(pool: Pool, limit: int, as_json: bool) -> None:
    """List the keys that too many records share, the most crowded first: nothing is found by them."""
    sealer = Sealer(read_operator_secret(pool.settings.operator_secret_file))
    rules = rulebook(pool)
    with pool.database.reading() as connection:
        shown = hot_keys.listed(connection, sealer, rules, limit=limit)
    if as_json:
        print_json(shown)
        return
    rows = table("key", "rows", "found", "looked at again", "screenings since")
    for each in shown:
        moments = (each[name][:16] for name in ("found_at", "look_again_at"))
        rows.add_row(each["id"], f"{each['rows']:,}", *moments, f"{each['screenings']:,}")
    console().print(rows if shown else "No hot keys.")
    if shown:
        console().print(
            f"Look-ups skip what more than {rules.matching.hot_key_rows} records share (matching.hot_key_rows of the"
            " rulebook). Screenings that met one say so to who may see classes everywhere."
        )
