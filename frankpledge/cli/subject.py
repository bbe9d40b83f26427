"""`frankpledge subject`: what persons ask about the records on them, through you, and of your own records."""

from __future__ import annotations

import datetime as dt
import sys
import uuid
from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from frankpledge.cli.setup import PATH, open_pool, with_key, with_profile
from frankpledge.errors import KitError
from frankpledge.profile import Profile
from matching.vocabulary import LINES

if TYPE_CHECKING:
    from frankpledge.keys import LinkageKey

_KINDS = ("access", "dispute", "erasure", "restriction", "victim", "protective")
_GROUNDS = ("not_the_person", "wrong_facts", "out_of_date", "unlawful")
_DEFERRALS = (
    *("crime_prevention", "legal_proceedings", "legal_privilege"),
    *("authority_request", "rights_of_others", "identity_in_doubt"),
)
_REFUSALS = (
    *("legal_obligation", "legal_claims", "substantial_public_interest"),
    *("accurate_and_needed", "not_the_person", "identity_in_doubt"),
)
_DAY = click.DateTime(["%Y-%m-%d"])
_REQUEST = click.argument("request_id", metavar="REQUEST")
_PART = click.argument("part_id", metavar="PART")
_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print as NDJSON.")
_LIMIT = click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="How many, latest first.")


@click.group("subject")
def command() -> None:
    """What persons ask: what is held on them, that it be corrected, erased or restricted, or to be registered.

    You look at proof of who they are, and keep it; one of you enters the request, another confirms it. Their details
    are encoded on this machine. What is found goes to the person, in a report that you read on its day and hand over.
    """


@command.command()
@click.option("--kind", type=click.Choice(_KINDS), required=True, help="What the person asks.")
@click.option(
    "--record",
    "records",
    type=PATH,
    multiple=True,
    required=True,
    metavar="FILE",
    help="The person as a flat JSON object; - is standard input. Once for each name or address they had.",
)
@click.option("--reference", required=True, metavar="TEXT", help="Your own.")
@click.option("--identity-reference", required=True, metavar="TEXT", help="Where you keep the proof of who it is.")
@click.option("--received", type=_DAY, help="When the person asked, if not today.")
@click.option("--ground", type=click.Choice(_GROUNDS), help="Of a dispute: what is wrong.")
@click.option("--notice", metavar="TEXT", help="Of a dispute: the person's own words, which go with the record.")
@click.option("--line", type=click.Choice(LINES), help="Of a registration: in which line.")
@_AS_JSON
@with_profile
@with_key
def enter(
    *,
    profile: Profile,
    key: LinkageKey,
    records: tuple[Path, ...],
    received: dt.datetime | None,
    as_json: bool,
    **words: str | None,
) -> None:
    """Enter what a person asks. A colleague confirms it."""
    from frankpledge.cli.asking import read_record  # noqa: PLC0415 - keeps --help quick
    from frankpledge.cli.setup import record_encoder  # noqa: PLC0415 - the same
    from matching.wire import subject_to_json  # noqa: PLC0415 - the same

    encoder = record_encoder(profile, key)
    read = [read_record(path, profile) for path in records]
    subjects = [each for record in read for each in encoder.subjects(record, "policyholder") if each.kind == "person"]
    if not subjects:
        raise KitError("There is no person in the record.", "Give names, a date of birth, an address.")
    day = received.date() if received else dt.datetime.now(dt.UTC).date()
    request: dict[str, object] = {name: text for name, text in words.items() if text is not None}
    request |= {"schema": encoder.schema_id, "fingerprint": encoder.fingerprint, "received_on": day.isoformat()}
    request["subjects"] = [subject_to_json(each) for each in subjects]
    with open_pool(profile) as pool:
        _show([pool.subjects.enter(request, idempotency_key=uuid.uuid4().hex)], as_json=as_json)


@command.command("list")
@click.option("--status", type=click.Choice(["entered", "confirmed", "withdrawn", "lapsed"]), help="In this status.")
@_LIMIT
@_AS_JSON
@with_profile
def list_requests(*, profile: Profile, status: str | None, limit: int, as_json: bool) -> None:
    """List what persons asked through you, with the days by which they are to be answered."""
    with open_pool(profile) as pool:
        _show(islice(pool.subjects.listed(status), limit), as_json=as_json)


@command.command()
@_REQUEST
@with_profile
def confirm(*, profile: Profile, request_id: str) -> None:
    """Confirm a REQUEST that a colleague entered, once you saw the proof of identity, too."""
    with open_pool(profile) as pool:
        _show([pool.subjects.confirm(request_id)], as_json=False)


@command.command()
@_REQUEST
@with_profile
def withdraw(*, profile: Profile, request_id: str) -> None:
    """Take a REQUEST back, at the person's wish."""
    with open_pool(profile) as pool:
        _show([pool.subjects.withdraw(request_id)], as_json=False)


@command.command()
@_REQUEST
@with_profile
def end(*, profile: Profile, request_id: str) -> None:
    """End the registration that a REQUEST made, at the person's wish."""
    with open_pool(profile) as pool:
        _show([pool.subjects.end(request_id)], as_json=False)


@command.command()
@_REQUEST
@click.argument("target", type=PATH, metavar="FILE")
@with_profile
def report(*, profile: Profile, request_id: str, target: Path) -> None:
    """Store the report of a REQUEST in a new FILE that only you can read: pages if it ends in .pdf, else JSON."""
    from frankpledge import files  # noqa: PLC0415 - keeps --help quick

    if target.exists():
        raise KitError(f"{target} exists already.", "Give another path, or move the old file away first.")
    with open_pool(profile) as pool:
        files.create_private(target, pool.subjects.report(request_id, pdf=target.suffix.lower() == ".pdf"))
    click.echo(f"file         {target}")


@command.command()
@click.option("--undecided", is_flag=True, help="Only what you are to decide still.")
@_LIMIT
@_AS_JSON
@with_profile
def inbox(*, profile: Profile, undecided: bool, limit: int, as_json: bool) -> None:
    """List what persons ask about your own records."""
    with open_pool(profile) as pool:
        _show_parts(islice(pool.subjects.inbox(undecided=undecided), limit), as_json=as_json)


@command.command()
@_PART
@click.option("--reason", type=click.Choice(_DEFERRALS), required=True, help="Why it must wait.")
@click.option("--until", type=_DAY, required=True, help="The last day on which it waits.")
@with_profile
def defer(*, profile: Profile, part_id: str, reason: str, until: dt.datetime) -> None:
    """Have the person told of the record of a PART later, where the law lets it wait."""
    with open_pool(profile) as pool:
        _show_parts([pool.subjects.defer(part_id, reason, until.date().isoformat())], as_json=False)


@command.command()
@_PART
@click.argument("decision", type=click.Choice(["erase", "restrict", "correct", "refuse"]))
@click.option("--reason", type=click.Choice(_REFUSALS), help="Of a refusal; the person reads it.")
@click.option("--note-reference", metavar="TEXT", help="Your own reference; only you see it.")
@with_profile
def decide(*, profile: Profile, part_id: str, decision: str, reason: str | None, note_reference: str | None) -> None:
    """Decide what becomes of the record of a PART, at once."""
    with open_pool(profile) as pool:
        done = pool.subjects.decide(part_id, decision, reason=reason, note_reference=note_reference)
        _show_parts([done], as_json=False)


def _show(found: Iterable[Mapping[str, Any]], *, as_json: bool) -> None:
    for each in found:
        if as_json:
            _print(each)
            continue
        state = each["status"]
        if state == "confirmed" and each["ready_on"]:
            state = f"confirmed, to be read after {each['ready_on']}"
        elif state == "entered":
            state = "to be confirmed"
        elif each["filing"]:
            state = f"ended {each['ended_at'][:10]}" if each["ended_at"] else f"registered as {each['filing']}"
        late = ", LATE" if each["late"] else ""
        click.echo(f"{each['id']}  {each['kind']}, {each['reference']}: {state}; due {each['due_on']}{late}")


def _show_parts(found: Iterable[Mapping[str, Any]], *, as_json: bool) -> None:
    for each in found:
        if as_json:
            _print(each)
            continue
        state = each["decision"] or ("OVERDUE" if each["overdue"] else f"by {each['decide_by']}")
        waits = f", deferred up to {each['deferred_until']}" if each["deferred_until"] else ""
        of = each["reference"] or each["filing"]
        click.echo(f"{each['id']}  {each['kind']} through {each['name']}, of {of} ({each['class']}): {state}{waits}")


def _print(document: Mapping[str, Any]) -> None:
    import orjson  # noqa: PLC0415 - keeps --help quick

    sys.stdout.write(orjson.dumps(document).decode() + "\n")
