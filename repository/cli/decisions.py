"""Decisions: taking them again, and saying why they came out as they did."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from matching.vocabulary import LINES
from repository.cli.context import Pool, console, print_json, table
from repository.cli.options import DAY, as_date, as_json_option
from repository.domain.explanation import moment
from repository.services import explanation
from repository.services.replay import Deviation, Page, Replay
from repository.services.rulebook_words import TIERS, value
from repository.storage import decisions as storage
from repository.storage.members import find_member

_MOST_IN_JSON = 1000
_since = click.option("--since", type=DAY, help="From that day on (UTC).")
_until = click.option("--until", type=DAY, help="Up to and including that day (UTC).")


@dataclass(slots=True)
class _Tally:
    """What a replay has found so far."""

    replayed: int = 0
    different: int = 0
    missing: int = 0
    started: float = field(default_factory=time.monotonic)

    def add(self, page: Page) -> None:
        """Count a page."""
        self.replayed += page.taken
        self.missing += sum(bool(each.missing) for each in page.deviations)
        self.different += sum(not each.missing for each in page.deviations)

    @property
    def identical(self) -> int:
        """How many came out the same."""
        return self.replayed - self.different - self.missing

    def as_dict(self) -> dict[str, Any]:
        """As JSON."""
        seconds = max(time.monotonic() - self.started, 1e-6)
        return {
            "replayed": self.replayed,
            "identical": self.identical,
            "different": self.different,
            "not_possible": self.missing,
            "seconds": round(seconds, 3),
            "per_second": round(self.replayed / seconds),
        }


@click.group()
def decisions() -> None:
    """Decisions of the rules: listing them, taking them again, explaining them."""


@decisions.command()
@_since
@_until
@click.option("--member", help="Of one member only, by id or name.")
@as_json_option
@click.pass_obj
def replay(pool: Pool, *, since: datetime | None, until: datetime | None, member: str | None, as_json: bool) -> None:
    """Take every stored decision again, from what is stored with it, and report any that differs.

    Ends with status 1 when one differs or cannot be taken again.
    """
    chosen = explanation.between(as_date(since), as_date(until), member_id=_member_id(pool, member))
    tally, told = _Tally(), list[dict[str, Any]]()
    with pool.database.reading() as connection:
        total = storage.count(connection, chosen)
    with _progress() as progress:
        task = progress.add_task("decisions", total=total)
        for page in Replay().pages(pool.database, chosen):
            tally.add(page)
            progress.update(task, completed=tally.replayed)
            if as_json:
                told += [each.as_dict() for each in page.deviations[: _MOST_IN_JSON - len(told)]]
            else:
                _print_deviations(page)
    if as_json:
        left_out = tally.different + tally.missing - len(told)
        print_json(tally.as_dict() | {"deviations": told, "deviations_left_out": left_out})
    else:
        _print_tally(tally)
    if tally.identical < tally.replayed:
        sys.exit(1)


@decisions.command("list")
@click.option("--member", required=True, help="Id or name.")
@_since
@_until
@click.option("--refused", is_flag=True, help="Refusals only.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="At most so many.")
@as_json_option
@click.pass_obj
def list_decisions(
    pool: Pool,
    *,
    member: str,
    since: datetime | None,
    until: datetime | None,
    refused: bool,
    limit: int,
    as_json: bool,
) -> None:
    """List the decisions on a member, latest first."""
    chosen = explanation.between(as_date(since), as_date(until), member_id=_member_id(pool, member), refused=refused)
    with pool.database.reading() as connection:
        found, more = explanation.listed(connection, chosen, None, limit)
    if as_json:
        print_json({"items": found, "more": more})
        return
    rows = table("decision", "at (UTC)", "asked", "purpose", "line", "answer", "rule", "rulebook")
    for each in found:
        at = f"{datetime.fromisoformat(each['at']):%Y-%m-%d %H:%M:%S}"
        answer = "allowed" if each["allowed"] else "[red]refused[/]"
        asked = f"{each['asked']} {each['action']}" if each["asked"] else each["action"]
        words = (asked, each["purpose"] or "-", each["line"] or "-")
        rows.add_row(each["id"], at, *words, answer, each["rule"], each["rulebook"]["version"])
    console().print(rows if found else "No decisions.")
    if more:
        console().print(f"There are more: only the last {limit} are shown.")


@decisions.command()
@click.argument("decision", required=False)
@click.option("--member", help="With --on, instead of a decision's id: id or name.")
@click.option("--on", "day", type=DAY, help="The day (UTC): its last refusal is explained, or its last decision.")
@click.option("--line", type=click.Choice(LINES), help="With --on: only what was asked in that line.")
@as_json_option
@click.pass_obj
def explain(
    pool: Pool, *, decision: str | None, member: str | None, day: datetime | None, line: str | None, as_json: bool
) -> None:
    """Say why a request was allowed or refused: the rule, the sums, what would change it, how to appeal."""
    if (decision is None) != (member is not None and day is not None) or (decision and line):
        raise click.UsageError("name a decision, or --member and --on")
    of_day: dict[str, Any] = {}
    if member is not None and day is not None:
        decision, of_day = _first_of_day(pool, member, day, line)
    with pool.database.reading() as connection:
        found = explanation.explain(connection, decision or "")
    if found is None:
        raise click.ClickException("there is no such decision: `frankpledge-admin decisions list` shows a member's")
    if as_json:
        print_json(found | of_day)
        return
    if of_day:
        _print_day(of_day["that_day"])
    _print_explanation(found)


def _first_of_day(pool: Pool, member: str, day: datetime, line: str | None) -> tuple[str, dict[str, Any]]:
    member_id = _member_id(pool, member) or ""
    with pool.database.reading() as connection:
        found = explanation.of_day(connection, member_id, day.date(), line)
    if found.first is None:
        raise click.ClickException("nothing was decided on that member that day (in UTC)")
    return found.first, {"that_day": {"allowed": found.allowed, "refused": dict(found.refused)}}


def _member_id(pool: Pool, member: str | None) -> str | None:
    if member is None:
        return None
    with pool.database.read() as session:
        row = find_member(session, member)
    if row is None:
        raise click.ClickException("there is no such member: `frankpledge-admin member list` shows them")
    return row.id


def _progress() -> Progress:
    """On standard error, and only where somebody looks at it."""
    shown = Console(stderr=True)
    columns = (TextColumn("Taken again:"), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=shown, transient=True, disable=not shown.is_terminal)


def _print_deviations(page: Page) -> None:
    for each in page.deviations:
        console().print(f"[bold]{each.decision_id}[/]  {each.at:%Y-%m-%d %H:%M:%S}  member {each.member_id}")
        for line in _deviation(each):
            console().print(f"  {escape(line)}")


def _deviation(each: Deviation) -> list[str]:
    if each.missing:
        return [f"cannot be taken again: {each.missing}"]
    return [f"{name}: stored {_plain(old)}, taken again {_plain(new)}" for name, (old, new) in each.differs.items()]


def _plain(entry: Any) -> str:
    if isinstance(entry, bool):
        return "yes" if entry else "no"
    return value(entry)


def _print_tally(tally: _Tally) -> None:
    found = tally.as_dict()
    console().print(
        f"{tally.replayed:,} decisions taken again in {found['seconds']:,.1f} s ({found['per_second']:,} a second): "
        f"[bold]{tally.identical:,} identical[/], {tally.different:,} different, {tally.missing:,} not possible."
    )


def _print_day(that_day: Mapping[str, Any]) -> None:
    refused = ", ".join(f"{count:,} by {rule}" for rule, count in that_day["refused"].items()) or "none"
    console().print(f"That day: {that_day['allowed']:,} allowed; refused: {refused}. The last of these:\n")


def _print_explanation(found: Mapping[str, Any]) -> None:
    answer = "[green]allowed[/]" if found["allowed"] else "[red]refused[/]"
    asked = [f"{found['asked']:,} x {found['action']}" if (found["asked"] or 1) > 1 else found["action"]]
    asked += [f"line {found['line']}"] if found["line"] else []
    asked += [f"purpose {found['purpose']}"] if found["purpose"] else []
    console().print(f"[bold]{found['id']}[/], {moment(datetime.fromisoformat(found['at']))}")
    console().print(f"{escape(', '.join(asked))}: {answer} under [bold]{found['rule']}[/]\n")
    rows = table("", "")
    rows.show_header = False
    for name, text in (("Rule", found["rule_says"]), ("Why", found["because"])):
        rows.add_row(name, escape(text))
    for place, each in enumerate(found["workings"]):
        rows.add_row("" if place else "Figures", escape(f"{each['about']}: {each['sum']}"))
    if not found["workings"]:
        rows.add_row("Figures", escape(value(found["figures"])))
    for place, text in enumerate(_seen(found["seen"])):
        rows.add_row("" if place else "Seen", escape(text))
    for name, text in (("Ladder", found["ladder"]), ("To change it", found["remedy"]), ("Appeal", found["appeal"])):
        if text:
            rows.add_row(name, escape(text))
    again = "identical" if found["replayed"] else "[red]not identical, or not possible[/]"
    rows.add_row("Rulebook", f"{found['rulebook']['version']}, SHA-256 {found['rulebook']['digest'] or '-'}")
    rows.add_row("Taken again", again)
    console().print(rows)


def _seen(seen: list[Mapping[str, Any]]) -> list[str]:
    """What was seen, class by class."""
    told = []
    for each in seen:
        lowered = f" (lowered by {each['lowered_by']})" if each["lowered_by"] else ""
        told.append(f"{each['line']} {each['class']}: tier {each['tier']}, {TIERS[str(each['tier'])]}{lowered}")
    return told
