"""Members, their credentials, and people with an account."""

from __future__ import annotations

from typing import IO, Any

import click

from matching.vocabulary import LINES
from repository.cli import passwords
from repository.cli.context import Pool, console, print_json, table
from repository.cli.options import DAY, as_date, as_json_option, by_option, reason_option, rulebook, volumes_option
from repository.domain.members import MEMBER_ROLES, Member, MemberStatus, Role
from repository.domain.standing import Ramp
from repository.services import officers, onboarding
from repository.services.clock import now
from repository.storage.members import all_members

_ROLES = [role.value for role in Role]
_MEMBER_ROLES = [role.value for role in Role if role in MEMBER_ROLES]
PASSWORD_VARIABLE = "FRANKPLEDGE_USER_PASSWORD"  # noqa: S105 - the name of one


@click.group()
def member() -> None:
    """Admit, renew, list, suspend and reinstate members."""


@member.command("add")
@click.argument("name")
@click.option("--line", "lines", multiple=True, required=True, type=click.Choice(LINES), help="Repeatable.")
@volumes_option("--declare", help="What it is going to file a month, such as motor/customer=800; repeatable.")
@click.option(
    "--ramp", type=click.Choice([each.value for each in Ramp]), default=Ramp.COVENANT.value, show_default=True
)
@click.option("--covenant-until", type=DAY, help="When full contribution is due.  [default: as late as can be]")
@click.option("--agreement-signed", type=DAY, help="When the agreement was signed.  [default: today]")
@click.option("--agreement-version", help="Which agreement was signed.")
@click.option("--attested", type=DAY, help="When the yearly attestation was made.  [default: today]")
@as_json_option
@click.pass_obj
def add(pool: Pool, /, *, name: str, lines: tuple[str, ...], as_json: bool, **terms: Any) -> None:
    """Admit a member, active at once. Those who have to apply first are entered with `application add`."""
    moment, rules = now(), rulebook(pool).ramp
    with pool.database.write() as session:
        admitted = onboarding.admit_member(
            session,
            name,
            lines,
            now=moment,
            agreement_signed_on=as_date(terms["agreement_signed"]) or moment.date(),
            agreement_version=terms["agreement_version"],
            attested_on=as_date(terms["attested"]) or moment.date(),
            ramp=Ramp(terms["ramp"]),
            covenant_until=as_date(terms["covenant_until"]),
            declared=terms["declare"],
            rules=rules,
        )
    if as_json:
        print_json(_row(admitted))
        return
    console().print(f"Admitted [bold]{admitted.name}[/] as [bold]{admitted.id}[/].")
    console().print(f"Next: frankpledge-admin credential issue {admitted.id} --role screener --role contributor")
    if not terms["declare"]:
        console().print("It declared nothing yet, so nothing it files counts: frankpledge-admin member declare")


@member.command("renew")
@click.argument("member")
@click.option("--attested", type=DAY, help="When the yearly attestation was made.")
@click.option("--agreement-signed", type=DAY, help="When a new agreement was signed.")
@click.option("--agreement-version", help="Which agreement was signed.")
@click.option("--line", "lines", multiple=True, type=click.Choice(LINES), help="All its lines from now on; repeatable.")
@click.pass_obj
def renew(pool: Pool, /, *, member: str, lines: tuple[str, ...], **terms: Any) -> None:
    """Record a member's yearly attestation, a new agreement, or its lines. Attestations lapse after a year (R1)."""
    if not (lines or any(terms.values())):
        raise click.UsageError("say what is new: --attested, --agreement-signed, --agreement-version or --line")
    with pool.database.write() as session:
        renewed = onboarding.renew(
            session,
            member,
            attested_on=as_date(terms["attested"]),
            agreement_signed_on=as_date(terms["agreement_signed"]),
            agreement_version=terms["agreement_version"],
            lines=lines,
            now=now(),
        )
    console().print(
        f"[bold]{renewed.name}[/]: attested {renewed.attested_on or 'never'}, agreement signed"
        f" {renewed.agreement_signed_on or 'never'}, lines {' '.join(sorted(renewed.lines))}."
    )


@member.command("list")
@as_json_option
@click.pass_obj
def list_members(pool: Pool, as_json: bool) -> None:
    """List the members."""
    with pool.database.read() as session:
        found = [row.as_member() for row in all_members(session)]
    if as_json:
        print_json([_row(each) for each in found])
        return
    rows = table("member", "name", "status", "lines", "agreement", "attested")
    for each in found:
        dates = (str(day) if day else "-" for day in (each.agreement_signed_on, each.attested_on))
        rows.add_row(each.id, each.name, each.status.value, " ".join(sorted(each.lines)), *dates)
    console().print(rows if found else 'No members yet: frankpledge-admin member add "Name" --line motor')


@member.command()
@click.argument("member")
@reason_option("Why; the member is told.", required=True)
@by_option
@click.pass_obj
def suspend(pool: Pool, member: str, reason: str, by: str | None) -> None:
    """Stop a member from asking (it may still file and correct)."""
    _change(pool, member, MemberStatus.SUSPENDED, reason, by)


@member.command()
@click.argument("member")
@reason_option("Why; the member is told.", required=False)
@by_option
@click.pass_obj
def reinstate(pool: Pool, member: str, reason: str | None, by: str | None) -> None:
    """Make a suspended member active again."""
    _change(pool, member, MemberStatus.ACTIVE, reason, by)


@member.command()
@click.argument("member")
@reason_option("Why; kept with the membership.", required=False)
@by_option
@click.confirmation_option(prompt="A membership that is withdrawn is not resumed. Withdraw it?")
@click.pass_obj
def withdraw(pool: Pool, member: str, reason: str | None, by: str | None) -> None:
    """End a membership for good."""
    _change(pool, member, MemberStatus.WITHDRAWN, reason, by)


@click.group()
def credential() -> None:
    """Issue and disable the credentials of members' programs."""


@credential.command("issue")
@click.argument("member")
@click.option("--role", "roles", multiple=True, required=True, type=click.Choice(_MEMBER_ROLES))
@as_json_option
@click.pass_obj
def issue(pool: Pool, member: str, roles: tuple[str, ...], as_json: bool) -> None:
    """Give a member's program a client id and a secret, which is shown only now."""
    with pool.database.write() as session:
        issued = onboarding.issue_credential(session, member, roles, now=now())
    if as_json:
        print_json({"client_id": issued.client_id, "client_secret": issued.client_secret})
        return
    console().print(f"client id      [bold]{issued.client_id}[/]")
    console().print(f"client secret  [bold]{issued.client_secret}[/]")
    console().print("The secret is not kept: pass it on now, by a safe way.")


@credential.command("disable")
@click.argument("client_id")
@click.pass_obj
def disable_credential(pool: Pool, client_id: str) -> None:
    """Take a credential away, and end what it is logged in to."""
    _disable(pool, client_id)


@click.group()
def user() -> None:
    """People with a name and a password."""


@user.command("add")
@click.argument("username")
@click.option("--role", "roles", multiple=True, required=True, type=click.Choice(_ROLES))
@click.option("--member", help="The member the person works for; operators and auditors have none.")
@passwords.password_file
@click.pass_obj
def add_user(
    pool: Pool, username: str, roles: tuple[str, ...], member: str | None, password_file: IO[str] | None
) -> None:
    """Add a person. The password comes from --password-file or FRANKPLEDGE_USER_PASSWORD, or you are asked for it."""
    given = passwords.given(PASSWORD_VARIABLE, password_file)
    password = passwords.ask(username) if given is None else given
    with pool.database.write() as session:
        actor_id = onboarding.add_user(session, username, password, roles, now=now(), member=member)
    console().print(f"Added [bold]{username}[/] as [bold]{actor_id}[/].")


@user.command("disable")
@click.argument("actor_id")
@click.pass_obj
def disable_user(pool: Pool, actor_id: str) -> None:
    """Close a person's account, and end what it is logged in to."""
    _disable(pool, actor_id)


def _change(pool: Pool, id_or_name: str, status: MemberStatus, reason: str | None, by: str | None) -> None:
    with pool.database.write() as session:
        changed = onboarding.change_status(
            session, id_or_name, status, now=now(), by=officers.acting(session, by), reason=reason
        )
    console().print(f"[bold]{changed.name}[/] is {changed.status}.")


def _disable(pool: Pool, actor_id: str) -> None:
    with pool.database.write() as session:
        onboarding.disable_actor(session, actor_id, now=now())
    console().print(f"[bold]{actor_id}[/] is disabled.")


def _row(member: Member) -> dict[str, object]:
    return {
        "id": member.id,
        "name": member.name,
        "status": member.status.value,
        "lines": sorted(member.lines),
        "agreement_signed_on": member.agreement_signed_on,
        "attested_on": member.attested_on,
    }
