"""Readers and mapping: what is written is read, and garbage is only ever rejected."""

from __future__ import annotations

import contextlib
import csv
import io
import tempfile
from collections.abc import Iterator
from pathlib import Path

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from frankpledge.columns import CANONICAL
from frankpledge.drafts import Draft, Refused, drafts
from frankpledge.errors import KitError
from frankpledge.facts import Defaults
from frankpledge.mapping import parse_option, plan, propose
from frankpledge.readers.base import Row
from frankpledge.readers.csv_rows import CsvSource
from frankpledge.readers.ndjson_rows import NdjsonSource
from frankpledge.rejects import Reject, RejectsFile

HEADINGS = ("ref", "family_name", "street")
text = st.text(st.characters(codec="utf-8"), max_size=20)
tables = st.lists(st.tuples(text, text, text), max_size=20)


@given(tables, st.sampled_from(",;\t|"), st.booleans())
def test_csv_round_trips(rows: list[tuple[str, str, str]], mark: str, bom: bool) -> None:
    """Whatever Python's writer quotes, the reader gives back, but for space around it."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=mark, quoting=csv.QUOTE_ALL)
    writer.writerows([HEADINGS, *rows])
    data = buffer.getvalue().encode("utf-8-sig" if bom else "utf-8")
    found = list(CsvSource(io.BytesIO(data), total=len(data)).rows())
    assert [tuple(row.cells.values()) for row in found if isinstance(row, Row)] == [
        tuple(value.strip() for value in row) for row in rows
    ]
    assert [row.number for row in found if isinstance(row, Row)] == list(range(1, len(rows) + 1))


@given(tables)
def test_ndjson_round_trips(rows: list[tuple[str, str, str]]) -> None:
    """Every JSON text is given back, but for space around it."""
    data = b"".join(orjson.dumps(dict(zip(HEADINGS, row, strict=True))) + b"\n" for row in rows)
    found = list(NdjsonSource(io.BytesIO(data), total=len(data)).rows())
    assert [tuple(row.cells.values()) for row in found if isinstance(row, Row)] == [
        tuple(value.strip() for value in row) for row in rows
    ]


@given(st.binary(max_size=400), st.sampled_from(["csv", "ndjson"]))
@settings(max_examples=300)
def test_garbage_never_crashes(data: bytes, kind: str) -> None:
    """Any bytes become filings, rejects or an explained error, and each reject is one row with a reason."""
    found: list[Draft | Refused] = []
    with contextlib.suppress(KitError):
        found.extend(_drafts(data, kind))
    assert all(draft.rows >= 1 for draft in found)
    assert all(draft.rejects for draft in found if isinstance(draft, Refused))


@given(tables, st.data())
def test_a_truncated_csv_loses_nothing_before_the_cut(rows: list[tuple[str, str, str]], data: st.DataObject) -> None:
    """Rows that are whole before the cut are read as before."""
    buffer = io.StringIO(newline="")
    csv.writer(buffer, quoting=csv.QUOTE_ALL).writerows([HEADINGS, *rows])
    whole = buffer.getvalue().encode()
    heading = whole.index(b"\n") + 1
    cut = whole[: data.draw(st.integers(heading, len(whole)))]
    full = [row.cells for row in CsvSource(io.BytesIO(whole), total=len(whole)).rows() if isinstance(row, Row)]
    try:
        found = list(CsvSource(io.BytesIO(cut), total=len(cut)).rows())
    except KitError:
        return  # cut inside a character
    complete = [row.cells for row in found if isinstance(row, Row)][:-1]
    assert complete == full[: len(complete)]


@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=30), min_size=1, max_size=8, unique=True))
def test_only_equal_names_are_mapped_without_asking(headings: list[str]) -> None:
    """A heading is taken silently only when it is a column's name but for case, space, underscore and hyphen."""
    try:
        columns = plan(headings, {}).columns
    except KitError:
        return  # unknown, or two spellings of one column
    for heading, column in columns.items():
        assert "".join(heading.split()).replace("_", "").replace("-", "").casefold() == column.replace("_", "")


@given(st.lists(st.sampled_from(["Surname", "DOB", "Zip", "Forename", "Mobile", "xyzzy", "VRM"]), unique=True))
def test_proposals_are_accepted_when_pasted(headings: list[str]) -> None:
    """What the kit proposes is a plan that the kit takes."""
    options = dict(parse_option(f"{p.heading}={p.column or ''}") for p in propose(headings))
    columns = plan(headings, options).columns
    assert set(columns.values()) <= {"", *CANONICAL}


@given(st.lists(st.builds(Reject, st.integers(1, 2**53), text, text), max_size=20), st.sampled_from(["csv", "ndjson"]))
@settings(max_examples=50)
def test_rejects_round_trip(rejects: list[Reject], suffix: str) -> None:
    """A rejects file says exactly what was rejected, in both forms."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"rejects.{suffix}"
        with RejectsFile(path) as out:
            out.write(rejects)
        written = path.read_bytes().decode()
    if suffix == "csv":
        rows = list(csv.reader(io.StringIO(written, newline="")))[1:]
        found = [Reject(int(row), field, reason) for row, field, reason in rows]
    else:
        found = [Reject(**orjson.loads(line)) for line in written.split("\n") if line]
    assert found == rejects


def _drafts(data: bytes, kind: str) -> Iterator[Draft | Refused]:
    handle = io.BytesIO(data)
    source = CsvSource(handle, total=len(data)) if kind == "csv" else NdjsonSource(handle, total=len(data))
    columns = plan(source.headings, {}, ignore_unknown=True)
    return drafts(source.rows(), columns, Defaults(record_class="customer", line="motor", date="2026-03-01"))
