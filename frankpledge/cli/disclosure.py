"""`frankpledge disclosure`: ask the contributor of a record for its detail, and answer those who ask you."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from frankpledge.cli.agreement import compare, confirm, with_identity
from frankpledge.cli.setup import PATH, open_pool, with_profile
from frankpledge.errors import KitError
from frankpledge.profile import Profile

if TYPE_CHECKING:
    from frankpledge.agreement import Identity
    from frankpledge.disclosure import Disclosure

_WITHHELD = (
    "no_legal_power, more_than_needed, not_held, legal_privilege, ongoing_investigation, harm_to_a_person or other"
)
_ID = click.argument("disclosure_id", metavar="REQUEST")
_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print requests as NDJSON.")
_LIMIT = click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="How many, latest first.")
_NOTE = click.option("--note-reference", metavar="TEXT", help="Your own reference; only you see it.")
_MOST = 1 << 20


@click.group("disclosure")
def command() -> None:
    """Ask the contributor of a record for its detail (tier 4), and answer those who ask you.

    The answer is sealed on the one machine and opened on the other: whoever runs the pool cannot read it.
    """


@command.command("request")
@click.argument("hit", metavar="HIT")
@click.option("--purpose", required=True, metavar="WORD", help="What for, such as investigation.")
@click.option("--legal-power", required=True, metavar="WORD", help="By which power, of the rulebook's [exchange].")
@click.option("--reference", required=True, metavar="TEXT", help="Your own case; the contributor is told it.")
@click.option(
    "--item", "items", multiple=True, required=True, metavar="WORD", help="What; of the rulebook, repeatable."
)
@click.option("--asked", required=True, metavar="TEXT", help="What exactly you ask for.")
@click.option("--minimum", required=True, metavar="TEXT", help="Why nothing less will do.")
@click.option("--third-party/--no-third-party", required=True, help="Whether it may reach anyone else.")
@_AS_JSON
@with_profile
def request_one(
    *, profile: Profile, hit: str, items: tuple[str, ...], third_party: bool, as_json: bool, **words: str
) -> None:
    """Ask the contributor behind HIT, a hit that you were shown in full."""
    asking = {"hit": hit, "items": list(items), "third_party": third_party, **words}
    with open_pool(profile) as pool:
        _show([pool.disclosures.request(asking)], as_json=as_json)


@command.command()
@click.option("--all", "everything", is_flag=True, help="Those that are answered, too.")
@click.option("--overdue", is_flag=True, help="Only those that are overdue.")
@_LIMIT
@_AS_JSON
@with_profile
def inbox(*, profile: Profile, everything: bool, overdue: bool, limit: int, as_json: bool) -> None:
    """List what others ask you, with the working days left for each."""
    status = None if everything or overdue else "open"
    with open_pool(profile) as pool:
        _show(islice(pool.disclosures.listed(status=status, overdue=overdue), limit), as_json=as_json)


@command.command()
@_LIMIT
@_AS_JSON
@with_profile
def sent(*, profile: Profile, limit: int, as_json: bool) -> None:
    """List what you asked others."""
    with open_pool(profile) as pool:
        _show(islice(pool.disclosures.listed(sent=True), limit), as_json=as_json)


@command.command()
@_ID
@_AS_JSON
@with_profile
def show(*, profile: Profile, disclosure_id: str, as_json: bool) -> None:
    """Show a REQUEST with all that was written in it."""
    with open_pool(profile) as pool:
        found = pool.disclosures.one(disclosure_id)
    _show([found], as_json=as_json)
    if not as_json:
        for name in ("reference", "their_reference", "purpose", "legal_power", "asked", "minimum", "reason"):
            if found.document.get(name) is not None:
                click.echo(f"{name.replace('_', ' '):16} {found.document[name]}")


@command.command()
@_ID
@click.argument("source", type=click.File("rb"), metavar="FILE")
@click.option("--fingerprint", "told", metavar="DIGITS", help="That of who asks, as the member itself told it to you.")
@click.option("--withheld", metavar="WORD", help=f"Why not all of it is given: {_WITHHELD}.")
@click.option("--reason", metavar="TEXT", help="The same in words, which who asks reads.")
@_NOTE
@with_profile
def answer(
    *,
    profile: Profile,
    disclosure_id: str,
    source: IO[bytes],
    told: str | None,
    withheld: str | None,
    reason: str | None,
    note_reference: str | None,
) -> None:
    """Give what a REQUEST asks for: FILE is a JSON object with a text for each item that you give; - reads it.

    It is sealed here to the public key of who asks, whose fingerprint must be compared first, by another way than the
    pool. It is remembered, and asked for again when it changes.
    """
    from frankpledge import disclosure  # noqa: PLC0415 - keeps --help quick
    from frankpledge.results import Recipient  # noqa: PLC0415 - the same

    items = _items(source.read(_MOST))
    with open_pool(profile) as pool:
        asked = pool.disclosures.one(disclosure_id)
        if asked.sent or asked.recipient is None:
            raise KitError("There is nobody to seal an answer to.", "It is your own request, or has no public key.")
        if not items.keys() <= set(asked.items):
            raise KitError("FILE has items that were not asked for.", f"Asked for: {', '.join(asked.items)}.")
        compare(profile, Recipient(asked.member, asked.name, asked.recipient, own=False), told)
        sealed = disclosure.seal(asked.id, items, asked.recipient)
        reply: dict[str, object] = {"granted": sorted(items), "recipient": asked.recipient}
        reply |= _given(withheld=withheld, reason=reason, note_reference=note_reference)
        made = pool.disclosures.approve(asked.id, sealed, reply)
    _show([made], as_json=False)
    click.echo(f"check            {disclosure.check(sealed)}\nTell {made.name} the check by another way than the pool.")


@command.command()
@_ID
@click.option("--withheld", required=True, metavar="WORD", help=f"Why nothing is given: {_WITHHELD}.")
@click.option("--reason", required=True, metavar="TEXT", help="The same in words, which who asks reads.")
@_NOTE
@with_profile
def refuse(*, profile: Profile, disclosure_id: str, withheld: str, reason: str, note_reference: str | None) -> None:
    """Refuse a REQUEST."""
    reply = _given(withheld=withheld, reason=reason, note_reference=note_reference)
    with open_pool(profile) as pool:
        _show([pool.disclosures.refuse(disclosure_id, reply)], as_json=False)


@command.command()
@_ID
@click.option("--reason", required=True, metavar="TEXT", help="What to say to the contributor.")
@with_profile
def escalate(*, profile: Profile, disclosure_id: str, reason: str) -> None:
    """Have the operator see that a REQUEST of yours is overdue."""
    with open_pool(profile) as pool:
        _show([pool.disclosures.escalate(disclosure_id, reason)], as_json=False)


@command.command()
@_ID
@with_profile
def withdraw(*, profile: Profile, disclosure_id: str) -> None:
    """Take a REQUEST of yours back."""
    with open_pool(profile) as pool:
        _show([pool.disclosures.withdraw(disclosure_id)], as_json=False)


@command.command("open")
@_ID
@click.argument("target", type=PATH, metavar="FILE")
@click.option("--check", "told", metavar="DIGITS", help="The check of the answer as the contributor told it to you.")
@with_profile
@with_identity
def open_answer(*, profile: Profile, identity: Identity, disclosure_id: str, target: Path, told: str | None) -> None:
    """Fetch the answer to a REQUEST, open it here, and store it in a new FILE that only you can read.

    The pool deletes it then. Compare the check with the contributor where you will rely on who wrote it: whoever runs
    the pool could have put another answer in its place.
    """
    import orjson  # noqa: PLC0415 - keeps --help quick

    from frankpledge import disclosure, files  # noqa: PLC0415 - the same

    if target.exists():
        raise KitError(f"{target} exists already.", "Give another path, or move the old file away first.")
    with open_pool(profile) as pool:
        asked = pool.disclosures.one(disclosure_id)
        if not (asked.sent and asked.granted) or asked.document["opened_at"]:
            raise KitError("There is nothing to open in that request.", "Nothing was given, or it was opened before.")
        sealed = pool.disclosures.sealed(disclosure_id)
        if told is not None:
            confirm(f"The check that {asked.name} told you", told, disclosure.check(sealed), "--check")
        items = disclosure.unseal(sealed, identity, disclosure_id=asked.id, granted=asked.granted)
        files.create_private(target, orjson.dumps(items, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
        pool.disclosures.opened(disclosure_id)
    click.echo(f"file         {target}\ncheck        {disclosure.check(sealed)}")


@command.command("times")
@with_profile
def response_times(*, profile: Profile) -> None:
    """Show how quickly each member answers: requests, share in time, working days (median), overdue."""
    with open_pool(profile) as pool:
        found = pool.disclosures.response_times()
    click.echo(f"In {found['days']} days; a request is to be answered within {found['working_days']} working days.")
    for each in found["items"]:
        if isinstance(each["requests"], Mapping):
            click.echo(f"{each['name']:30}  fewer than {each['requests']['fewer_than']}")
            continue
        share = "-" if each["share_in_time"] is None else f"{each['share_in_time']:.0%}"
        took = "-" if each["median_working_days"] is None else f"{each['median_working_days']:g}"
        click.echo(f"{each['name']:30}  {each['requests']:5}  {share:>5}  {took:>5}  {each['overdue']:5} overdue")


def _given(**words: str | None) -> dict[str, object]:
    return {name: text for name, text in words.items() if text is not None}


def _items(content: bytes) -> dict[str, str]:
    import orjson  # noqa: PLC0415 - keeps --help quick

    try:
        found = orjson.loads(content)
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict) or not found or not all(isinstance(each, str) for each in found.values()):
        raise KitError("FILE is not a JSON object of texts.", 'Write it as {"circumstances": "..."}.')
    return found


def _show(found: Iterable[Disclosure], *, as_json: bool) -> None:
    import orjson  # noqa: PLC0415 - keeps --help quick

    for each in found:
        if as_json:
            sys.stdout.write(orjson.dumps(each.document).decode() + "\n")
            continue
        state = each.status.replace("_", " ")
        if each.status == "open":
            state = f"overdue since {each.due_on}" if each.overdue else f"due {each.due_on}"
            state += f" ({each.working_days_left} working days)"
        click.echo(f"{each.id}  {'to' if each.sent else 'from'} {each.name}, {state}: {', '.join(each.items)}")
