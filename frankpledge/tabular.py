"""Encoded filings as columns, Arrow or Parquet: one row a filing, subjects as a list, keys and sketches as bytes."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Protocol

import orjson
import pyarrow as pa  # type: ignore[import-untyped] # pyarrow ships no types
import pyarrow.parquet as pq  # type: ignore[import-untyped] # pyarrow ships no types

from frankpledge.columns import BASIS_COLUMNS, CLAIM_COLUMNS, LABEL_COLUMNS
from frankpledge.errors import KitError
from matching.wire import FACTS

GROUP_ROWS = 1_000
"""Filings in a record batch or row group: some four megabytes."""
ARROW, PARQUET = "arrow", "parquet"
_TEXT = pa.string()
_SUBJECT = pa.struct(
    [
        *((name, _TEXT) for name in ("kind", "role", "mask")),
        *(("keys", pa.binary()), ("observed", _TEXT), ("sketches", pa.binary())),
        ("facts", pa.struct([(name, pa.uint8()) for name in FACTS])),
        ("name", _TEXT),
    ]
)
SCHEMA = pa.schema(
    [
        *((name, _TEXT) for name in ("schema", "fingerprint", "ref", "class", "line", "date")),
        ("claim", pa.struct([(name, _TEXT) for name in CLAIM_COLUMNS.values()])),
        ("basis", pa.struct([(name, _TEXT) for name in BASIS_COLUMNS.values()])),
        ("labels", pa.struct([(name, _TEXT) for name in LABEL_COLUMNS.values()])),
        ("subjects", pa.list_(_SUBJECT)),
    ]
)
_WORDS = ["schema", "fingerprint", "class", "line"]


def format_of(path: Path) -> str | None:
    """Which of the two a file is by its name; None for NDJSON."""
    return {".parquet": PARQUET, ".arrow": ARROW, ".arrows": ARROW}.get(path.suffix.lower())


class Writer(Protocol):
    """Takes record batches, and ends the file when it is closed."""

    def write_batch(self, batch: Any) -> None:
        """Write a record batch."""

    def close(self) -> None:
        """End the file."""


class TableOut:
    """Takes lines of NDJSON as they are encoded, and writes them as columns."""

    def __init__(self, handle: IO[bytes], kind: str) -> None:
        # Keys and sketches are random: neither compression nor a dictionary makes them smaller.
        if kind == PARQUET:
            options = {"compression": "zstd", "use_dictionary": _WORDS, "write_statistics": False}
            self._writer: Writer = pq.ParquetWriter(handle, SCHEMA, **options)
        else:
            self._writer = pa.ipc.new_stream(handle, SCHEMA)
        self._held: list[dict[str, Any]] = []

    def writelines(self, lines: Iterable[bytes]) -> None:
        """Take lines, each a filing."""
        for line in lines:
            self._held.append(row_of(orjson.loads(line)))
            if len(self._held) == GROUP_ROWS:
                self._flush()

    def close(self) -> None:
        """Write what is held and end the file."""
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        if self._held:
            self._writer.write_batch(pa.RecordBatch.from_pylist(self._held, SCHEMA))
            self._held.clear()


class Lines(Protocol):
    """Where encoded lines go."""

    def writelines(self, lines: Iterable[bytes], /) -> None:
        """Take lines, each a filing."""


@contextmanager
def lines_to(handle: IO[bytes], kind: str | None) -> Iterator[Lines]:
    """Where lines go that end up in an open file: as they are, or as columns of a kind."""
    if kind is None:
        yield handle
        return
    out = TableOut(handle, kind)
    yield out
    out.close()


def row_of(filing: Mapping[str, Any]) -> dict[str, Any]:
    """An encoded filing as a row of the columns: base64 becomes bytes."""
    subjects = []
    for subject in filing["subjects"]:
        blobs = {name: base64.b64decode(subject[name]) for name in ("keys", "sketches") if name in subject}
        subjects.append({**subject, **blobs})
    return {**filing, "subjects": subjects}


def batches_of(path: Path, kind: str) -> Iterator[Any]:
    """The record batches of a file. Raises KitError when it is damaged, or has other columns than encoded filings."""
    try:
        if kind == PARQUET:
            with pq.ParquetFile(path) as file:
                _check(file.schema_arrow)
                yield from file.iter_batches(GROUP_ROWS)
        else:
            with pa.OSFile(str(path)) as source, pa.ipc.open_stream(source) as stream:
                _check(stream.schema)
                yield from stream
    except (pa.ArrowException, OSError) as error:
        raise KitError(
            f"{path} is no whole {kind.capitalize()} file.", "Submit a file that `frankpledge encode` wrote, whole."
        ) from error


def _check(schema: Any) -> None:
    if not schema.remove_metadata().equals(SCHEMA):
        raise KitError(
            "The file has other columns than encoded filings have. Nothing was sent.",
            "Submit a file that `frankpledge encode` wrote.",
        )
