"""`frankpledge login`: the credentials into this machine's keyring, after trying them."""

from __future__ import annotations

import click

from frankpledge.cli.setup import patience, with_profile
from frankpledge.profile import Profile


@click.command("login")
@click.option(
    "--person", is_flag=True, help="Log in with a user name and password instead of a program's id and secret."
)
@with_profile
def command(*, profile: Profile, person: bool) -> None:
    """Ask for the client id and secret, try them, and put them into this machine's keyring.

    With --person, ask for a user name and password: what an investigator does is done in their own name.
    """
    from frankpledge.client import Pool  # noqa: PLC0415 - keeps --help quick
    from frankpledge.credentials import Credentials, PersonCredentials, remember  # noqa: PLC0415 - keeps --help quick

    server = profile.address()
    kind, questions = (
        (PersonCredentials, ("User name", "Password")) if person else (Credentials, ("Client id", "Client secret"))
    )
    name = click.prompt(questions[0], err=True).strip()
    credentials = kind(name, _secret(questions[1], strip=not person))
    with Pool(server, credentials, retry=patience()) as pool:
        pool.log_in()
    remember(server, credentials)
    click.echo(f"The credentials for {server} are in the keyring.")


def _secret(question: str, *, strip: bool) -> str:
    """Ask without showing. What was issued has no spaces at its ends; a password that somebody chose may."""
    given: str = click.prompt(question, hide_input=True, err=True)
    return given.strip() if strip else given
