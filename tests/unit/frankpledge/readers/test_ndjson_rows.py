"""NDJSON, flat and nested."""

from __future__ import annotations

from io import BytesIO

import orjson
import pytest

from frankpledge.readers.base import Row
from frankpledge.readers.ndjson_rows import LOOK_AHEAD, MAX_LINE_BYTES, NdjsonSource
from frankpledge.rejects import Reject


def source(data: bytes) -> NdjsonSource:
    """Open bytes as an NDJSON file."""
    return NdjsonSource(BytesIO(data), total=len(data))


def test_flat_records_become_rows() -> None:
    """Text is stripped, numbers become text, null becomes nothing."""
    rows = list(source(b'{"ref": " P-1 ", "house_number": 7, "town": null}\n').rows())
    assert rows == [Row(1, {"ref": "P-1", "house_number": "7", "town": ""})]


def test_nested_records_keep_their_parts() -> None:
    """Claim and subjects stay apart from the flat cells."""
    record = {"ref": "C-1", "claim": {"kind": "theft"}, "subjects": [{"kind": "person", "family_name": "Doe"}]}
    [row] = source(orjson.dumps(record)).rows()
    assert row == Row(1, {"ref": "C-1"}, {"kind": "theft"}, ({"kind": "person", "family_name": "Doe"},))


def test_headings_are_those_of_rows_and_subjects() -> None:
    """What must be mapped is every key but the structure's own."""
    data = b'{"ref":"1","Surname":"x"}\n{"ref":"2","subjects":[{"kind":"person","DOB":"x"}]}\n'
    assert source(data).headings == ("ref", "Surname", "DOB")


def test_blank_lines_and_byte_order_mark_are_let_go() -> None:
    """Rows are numbered by line, so that an editor finds them."""
    rows = list(source(b'\xef\xbb\xbf{"ref":"1"}\n\n{"ref":"2"}').rows())
    assert [row.number for row in rows if isinstance(row, Row)] == [1, 3]


@pytest.mark.parametrize(
    ("line", "field"),
    [
        (b'{"ref": "1"', "(row)"),
        (b"[1]", "(row)"),
        (b'{"ref": "\xff"}', "(row)"),
        (b'{"ref": true}', "ref"),
        (b'{"Given Name": ["x"]}', "Given Name"),
        (b'{"John Smith": ["x"]}', "(a key)"),
        (b'{"ref": "1", "claim": 5}', "claim"),
        (b'{"ref": "1", "claim": {"kind": {}}}', "claim.(a key)"),
        (b'{"ref": "1", "subjects": {}}', "subjects"),
        (b'{"ref": "1", "subjects": [7]}', "subjects[0]"),
        (b'{"ref": "1", "subjects": [{}, {"sex": []}]}', "subjects[1].sex"),
    ],
)
def test_bad_lines_are_rejected_by_field(line: bytes, field: str) -> None:
    """Each kind of bad line is named by row and field, never by value or by a key that could be one."""
    [reject] = source(line + b"\n").rows()
    assert isinstance(reject, Reject)
    assert (reject.row, reject.field) == (1, field)
    assert "Smith" not in reject.reason


def test_a_line_of_ten_megabytes_is_rejected_without_keeping_it() -> None:
    """A line that never ends costs its own row only, and at most 1 MiB of memory."""
    opened = source(b'{"ref": "' + b"x" * (10 << 20) + b'"}\n{"ref": "2"}\n')
    rows = list(opened.rows())
    assert rows == [Reject(1, "(row)", "is longer than 1 MiB"), Row(2, {"ref": "2"})]
    assert opened.position == opened.total


def test_a_line_of_exactly_the_limit_is_read() -> None:
    """The limit is inclusive and does not join two lines."""
    head, tail = b'{"ref": "', b'"}\n'
    line = head + b"x" * (MAX_LINE_BYTES + 1 - len(head) - len(tail)) + tail
    rows = list(source(line + b'{"ref": "2"}\n').rows())
    assert all(isinstance(row, Row) for row in rows)
    assert len(rows) == 2


def test_a_key_that_shows_up_late_is_rejected() -> None:
    """A key that nobody mapped is not dropped in silence."""
    data = b'{"ref": "1"}\n' * LOOK_AHEAD + b'{"ref": "2", "new": "x"}\n'
    *_, last = source(data).rows()
    assert isinstance(last, Reject)
    assert last.row == LOOK_AHEAD + 1
