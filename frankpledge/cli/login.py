"""`frankpledge login`: the credentials into this machine's keyring, after trying them."""

from __future__ import annotations

import click

from frankpledge.cli.setup import patience, with_profile
from frankpledge.profile import Profile


@click.command("login")
@with_profile
def command(*, profile: Profile) -> None:
    """Ask for the client id and secret, try them, and put them into this machine's keyring."""
    from frankpledge.client import Pool  # noqa: PLC0415 - keeps --help quick
    from frankpledge.credentials import Credentials, remember  # noqa: PLC0415 - keeps --help quick

    server = profile.address()
    credentials = Credentials(
        click.prompt("Client id", err=True).strip(), click.prompt("Client secret", hide_input=True, err=True).strip()
    )
    with Pool(server, credentials, retry=patience()) as pool:
        pool.log_in()
    remember(server, credentials)
    click.echo(f"The credentials for {server} are in the keyring.")
