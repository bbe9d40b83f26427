"""Admitting members, and giving their people and programs a way in."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from matching.vocabulary import LINES
from repository.domain import ids
from repository.domain.events import EventKind
from repository.domain.members import MEMBER_ROLES, MOST_MEMBERS, Member, MemberStatus, Role
from repository.domain.membership import COMMAND_LINE, NOT_RESUMED, LifeCycleError, check_name, check_volumes, start
from repository.domain.rulebook import RampRules
from repository.domain.standing import Ramp
from repository.services import membership as lifecycle
from repository.services import rulebook_file
from repository.services.authentication import hash_secret
from repository.services.lifecycle import Act, What, tell
from repository.storage import membership, tokens
from repository.storage.members import ActorRow, MemberRow, find_member, find_namesake, next_number

SHORTEST_PASSWORD = 12


class OnboardingError(ValueError):
    """What was asked cannot be done; the message says why, for the operator's eyes."""


@dataclass(frozen=True, slots=True)
class Credential:
    """What a client logs in with. The secret is shown once and kept only as a hash."""

    client_id: str
    client_secret: str


def admit_member(
    session: Session,
    name: str,
    lines: Iterable[str],
    *,
    now: datetime,
    agreement_signed_on: date | None = None,
    agreement_version: str | None = None,
    attested_on: date | None = None,
    ramp: Ramp = Ramp.COVENANT,
    covenant_until: date | None = None,
    declared: Mapping[tuple[str, str], int] | None = None,
    rules: RampRules | None = None,
    by: str = COMMAND_LINE,
    reason: str | None = None,
) -> Member:
    """Admit a member, active at once. `declared` are its volumes a month by (line, class), from today on (R4).

    `rules` bound the covenant's date (R5), which is the latest possible without `covenant_until`; those of the shipped
    rulebook where none are given. A name is taken whatever its case and spaces; who has withdrawn may have it again,
    contributing first. Raises OnboardingError for a name that is taken, a line that is none, or one member
    more than there are numbers, FieldError for a date or volume that cannot be.
    """
    name = name.strip()
    if not name:
        raise OnboardingError("a member needs a name")
    wanted = sorted(set(lines))
    if not wanted or not set(wanted) <= set(LINES):
        raise OnboardingError(f"a member needs one or more lines of: {', '.join(LINES)}")
    before = _make_way(session, name, ramp)
    number = next_number(session)
    if number > MOST_MEMBERS:
        raise OnboardingError(f"a scheme admits at most {MOST_MEMBERS} members, those who left included")
    begun = start(ramp, covenant_until, now.date(), rules or rulebook_file.default().ramp)
    volumes = dict(declared or {})
    check_volumes(volumes, wanted)
    row = MemberRow(
        id=ids.make("mem", now, secrets.token_bytes(ids.RANDOM_BYTES)),
        name=name,
        number=number,
        status=MemberStatus.ACTIVE.value,
        lines=wanted,
        agreement_signed_on=agreement_signed_on,
        agreement_version=agreement_version,
        attested_on=attested_on,
        admitted_on=now.date(),
        ramp=begun.ramp.value,
        covenant_until=begun.covenant_until,
        created_at=now,
        status_changed_at=now,
    )
    session.add(row)
    session.flush()
    _tell_admission(session, row, volumes, before, Act(now, by, reason))
    return row.as_member()


def _make_way(session: Session, name: str, ramp: Ramp) -> str | None:
    """Let a member have a name: the id of the one that had it and has withdrawn, which is named by that from now on."""
    namesake = find_namesake(session, name)
    try:
        check_name(None if namesake is None else MemberStatus(namesake.status), ramp)
    except LifeCycleError as error:
        raise OnboardingError(str(error)) from None
    if namesake is None:
        return None
    namesake.name = f"{namesake.name} (withdrawn {namesake.status_changed_at.date()}, {namesake.number})"
    session.flush()
    return namesake.id


def _tell_admission(
    session: Session, row: MemberRow, volumes: Mapping[tuple[str, str], int], before: str | None, act: Act
) -> None:
    connection = session.connection()
    made = [
        membership.declaration(row.id, pair, (act.now.date(), per_month), act.now, act.actor_id)
        for pair, per_month in sorted(volumes.items())
    ]
    membership.add_declarations(connection, made)
    tell(
        connection,
        act,
        What(EventKind.MEMBERSHIP_ADMITTED, "R9", row.id),
        lines=" ".join(row.lines),
        before=before,
        ramp=row.ramp,
        covenant_until=row.covenant_until.isoformat() if row.covenant_until else None,
        declared=" ".join(f"{each['line']}/{each['record_class']}={each['per_month']}" for each in made),
    )


def renew(
    session: Session,
    id_or_name: str,
    *,
    attested_on: date | None = None,
    agreement_signed_on: date | None = None,
    agreement_version: str | None = None,
    lines: Iterable[str] = (),
    now: datetime,
    by: str = COMMAND_LINE,
) -> Member:
    """Record a member's attestation or agreement, or its lines of business; what is not given stays as it is.

    Raises OnboardingError for an unknown or withdrawn member, or a line that is none.
    """
    row = _member(session, id_or_name)
    if row.status == MemberStatus.WITHDRAWN.value:
        raise OnboardingError(NOT_RESUMED)
    wanted = sorted(set(lines))
    if not set(wanted) <= set(LINES):
        raise OnboardingError(f"a line is one of: {', '.join(LINES)}")
    act = Act(now, by)
    if attested_on is not None:
        lifecycle.attest(session, row, act, attested_on)
    if agreement_signed_on is not None or agreement_version is not None:
        lifecycle.agree(session, row, act, agreement_version, agreement_signed_on or row.agreement_signed_on)
    if wanted:
        lifecycle.change_lines(session, row, act, wanted)
    return row.as_member()


def change_status(
    session: Session,
    id_or_name: str,
    status: MemberStatus,
    *,
    now: datetime,
    by: str = COMMAND_LINE,
    reason: str | None = None,
) -> Member:
    """Suspend, reinstate or withdraw a member; raises OnboardingError when there is none, or it has withdrawn."""
    row = _member(session, id_or_name)
    try:
        lifecycle.change_status(session, row, Act(now, by, reason), status)
    except LifeCycleError as error:
        raise OnboardingError(str(error)) from None
    return row.as_member()


def issue_credential(session: Session, member: str, roles: Iterable[str], *, now: datetime) -> Credential:
    """A client id and secret for a member's program; raises OnboardingError for an unknown member or role."""
    member_id = _member(session, member).id
    client_id = _new_actor_id(now)
    secret = f"fps_{secrets.token_urlsafe(32)}"
    client = ActorRow(
        id=client_id,
        member_id=member_id,
        kind="client",
        login=client_id,
        secret_hash=hash_secret(secret),
        roles=_roles(roles, member_id=member_id),
        created_at=now,
    )
    session.add(client)
    session.flush()
    return Credential(client_id, secret)


def add_user(
    session: Session, username: str, password: str, roles: Iterable[str], *, now: datetime, member: str | None = None
) -> str:
    """A person with a name and password, of a member or (operator, auditor) of none; the actor's id.

    Raises OnboardingError for a name that is taken, a short password, or a role that does not fit.
    """
    login = username.strip()
    if not login:
        raise OnboardingError("a user needs a name")
    if len(password) < SHORTEST_PASSWORD:
        raise OnboardingError(f"a password needs at least {SHORTEST_PASSWORD} characters")
    if session.scalar(select(ActorRow.id).where(ActorRow.login == login)) is not None:
        raise OnboardingError("a user of that name exists")
    member_id = _member(session, member).id if member is not None else None
    user = ActorRow(
        id=_new_actor_id(now),
        member_id=member_id,
        kind="user",
        login=login,
        secret_hash=hash_secret(password),
        roles=_roles(roles, member_id=member_id),
        created_at=now,
    )
    session.add(user)
    session.flush()
    return user.id


def disable_actor(session: Session, actor_id: str, *, now: datetime) -> None:
    """Take an actor's access away at once, tokens included; raises OnboardingError when there is none."""
    row = session.get(ActorRow, actor_id)
    if row is None:
        raise OnboardingError("there is no such user or credential")
    row.disabled_at = row.disabled_at or now
    tokens.revoke_actor(session, actor_id, now=now, because="disabled")


def _member(session: Session, id_or_name: str) -> MemberRow:
    row = find_member(session, id_or_name)
    if row is None:
        raise OnboardingError("there is no such member: `frankpledge-admin member list` shows them")
    return row


def _roles(roles: Iterable[str], *, member_id: str | None) -> list[str]:
    allowed = MEMBER_ROLES if member_id is not None else frozenset(Role) - MEMBER_ROLES
    wanted = sorted(set(roles))
    if not wanted or not set(wanted) <= {role.value for role in allowed}:
        raise OnboardingError(f"expected one or more roles of: {', '.join(sorted(allowed))}")
    return wanted


def _new_actor_id(now: datetime) -> str:
    return ids.make("act", now, secrets.token_bytes(ids.RANDOM_BYTES))
