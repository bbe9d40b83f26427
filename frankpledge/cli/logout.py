"""`frankpledge logout`: the credentials out of this machine's keyring."""

from __future__ import annotations

import click

from frankpledge.cli.setup import with_profile
from frankpledge.profile import Profile


@click.command("logout")
@with_profile
def command(*, profile: Profile) -> None:
    """Take the credentials for the profile's pool out of the keyring."""
    from frankpledge.credentials import forget  # noqa: PLC0415 - keeps --help quick

    server = profile.address()
    there = forget(server)
    click.echo(f"The keyring {'no longer has' if there else 'had no'} credentials for {server}.")
