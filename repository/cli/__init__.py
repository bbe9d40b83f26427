"""The command frankpledge-admin: what an operator does to a pool from a terminal."""

from __future__ import annotations

import os
from pathlib import Path

import click

from repository import __version__
from repository.cli import (
    backup,
    checking,
    database,
    decisions,
    disputes,
    hot_keys,
    jobs,
    keys,
    members,
    membership,
    models,
    rulebook,
    serving,
    setup,
    simulation,
    worker,
)
from repository.cli.context import FriendlyGroup, Pool
from repository.settings import PREFIX, Settings


@click.group(cls=FriendlyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="frankpledge-admin")
@click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help=f"Where the pool keeps its files.  [env: {PREFIX}DATA_DIR; default: ./var]",
)
@click.pass_context
def main(context: click.Context, data_dir: Path | None) -> None:
    """Set up and run a Frankpledge pool.

    A new pool is `frankpledge-admin init`, then `member add`, `credential issue` and `serve`. Settings come from
    FRANKPLEDGE_* variables.
    """
    environment = dict(os.environ)
    if data_dir is not None:
        environment[f"{PREFIX}DATA_DIR"] = str(data_dir)
    context.meta[checking.ENVIRONMENT] = environment
    if context.invoked_subcommand == checking.NAME:
        return  # which names every variable that cannot be read, where all others end at the first
    context.obj = Pool(Settings.from_environment(environment))
    context.call_on_close(context.obj.close)


for module in (
    setup,
    members,
    membership,
    rulebook,
    simulation,
    decisions,
    disputes,
    keys,
    models,
    hot_keys,
    serving,
    worker,
    jobs,
    backup,
    checking,
    database,
):
    for command in module.COMMANDS:
        main.add_command(command)
