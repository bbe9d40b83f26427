"""`frankpledge submit`: its options. The work is in `frankpledge.cli.submitting`, imported when it is wanted."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from frankpledge.cli.setup import PATH, with_profile
from frankpledge.profile import Profile


@click.command(
    "submit",
    epilog="Exit code: 0 all was accepted (without --follow: uploaded); 1 done, but some rows were refused; "
    "2 not done: running it again continues, and nothing lands twice.",
)
@click.argument("source", type=PATH, metavar="FILE")
@click.option("--follow", is_flag=True, help="Wait until the pool has processed all, and show its errors.")
@click.option("--dry-run", is_flag=True, help="Let the pool check all and keep nothing; follows, too.")
@click.option("--errors", type=PATH, metavar="FILE", help="Write refused rows here, as NDJSON; follows, too.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
@with_profile
def command(*, profile: Profile, source: Path, follow: bool, dry_run: bool, errors: Path | None, as_json: bool) -> None:
    """Upload an encoded FILE in batches. Every line is checked before the first is sent."""
    from frankpledge.cli.submitting import run  # noqa: PLC0415 - keeps --help quick

    wait = follow or dry_run or errors is not None
    sys.exit(run(profile, source, errors, wait=wait, dry_run=dry_run, as_json=as_json))
