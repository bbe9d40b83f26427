"""Flags on records, the words of the person in one, and what members are told of corrections and say to them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, RowMapping

from matching.vocabulary import LINES
from repository.domain import disclosure
from repository.domain.asking import Request
from repository.domain.corrections import Correction, CorrectionKind, NoticeError, by_flag, notices_joined
from repository.domain.events import EventKind
from repository.domain.flags import Flag
from repository.domain.members import Actor, Member
from repository.domain.rulebook import CLASS_TIER, HIT_TIER, POINTER_TIER, Rulebook
from repository.services import Services, correcting, entitlements, lifecycle, pool, shelving, unlinking
from repository.services.correcting import Change
from repository.services.enquiries import AS_CLASS
from repository.services.entitlements import DEFAULT_PURPOSE
from repository.services.lifecycle import Act, What
from repository.storage import corrections, dialect, exchange, filings, flags, subject_requests

RULE = "CORRECTION"
ACTION = "corrections"


def flag(
    services: Services, connection: Connection, act: Act, filing_id: str, word: Flag | None, *, cause: str
) -> Flag | None:
    """Flag a filing for a cause (the id of a dispute or request), or lift what that cause flagged it as (None).

    In the caller's transaction, a writing one, with the pool locked from its beginning where it locks anything else;
    what the filing is flagged as now. The strictest of all causes counts. Whoever was shown the record is told. A
    record that is suppressed leaves the index, and comes back with what it matches now. Nothing where it is gone.
    """
    dialect.lock_pool(connection)
    row = flags.hold(connection, filing_id)
    if row is None:
        return None
    before = None if row["flag"] is None else Flag(row["flag"])
    after = flags.put(connection, filing_id, cause, word, now=act.now)
    if after is before:
        return after
    if Flag.SUPPRESSED in (before, after):
        if after is Flag.SUPPRESSED:
            shelving.take_out(services, connection, [filing_id])
        else:
            shelving.put_back(services, connection, row, now=act.now)
    unlinking.again(services, connection, [filing_id])
    kind = EventKind.FILING_UNFLAGGED if after is None else EventKind.FILING_FLAGGED
    figures: dict[str, str | int | None] = {
        "flag": None if after is None else after.value,
        "was": row["flag"],
        "cause": cause,
    }
    lifecycle.tell(connection, act, What(kind, RULE, row["member_id"], filing_id), **figures)
    asker = subject_requests.asker(connection, cause)
    change = Change(by_flag(before, after), act.now, act.actor_id, cause, besides=asker)
    correcting.push(services, connection, [dict(row)], change)
    return after


def attach_notice(
    services: Services, connection: Connection, act: Act, filing_id: str, words: str | None, *, cause: str
) -> bool:
    """Put the words of the person in a record on it, sealed, after those of other causes. Told as any correction.

    In the caller's transaction; False where the filing is gone. `words` were checked (`notice_from_json`). Those that
    its contributor put there alone (its id is the cause) are its to replace, or with None to take off; raises
    NoticeError where others did.
    """
    dialect.lock_pool(connection)
    row = flags.hold(connection, filing_id)
    if row is None:
        return False
    before = pool.open_notice(services.sealer, filing_id, row["notice"])
    own = cause == row["member_id"]
    if own and row["notice_cause"] not in {None, cause}:
        raise NoticeError("the words came with a dispute or with a person's request: they stay with the record")
    if words is not None and not own:
        words = notices_joined(before, words)
    if before == words:
        return True
    sealed = None if words is None else services.sealer.seal(pool.notice_context(filing_id), words.encode())
    flags.note(connection, filing_id, sealed, cause)
    figures: dict[str, str | int | None] = {"words": 0 if words is None else len(words.split()), "cause": cause}
    lifecycle.tell(connection, act, What(EventKind.FILING_NOTICED, RULE, row["member_id"], filing_id), **figures)
    asker = subject_requests.asker(connection, cause)
    correcting.push(
        services, connection, [dict(row)], Change(CorrectionKind.NOTICE, act.now, act.actor_id, cause, besides=asker)
    )
    return True


def notice_own(services: Services, actor: Actor, member: Member, filing_id: str, words: str | None) -> bool:
    """The same on a filing of a member's own; False when it has none of this id. Raises NoticeError."""
    act = Act(services.clock(), actor.id)
    with services.database.writing() as connection:
        dialect.lock_pool(connection)
        if filings.of_member(connection, member.id, filing_id) is None:
            return False
        return attach_notice(services, connection, act, filing_id, words, cause=member.id)


def received(
    services: Services, member: Member, *, outstanding: bool | None, before: str | None, limit: int
) -> tuple[list[dict[str, Any]], bool]:
    """A page of the corrections that a member is told of, latest first, and whether there are more."""
    with services.database.reading() as connection:
        found = corrections.received(connection, member.id, before=before, limit=limit + 1, outstanding=outstanding)
        return _to_viewer(connection, member.id, found[:limit]), len(found) > limit


def made(
    services: Services, actor: Actor, member: Member, *, filing_id: str | None, before: str | None, limit: int
) -> tuple[list[dict[str, Any]], bool]:
    """A page of the corrections of a member's own records, latest first, and whether there are more.

    Of the lines in which it may know that somebody asked for its records at all.
    """
    with services.database.reading() as connection:
        lines = _lines(services, connection, actor, member)
        found = corrections.made_by(
            connection, member.id, lines=lines, before=before, limit=limit + 1, filing_id=filing_id
        )
        return _to_contributor(services, connection, member.id, found[:limit]), len(found) > limit


def find(services: Services, actor: Actor, member: Member, correction_id: str) -> dict[str, Any] | None:
    """A correction for one of its sides; None for any other member, and where it may not know of one of its own."""
    with services.database.reading() as connection:
        row = corrections.receipt(connection, member.id, correction_id)
        if row is not None:
            return _to_viewer(connection, member.id, [row])[0]
        correction = _own(services, connection, actor, member, correction_id)
        return None if correction is None else _to_contributor(services, connection, member.id, [correction])[0]


def acknowledge(services: Services, actor: Actor, member: Member, correction_id: str) -> dict[str, Any] | None:
    """Say that a correction was taken in; None for whoever it was not made for. Again changes nothing."""
    act = Act(services.clock(), actor.id)
    with services.database.writing() as connection:
        row = corrections.receipt(connection, member.id, correction_id, lock=True)
        if row is None:
            return None
        if row["acknowledged_at"] is None:
            said = {"acknowledged_at": act.now, "acknowledged_by": actor.id, "role": _role(actor), "due_at": None}
            corrections.change(connection, correction_id, member.id, said)
            what = What(EventKind.CORRECTION_ACKNOWLEDGED, RULE, member.id, correction_id)
            lifecycle.tell(connection, act, what, role=_role(actor))
        after = corrections.receipt(connection, member.id, correction_id)
        return None if after is None else _to_viewer(connection, member.id, [after])[0]


def trail(services: Services, actor: Actor, member: Member, correction_id: str) -> dict[str, Any] | None:
    """On which day each was told of a correction, and acknowledged it: for the contributor. None for others.

    It does not learn who else looks at its records: the others are numbered, and few of them are not told one by one.
    """
    with services.database.reading() as connection:
        correction = _own(services, connection, actor, member, correction_id)
        if correction is None:
            return None
        told = corrections.receipts(connection, [correction_id])
        (body,) = _to_contributor(services, connection, member.id, [correction])
    receipts = [{"role": row["role"]} | _days(row) for row in told] if isinstance(body["members"], int) else []
    receipts.sort(key=lambda each: (each["acknowledged_on"] or "~", each["told_on"] or "~", each["role"] or ""))
    return body | {"receipts": [{"member": number} | each for number, each in enumerate(receipts, 1)]}


def trail_for_operator(connection: Connection, correction_id: str) -> dict[str, Any] | None:
    """The same with the members' names, for the operator; None where there is no such correction."""
    correction = corrections.one(connection, correction_id)
    if correction is None:
        return None
    told = corrections.receipts(connection, [correction_id])
    names = exchange.names(connection, {correction.contributor_id, *(row["member_id"] for row in told)})
    body = _said(correction) | {"filing": correction.filing_id, "contributor": names.get(correction.contributor_id)}
    receipts = [
        {"member": names.get(row["member_id"]), "role": row["role"], "reminders": row["reminders"]} | _times(row)
        for row in told
    ]
    return body | {"receipts": receipts}


def _role(actor: Actor) -> str:
    """The role by which something is acknowledged: that which answers for most."""
    order = ("member_admin", "investigator", "contributor", "screener")
    roles = {each.value for each in actor.roles}
    return next((each for each in order if each in roles), "member")


def _said(correction: Correction) -> dict[str, Any]:
    return {
        "id": correction.id,
        "kind": correction.kind.value,
        "line": correction.line,
        "class": correction.record_class,
        "version": correction.version,
        "at": correction.at.isoformat(),
    }


def _lines(services: Services, connection: Connection, actor: Actor, member: Member) -> list[str]:
    """The lines in which a member may know that others looked at its records: as it may know of customers there."""
    request = Request(ACTION, DEFAULT_PURPOSE, None, asked=0)
    may = entitlements.entitled(services, connection, actor, member, request).entitlement
    return [line for line in LINES if may.allowed and may.tier(line, AS_CLASS) >= HIT_TIER]


def _own(
    services: Services, connection: Connection, actor: Actor, member: Member, correction_id: str
) -> Correction | None:
    """A correction of a member's own record that it may know of."""
    found = corrections.one(connection, correction_id)
    if found is None or found.contributor_id != member.id:
        return None
    return found if found.line in _lines(services, connection, actor, member) else None


def _to_contributor(
    services: Services, connection: Connection, member_id: str, found: Sequence[Correction]
) -> list[dict[str, Any]]:
    """How far each has come, and how many were shown the record unless few. Days: times say much about who it was."""
    references = corrections.references(connection, member_id, [each.filing_id for each in found])
    told = corrections.receipts(connection, [each.id for each in found])
    rulebook = services.rulebooks.at(services.clock())
    bodies = []
    for each in found:
        own = [row for row in told if row["correction_id"] == each.id]
        said = {name: value for name, value in _said(each).items() if name != "at"} | {"on": each.at.date().isoformat()}
        named = {"side": "made", "filing": each.filing_id, "reference": references.get(each.filing_id)}
        bodies.append(said | named | _progress(own, rulebook))
    return bodies


def _progress(own: Collection[RowMapping], rulebook: Rulebook) -> dict[str, Any]:
    """How far a correction has come with all, and counts as far as they are told."""
    told, acknowledged = (sum(row[name] is not None for row in own) for name in ("told_at", "acknowledged_at"))
    state = "acknowledged" if acknowledged == len(own) else "told" if told == len(own) else "open"
    counts = {"members": len(own), "acknowledged": acknowledged}
    return {"state": state} | {name: disclosure.suppressed(count, rulebook) for name, count in counts.items()}


def _to_viewer(connection: Connection, member_id: str, found: Sequence[RowMapping]) -> list[dict[str, Any]]:
    told = subject_requests.told_of(connection, member_id, {row["filing_id"] for row in found})
    return [_one_to_viewer(row, told.get(row["filing_id"], [])) for row in found]


def _one_to_viewer(row: RowMapping, requests: Sequence[str]) -> dict[str, Any]:
    """As much as the member was shown of the record, and no more: the class from tier 2, the filing from tier 3.

    `requests` are the member's own for persons, whose reports told of it.
    """
    body: dict[str, Any] = {
        "id": row["id"],
        "side": "received",
        "kind": row["kind"],
        "at": row["at"].isoformat(),
        "hits": row["hits"],
        "subject_requests": list(requests),
        "tier": row["tier"],
    }
    if row["tier"] >= CLASS_TIER:
        body |= {"class": row["record_class"]}
    if row["tier"] >= POINTER_TIER:
        named = {"filing": row["filing_id"], "line": row["line"]}
        body |= named | {"version": row["version"], "seen_version": row["seen_version"]}
    return body | _times(row)


def _times(row: RowMapping) -> dict[str, Any]:
    day = row["acknowledge_by"]
    times = {name: row[name] for name in ("told_at", "delivered_at", "acknowledged_at")}
    told = {name: None if at is None else at.isoformat() for name, at in times.items()}
    return told | {"acknowledge_by": None if day is None else day.isoformat()}


def _days(row: RowMapping) -> dict[str, Any]:
    names = ("told", "delivered", "acknowledged")
    days = {f"{name}_on": None if (at := row[f"{name}_at"]) is None else _day(at) for name in names}
    return days | {"acknowledge_by": None if row["acknowledge_by"] is None else _day(row["acknowledge_by"])}


def _day(at: datetime | date) -> str:
    return (at.date() if isinstance(at, datetime) else at).isoformat()
