"""Taking filings, and screenings, out of every table that has anything of them, and out of what remembers them.

What refers to them goes with them, found by the foreign keys, so that a new table cannot be forgotten. What is only
named by its id elsewhere stays: events, decisions, deletion proofs, disputes, and the sums of the ledger.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from functools import cache
from typing import Any

from sqlalchemy import Column, Connection, RowMapping, Table, bindparam, delete, or_, select, update

from repository.domain.exchange import RequestStatus
from repository.storage import casework, dialect, dump
from repository.storage.batches import BATCHES, DRY_RUN_FILINGS
from repository.storage.casework import CASE_HITS, CASES
from repository.storage.duties import DUTIES, Duty
from repository.storage.exchange import DISCLOSURES
from repository.storage.filings import FILINGS, VERSIONS
from repository.storage.hits import HIT_SIDES, HITS
from repository.storage.index import HOT_KEYS
from repository.storage.proofs import PROOFS
from repository.storage.retention import with_names
from repository.storage.screenings import SCREENINGS
from repository.storage.sealing import Integers
from repository.storage.suppressed import SUPPRESSED_PAIRS

_WITH_THEIR_HITS = "hit_sides"
"""Has columns for filings and screenings, too, but goes with the hits of these."""


def hold(connection: Connection, filing_ids: Sequence[str]) -> list[RowMapping]:
    """The filings of these that are there, in the order of ids; nobody finds or changes them until this ends."""
    name = connection.dialect.name
    wanted = select(dialect.wanted_texts(name).c.value)
    found = select(*FILINGS.columns, BATCHES.c.created_at.label("named_at")).select_from(with_names())
    statement = found.where(FILINGS.c.id.in_(wanted)).order_by(FILINGS.c.id).with_for_update(of=FILINGS)
    return list(connection.execute(statement, dialect.wanted(name, list(filing_ids))).mappings())


def hits_of(connection: Connection, filing_ids: Sequence[str]) -> list[str]:
    """The hits that filings are an end of, superseded ones too."""
    name = connection.dialect.name
    wanted = select(dialect.wanted_texts(name).c.value)
    statement = select(HITS.c.id).where(or_(HITS.c.low_filing_id.in_(wanted), HITS.c.high_filing_id.in_(wanted)))
    return list(connection.execute(statement, dialect.wanted(name, list(filing_ids))).scalars())


def hits_of_screenings(connection: Connection, screening_ids: Sequence[str]) -> list[str]:
    """The hits of screenings."""
    name = connection.dialect.name
    statement = select(HITS.c.id).where(HITS.c.screening_id.in_(select(dialect.wanted_texts(name).c.value)))
    return list(connection.execute(statement, dialect.wanted(name, list(screening_ids))).scalars())


def owed(connection: Connection, hit_ids: Sequence[str], *, today: date) -> list[Duty]:
    """The answers that are due on hits, and are neither given nor overdue: nobody can give them once these are gone."""
    name = connection.dialect.name
    statement = select(DUTIES).where(
        DUTIES.c.hit_id.in_(select(dialect.wanted_texts(name).c.value)),
        DUTIES.c.answered_at.is_(None),
        DUTIES.c.released_on.is_(None),
        DUTIES.c.due_on >= today,
    )
    return [Duty(*row) for row in connection.execute(statement, dialect.wanted(name, list(hit_ids)))]


def asked(connection: Connection, filing_ids: Sequence[str], *, now: datetime) -> list[tuple[str, date, str, str]]:
    """Open requests for the detail of filings that are not overdue: contributor, day, line and class of each.

    Nobody answers them until this ends.
    """
    name, asked_for = connection.dialect.name, DISCLOSURES.c
    statement = (
        select(asked_for.contributor_id, asked_for.due_on, asked_for.line, asked_for.record_class)
        .where(
            asked_for.filing_id.in_(select(dialect.wanted_texts(name).c.value)),
            asked_for.status == RequestStatus.OPEN.value,
            asked_for.due_at > now,
        )
        .order_by(asked_for.id)
        .with_for_update(of=DISCLOSURES)
    )
    rows = connection.execute(statement, dialect.wanted(name, list(filing_ids)))
    return [(row[0], row[1], row[2], row[3]) for row in rows]


def requests(connection: Connection, filing_ids: Sequence[str]) -> list[tuple[str, str, bool]]:
    """Requests for the detail of filings: id, who asked, and whether it waits for an answer or has not opened it."""
    name, asked_for = connection.dialect.name, DISCLOSURES.c
    waits = or_(asked_for.status == RequestStatus.OPEN.value, asked_for.sealed.is_not(None))
    statement = select(asked_for.id, asked_for.requester_id, waits).where(
        asked_for.filing_id.in_(select(dialect.wanted_texts(name).c.value))
    )
    rows = connection.execute(statement.order_by(asked_for.id), dialect.wanted(name, list(filing_ids)))
    return [(row[0], row[1], bool(row[2])) for row in rows]


def lock_cases(connection: Connection, hit_ids: Sequence[str]) -> None:
    """Let nobody put hits of these members into cases until this ends: either would wait for the other's rows."""
    name = connection.dialect.name
    statement = select(HIT_SIDES.c.member_id).where(HIT_SIDES.c.hit_id.in_(select(dialect.wanted_texts(name).c.value)))
    having = connection.execute(statement.distinct(), dialect.wanted(name, list(hit_ids))).scalars()
    casework.lock_all(connection, sorted(having))


def cases_going(connection: Connection, hit_ids: Sequence[str]) -> list[tuple[str, str, bool]]:
    """Members' cases that have no hits but these: id, whose, and whether somebody has it."""
    name, case = connection.dialect.name, CASES.c
    given, wanted = dialect.wanted(name, list(hit_ids)), select(dialect.wanted_texts(name).c.value)
    having = select(CASE_HITS.c.case_id).where(CASE_HITS.c.hit_id.in_(wanted))
    others = select(CASE_HITS.c.hit_id).where(CASE_HITS.c.case_id == case.id, CASE_HITS.c.hit_id.not_in(wanted))
    statement = select(case.id, case.member_id, case.assignee_id.is_not(None)).where(
        case.id.in_(having), ~others.exists()
    )
    return [(row[0], row[1], bool(row[2])) for row in connection.execute(statement.order_by(case.id), given)]


def members_told(connection: Connection, hit_ids: Sequence[str], *, since: datetime) -> set[str]:
    """The members that have one of these hits that was found since a time."""
    name = connection.dialect.name
    statement = (
        select(HIT_SIDES.c.member_id)
        .select_from(HIT_SIDES.join(HITS, HITS.c.id == HIT_SIDES.c.hit_id))
        .where(HITS.c.id.in_(select(dialect.wanted_texts(name).c.value)), HITS.c.created_at >= since)
    )
    return set(connection.execute(statement.distinct(), dialect.wanted(name, list(hit_ids))).scalars())


def remove(connection: Connection, rows: Sequence[RowMapping]) -> Counter[str]:
    """Delete filings, held by `hold`, and what refers to them; how many rows of each table.

    With them go the proofs that no other filing stands on, members' cases that have no other hit, with what people
    wrote in these, and what a dry run under way remembers of them. Subjects and their rows of the index are taken out
    before.
    """
    filing_ids = [row["id"] for row in rows]
    proofs, cases = _proofs(connection, filing_ids), _cases_of(connection, hits_of(connection, filing_ids))
    _forget_pairs(connection, filing_ids)
    removed = _gone(connection, FILINGS, filing_ids) + _gone(connection, CASES, _emptied(connection, cases))
    if proofs:
        standing = select(FILINGS.c.id).where(FILINGS.c.proof_id == PROOFS.c.id).exists()
        bare = delete(PROOFS).where(PROOFS.c.id == bindparam("proof"), ~standing)
        removed["proofs"] += connection.execute(bare, [{"proof": each} for each in proofs]).rowcount
    of_member = select(BATCHES.c.id).where(BATCHES.c.member_id == bindparam("member"))
    tried = delete(DRY_RUN_FILINGS).where(
        DRY_RUN_FILINGS.c.batch_id.in_(of_member),
        DRY_RUN_FILINGS.c.reference == bindparam("ref"),
        DRY_RUN_FILINGS.c.record_class == bindparam("class"),
    )
    if connection.execute(select(DRY_RUN_FILINGS.c.batch_id).limit(1)).first() is not None:
        names = {"member": "member_id", "ref": "reference", "class": "record_class"}
        connection.execute(tried, [{name: row[column] for name, column in names.items()} for row in rows])
    return removed


def remove_screenings(connection: Connection, screening_ids: Sequence[str]) -> Counter[str]:
    """Delete screenings with their hits, all that stands on these, and pairs kept apart; how many of each table."""
    cases = _cases_of(connection, hits_of_screenings(connection, screening_ids))
    _forget_pairs(connection, screening_ids)
    return _gone(connection, SCREENINGS, screening_ids) + _gone(connection, CASES, _emptied(connection, cases))


def forget_hot(connection: Connection, keys: Integers) -> None:
    """Forget that keys are hot. Those that are so still are found to be, when they are met again."""
    name = connection.dialect.name
    statement = delete(HOT_KEYS).where(HOT_KEYS.c.key.in_(select(dialect.wanted_integers(name).c.value)))
    connection.execute(statement, dialect.wanted(name, sorted(set(keys.tolist()))))


def _proofs(connection: Connection, filing_ids: Sequence[str]) -> list[str]:
    """The proofs that filings stand on, or stood on in an earlier version."""
    name = connection.dialect.name
    wanted = select(dialect.wanted_texts(name).c.value)
    stood = select(VERSIONS.c.proof_id).where(VERSIONS.c.filing_id.in_(wanted), VERSIONS.c.proof_id.is_not(None))
    return sorted(connection.execute(stood.distinct(), dialect.wanted(name, list(filing_ids))).scalars())


def _cases_of(connection: Connection, hit_ids: Sequence[str]) -> list[str]:
    """The cases that hits are in."""
    name = connection.dialect.name
    statement = select(CASE_HITS.c.case_id).where(CASE_HITS.c.hit_id.in_(select(dialect.wanted_texts(name).c.value)))
    return list(connection.execute(statement.distinct(), dialect.wanted(name, list(hit_ids))).scalars())


def _emptied(connection: Connection, case_ids: Sequence[str]) -> list[str]:
    """Those of these cases that have no hit, and the cases that were merged into them."""
    name = connection.dialect.name
    wanted = select(dialect.wanted_texts(name).c.value)
    has_hit = select(CASE_HITS.c.hit_id).where(CASE_HITS.c.case_id == CASES.c.id).exists()
    empty = select(CASES.c.id).where(CASES.c.id.in_(wanted), ~has_hit)
    merged = select(CASES.c.id).where(CASES.c.merged_into.in_(wanted))
    found = next_ones = list(connection.execute(empty, dialect.wanted(name, list(case_ids))).scalars())
    while next_ones:
        next_ones = list(connection.execute(merged, dialect.wanted(name, next_ones)).scalars())
        found = [*found, *next_ones]
    return found


def _forget_pairs(connection: Connection, ids: Sequence[str]) -> None:
    """Forget the pairs that members keep apart of filings, or screenings, to which no foreign key binds them all."""
    name, pair = connection.dialect.name, SUPPRESSED_PAIRS.c
    wanted = select(dialect.wanted_texts(name).c.value)
    ends = (pair.own_filing_id, pair.own_screening_id, pair.their_filing_id)
    either = or_(*(each.in_(wanted) for each in ends))
    connection.execute(delete(SUPPRESSED_PAIRS).where(either), dialect.wanted(name, list(ids)))


def _gone(connection: Connection, table: Table, ids: Sequence[str]) -> Counter[str]:
    """Delete rows by id after all that refers to them, however far; what may do without them stays without."""
    removed: Counter[str] = Counter()
    if not ids:
        return removed
    name = connection.dialect.name
    given, wanted = dialect.wanted(name, list(ids)), select(dialect.wanted_texts(name).c.value)
    for column in _referring(table.name):
        child, refers = column.table, column.in_(wanted)
        if column.nullable and child is not HITS:
            connection.execute(update(child).where(refers).values({column: None}), given)
        elif _referring(child.name):
            found = connection.execute(select(child.c.id).where(refers), given).scalars()
            removed += _gone(connection, child, list(found))
        else:
            removed[child.name] += connection.execute(delete(child).where(refers), given).rowcount
    removed[table.name] += connection.execute(delete(table).where(table.c.id.in_(wanted)), given).rowcount
    return removed


@cache
def _referring(name: str) -> tuple[Column[Any], ...]:
    """The columns that refer to the rows of a table."""
    return tuple(
        column
        for table in dump.tables()
        if name == HITS.name or table.name != _WITH_THEIR_HITS
        for column in table.columns
        if any(key.column.table.name == name for key in column.foreign_keys)
    )
