"""The command frankpledge-admin: what an operator does to a pool from a terminal.

Commands are imported when they are used, so that each starts as fast as it can.
"""

from __future__ import annotations

import os
from pathlib import Path

import click

from repository import __version__
from repository.cli.groups import ENVIRONMENT, FriendlyGroup

CHECK = "check-config"
DATA_DIR = "FRANKPLEDGE_DATA_DIR"
COMMANDS = {
    "init": ("repository.cli.setup:init", "Set up a pool: secrets, tables, and the operator's account."),
    "check-config": ("repository.cli.checking:check_config", "Check every setting, secret, the database and the disk."),
    "migrate": ("repository.cli.setup:migrate", "Bring the tables up to this version."),
    "serve": ("repository.cli.serving:serve", "Serve the pool over HTTP."),
    "worker": ("repository.cli.worker:worker", "Take batches in, beside `serve --no-worker`."),
    "fingerprint": ("repository.cli.keys:fingerprint", "Accept, replace and retire the members' linkage keys."),
    "member": ("repository.cli.membership:member", "Admit, renew, list, suspend and reinstate members."),
    "credential": ("repository.cli.members:credential", "Issue and disable credentials of members' programs."),
    "user": ("repository.cli.members:user", "Add and disable people with a name and a password."),
    "application": ("repository.cli.cases:application", "Decide who becomes a member, where members have to apply."),
    "appeal": ("repository.cli.cases:appeal", "Decide appeals of members and applicants."),
    "correction": ("repository.cli.corrections:correction", "See what is not acknowledged, and who was told when."),
    "dispute": ("repository.cli.disputes:dispute", "List and decide disputes about filings."),
    "refutation": ("repository.cli.refutations:refutation", "List refuted filings, and decide those contested."),
    "exchange": ("repository.cli.exchange:exchange", "Count requests for detail, and list those overdue."),
    "subject": ("repository.cli.subject:command", "List what persons ask about records on them, and defer."),
    "rulebook": ("repository.cli.rulebook:rulebook", "Check, load, compare and try out the rules of the scheme."),
    "decisions": ("repository.cli.decisions:decisions", "List, explain and take again what the rules decided."),
    "model": ("repository.cli.models:model", "Train, review and adopt the linkage model that scores pairs."),
    "rescreen": ("repository.cli.jobs:rescreen", "Look for the hits of every filing again."),
    "retention": ("repository.cli.retention:command", "Show what expires when, remove it, and hold filings."),
    "job": ("repository.cli.jobs:job", "List, watch and cancel rescreens and deliveries of webhooks."),
    "network": ("repository.cli.networks:command", "Count networks of claims, and link them anew."),
    "hot-keys": ("repository.cli.hot_keys:list_hot_keys", "List the keys that too many records share."),
    "secret": ("repository.cli.secret:secret", "Change the operator's secret, and check what is under it."),
    "key": ("repository.cli.keys:key", "List and rotate the keys that sign tokens."),
    "database": ("repository.cli.database:database", "Grant roles of PostgreSQL no more than they need."),
    "backup": ("repository.cli.backup:backup", "Back up the database, waiting batches and the pool's own model."),
    "verify": ("repository.cli.backup:verify", "Check a backup against its manifest, or the database."),
    "restore": ("repository.cli.backup:restore", "Put a backup into an empty database and data directory."),
}
"""In the order of work."""


@click.group(
    cls=FriendlyGroup,
    named=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="frankpledge-admin")
@click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help=f"Where the pool keeps its files.  [env: {DATA_DIR}; default: ./var]",
)
@click.pass_context
def main(context: click.Context, data_dir: Path | None) -> None:
    """Set up and run a Frankpledge pool.

    A new pool is `frankpledge-admin init`, then `member add`, `credential issue` and `serve`. Settings come from
    FRANKPLEDGE_* variables.
    """
    environment = dict(os.environ)
    if data_dir is not None:
        environment[DATA_DIR] = str(data_dir)
    context.meta[ENVIRONMENT] = environment
    if context.invoked_subcommand == CHECK:
        return  # which names every variable that cannot be read, where all others end at the first
    from repository.cli.context import Pool  # noqa: PLC0415 - loads the database's packages, which help does without

    context.obj = Pool.of(environment)
    context.call_on_close(context.obj.close)
