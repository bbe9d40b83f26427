"""A contributor takes a filing of its own out of the pool, for good."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping

from repository.domain.members import Actor, Member
from repository.domain.removal import Cause, WithdrawalReason
from repository.services import Services, disputes, refuting, removal
from repository.services.lifecycle import Act
from repository.services.removal import Why
from repository.storage import deletions, dialect, filings, ledger
from repository.storage.ledger import LedgerRow


def withdraw(
    services: Services, actor: Actor, member: Member, filing_id: str, reason: WithdrawalReason
) -> dict[str, Any] | None:
    """Take an own filing out of the pool; the deletion proof as JSON. None when the member has, and had, none.

    One that is gone already stays so: its proof is the answer. Disputes about it, and refutations of it, that are not
    closed are accepted by this, and count (R8): nobody withdraws what is disputed to be spared.
    """
    with services.database.write() as session:
        return take_out(services, session.connection(), (actor, member), filing_id, reason)


def take_out(
    services: Services, connection: Connection, who: tuple[Actor, Member], filing_id: str, reason: WithdrawalReason
) -> dict[str, Any] | None:
    """What `withdraw` does, in the caller's transaction, a writing one."""
    actor, member = who
    why = Why(Cause.WITHDRAWN, services.clock(), actor.id, reason.value)
    dialect.lock_pool(connection)
    row = filings.of_member(connection, member.id, filing_id)
    if row is not None:
        disputes.accept_all(connection, Act(why.now, actor.id), filing_id)
        refuting.accept_all(connection, Act(why.now, actor.id), member.id, filing_id)
        _discount(services, connection, row, why.now)
        removal.remove(services, connection, [filing_id], why)
    proof = deletions.of_filing(connection, member.id, filing_id)
    return None if proof is None else to_json(proof)


def find(services: Services, member: Member, filing_id: str) -> dict[str, Any] | None:
    """The proof that a filing of a member is gone, as JSON; None where it is not, or was never there."""
    with services.database.reading() as connection:
        proof = deletions.of_filing(connection, member.id, filing_id)
    return None if proof is None else to_json(proof)


def listed(services: Services, member: Member, *, before: str | None, limit: int) -> tuple[list[dict[str, Any]], bool]:
    """A page of the proofs of a member's filings that are gone, latest first, and whether there are more."""
    with services.database.reading() as connection:
        found = deletions.page(connection, member.id, before=before, limit=limit + 1)
    return [to_json(each) for each in found[:limit]], len(found) > limit


def to_json(proof: RowMapping) -> dict[str, Any]:
    """A deletion proof for the member whose filing it was."""
    return {
        "id": proof["id"],
        "filing": proof["filing_id"],
        "line": proof["line"],
        "class": proof["record_class"],
        "version": proof["version"],
        "cause": proof["cause"],
        "reason": proof["reason"],
        "kept_from": proof["kept_from"].isoformat(),
        "removed_on": proof["removed_on"].isoformat(),
        "removed_at": proof["removed_at"].isoformat(),
        "rulebook": proof["rulebook"],
        "salt": bytes(proof["salt"]).hex(),
        "commitment": proof["commitment"],
    }


def _discount(services: Services, connection: Connection, row: RowMapping, now: datetime) -> None:
    """Enter a record that counts within the window as thin today: it counts for no more.

    Else a member would file, be credited, and take out of the pool again what it was credited for. Days that are over
    do not change. What was thin from the first has no digest, and is entered as such already.
    """
    today = now.astimezone(UTC).date()
    since = datetime.combine(today - timedelta(days=services.rulebooks.at(now).window.days), time(), UTC)
    if row["credited_line"] is not None and row["subjects_digest"] is not None and row["created_at"] >= since:
        counts = LedgerRow(row["member_id"], today, row["credited_line"], row["record_class"], {"thin": 1})
        ledger.add(connection, [counts], today=today)
