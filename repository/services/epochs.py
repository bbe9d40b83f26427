"""Epochs of the linkage key: how far members are with the new one, and the end of what is under an old one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator
from datetime import datetime
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from matching.wire import unpack
from repository.domain.events import Event, EventKind
from repository.domain.members import Member
from repository.domain.watches import EndReason
from repository.services import Services, reciprocity, watching
from repository.storage import dialect, epochs, events, index, networks, screenings
from repository.storage.epochs import Key, Standing
from repository.storage.operator import FingerprintRow, keys_known
from repository.storage.sealing import record_context

AT_ONCE = 500
"""Subjects, or screenings, in one transaction."""


class StillAcceptedError(Exception):
    """Records under the key are accepted now."""


def progress(services: Services, member: Member) -> list[dict[str, Any]]:
    """Every linkage key that was ever accepted, as JSON, with how many of a member's filings are under it."""
    with services.database.read() as session:
        counts = epochs.own_filings(session.connection(), member.id)
        return [
            as_json(each, services.clock()) | {"filings": counts.get((each.schema_id, each.fingerprint), 0)}
            for each in keys_known(session)
        ]


def as_json(row: FingerprintRow, now: datetime) -> dict[str, Any]:
    """A linkage key that is or was accepted."""
    return {
        "schema": row.schema_id,
        "fingerprint": row.fingerprint,
        "epoch": row.epoch,
        "accepted": row.is_accepted(now),
        "until": None if row.accepted_until is None else row.accepted_until.isoformat(),
    }


def erase(services: Services, key: Key) -> Generator[Counter[str], None, None]:
    """Take out of the pool what is encoded under a key that is over, some at a time; how many of what each time.

    Filings stay, without what could find them; filed again under the key that follows, they are found again. Killed
    in between it goes on where it was. Raises StillAcceptedError.
    """
    with services.database.read() as session:
        _refuse_accepted(session, key, services.clock())
    while True:
        with services.database.write(long=True) as session:
            connection = session.connection()
            dialect.lock_pool(connection)
            _refuse_accepted(session, key, services.clock())
            done = _erase_some(services, connection, key)
            if not done:  # of whose firms nothing tells any more
                networks.forget_providers(connection)
        if not done:
            return
        yield done


def _erase_some(services: Services, connection: Connection, key: Key) -> Counter[str]:
    found = epochs.encoded(connection, key, limit=AT_ONCE)
    opened = [unpack(services.sealer.unseal(record_context(each.record_id), each.envelope)) for each in found]
    record_ids = [each.record_id for each in found]
    # All keys, by whatever schema they were made: those by which nothing is found have no row.
    rekeyed = [services.sealer.rekey(each.keys, each.kind) for each in opened]
    index.remove(connection, services.sealer, record_ids, rekeyed)
    epochs.erase(connection, record_ids)
    networks.forget_providers(connection)
    for member_id in sorted({each.member_id for each in found}):
        own = [each for each in found if each.member_id == member_id]
        index.count_subjects(connection, member_id, {kind: -count for kind, count in _kinds(own).items()})
        _tell(services, connection, member_id, key, len(own))
    asked = epochs.asked(connection, key, limit=AT_ONCE)
    watching.end_on(services, connection, asked, EndReason.KEY)
    screenings.erase(connection, asked)
    if found:
        index.note_write(connection)
    return Counter({name: n for name, n in (("subjects", len(found)), ("screenings", len(asked))) if n})


def _kinds(found: list[Standing]) -> Counter[str]:
    return Counter(each.kind for each in found)


def _refuse_accepted(session: Session, key: Key, now: datetime) -> None:
    row = session.get(FingerprintRow, key)
    if row is not None and row.is_accepted(now):
        raise StillAcceptedError


def _tell(services: Services, connection: Connection, member_id: str, key: Key, count: int) -> None:
    event = Event(
        id=reciprocity.new_id(services, "evt"),
        at=services.clock(),
        kind=EventKind.KEY_ENCODINGS_ERASED,
        actor_id=None,
        member_id=member_id,
        subject_id=None,
        figures={"schema": key[0], "fingerprint": key[1], "subjects": count},
    )
    events.append(connection, event)
