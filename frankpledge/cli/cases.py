"""`frankpledge cases`: the own work on what the pool found, one subject a case."""

from __future__ import annotations

import datetime as dt
from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from frankpledge.cli.setup import open_pool, with_profile
from frankpledge.profile import Profile
from matching.vocabulary import LINES, RECORD_CLASSES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from frankpledge.cases import Case

_STATUSES = ("new", "open", "snoozed", "waiting", "proposed", "closed", "merged")
_FINDINGS = ("clear", "suspicion_upheld", "proven")
_OUTCOMES = ("same_subject", "not_same", "inconclusive")
_DAY = click.DateTime(["%Y-%m-%d"])
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print cases as NDJSON.")
VERSION = click.option(
    "--version", type=click.IntRange(1), help="The version you decided on; else the one there now, read just before."
)


@click.group("cases")
def command() -> None:
    """Work on cases: all that the pool found of one subject is one.

    Every change is made on the version of the case that you read: if somebody was faster, nothing is done and you are
    told so. A finding that speaks against somebody is decided by a second person.
    """


@command.command("list")
@click.option("--band", type=click.Choice(["possible", "probable", "strong"]), help="With a hit of this band.")
@click.option("--line", type=click.Choice(LINES), help="With an own side in this line.")
@click.option("--class", "record_class", type=click.Choice(RECORD_CLASSES), help="With a hit on this class.")
@click.option("--members", type=click.IntRange(1), help="With at least so many members named.")
@click.option("--status", type=click.Choice(_STATUSES), help="In this status.")
@click.option("--assignee", metavar="ID", help="Of this actor; `me` or `none`.")
@click.option("--due-by", type=_DAY, help="Due on this day or before.")
@click.option("--older-than", type=click.IntRange(0), metavar="DAYS", help="Opened longer ago.")
@click.option("--younger-than", type=click.IntRange(1), metavar="DAYS", help="Opened since.")
@click.option("--like", metavar="WORDS", help="Like an own reference or an organisation's name.")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="How many.")
@AS_JSON
@with_profile
def list_cases(
    *, profile: Profile, due_by: dt.datetime | None, like: str | None, limit: int, as_json: bool, **wanted: object
) -> None:
    """List cases, newest first, or those most like some words."""
    asked = {name: None if value is None else str(value) for name, value in wanted.items()}
    asked["class"] = asked.pop("record_class")
    with open_pool(profile) as pool:
        asked["due_by"] = due_by.date().isoformat() if due_by else None
        found = pool.cases.listed(**asked) if like is None else pool.cases.like(like, **asked)
        _show(list(islice(found, limit)), as_json=as_json)


@command.command("next")
@AS_JSON
@with_profile
def take_next(*, profile: Profile, as_json: bool) -> None:
    """Claim the case that is due first of those that nobody has."""
    with open_pool(profile) as pool:
        case = pool.cases.next()
    _show([case] if case else [], as_json=as_json)


@command.command()
@click.argument("case_id")
@AS_JSON
@with_profile
def show(*, profile: Profile, case_id: str, as_json: bool) -> None:
    """Show a case: its hits and why they matched or not, notes, findings and history."""
    from frankpledge.cli import tables  # noqa: PLC0415 - keeps --help quick
    from frankpledge.results import Hit  # noqa: PLC0415 - keeps --help quick

    with open_pool(profile) as pool:
        case = pool.cases.one(case_id)
    _show([case], as_json=as_json)
    if as_json:
        return
    hits = [Hit.parse(each) for each in case.document["hits"]]
    console = tables.console()
    if hits:
        console.print(tables.hits(hits))
    for table in tables.explanations(hits):
        console.print(table)
    for line in _lines(case):
        click.echo(line)


@command.command()
@click.argument("case_id")
@click.argument(
    "move", type=click.Choice(["claim", "release", "snooze", "wake", "wait", "resume", "due", "withdraw", "reopen"])
)
@click.option("--day", type=_DAY, help="For snooze and due.")
@click.option("--reason", metavar="WORDS", help="For reopen.")
@VERSION
@AS_JSON
@with_profile
def move(
    *,
    profile: Profile,
    case_id: str,
    move: str,
    day: dt.datetime | None,
    reason: str | None,
    version: int | None,
    as_json: bool,
) -> None:
    """Move the case CASE_ID."""
    with open_pool(profile) as pool:
        case = _at(pool.cases.one(case_id), version)
        moved = pool.cases.move(case, move, day=day.date().isoformat() if day else None, reason=reason)
    _show([moved], as_json=as_json)


@command.command()
@click.argument("assignee")
@click.argument("case_ids", nargs=-1, required=True)
@with_profile
def assign(*, profile: Profile, assignee: str, case_ids: tuple[str, ...]) -> None:
    """Assign cases to the investigator with the actor id ASSIGNEE."""
    with open_pool(profile) as pool:
        results = pool.cases.assign([pool.cases.one(each) for each in case_ids], assignee)
    for each in results:
        click.echo(f"{each['case']}  {each['result']}")


@command.command()
@click.argument("case_id")
@click.argument("text")
@click.option("--attachment-reference", metavar="TEXT", help="Where you keep what is attached; it is never sent.")
@with_profile
def note(*, profile: Profile, case_id: str, text: str, attachment_reference: str | None) -> None:
    """Add a note to a case."""
    with open_pool(profile) as pool:
        pool.cases.note(case_id, text, attachment_reference)
    click.echo("Noted.")


@command.command()
@click.argument("hit_id")
@click.argument("outcome", type=click.Choice(_OUTCOMES), required=False)
@click.option("--note-reference", metavar="TEXT", help="Your own reference to the reasons.")
@click.option("--take-back", is_flag=True, help="Take back what was said: a pair not the same is shown again.")
@with_profile
def answer(*, profile: Profile, hit_id: str, outcome: str | None, note_reference: str | None, take_back: bool) -> None:
    """Say of a hit whether its two sides are the same."""
    if take_back == (outcome is not None):
        raise click.UsageError("Give an outcome, or --take-back.")
    with open_pool(profile) as pool:
        if outcome is not None:
            pool.cases.answer(hit_id, outcome, note_reference)
        else:
            pool.cases.take_back(hit_id)
    click.echo("Answered." if outcome else "Taken back.")


@command.command()
@click.argument("case_id")
@click.argument("finding", type=click.Choice(_FINDINGS))
@click.option("--evidence", required=True, metavar="WORDS", help="What it stands on.")
@click.option("--evidence-reference", metavar="TEXT", help="Where you keep the evidence.")
@click.option("--subject-could-speak/--subject-could-not-speak", default=None, help="Whether the subject was heard.")
@click.option("--subject-words", metavar="WORDS", help="How, or why not.")
@VERSION
@AS_JSON
@with_profile
def find(
    *,
    profile: Profile,
    case_id: str,
    finding: str,
    evidence: str,
    version: int | None,
    as_json: bool,
    **more: object,
) -> None:
    """Say what was found: clear closes the case, an adverse finding waits for a second person."""
    with open_pool(profile) as pool:
        found = pool.cases.find(_at(pool.cases.one(case_id), version), finding, evidence, **more)
    _show([found], as_json=as_json)


@command.command()
@click.argument("case_id")
@click.option("--approve/--return", default=None, required=True, help="As a second person.")
@click.option("--reason", metavar="WORDS", help="Why it is returned.")
@VERSION
@AS_JSON
@with_profile
def decide(
    *, profile: Profile, case_id: str, approve: bool, reason: str | None, version: int | None, as_json: bool
) -> None:
    """Approve the finding of somebody else, or return it; of a case that was cleared, approving confirms that."""
    with open_pool(profile) as pool:
        decided = pool.cases.decide(_at(pool.cases.one(case_id), version), approve=approve, reason=reason)
    _show([decided], as_json=as_json)


def _at(case: Case, version: int | None) -> Case:
    from dataclasses import replace  # noqa: PLC0415 - keeps --help quick

    return case if version is None else replace(case, version=version)


def _show(cases: Iterable[Case], *, as_json: bool) -> None:
    import orjson  # noqa: PLC0415 - keeps --help quick

    shown = list(cases)
    for case in shown:
        if as_json:
            click.echo(orjson.dumps(case.document).decode())
            continue
        parts = [case.status, f"version {case.version}", f"due {case.due_on}", case.band or "", case.finding or ""]
        parts += [f"of {case.assignee}" if case.assignee else "of nobody", ", ".join(case.references)]
        click.echo(f"{case.id}  {'; '.join(part for part in parts if part)}")
    if not shown and not as_json:
        click.echo("There are no cases.")


def _lines(case: Case) -> Iterable[str]:
    yield from _against(hit for hit in case.document["hits"] if "why_not" in hit)
    for each in case.document["notes"]:
        yield f"note {each['at'][:16]}  {each['text']}"
    for each in case.document["findings"]:
        decided = {None: "not decided", True: "stands", False: "returned"}[each["approved"]]
        yield f"finding {each['finding']}, {decided}  {each['evidence']}"
    for each in case.document["history"]:
        yield f"{each['version']}  {each['at'][:16]}  {each['move']} -> {each['status']}"


def _against(hits: Iterable[dict[str, Any]]) -> Iterable[str]:
    """What speaks against hits, those together of which the same does."""
    alike: dict[str, list[str]] = {}
    for hit in hits:
        against = ", ".join(f"{row['field']} {row['weight']:+.1f}" for row in hit["why_not"]["differs"])
        unseen = ", ".join(hit["why_not"]["not_observed"])
        said = f"differs: {against or 'nothing'}; not compared: {unseen or 'nothing'}"
        alike.setdefault(said, []).append(hit["id"])
    return (f"{', '.join(ids)}  {said}" for said, ids in alike.items())
