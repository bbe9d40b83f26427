"""Filings as Arrow and Parquet, for tests of the pool: the columns of docs/encoding.md, from the JSON of NDJSON."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped] # pyarrow ships no types
import pyarrow.parquet as pq  # type: ignore[import-untyped] # pyarrow ships no types

from frankpledge.tabular import SCHEMA, row_of

_SUBJECT = SCHEMA.field("subjects").type.value_type
_FACTS = pa.struct([(each.name, pa.int32()) for each in _SUBJECT.field("facts").type])
WIDE = SCHEMA.set(
    SCHEMA.get_field_index("subjects"),
    pa.field(
        "subjects",
        pa.list_(pa.struct([pa.field("facts", _FACTS) if each.name == "facts" else each for each in _SUBJECT])),
    ),
)
"""The columns with room for facts that are out of range."""
TYPES = {"arrow": "application/vnd.apache.arrow.stream", "parquet": "application/vnd.apache.parquet"}


def batch_of(filings: Sequence[dict[str, Any]]) -> Any:
    """Filings as a record batch."""
    return pa.RecordBatch.from_pylist([_row(each) for each in filings], WIDE)


def _row(filing: dict[str, Any]) -> dict[str, Any]:
    """A filing that may be broken as a row."""
    subjects = filing.get("subjects")
    if subjects is None:
        return filing
    whole = [each for each in subjects if each is not None]
    made = iter(row_of({"subjects": whole})["subjects"])
    return {**filing, "subjects": [None if each is None else next(made) for each in subjects]}


def misread(schema: Any, **kinds: Any) -> Any:
    """The columns of a schema with other types that lie the same in memory: bytes for text, numbers for dates."""
    return pa.schema([(field.name, kinds.get(field.name, _as_bytes(field.type))) for field in schema])


def _as_bytes(kind: Any) -> Any:
    if pa.types.is_struct(kind):
        return pa.struct([(field.name, _as_bytes(field.type)) for field in kind])
    if pa.types.is_list(kind):
        return pa.list_(_as_bytes(kind.value_type))
    return pa.binary() if pa.types.is_string(kind) else kind


def in_dictionaries(batch: Any) -> Any:
    """A record batch with all its text in dictionaries, within structures and lists too."""
    schema = pa.schema([(field.name, _dictionaries_for(field.type)) for field in batch.schema])
    return pa.RecordBatch.from_pylist(batch.to_pylist(), schema)


def _dictionaries_for(kind: Any) -> Any:
    if pa.types.is_struct(kind):
        return pa.struct([(field.name, _dictionaries_for(field.type)) for field in kind])
    if pa.types.is_list(kind):
        return pa.list_(_dictionaries_for(kind.value_type))
    return pa.dictionary(pa.int16(), kind) if pa.types.is_string(kind) else kind


def raw_batch_of(filings: Sequence[dict[str, Any]]) -> Any:
    """Filings as a record batch that may hold what is no text: surrogates (U+DC80 to U+DCFF) are bytes as they are.

    Dates are days since 1970, of any number, where all of them are numbers.
    """
    dated = all(isinstance(each.get("date"), int | None) for each in filings)
    kinds = {"date": pa.int32()} if dated else {}
    schema = WIDE.set(WIDE.get_field_index("date"), pa.field("date", pa.date32())) if dated else WIDE
    rows = pa.RecordBatch.from_pylist([_raw(_row(each)) for each in filings], misread(WIDE, **kinds))
    return pa.ipc.read_record_batch(rows.serialize(), schema)


def _raw(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _raw(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_raw(each) for each in value]
    return value.encode(errors="surrogateescape") if isinstance(value, str) else value


def arrow(*batches: Any, **options: Any) -> bytes:
    """Record batches as a stream."""
    out = io.BytesIO()
    with pa.ipc.new_stream(out, batches[0].schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        for batch in batches:
            writer.write_batch(batch)
    return out.getvalue()


def parquet(*batches: Any, **options: Any) -> bytes:
    """Record batches as a file, each a row group."""
    out = io.BytesIO()
    with pq.ParquetWriter(out, batches[0].schema, **options) as writer:
        for batch in batches:
            writer.write_batch(batch)
    return out.getvalue()


def content(kind: str, filings: Sequence[dict[str, Any]], *, at_once: int = 4) -> bytes:
    """Filings in a format, some in each record batch or row group."""
    batches = [batch_of(filings[start : start + at_once]) for start in range(0, len(filings), at_once)]
    return arrow(*batches) if kind == "arrow" else parquet(*batches)
