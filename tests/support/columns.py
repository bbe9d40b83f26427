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
