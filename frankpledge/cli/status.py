"""`frankpledge status`: is the pool there, does the key fit, how do we stand, what became of the last batches."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

from frankpledge.cli.setup import fingerprint as known_by
from frankpledge.cli.setup import key_options, open_key, open_pool, with_profile
from frankpledge.errors import KitError
from frankpledge.profile import Profile

if TYPE_CHECKING:
    from frankpledge.client import Pool
    from frankpledge.results import Batch, Scheme


@click.command("status")
@click.option("--batches", "count", type=click.IntRange(0, 1000), default=5, show_default=True, help="How many.")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
@with_profile
@key_options
def command(
    *, profile: Profile, key_file: Path | None, passphrase_file: Path | None, count: int, as_json: bool
) -> None:
    """Show the scheme, the own standing and the last batches."""
    import orjson  # noqa: PLC0415 - keeps --help quick

    from frankpledge.cli import tables  # noqa: PLC0415 - keeps --help quick
    from frankpledge.submission import clock_warning  # noqa: PLC0415 - keeps --help quick

    with open_pool(profile) as pool:
        scheme = pool.scheme()
        standing = pool.standing()
        batches = _batches(pool, count) if count else []
    if as_json:
        document = {"scheme": scheme.name, "standing": standing, "batches": [batch.document for batch in batches]}
        click.echo(orjson.dumps(document).decode())
        return
    click.echo(f"scheme   {scheme.name} at {profile.address()}\nlines    {', '.join(scheme.lines)}")
    if scheme.schema != profile.schema:
        remedy = f'set schema = "{scheme.schema}" in the profile'
        click.echo(f"schema   {scheme.schema}; the profile's is {profile.schema}: {remedy}")
    click.echo(f"key      {_key(profile, scheme, key_file, passphrase_file)}")
    if warning := clock_warning(scheme):
        click.echo(f"clock    {warning}")
    console = tables.console()
    for part in tables.standing(standing):
        console.print(part)
    if batches:
        console.print(tables.batches(batches))


def _key(profile: Profile, scheme: Scheme, key_file: Path | None, passphrase_file: Path | None) -> str:
    taken = scheme.keys
    try:
        fingerprint = known_by(profile, open_key(key_file or profile.key_file, passphrase_file))
    except KitError as error:
        return error.what
    fits = "is the pool's" if fingerprint in taken else f"is NOT the pool's ({', '.join(taken) or 'it has none yet'})"
    return f"{fingerprint} {fits}"


def _batches(pool: Pool, count: int) -> list[Batch]:
    """Give the last batches; none for credentials that only screen, which the pool does not show them."""
    from frankpledge.problems import RefusedError  # noqa: PLC0415 - keeps --help quick

    try:
        return list(islice(pool.batches(), count))
    except RefusedError:
        return []
