"""Applications and appeals (R9): entered, listed with their clocks, and decided by an officer who is independent."""

from __future__ import annotations

from datetime import datetime
from typing import IO, Any

import click
from rich.markup import escape

from matching.vocabulary import LINES
from repository.cli import passwords
from repository.cli.context import Pool, console, print_json, table
from repository.cli.options import DAY, as_date, as_json_option, by_option, reason_option, rulebook, volumes_option
from repository.domain.membership import Applying, CaseStatus, LifeCycleError, Verdict
from repository.domain.standing import Ramp
from repository.services import appeals, applications, officers
from repository.services.appeals import Appealing
from repository.services.applications import RULES, Clocks
from repository.services.clock import now
from repository.services.lifecycle import Act
from repository.storage.membership import Wanted

PASSWORD_VARIABLE = "FRANKPLEDGE_OFFICER_PASSWORD"  # noqa: S105 - the name of one
_officer = click.option("--officer", required=True, metavar="USERNAME", help="The operator who decides.")
_all = click.option("--all", "every", is_flag=True, help="Those decided, too.")


@click.group()
def application() -> None:
    """Applications to become a member: each has a clock, and an officer who did not enter it (R9)."""


@application.command("add")
@click.argument("name")
@click.option("--line", "lines", multiple=True, required=True, type=click.Choice(LINES), help="Repeatable.")
@volumes_option("--declare", help="What it is going to file a month, such as motor/customer=800; repeatable.")
@click.option(
    "--ramp", type=click.Choice([each.value for each in Ramp]), default=Ramp.COVENANT.value, show_default=True
)
@click.option("--covenant-until", type=DAY, help="When full contribution is due.  [default: as late as can be]")
@click.option("--agreement-signed", type=DAY, help="When the agreement was signed, if it was.")
@click.option("--agreement-version", help="Which agreement was signed.")
@by_option
@as_json_option
@click.pass_obj
def add_application(
    pool: Pool, /, *, name: str, lines: tuple[str, ...], by: str | None, as_json: bool, **terms: Any
) -> None:
    """Enter an application. Another operator decides it."""
    rules, moment = rulebook(pool), now()
    applying = Applying(
        name,
        lines,
        terms["declare"],
        Ramp(terms["ramp"]),
        as_date(terms["covenant_until"]),
        terms["agreement_version"],
        as_date(terms["agreement_signed"]),
    )
    with pool.database.write() as session:
        act = Act(moment, officers.acting(session, by))
        row = applications.enter(session, act, applying, rules)
        shown = applications.as_json(row, Clocks(rules, moment.date()))
    if as_json:
        print_json(shown)
        return
    console().print(f"Entered [bold]{escape(row.name)}[/] as [bold]{row.id}[/], to be decided by {row.due_on}.")
    console().print(f"Next: frankpledge-admin application accept {row.id} --officer USERNAME --reason ...")


@application.command("list")
@_all
@as_json_option
@click.pass_obj
def list_applications(pool: Pool, every: bool, as_json: bool) -> None:
    """List open applications, those due first first; late ones are marked."""
    clocks = Clocks(rulebook(pool), now().date())
    with pool.database.read() as session:
        rows = applications.listed(session, Wanted(None if every else CaseStatus.OPEN))
        shown = [applications.as_json(row, clocks) for row in rows]
    if as_json:
        print_json(shown)
        return
    listed = table("application", "name", "lines", "entered", "due", "status", "reason")
    for each in shown:
        due = f"[bold red]{each['due_on']} overdue[/]" if each["overdue"] else each["due_on"]
        lines = " ".join(each["lines"])
        listed.add_row(
            each["id"],
            escape(each["name"]),
            lines,
            each["entered_at"][:10],
            due,
            each["status"],
            escape(each["reason"] or ""),
        )
    console().print(listed if shown else "No applications.")


@application.command()
@click.argument("application_id", metavar="APPLICATION")
@_officer
@reason_option("Why.", required=True)
@click.option("--covenant-until", type=DAY, help="When full contribution is due, in the place of what was applied for.")
@passwords.password_file
@click.pass_obj
def accept(pool: Pool, /, *, application_id: str, covenant_until: datetime | None, **officer: Any) -> None:
    """Accept an application, which admits the member. The officer shows who they are by their password."""
    act = _officer_act(pool, officer["officer"], officer["reason"], officer["password_file"])
    verdict = Verdict(granted=True, covenant_until=as_date(covenant_until))
    _decide_application(pool, application_id, act, verdict)


@application.command()
@click.argument("application_id", metavar="APPLICATION")
@_officer
@reason_option("Why; the applicant is told.", required=True)
@click.option("--rule", type=click.Choice(RULES), required=True, help="Which rule the refusal rests on.")
@passwords.password_file
@click.pass_obj
def refuse(
    pool: Pool, *, application_id: str, officer: str, reason: str, rule: str, password_file: IO[str] | None
) -> None:
    """Refuse an application, with the reason. The officer shows who they are by their password."""
    act = _officer_act(pool, officer, reason, password_file)
    _decide_application(pool, application_id, act, Verdict(granted=False, rule=rule))


@click.group()
def appeal() -> None:
    """Appeals of members and applicants, decided by an officer who did not take the decision at issue (R9)."""


@appeal.command("add")
@click.argument("application_id", metavar="APPLICATION")
@click.option("--grounds", required=True, help="The applicant's grounds.")
@by_option
@click.pass_obj
def add_appeal(pool: Pool, application_id: str, grounds: str, by: str | None) -> None:
    """Enter the appeal of an applicant who was refused. Members appeal themselves, by POST /v1/appeals."""
    rules = rulebook(pool)
    with pool.database.write() as session:
        act = Act(now(), officers.acting(session, by))
        row = appeals.enter(session, act, None, Appealing(application_id, grounds), rules)
    if row is None:
        raise LifeCycleError("there is no such application")
    console().print(f"Entered the appeal [bold]{row.id}[/], to be decided by {row.due_on}.")


@appeal.command("list")
@_all
@as_json_option
@click.pass_obj
def list_appeals(pool: Pool, every: bool, as_json: bool) -> None:
    """List open appeals, those due first first; late ones are marked."""
    clocks = Clocks(rulebook(pool), now().date())
    with pool.database.read() as session:
        rows = appeals.listed(session, Wanted(None if every else CaseStatus.OPEN))
        shown = [appeals.as_json(row, clocks, to_member=False) for row in rows]
    if as_json:
        print_json(shown)
        return
    listed = table("appeal", "member", "against", "due", "status", "grounds", "reason")
    for each in shown:
        due = f"[bold red]{each['due_on']} overdue[/]" if each["overdue"] else each["due_on"]
        who = each["member"] or "an applicant"
        listed.add_row(
            each["id"], who, each["against"], due, each["status"], escape(each["grounds"]), escape(each["reason"] or "")
        )
    console().print(listed if shown else "No appeals.")


@appeal.command()
@click.argument("appeal_id", metavar="APPEAL")
@_officer
@reason_option("Why; the member is told.", required=True)
@passwords.password_file
@click.pass_obj
def uphold(pool: Pool, appeal_id: str, officer: str, reason: str, password_file: IO[str] | None) -> None:
    """Uphold an appeal: a refused application is open again, a suspended member is reinstated."""
    _decide_appeal(pool, appeal_id, _officer_act(pool, officer, reason, password_file), Verdict(granted=True))


@appeal.command()
@click.argument("appeal_id", metavar="APPEAL")
@_officer
@reason_option("Why; the member is told.", required=True)
@passwords.password_file
@click.pass_obj
def dismiss(pool: Pool, appeal_id: str, officer: str, reason: str, password_file: IO[str] | None) -> None:
    """Dismiss an appeal: what was decided stands."""
    _decide_appeal(pool, appeal_id, _officer_act(pool, officer, reason, password_file), Verdict(granted=False))


def _officer_act(pool: Pool, username: str, reason: str, password_file: IO[str] | None) -> Act:
    given = passwords.given(PASSWORD_VARIABLE, password_file)
    password = click.prompt(f"Password of {username}", hide_input=True) if given is None else given
    with pool.database.read() as session:
        return Act(now(), officers.officer(session, username, password), reason)


def _decide_application(pool: Pool, application_id: str, act: Act, verdict: Verdict) -> None:
    rules = rulebook(pool)
    with pool.database.write() as session:
        row = applications.decide(session, application_id, act, verdict, rules)
    if row is None:
        raise LifeCycleError("there is no such application: `frankpledge-admin application list` shows them")
    console().print(f"[bold]{escape(row.name)}[/] is {row.status}.")
    if row.member_id:
        console().print(f"Next: frankpledge-admin credential issue {row.member_id} --role member_admin")
    else:
        console().print(
            f"Reason: {escape(row.reason or '')} ({row.rule}, {act.now.date()}). {applications.how_to_appeal(rules)}"
        )


def _decide_appeal(pool: Pool, appeal_id: str, act: Act, verdict: Verdict) -> None:
    rules = rulebook(pool)
    with pool.database.write() as session:
        row = appeals.decide(session, appeal_id, act, verdict, rules)
    if row is None:
        raise LifeCycleError("there is no such appeal: `frankpledge-admin appeal list` shows them")
    console().print(f"The appeal is {row.status}.")
