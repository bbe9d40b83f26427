"""Grants (R7): what those who never contribute may ask, for how long."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from repository.domain.events import EventKind
from repository.domain.membership import LifeCycleError, check_grant
from repository.domain.rulebook import SubscriberClass, SubscriberRules
from repository.domain.standing import Grant
from repository.services.lifecycle import Act, What, given_reason, tell
from repository.storage import ledger, membership
from repository.storage.members import MemberRow


def grant(
    session: Session, row: MemberRow, act: Act, wanted: Grant, *, kind: SubscriberClass, rules: SubscriberRules
) -> str:
    """Give a member a grant, in place of the one it has; its id. The member never contributes from then on.

    Raises FieldError where it reaches beyond the rules of its class, LifeCycleError for a member that contributes.
    """
    check_grant(wanted, act.now.date(), rules)
    session.refresh(row, with_for_update=True)  # a member has one grant, though two are given at once
    connection = session.connection()
    if row.subscriber is None and membership.contributes(connection, row.id):
        raise LifeCycleError("a member that declares volumes or has filed earns its access, and takes no grant (R7)")
    row.subscriber = kind.value
    row.lines = sorted({*row.lines, *wanted.lines})
    session.flush()
    grant_id = act.new_id("grt")
    values: dict[str, Any] = {
        "id": grant_id,
        "member_id": row.id,
        "subscriber": kind.value,
        "lines": list(wanted.lines),
        "classes": list(wanted.classes),
        "purposes": list(wanted.purposes),
        "tier": wanted.tier,
        "quota_per_day": wanted.quota_per_day,
        "granted_at": act.now,
        "granted_by": act.actor_id,
        "expires_on": wanted.expires_on,
        "ended_at": None,
    }
    membership.add_grant(connection, values)
    ledger.touch(connection, row.id)
    tell(
        connection,
        act,
        What(EventKind.MEMBERSHIP_GRANTED, "R7", row.id, grant_id),
        subscriber=kind.value,
        lines=" ".join(wanted.lines),
        classes=" ".join(wanted.classes),
        purposes=" ".join(wanted.purposes),
        tier=wanted.tier,
        quota_per_day=wanted.quota_per_day,
        expires_on=wanted.expires_on.isoformat(),
    )
    return grant_id


def within(rules: SubscriberRules, lines: Iterable[str], expires_on: date, **narrower: Any) -> Grant:
    """The widest grant that the rules of a class allow, for some lines and to a day; `narrower` are parts of its own.

    A part that is None or empty is as wide as can be.
    """
    return Grant(
        lines=tuple(lines),
        classes=tuple(narrower.get("classes") or rules.classes),
        purposes=tuple(narrower.get("purposes") or rules.purposes),
        tier=rules.tier if narrower.get("tier") is None else narrower["tier"],
        quota_per_day=rules.quota_per_day if narrower.get("quota_per_day") is None else narrower["quota_per_day"],
        expires_on=expires_on,
    )


def revoke(session: Session, row: MemberRow, act: Act) -> None:
    """End a member's grant now. Raises FieldError without a reason, LifeCycleError when it has none."""
    act = Act(act.now, act.actor_id, given_reason(act.reason or ""))
    connection = session.connection()
    if not membership.end_grant(connection, row.id, act.now):
        raise LifeCycleError("the member has no grant")
    ledger.touch(connection, row.id)
    tell(connection, act, What(EventKind.MEMBERSHIP_GRANT_ENDED, "R7", row.id))
