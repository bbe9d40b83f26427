"""Back-ups: taken, verified, restored."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import click

from repository.cli.context import Pool, console, print_json
from repository.cli.options import as_json_option
from repository.services import backup as backups
from repository.services import restoring
from repository.services.archive import Manifest
from repository.services.clock import now

_file = click.argument("file", type=click.Path(dir_okay=False, path_type=Path))


@click.command()
@click.argument("target", metavar="DIR|FILE", type=click.Path(path_type=Path))
@click.option("--keep", type=click.IntRange(1), help="Then verify it, and remove the oldest in DIR beyond this many.")
@as_json_option
@click.pass_obj
def backup(pool: Pool, target: Path, keep: int | None, as_json: bool) -> None:
    """Back up the database as it is now, batches not yet taken in, and the pool's own model. The service goes on.

    No secret is in it: keep the operator secret in another place, once.
    """
    if keep is not None and not target.is_dir():
        raise click.UsageError(
            f"--keep needs a directory that is there, readable by you alone: install -d -m 0700 {target}"
        )
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # cleans up, as Ctrl-C does
    try:
        path, manifest = backups.take(pool.settings, pool.database, target, now())
        removed = _pruned(target, keep, path) if keep is not None else []
    finally:
        signal.signal(signal.SIGTERM, before)
    if as_json:
        print_json({"file": str(path), "removed": [str(each) for each in removed], **manifest.as_json()})
        return
    console().print(f"Backed up to [bold]{path}[/]: {_told(manifest)}.")
    for each in removed:
        console().print(f"Removed {each}")


def _pruned(target: Path, keep: int, path: Path) -> list[Path]:
    backups.verified(path)  # before an older one is given up for it
    return backups.prune(target, keep)


@click.command()
@_file
@click.option("--against-database", is_flag=True, help="Compare the database's tables with it, row by row.")
@as_json_option
@click.pass_obj
def verify(pool: Pool, file: Path, against_database: bool, as_json: bool) -> None:
    """Check a backup against its manifest; exit code 1 where anything differs."""
    manifest = backups.verified(file)
    differences = backups.differences(manifest, pool.database) if against_database else []
    if as_json:
        print_json({"whole": True, "differences": differences, **manifest.as_json()})
    else:
        console().print(f"The backup of {manifest.taken_at.isoformat()} is whole: {_told(manifest)}.")
        for each in differences:
            console().print(f"  [red]differs[/]  {each}")
        if against_database and not differences:
            console().print("The database holds the same.")
    if differences:
        raise click.exceptions.Exit(1)


@click.command()
@_file
@as_json_option
@click.pass_obj
def restore(pool: Pool, file: Path, as_json: bool) -> None:
    """Put a backup into an empty database and data directory, all of it or nothing.

    Put the operator secret in place first, then run `init`, which makes new signing keys.
    """
    manifest = restoring.restore(pool.settings, file)
    if as_json:
        print_json({"restored": True, **manifest.as_json()})
        return
    console().print(f"Restored the backup of {manifest.taken_at.isoformat()}: {_told(manifest)}.")
    if not pool.exists:
        console().print(f"Put the operator secret back: {pool.settings.operator_secret_file} (mode 0600).")
    console().print(f"Next: frankpledge-admin verify {file} --against-database; then init, and serve")


def _told(manifest: Manifest) -> str:
    rows = sum(each.rows for each in manifest.tables.values())
    return f"{rows} rows of {len(manifest.tables)} tables, {len(manifest.files)} files, tables {manifest.schema}"
