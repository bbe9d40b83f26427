"""Whether anything of a record, or a question, is left in a database: in a row of any table, or a byte of its file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from sqlalchemy import Connection, Table, inspect, select

from matching.types import KEY_BYTES
from matching.wire import unpack
from repository.services import Services
from repository.storage import dump
from repository.storage.filings import FILINGS, SUBJECTS
from repository.storage.index import KEY_INDEX
from repository.storage.screenings import SCREENINGS
from repository.storage.sealing import index_keys, named_context, record_context


class Traces:
    """What the database has of some filings, and screenings, by which they could be found, from before they go."""

    def __init__(self, services: Services, filing_ids: Sequence[str], screening_ids: Sequence[str] = ()) -> None:
        self._services = services
        self.keys: list[int] = []
        self.values: list[bytes] = []
        with services.database.reading() as connection:
            of_these = SUBJECTS.c.filing_id.in_(filing_ids)
            for record_id, kind, envelope in connection.execute(
                select(SUBJECTS.c.id, SUBJECTS.c.kind, SUBJECTS.c.envelope).where(of_these)
            ):
                encoded = unpack(services.sealer.unseal(record_context(record_id), envelope))
                rekeyed = services.sealer.rekey(encoded.keys, kind)
                self.keys += index_keys(rekeyed).tolist()
                pointers = services.sealer.pointers(np.repeat(np.array([record_id]), len(rekeyed) // 16), rekeyed)
                self.values += [bytes(envelope), *(bytes(each) for each in pointers.tolist())]
            rows = connection.execute(
                select(FILINGS.c.reference, FILINGS.c.content_digest).where(FILINGS.c.id.in_(filing_ids))
            )
            for reference, digest in rows:
                self.values += [reference.encode(), bytes(digest)]
            asked = (SCREENINGS.c.id, SCREENINGS.c.reference, SCREENINGS.c.envelope, SCREENINGS.c.subject_digest)
            for screening_id, reference, envelope, digest in connection.execute(
                select(*asked).where(SCREENINGS.c.id.in_(screening_ids))
            ):
                encoded = unpack(services.sealer.unseal(named_context(screening_id), envelope))
                for sealer in (services.sealer, services.sealer.watches):
                    self.keys += index_keys(sealer.rekey(encoded.keys, encoded.kind)).tolist()
                self.values += [reference.encode(), bytes(envelope), bytes(digest), *_halves(encoded.keys)]
            there = select(KEY_INDEX.c.key).where(KEY_INDEX.c.key.in_(self.keys))
            assert connection.execute(there).first() is not None

    def in_tables(self) -> set[str]:
        """The tables that have anything of it."""
        return _having(self._services, [*self.values, *(str(each).encode() for each in self.keys)])

    def in_files(self) -> set[str]:
        """The files of a SQLite database, and its log, that have anything of it."""
        database = Path(str(self._services.database.engine.url.database))
        raw = [*self.values, *(int(each).to_bytes(8, "big", signed=True) for each in self.keys)]
        return {path.name for path in _files(database) if any(each in path.read_bytes() for each in raw)}


def naming(services: Services, ids: Sequence[str]) -> set[str]:
    """The tables that have any of these ids, but where it is sealed."""
    return _having(services, [each.encode() for each in ids])


def _having(services: Services, wanted: Sequence[bytes]) -> set[str]:
    with services.database.reading() as connection:
        there = set(inspect(connection).get_table_names())
        rows = {table.name: _content(connection, table) for table in dump.tables() if table.name in there}
    return {name for name, content in rows.items() if any(each in content for each in wanted)}


def _halves(keys: bytes) -> list[bytes]:
    """The half of each key that counts, as it is kept."""
    return [keys[start : start + KEY_BYTES // 2] for start in range(0, len(keys), KEY_BYTES)]


def _content(connection: Connection, table: Table) -> bytes:
    cells = [cell for row in connection.execute(select(table)) for cell in row]
    return b"\n".join([cell if isinstance(cell, bytes) else str(cell).encode() for cell in cells])


def _files(database: Path) -> Iterable[Path]:
    return sorted(database.parent.glob(f"{database.name}*"))
