"""The keys that sign tokens, and the linkage keys whose records are accepted."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import click

from repository.cli.context import Pool, console, print_json, table
from repository.services import epochs
from repository.services.clock import now
from repository.services.compose import compose
from repository.services.operator import accept_fingerprint, retire_fingerprint
from repository.services.signing import create_signing_key, load_signing_keys
from repository.storage.epochs import filings_by_member
from repository.storage.operator import keys_known


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


_SCHEMA = click.option("--schema", "schema_id", help="Linkage schema that the key was used with, not the pool's.")


@fingerprint.command("add")
@click.argument("value", metavar="FINGERPRINT")
@click.option("--epoch", type=click.IntRange(1), help="The number that the members count the key by.")
@click.option("--replaces", metavar="FINGERPRINT", help="The key that it follows, which is accepted for a while yet.")
@click.option(
    "--overlap-days", type=click.IntRange(0, 366), default=30, show_default=True, help="How long that one is."
)
@click.pass_obj
def add(pool: Pool, *, value: str, epoch: int | None, replaces: str | None, overlap_days: int) -> None:
    """Accept records encoded under a linkage key, and with --replaces those under an older one until a day only."""
    schema_id = pool.settings.schema
    until = now() + timedelta(days=overlap_days)
    if replaces is not None and replaces.strip().lower() == value.strip().lower():
        raise click.BadParameter("is the new key itself", param_hint="--replaces")
    try:
        with pool.database.write() as session:
            added = accept_fingerprint(session, schema_id, value, now=now(), epoch=epoch)
            if replaces and not retire_fingerprint(session, schema_id, replaces, at=until, now=now()):
                raise click.BadParameter("is not accepted: see `fingerprint list`", param_hint="--replaces")
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="FINGERPRINT") from None
    console().print(f"{'Accepted' if added else 'Was accepted already'}: [bold]{value.lower()}[/] for {schema_id}.")
    if replaces:
        console().print(f"Accepted beside it until {until:%Y-%m-%d %H:%M} UTC: [bold]{replaces.strip().lower()}[/].")
        console().print(
            "Members file their books again under the new key: `fingerprint progress` says how far each is."
        )


@fingerprint.command("retire")
@click.argument("value", metavar="FINGERPRINT")
@_SCHEMA
@click.pass_obj
def retire(pool: Pool, value: str, schema_id: str | None) -> None:
    """Accept nothing more under a linkage key, such as a lost one; what was filed under it is found no more."""
    schema_id = schema_id or pool.settings.schema
    with pool.database.write() as session:
        retired = retire_fingerprint(session, schema_id, value, at=now(), now=now())
    if not retired:
        raise click.BadParameter("is not accepted: see `fingerprint list`", param_hint="FINGERPRINT")
    console().print(f"Retired: [bold]{value.strip().lower()}[/] for {schema_id}.")


@fingerprint.command("erase")
@click.argument("value", metavar="FINGERPRINT")
@_SCHEMA
@click.confirmation_option(prompt="Take out of the pool what is encoded under it? Only its members can bring it back.")
@click.pass_obj
def erase(pool: Pool, value: str, schema_id: str | None) -> None:
    """Take what is encoded under a key that is over out of the pool; the filings stay, and are found no more.

    A filing that its member sends again under the key that followed is found again. Cut off, it is run again.
    """
    services = compose(pool.settings)
    key, removed = (schema_id or pool.settings.schema, value.strip().lower()), Counter[str]()
    try:
        for done in epochs.erase(services, key):
            removed.update(done)
    except epochs.StillAcceptedError:
        raise click.BadParameter("is accepted still: retire it first", param_hint="FINGERPRINT") from None
    finally:
        services.database.close()
    console().print(f"Erased: {removed['subjects']} encodings of filings, {removed['screenings']} of screenings.")


@fingerprint.command("list")
@click.pass_obj
def list_fingerprints(pool: Pool) -> None:
    """List what is accepted, and what was."""
    with pool.database.read() as session:
        known = [epochs.as_json(each, now()) for each in keys_known(session)]
    rows = table("schema", "fingerprint", "epoch", "accepted")
    for each in known:
        accepted = "yes" if each["accepted"] else "no"
        until = f"until {each['until'][:10]}" if each["until"] else ""
        rows.add_row(
            each["schema"],
            each["fingerprint"],
            str(each["epoch"] or ""),
            until if each["accepted"] and until else accepted,
        )
    console().print(rows if known else "None yet: frankpledge-admin fingerprint add FINGERPRINT")


@fingerprint.command("progress")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def progress(pool: Pool, as_json: bool) -> None:
    """How many filings of each member are under which linkage key."""
    with pool.database.read() as session:
        counts = filings_by_member(session.connection())
    listed = [
        {"member": member, "schema": schema_id, "fingerprint": value, "filings": count}
        for member, of_member in counts.items()
        for (schema_id, value), count in of_member.items()
    ]
    if as_json:
        print_json(listed)
        return
    rows = table("member", "schema", "fingerprint", "filings")
    for each in listed:
        rows.add_row(*map(str, each.values()))
    console().print(rows)
