"""The keys that sign tokens, and the linkage keys whose records are accepted."""

from __future__ import annotations

import click

from matching.schema import load_schema
from repository.cli.context import Pool, console, table
from repository.services.clock import now
from repository.services.operator import accept_fingerprint, retire_fingerprint
from repository.services.signing import create_signing_key, load_signing_keys
from repository.storage.operator import accepted_fingerprints


@click.group()
def key() -> None:
    """The keys that sign tokens."""


@key.command("rotate-signing")
@click.pass_obj
def rotate_signing(pool: Pool) -> None:
    """Sign with a new key from the next start on; tokens of the older keys stay valid."""
    load_signing_keys(pool.settings.signing_keys_dir)
    kid = create_signing_key(pool.settings.signing_keys_dir)
    console().print(f"New signing key [bold]{kid}[/]: restart the service to use it.")
    console().print("Remove an older file once its last token has expired, or at once if it was stolen.")


@key.command("list")
@click.pass_obj
def list_keys(pool: Pool) -> None:
    """List the signing keys by key id."""
    keys = load_signing_keys(pool.settings.signing_keys_dir)
    rows = table("key id", "use")
    for kid in keys.verifying:
        rows.add_row(kid, "signs and verifies" if kid == keys.signing_id else "verifies")
    console().print(rows)


@click.group()
def fingerprint() -> None:
    """The linkage keys (by fingerprint) whose records are accepted."""


@fingerprint.command("add")
@click.argument("value", metavar="FINGERPRINT")
@click.option("--schema", "schema_id", default=load_schema().id, show_default=True)
@click.pass_obj
def add(pool: Pool, value: str, schema_id: str) -> None:
    """Accept records encoded under a linkage key."""
    try:
        with pool.database.write() as session:
            added = accept_fingerprint(session, schema_id, value, now=now())
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="FINGERPRINT") from None
    console().print(f"{'Accepted' if added else 'Was accepted already'}: [bold]{value.lower()}[/] for {schema_id}.")


@fingerprint.command("retire")
@click.argument("value", metavar="FINGERPRINT")
@click.option("--schema", "schema_id", default=load_schema().id, show_default=True)
@click.pass_obj
def retire(pool: Pool, value: str, schema_id: str) -> None:
    """Accept nothing more under a linkage key, such as a lost one; what was filed under it is found no more."""
    with pool.database.write() as session:
        retired = retire_fingerprint(session, schema_id, value)
    if not retired:
        raise click.BadParameter("is not accepted: see `fingerprint list`", param_hint="FINGERPRINT")
    console().print(f"Retired: [bold]{value.strip().lower()}[/] for {schema_id}.")


@fingerprint.command("list")
@click.pass_obj
def list_fingerprints(pool: Pool) -> None:
    """List what is accepted."""
    with pool.database.read() as session:
        accepted = accepted_fingerprints(session)
    rows = table("schema", "fingerprint")
    for schema_id, prints in accepted.items():
        for each in prints:
            rows.add_row(schema_id, each)
    console().print(rows if accepted else "None yet: frankpledge-admin fingerprint add FINGERPRINT")
