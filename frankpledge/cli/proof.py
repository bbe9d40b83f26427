"""`frankpledge proof`: what a case stands on before it is filed as proven; one person enters it, another approves."""

from __future__ import annotations

import datetime as dt
import secrets
from itertools import islice
from typing import TYPE_CHECKING

import click

from frankpledge.cli.setup import open_pool, with_profile
from frankpledge.errors import KitError
from frankpledge.profile import Profile

if TYPE_CHECKING:
    from collections.abc import Iterable

    from frankpledge.results import Proof

AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print proofs as NDJSON.")


@click.group("proof")
def command() -> None:
    """Enter, approve and list proofs: without one, no case is taken as proven.

    The evidence stays with you: the pool keeps your reference to it only. Whoever enters a proof cannot approve it;
    the second person uses credentials of their own, with the role investigator or member_admin.
    """


@command.command()
@click.argument("reference")
@click.option("--grounds", is_flag=True, help="There are reasonable grounds.")
@click.option("--evidence", is_flag=True, help="There is evidence that is clear, relevant and rigorous.")
@click.option("--case-type", required=True, metavar="WORD", help="One of the rulebook's, such as claim_fraud.")
@click.option("--product-action", metavar="WORD", help="What became of the product: refused, withdrawn, ended, ...")
@click.option("--exception", metavar="WORD", help="Or why nothing did, of the rulebook's exceptions.")
@click.option("--evidence-reference", required=True, metavar="TEXT", help="Where you keep the evidence; no names.")
@click.option("--notified-on", type=click.DateTime(["%Y-%m-%d"]), help="When the subject was told.")
@click.option("--deferral-reason", metavar="TEXT", help="Or why that is put off; no names.")
@AS_JSON
@with_profile
def add(
    *,
    profile: Profile,
    reference: str,
    grounds: bool,
    evidence: bool,
    notified_on: dt.datetime | None,
    as_json: bool,
    **words: str | None,
) -> None:
    """Enter a proof for the filing with REFERENCE. All four pillars are needed."""
    if not (grounds and evidence):
        raise KitError(
            "A proven case needs reasonable grounds and evidence.",
            "Add --grounds and --evidence, or file it suspected.",
        )
    stated = {
        **words,
        "reference": reference,
        "grounds": grounds,
        "evidence": evidence,
        "notified_on": notified_on.date().isoformat() if notified_on else None,
    }
    proof = {name: value for name, value in stated.items() if value is not None}
    with open_pool(profile) as pool:
        _show([pool.enter_proof(proof, idempotency_key=secrets.token_hex(16))], as_json=as_json)


@command.command()
@click.argument("proof_id")
@AS_JSON
@with_profile
def approve(*, profile: Profile, proof_id: str, as_json: bool) -> None:
    """Approve the proof with PROOF_ID, which somebody else entered."""
    with open_pool(profile) as pool:
        _show([pool.approve_proof(proof_id)], as_json=as_json)


@command.command()
@click.argument("proof_id")
@AS_JSON
@with_profile
def withdraw(*, profile: Profile, proof_id: str, as_json: bool) -> None:
    """Withdraw the proof with PROOF_ID: nothing more is filed on it."""
    with open_pool(profile) as pool:
        _show([pool.withdraw_proof(proof_id)], as_json=as_json)


@command.command("list")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="How many, latest first.")
@AS_JSON
@with_profile
def list_(*, profile: Profile, limit: int, as_json: bool) -> None:
    """List the latest proofs."""
    with open_pool(profile) as pool:
        _show(list(islice(pool.proofs(), limit)), as_json=as_json)


def _show(found: Iterable[Proof], *, as_json: bool) -> None:
    import orjson  # noqa: PLC0415 - keeps --help quick

    from frankpledge.cli import tables  # noqa: PLC0415 - keeps --help quick

    if as_json:
        for proof in found:
            click.echo(orjson.dumps(proof.document).decode())
        return
    tables.console().print(tables.proofs(found))
