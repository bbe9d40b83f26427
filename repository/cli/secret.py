"""The operator's secret: another one in its place, and whether all that is under it opens."""

from __future__ import annotations

import secrets as randomness
import time
from collections.abc import Iterator
from pathlib import Path

import click

from repository.cli.context import Pool, console, print_json
from repository.services import rotation
from repository.services.clock import now
from repository.services.rotation import Progress, Secrets
from repository.settings import SECRET_BYTES, read_operator_secret, write_private_file


@click.group()
def secret() -> None:
    """The operator's secret, under which everything is re-keyed and sealed."""


@secret.command("rotate")
@click.option(
    "--new",
    "given",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file of the new secret; one is made without.",
)
@click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON.")
@click.pass_obj
def rotate(pool: Pool, given: Path | None, as_json: bool) -> None:
    """Put the pool under another secret. Stop the service and its workers first; members need not do anything.

    Cut off, it is run again and goes on; until it is done no service starts. A secret that is made, or was given by
    --new, lies beside the old one until the end, and then takes its place; the old one is kept, as backups from before
    are under it.
    """
    current = pool.settings.operator_secret_file
    following = given or current.with_name(f"{current.name}.next")
    old = read_operator_secret(current)
    if given is None and not following.exists():
        with pool.database.read() as session:
            if rotation.is_rotating(session):
                raise click.ClickException(f"the new secret of the rotation that was cut off is not in {following}")
        write_private_file(following, f"{randomness.token_hex(SECRET_BYTES)}\n".encode())
    new = read_operator_secret(following)
    if new == old:
        raise click.BadParameter("is the secret that the pool is under", param_hint="--new")
    report = _followed(rotation.rotate(pool.settings, pool.database, Secrets(old, new), now), quiet=as_json)
    try:
        kept = rotation.install(current, following, old)
    except OSError:
        raise click.ClickException(
            f"The pool is under the secret in {following} now, and {current} cannot be replaced:"
            " put the one in the place of the other before you start the service"
        ) from None
    if as_json:
        print_json({"rows": report, "old": str(kept)})
        return
    console().print(f"The pool is under the new secret, in [bold]{current}[/]. Keep a copy of it in another place.")
    console().print(f"The old one is in [bold]{kept}[/], for backups from before; once there are none, destroy it.")


@secret.command("verify")
@click.option("--json", "as_json", is_flag=True, help="Print what was checked as JSON.")
@click.pass_obj
def verify(pool: Pool, as_json: bool) -> None:
    """Open everything that is under the secret: envelopes, evidence, webhooks, every row of the index, what waits."""
    current = read_operator_secret(pool.settings.operator_secret_file)
    report = _followed(rotation.verify(pool.settings, pool.database, current), quiet=as_json)
    if as_json:
        print_json({"rows": report})
        return
    console().print("Everything opens.")


def _followed(steps: Iterator[Progress], *, quiet: bool) -> dict[str, dict[str, float]]:
    """Go through the steps, telling of each now and then; rows and seconds by what they are."""
    report: dict[str, dict[str, float]] = {}
    started, told = time.monotonic(), 0.0
    for each in steps:
        at = time.monotonic()
        report[each.what] = {"rows": each.done, "seconds": round(at - started, 3)}
        if not quiet and (at - told > 1 or each.done >= each.total):
            console().print(f"  {each.what}: {each.done} of {each.total}, {at - started:.0f} s")
            told = at
    return report
