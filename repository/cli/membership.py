"""A membership after admission: its history, volumes declared, back book, grants (`frankpledge-admin member ...`)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import click
from rich.markup import escape
from sqlalchemy.orm import Session

from matching.vocabulary import LINES, PURPOSES, RECORD_CLASSES
from repository.cli.context import Pool, console, print_json, table
from repository.cli.members import member
from repository.cli.options import MONTH, as_json_option, by_option, reason_option, rulebook, volumes_argument
from repository.domain.membership import Declaration
from repository.domain.rulebook import SubscriberClass
from repository.services import grants, membership, officers, overview
from repository.services.clock import now
from repository.services.lifecycle import Act
from repository.services.onboarding import OnboardingError
from repository.storage.members import MemberRow, all_members, find_member

_CLASSES = [each.value for each in SubscriberClass]


@member.command()
@click.argument("member")
@as_json_option
@click.pass_obj
def show(pool: Pool, member: str, as_json: bool) -> None:
    """Show a membership: what it rests on, volumes declared, ladder, appeals, and all that happened to it."""
    rules = rulebook(pool)
    with pool.database.read() as session:
        seen = overview.overview(session, found(session, member), rules, now().date(), to_member=False)
    if as_json:
        print_json(seen)
        return
    _print_terms(seen)
    for title, rows in (("declared", _declared(seen)), ("ladder", _steps(seen)), ("appeals", _appeals(seen))):
        if rows.row_count:
            console().print(f"\n[bold]{title}[/]")
            console().print(rows)
    console().print("\n[bold]history[/], latest first")
    console().print(_events(seen["history"]))


@member.command()
@click.option("--kind", "kinds", multiple=True, help="Only events of a kind, such as membership.declared_less.")
@click.option("--days", default=30, show_default=True, type=click.IntRange(1, 3660), help="How far back.")
@as_json_option
@click.pass_obj
def events(pool: Pool, kinds: tuple[str, ...], days: int, as_json: bool) -> None:
    """List what happened to all memberships lately, latest first."""
    since = now() - timedelta(days=days)
    with pool.database.read() as session:
        names = {row.id: row.name for row in all_members(session)}
        happened = overview.lately(session, since, kinds)
    if as_json:
        print_json(happened)
        return
    console().print(
        _events([each | {"figures": {"member": names.get(each["member"])} | each["figures"]} for each in happened])
    )


@member.command()
@click.argument("member")
@volumes_argument("declared")
@click.option("--from", "month", type=MONTH, help="The month from which it holds, YYYY-MM.  [default: this month]")
@by_option
@click.pass_obj
def declare(
    pool: Pool, member: str, declared: dict[tuple[str, str], int], month: datetime | None, by: str | None
) -> None:
    """Declare what a member is going to file a month (R4). Days that are over keep what was declared for them."""
    with pool.database.write() as session:
        act = Act(now(), officers.acting(session, by))
        row = found(session, member)
        for (line, record_class), per_month in declared.items():
            volume = Declaration(line, record_class, per_month, (month or now()).date())
            since = membership.declare(session, row, act, volume)
            console().print(f"[bold]{row.name}[/]: {line}/{record_class} {per_month} a month from {since}.")


@member.command("back-book")
@click.argument("member")
@by_option
@click.pass_obj
def back_book(pool: Pool, member: str, by: str | None) -> None:
    """Record that a member that contributes first has filed what it held before (R5)."""
    with pool.database.write() as session:
        row = found(session, member)
        day = membership.load_back_book(session, row, Act(now(), officers.acting(session, by)))
    console().print(f"[bold]{row.name}[/]: clean days count from {day}.")


@member.command()
@click.argument("member")
@click.option("--class", "kind", required=True, type=click.Choice(_CLASSES), help="What it is.")
@click.option("--line", "lines", multiple=True, required=True, type=click.Choice(LINES), help="Repeatable.")
@click.option(
    "--record-class",
    "classes",
    multiple=True,
    type=click.Choice(RECORD_CLASSES),
    help="Repeatable.  [default: all it may]",
)
@click.option(
    "--purpose", "purposes", multiple=True, type=click.Choice(PURPOSES), help="Repeatable.  [default: all it may]"
)
@click.option("--tier", type=int, help="[default: the highest it may]")
@click.option("--quota", "quota_per_day", type=int, help="Queries a day.  [default: as many as it may]")
@click.option("--days", required=True, type=click.IntRange(min=1), help="How long the grant holds.")
@reason_option("Why it is given.", required=True)
@by_option
@click.pass_obj
def grant(pool: Pool, /, *, member: str, kind: str, lines: tuple[str, ...], days: int, **options: Any) -> None:
    """Let a member that never contributes ask, within bounds and for a time (R7). Replaces the grant it has."""
    rules = rulebook(pool)
    reason, by, scope = options.pop("reason"), options.pop("by"), options
    chosen = SubscriberClass(kind)
    most = rules.subscribers[chosen]
    wanted = grants.within(most, lines, now().date() + timedelta(days=days), **scope)
    with pool.database.write() as session:
        row = found(session, member)
        act = Act(now(), officers.acting(session, by), reason)
        grant_id = grants.grant(session, row, act, wanted, kind=chosen, rules=most)
    console().print(f"[bold]{row.name}[/] has the grant [bold]{grant_id}[/]: tier {wanted.tier} for {kind}, until")
    console().print(f"{wanted.expires_on}, {wanted.quota_per_day} queries a day.")


@member.command("revoke-grant")
@click.argument("member")
@reason_option("Why; the member is told.", required=True)
@by_option
@click.pass_obj
def revoke_grant(pool: Pool, member: str, reason: str, by: str | None) -> None:
    """End a member's grant now."""
    with pool.database.write() as session:
        row = found(session, member)
        grants.revoke(session, row, Act(now(), officers.acting(session, by), reason))
    console().print(f"[bold]{row.name}[/] has no grant any more.")


def found(session: Session, id_or_name: str) -> MemberRow:
    """A member by its id or name; raises OnboardingError when there is none."""
    row = find_member(session, id_or_name)
    if row is None:
        raise OnboardingError("there is no such member: `frankpledge-admin member list` shows them")
    return row


def _print_terms(seen: dict[str, Any]) -> None:
    attested, ramp, grant = seen["attestation"], seen["ramp"], seen["grant"]
    out = console()
    whose = seen["member"]
    out.print(f"[bold]{escape(whose['name'])}[/] ({whose['id']}), {seen['status']} since {seen['status_since'][:10]}")
    out.print(f"lines        {' '.join(seen['lines'])}")
    out.print(f"admitted     {seen['admitted_on']}")
    out.print(f"agreement    {seen['agreement']['version'] or '-'}, signed {seen['agreement']['signed_on'] or 'never'}")
    out.print(f"attested     {attested['attested_on'] or 'never'}, holds until {attested['holds_until'] or '-'}")
    if grant:
        state = "until" if grant["holds"] else "expired"
        out.print(f"grant        {grant['class']}, tier {grant['tier']}, {state} {grant['expires_on']}")
    else:
        until = ramp["covenant_until"] or f"back book {ramp['back_book_on'] or 'not loaded'}"
        out.print(f"ramp         {ramp['kind']}, {until}")


def _declared(seen: dict[str, Any]) -> Any:
    rows = table("line", "class", "a month", "from", "declared", "holds")
    for each in seen["declarations"]:
        day = each["declared_at"][:10]
        rows.add_row(
            each["line"], each["class"], str(each["per_month"]), each["from"], day, "yes" if each["holds"] else ""
        )
    return rows


def _steps(seen: dict[str, Any]) -> Any:
    rows = table("line", "step", "since", "below since")
    for each in seen["steps"]:
        rows.add_row(each["line"], each["step"], each["since"], each["below_since"] or "-")
    return rows


def _appeals(seen: dict[str, Any]) -> Any:
    rows = table("appeal", "against", "due", "status", "reason")
    for each in seen["appeals"]:
        rows.add_row(each["id"], each["against"], each["due_on"], each["status"], escape(each["reason"] or ""))
    return rows


def _events(happened: list[dict[str, Any]]) -> Any:
    rows = table("at", "what", "by", "rule", "reason", "figures")
    for each in happened:
        figures = ", ".join(f"{name} {value}" for name, value in each["figures"].items() if value not in (None, ""))
        rows.add_row(
            each["at"][:16], each["kind"], each["by"], each["rule"] or "", escape(each["reason"] or ""), escape(figures)
        )
    return rows
