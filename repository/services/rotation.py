"""Another operator secret: all that is under the old one is put under the new one, without the members' help.

Offline: nobody else works under the secret meanwhile. Rows go over in order, some in one transaction with the place
where the next begin, so that a rotation that was cut off goes on there. From its begin to its end the pool's check
of its secret fits neither, and no service starts.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from sqlalchemy import Connection, RowMapping
from sqlalchemy.orm import Session

from matching.types import EncodedSubject
from matching.wire import unpack
from repository.domain import ids
from repository.domain.events import Event, EventKind
from repository.domain.filings import StatedBasis
from repository.services import Clock, presence
from repository.services.crediting import subjects_digest
from repository.services.delivery import context
from repository.services.operator import WrongSecretError, check_value
from repository.services.planning import Said, digests, match_parts, said_parts
from repository.services.pool import notice_context
from repository.settings import Settings
from repository.storage import dump, events, networks, rotation
from repository.storage.dialect import fencing
from repository.storage.dialect.moving import Pair
from repository.storage.engine import Database
from repository.storage.filings import labels_of
from repository.storage.operator import OPERATOR_CHECK, ROTATION, fact, forget_fact, set_fact
from repository.storage.sealing import IndexSealer, Sealer, SealError, index_keys, named_context, record_context
from repository.storage.spool import Spool

FILINGS_AT_ONCE = 500
ROWS_AT_ONCE = 2000
INDEX_AT_ONCE = 20_000
_ROTATING = "rotating"
_FILING = (
    *("member_id", "reference", "record_class", "schema_id", "fingerprint", "line", "triggered_on", "claim"),
    *("tlp", "source_grade", "information_grade", "handling_code", "customer_kind", "basis_on", "proof_id"),
    *("match_digest", "subjects_digest", "notice"),
)


class RotationError(RuntimeError):
    """A rotation that cannot begin or end; the message says why, for the operator's eyes."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one kind of rows is: `done` since the command was run, of the `total` there are."""

    what: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Secrets:
    """The secret that the pool is under, and the one that it is to be under."""

    old: bytes
    new: bytes

    @property
    def marks(self) -> dict[str, str]:
        """What the two are recognised by."""
        return {"from": check_value(self.old), "to": check_value(self.new)}


@dataclass(frozen=True, slots=True)
class _Both:
    """The two at work."""

    old: Sealer
    new: Sealer

    def moved(self, context: bytes, sealed: bytes) -> bytes:
        return self.new.seal(context, self.old.unseal(context, sealed))


_Step = Callable[[_Both, Connection, Sequence[RowMapping]], None]


def rotate(settings: Settings, database: Database, secrets: Secrets, clock: Clock) -> Generator[Progress, None, None]:
    """Put a pool under another secret, or go on where that was cut off; the files of the secrets are not touched.

    Raises SecretInUseError, WrongSecretError where the pool is under neither, and RotationError.
    """
    both = _Both(Sealer(secrets.old), Sealer(secrets.new))
    with _alone(settings, database):
        if _is_under(database, secrets.new):
            return
        _begin(settings, database, secrets, both)
        for table, columns, at_once, step in _STAGES:
            yield from _over(database, both, (table, columns, at_once), step)
        done = Spool(settings.data_dir / "spool", both.new).resealed(both.old)
        yield Progress("files that wait", done, done)
        yield from _checked(database, both.new)
        _end(database, secrets, clock)


def verify(settings: Settings, database: Database, secret: bytes) -> Iterator[Progress]:
    """Open everything that is under the secret. Raises RotationError for what does not open, WrongSecretError."""
    if not _is_under(database, secret):
        raise WrongSecretError
    sealer = Sealer(secret)
    yield from _checked(database, sealer)
    done = 0
    for path in sorted((settings.data_dir / "spool").glob("*.sealed")):
        done += 1
        for _ in Spool(settings.data_dir / "spool", sealer).opened(path):
            pass
    yield Progress("files that wait", done, done)


def install(current: Path, following: Path, old: bytes) -> Path:
    """Put the file of the new secret in the place of the old one's, which is kept for older backups; where."""
    kept = current.with_name(f"{current.name}.{check_value(old)}")
    if current.exists() and not kept.exists():
        os.link(current, kept)
    following.replace(current)
    handle = os.open(current.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    return kept


@contextmanager
def _alone(settings: Settings, database: Database) -> Iterator[None]:
    dump.tables()  # so that all of them are known
    with ExitStack() as stack:
        stack.enter_context(presence.alone(settings.data_dir))
        stack.enter_context(fencing.alone(database.engine))
        yield


def _is_under(database: Database, secret: bytes) -> bool:
    with database.read() as session:
        return hmac.compare_digest(fact(session, OPERATOR_CHECK) or "", check_value(secret))


def _begin(settings: Settings, database: Database, secrets: Secrets, both: _Both) -> None:
    """Mark the pool as being rotated, or see that it is being so between these two secrets."""
    with database.write() as session:
        marked = fact(session, ROTATION)
        if marked is not None:
            if {name: orjson.loads(marked)[name] for name in ("from", "to")} != secrets.marks:
                raise WrongSecretError
            return
        if not hmac.compare_digest(fact(session, OPERATOR_CHECK) or "", check_value(secrets.old)):
            raise WrongSecretError
        connection = session.connection()
        if rotation.is_trying(connection):
            raise RotationError("a dry run of a batch is under way: have the worker finish it, or cancel the batch")
        if rotation.elsewhere(connection, Spool(settings.data_dir / "spool", both.old).name):
            raise RotationError("batches wait in another data directory: have its worker finish them first")
        rotation.forget_digests(connection)
        networks.forget_providers(connection)
        set_fact(session, ROTATION, orjson.dumps(secrets.marks).decode())
        set_fact(session, OPERATOR_CHECK, _ROTATING)


def _end(database: Database, secrets: Secrets, clock: Clock) -> None:
    now = clock()
    with database.write() as session:
        rotation.forget_lost(session.connection())
        set_fact(session, OPERATOR_CHECK, check_value(secrets.new))
        forget_fact(session, ROTATION)
        event_id = ids.make("evt", now, os.urandom(ids.RANDOM_BYTES))
        events.append(session.connection(), Event(event_id, now, EventKind.SECRET_ROTATED, None, None, None))


def _over(database: Database, both: _Both, part: tuple[str, Sequence[str], int], step: _Step) -> Iterator[Progress]:
    """Take the rows of a table over, some in one transaction with the place where the next begin."""
    table, columns, at_once = part
    with database.reading() as connection:
        total = rotation.count(connection, table)
    done = 0
    while True:
        with database.write(long=True) as session:
            connection = session.connection()
            marks = orjson.loads(fact(session, ROTATION) or "{}")
            found = rotation.following(connection, table, columns, marks.get(table, ""), at_once)
            step(both, connection, found)
            if found:
                marks[table] = found[-1]["id"]
                set_fact(session, ROTATION, orjson.dumps(marks).decode())
        done += len(found)
        if found:
            yield Progress(table, done, total)
        if len(found) < at_once:
            return


def _filings(both: _Both, connection: Connection, found: Sequence[RowMapping]) -> None:
    """Filings, their subjects, and what the index has of these."""
    rows = rotation.subjects(connection, [each["id"] for each in found])
    kept = [each for each in rows if each["envelope"]]  # the others were erased with their linkage key
    packed = both.old.unseal_each((record_context(each["id"]), each["envelope"]) for each in kept)
    opened = [replace(unpack(plain), role=row["role"]) for plain, row in zip(packed, kept, strict=True)]
    sealed = [
        {"row": row["id"], "new_envelope": both.new.seal(record_context(row["id"]), plain)}
        for plain, row in zip(packed, kept, strict=True)
    ]
    rotation.replace(connection, "subjects", sealed)
    _index(both, connection, [each["id"] for each in kept], opened)
    by_filing: dict[str, list[EncodedSubject]] = {}
    for filing_id, group in groupby(zip(kept, opened, strict=True), key=lambda pair: pair[0]["filing_id"]):
        by_filing[filing_id] = [subject for _, subject in group]
    known = [each for each in found if each["match_digest"] and each["id"] in by_filing]
    rotation.replace(connection, "filings", [_digests(both.new, each, by_filing[each["id"]]) for each in known])
    noticed = [(each["id"], both.moved(notice_context(each["id"]), each["notice"])) for each in found if each["notice"]]
    rotation.replace(connection, "filings", [{"row": row, "new_notice": words} for row, words in noticed])


def _digests(sealer: Sealer, row: RowMapping, subjects: Sequence[EncodedSubject]) -> dict[str, Any]:
    identity = (row["member_id"], row["reference"], row["record_class"])
    basis = StatedBasis(row["customer_kind"], row["basis_on"]).as_dict(row["record_class"])
    said = Said(row["line"], row["triggered_on"], row["claim"], labels_of(row).as_dict(), row["proof_id"], basis)
    matched = match_parts((row["schema_id"], row["fingerprint"]), subjects)
    match_digest, content_digest = digests(
        sealer, identity, matched, said_parts(said, [each.role for each in subjects])
    )
    counted = row["subjects_digest"]
    if counted is not None:
        counted = subjects_digest(sealer, (row["member_id"], row["record_class"], row["triggered_on"]), subjects)
    new = {"match_digest": match_digest, "content_digest": content_digest, "subjects_digest": counted}
    return {"row": row["id"]} | {f"new_{name}": value for name, value in new.items()}


def _index(both: _Both, connection: Connection, record_ids: Sequence[int], opened: Sequence[EncodedSubject]) -> None:
    # All keys, by whatever schema they were made: those by which nothing is found have no row.
    before, after = (
        _pairs(each, record_ids, [each.rekey(of.keys, of.kind) for of in opened]) for each in (both.old, both.new)
    )
    rotation.move_index_rows(connection, dict(zip(before, after, strict=True)))
    hot = rotation.hot(connection)
    met = {one: other for (one, _), (other, _) in zip(before, after, strict=True) if one in hot} if hot else {}
    rotation.move_hot(connection, met)


def _pairs(sealer: IndexSealer, record_ids: Sequence[int], rekeyed: Sequence[bytes]) -> list[Pair]:
    """The index rows of records under their re-keyed keys, in the order of these."""
    column = b"".join(rekeyed)
    records = np.repeat(np.array(record_ids, np.int64), [len(each) // 16 for each in rekeyed])
    return list(zip(index_keys(column).tolist(), sealer.pointers(records, column).tolist(), strict=True))


def _hits(both: _Both, connection: Connection, found: Sequence[RowMapping]) -> None:
    sealed = [(each["id"], both.moved(named_context(each["id"]), each["evidence"])) for each in found]
    rotation.replace(connection, "hits", [{"row": row, "new_evidence": evidence} for row, evidence in sealed])


def _screenings(both: _Both, connection: Connection, found: Sequence[RowMapping]) -> None:
    rows = []
    for each in found:
        if not each["envelope"]:
            continue
        at = named_context(each["id"])
        packed = both.old.unseal(at, each["envelope"])
        digest = both.new.digest(b"screened" + each["member_id"].encode(), packed)
        known = None if each["subject_digest"] is None else digest
        rows.append({"row": each["id"], "new_envelope": both.new.seal(at, packed), "new_subject_digest": known})
    rotation.replace(connection, "screenings", rows)


def _webhooks(both: _Both, connection: Connection, found: Sequence[RowMapping]) -> None:
    rows = []
    for each in found:
        of = {name: each[name] and both.moved(context(each["id"], name), each[name]) for name in _SEALED}
        rows.append({"row": each["id"], **{f"new_{name}": value for name, value in of.items()}})
    rotation.replace(connection, "webhooks", rows)


def _plain(table: str, column: str) -> _Step:
    """Rows whose one sealed column is under their id."""

    def step(both: _Both, connection: Connection, found: Sequence[RowMapping]) -> None:
        sealed = [(each["id"], each[column] and both.moved(named_context(each["id"]), each[column])) for each in found]
        rotation.replace(connection, table, [{"row": row, f"new_{column}": content} for row, content in sealed])

    return step


def _disclosures(both: _Both, connection: Connection, found: Sequence[RowMapping]) -> None:
    """What was written in requests; the answers to them are under keys of the members."""
    sealed = [(each["id"], both.moved(named_context(each["id"]), each["words"])) for each in found]
    rotation.replace(connection, "disclosure_requests", [{"row": row, "new_words": words} for row, words in sealed])


def _subject_requests(both: _Both, connection: Connection, found: Sequence[RowMapping]) -> None:
    """Encodings that wait for a confirmation, and reports that wait to be read."""
    rows = []
    for each in found:
        at = named_context(each["id"])
        of = {name: each[name] and both.moved(at, each[name]) for name in ("envelope", "report")}
        rows.append({"row": each["id"], **{f"new_{name}": value for name, value in of.items()}})
    rotation.replace(connection, "subject_requests", rows)


def _watches(both: _Both, connection: Connection, found: Sequence[RowMapping]) -> None:
    """What the index of watches has of these; their screenings are under the new secret by now."""
    envelopes = rotation.questions(connection, [each["screening_id"] for each in found if each["ended_at"] is None])
    for each in found:
        envelope = envelopes.get(each["screening_id"])
        if envelope:
            subject = unpack(both.new.unseal(named_context(each["screening_id"]), envelope))
            before, after = (
                _pairs(sealer, [each["number"]], [sealer.rekey(subject.keys, subject.kind)])
                for sealer in (both.old.watches, both.new.watches)
            )
            rotation.move_watch_rows(connection, dict(zip(before, after, strict=True)))


_SEALED = ("url", "secret", "old_secret")
_STAGES: tuple[tuple[str, Sequence[str], int, _Step], ...] = (
    ("filings", _FILING, FILINGS_AT_ONCE, _filings),
    ("hits", ("evidence",), ROWS_AT_ONCE, _hits),
    ("screenings", ("member_id", "envelope", "subject_digest"), ROWS_AT_ONCE, _screenings),
    ("watches", ("number", "screening_id", "ended_at"), ROWS_AT_ONCE, _watches),
    ("webhooks", _SEALED, ROWS_AT_ONCE, _webhooks),
    ("disclosure_requests", ("words",), ROWS_AT_ONCE, _disclosures),
    ("subject_requests", ("envelope", "report"), ROWS_AT_ONCE, _subject_requests),
    ("suppressed_pairs", ("ends",), ROWS_AT_ONCE, _plain("suppressed_pairs", "ends")),
    ("case_moves", ("reason",), ROWS_AT_ONCE, _plain("case_moves", "reason")),
    ("case_notes", ("text",), ROWS_AT_ONCE, _plain("case_notes", "text")),
    ("findings", ("words",), ROWS_AT_ONCE, _plain("findings", "words")),
)


def _checked(database: Database, sealer: Sealer) -> Iterator[Progress]:
    """Open every envelope, and every row of the index."""
    for table, opened in _OPENED.items():
        done = 0
        with database.snapshot() as connection:
            for rows in _pages(connection, table, list(opened)):
                _open(sealer, opened, rows)
                done += len(rows)
        yield Progress(f"{table} checked", done, done)
    for table, of in (("key_index", sealer), ("watch_index", sealer.watches)):
        done = 0
        with database.snapshot() as connection:
            for part in rotation.index_rows(connection, table, INDEX_AT_ONCE):
                keys = np.array([key for key, _ in part], np.int64)
                try:
                    of.open_pointers(b"".join([bytes(pointer) for _, pointer in part]), keys)
                except SealError:
                    raise RotationError(f"{table} has rows that do not open under the secret") from None
                done += len(part)
        yield Progress("index rows checked" if table == "key_index" else f"{table} rows checked", done, done)


def _pages(connection: Connection, table: str, columns: Sequence[str]) -> Iterator[Sequence[RowMapping]]:
    after: str | int = "" if table != "subjects" else -1
    while found := rotation.following(connection, table, columns, after, ROWS_AT_ONCE):
        yield found
        after = found[-1]["id"]


def _open(sealer: Sealer, contexts: Mapping[str, Callable[[Any], bytes]], rows: Sequence[RowMapping]) -> None:
    for name, of in contexts.items():
        try:
            sealer.unseal_each((of(each["id"]), each[name]) for each in rows if each[name])
        except SealError:
            raise RotationError(f"a {name} does not open under the secret") from None


def _of_webhook(name: str, webhook_id: Any) -> bytes:
    return context(webhook_id, name)


_OPENED: Mapping[str, Mapping[str, Callable[[Any], bytes]]] = {
    "filings": {"notice": notice_context},
    "subjects": {"envelope": record_context},
    "hits": {"evidence": named_context},
    "screenings": {"envelope": named_context},
    "suppressed_pairs": {"ends": named_context},
    "case_moves": {"reason": named_context},
    "case_notes": {"text": named_context},
    "findings": {"words": named_context},
    "disclosure_requests": {"words": named_context},
    "subject_requests": {"envelope": named_context, "report": named_context},
    "webhooks": {name: partial(_of_webhook, name) for name in _SEALED},
}


def is_rotating(session: Session) -> bool:
    """Whether a rotation is under way, or was cut off."""
    return fact(session, ROTATION) is not None
