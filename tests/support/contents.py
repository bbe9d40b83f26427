"""What is in a pool, without what two runs of the same rows may differ in: ids, instants, and how work was cut up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
from sqlalchemy import Connection, Select, func, select

from matching.wire import unpack
from repository.services import Services, pool
from repository.storage.base import Base
from repository.storage.filings import FILINGS, SUBJECTS, VERSIONS
from repository.storage.index import KEY_INDEX
from repository.storage.sealing import index_keys, record_context

Contents = dict[str, Counter[Any]]

_TABLES = Base.metadata.tables
_ENDED = ("status", "bytes_done", "lines_done", "hits", "failure_field", "attempts")


def contents(services: Services) -> Contents:
    """Every filing, version, subject, hit, batch, refused row and figure of the ledger; a row twice counts twice."""
    low, high = (FILINGS.alias(name) for name in ("low", "high"))
    hits, sides, batches = _TABLES["hits"], _TABLES["hit_sides"], _TABLES["batches"]
    errors, events, ledger = _TABLES["batch_errors"], _TABLES["events"], _TABLES["ledger"]
    digests = [FILINGS.c[name] for name in ("match_digest", "content_digest", "subjects_digest", "credited_line")]
    of_filing = [FILINGS.c.member_id, FILINGS.c.reference, FILINGS.c.record_class]
    of_batch = [batches.c.member_id, batches.c.idempotency_key]
    pair = [low.c.reference, hits.c.low_position, high.c.reference, hits.c.high_position]
    both = hits.join(low, low.c.id == hits.c.low_filing_id).join(high, high.c.id == hits.c.high_filing_id)
    counts = [each for each in batches.c if each.name.startswith("rows_") or each.name in _ENDED]
    asked: dict[str, Select[Any]] = {
        "filings": select(*of_filing, FILINGS.c.line, FILINGS.c.version, FILINGS.c.last_batch_row, *digests),
        "versions": select(*of_filing, VERSIONS.c.version, VERSIONS.c.line, VERSIONS.c.matched).join_from(
            VERSIONS, FILINGS, FILINGS.c.id == VERSIONS.c.filing_id
        ),
        "subjects": select(*of_filing, SUBJECTS.c.position, SUBJECTS.c.kind, SUBJECTS.c.role).join_from(
            SUBJECTS, FILINGS, FILINGS.c.id == SUBJECTS.c.filing_id
        ),
        "keys": select(KEY_INDEX.c.key),
        "hits": select(*pair, hits.c.band, hits.c.superseded_at.is_(None)).select_from(both),
        "sides": select(sides.c.member_id, func.count()).group_by(sides.c.member_id),
        "batches": select(*of_batch, *counts),
        "refused": select(*of_batch, errors.c.row, errors.c.reference, errors.c.field, errors.c.expected).join_from(
            errors, batches, batches.c.id == errors.c.batch_id
        ),
        "ledger": select(*(each for each in ledger.c if each.name != "last_at")),
        "counted": select(_TABLES["pool_counts"]),
        "events": select(events.c.kind, events.c.member_id, func.count())
        .where(events.c.kind.like("batch.%"))
        .group_by(events.c.kind, events.c.member_id),
    }
    with services.database.reading() as connection:
        found = {name: Counter(map(tuple, connection.execute(statement))) for name, statement in asked.items()}
    # Which side of a hit is the low one goes by their ids.
    found["hits"] = Counter((*sorted([hit[:2], hit[2:4]]), *hit[4:]) for hit in found["hits"].elements())
    return found


def differences(one: Contents, other: Contents) -> dict[str, tuple[list[Any], list[Any]]]:
    """By name what only one of them has, and what only the other; some of each."""
    found = {name: (list(one[name] - other[name])[:5], list(other[name] - one[name])[:5]) for name in one}
    return {name: each for name, each in found.items() if any(each)}


def index_faults(services: Services) -> tuple[int, int]:
    """How many index rows lack that the subjects' keys ask for, and how many there are that none asks for."""
    with services.database.reading() as connection:
        wanted = Counter(_wanted(services, connection))
        found = Counter((int(key), bytes(pointer)) for key, pointer in connection.execute(select(KEY_INDEX)))
    return (wanted - found).total(), (found - wanted).total()


def _wanted(services: Services, connection: Connection) -> Iterator[tuple[int, bytes]]:
    for record_id, envelope in connection.execute(select(SUBJECTS.c.id, SUBJECTS.c.envelope)):
        subject = unpack(services.sealer.unseal(record_context(record_id), envelope))
        [keys] = pool.rekeyed(services.sealer, services.schema, [subject])
        numbers = index_keys(keys)
        pointers = services.sealer.pointers(np.full(len(numbers), record_id), keys)
        yield from set(zip(numbers.tolist(), map(bytes, pointers), strict=True))
