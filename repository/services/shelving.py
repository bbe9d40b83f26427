"""Taking records out of the index while they are suppressed, and putting them back: the encodings stay, sealed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, RowMapping

from repository.services import Services, aftermath, pool, rescreening
from repository.services.hitmaking import Source
from repository.storage import index, rescored
from repository.storage.members import member_of


def take_out(services: Services, connection: Connection, filing_ids: Sequence[str]) -> None:
    """Remove the keys of filings from the index, with the pool locked: nothing finds them any more."""
    placed = rescored.subjects(connection, filing_ids)
    opened = [pool.open_subject(services.sealer, each.sealed) for each in placed]
    # All keys, by whatever schema they were made: those by which nothing is found have no row.
    rekeyed = [services.sealer.rekey(each.keys, each.kind) for each in opened]
    index.remove(connection, services.sealer, [each.sealed.record_id for each in placed], rekeyed)
    index.note_write(connection)


def put_back(services: Services, connection: Connection, row: RowMapping, *, now: datetime) -> None:
    """Index a filing again, with the pool locked, and look for what came in meanwhile."""
    member = member_of(connection, row["member_id"])
    placed = rescored.subjects(connection, [row["id"]])
    if not placed:
        return
    opened = [pool.open_subject(services.sealer, each.sealed) for each in placed]
    keys = pool.rekeyed(services.sealer, services.schema, opened)
    found = pool.look_up(services, connection, member, opened, keys)
    rows = index.rows(services.sealer, [each.sealed.record_id for each in placed], keys)
    index.insert(connection, rows, found.own, share=pool.hot(services, now).share)
    index.note_write(connection)
    source = Source(member, "", None, now)
    rescreening.rescore(services, connection, source, [row["id"]])
    aftermath.queue(services, connection, source, {row["id"]: row["record_class"]})
