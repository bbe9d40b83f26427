"""CSV as insurers' systems write it."""

from __future__ import annotations

from io import BytesIO

import pytest

from frankpledge.errors import KitError
from frankpledge.readers.base import Row
from frankpledge.readers.csv_rows import CsvSource, sniff
from frankpledge.rejects import Reject


def source(data: bytes, **options: str) -> CsvSource:
    """Open bytes as a CSV file."""
    return CsvSource(BytesIO(data), total=len(data), **options)


def cells(data: bytes, **options: str) -> list[dict[str, str]]:
    """Read all rows, which must all be good."""
    rows = list(source(data, **options).rows())
    assert all(isinstance(row, Row) for row in rows)
    return [dict(row.cells) for row in rows if isinstance(row, Row)]


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_delimiter_is_found(mark: str) -> None:
    """Each usual delimiter is recognised by the heading line."""
    data = f"ref{mark}family_name\n1{mark}Doe\n".encode()
    assert cells(data) == [{"ref": "1", "family_name": "Doe"}]


def test_delimiter_in_quotes_does_not_count() -> None:
    """A quoted heading with commas in it does not mislead."""
    assert sniff('"a,b,c,d";ref;town\n') == ";"


def test_byte_order_mark_and_line_ends_are_let_go() -> None:
    """A file from a spreadsheet reads like any other: mark, CRLF, blank line at the end."""
    assert cells(b"\xef\xbb\xbfref,town\r\n1,Ely\r\n\r\n") == [{"ref": "1", "town": "Ely"}]


def test_quoted_values_may_hold_delimiters_quotes_and_line_ends() -> None:
    """RFC 4180 quoting is understood."""
    assert cells(b'ref,street\n1,"High ""Old"" St,\nFlat 2"\n') == [{"ref": "1", "street": 'High "Old" St,\nFlat 2'}]


def test_rows_of_wrong_width_are_rejected_and_the_rest_goes_on() -> None:
    """A row with a cell too many or too few is named by its number; the others are read."""
    rows = list(source(b"ref,town\n1,Ely,x\n2\n3,York\n").rows())
    assert rows[0] == Reject(1, "(row)", "has more cells than the heading")
    assert rows[1] == Reject(2, "(row)", "has fewer cells than the heading")
    assert rows[2] == Row(3, {"ref": "3", "town": "York"})


def test_bad_quotes_are_rejected_and_the_rest_goes_on() -> None:
    """A stray quote costs its own row only."""
    rows = list(source(b'ref,town\n1,"El"y\n2,York\n').rows())
    assert isinstance(rows[0], Reject)
    assert "not well-formed" in rows[0].reason
    assert rows[1] == Row(2, {"ref": "2", "town": "York"})


def test_a_file_cut_off_inside_quotes_is_noticed() -> None:
    """An unclosed quote at the end of the file is a reject, not a value."""
    rows = list(source(b'ref,town\n1,Ely\n2,"Yor').rows())
    assert rows[0] == Row(1, {"ref": "1", "town": "Ely"})
    assert isinstance(rows[1], Reject)


def test_an_unclosed_quote_does_not_swallow_a_large_file() -> None:
    """What an open quote takes in is bounded, and rows after it are read again."""
    data = b'ref,town\n1,"open\n' + b"2,York\n" * 40_000
    rows = list(source(data).rows())
    assert isinstance(rows[0], Reject)
    assert "lines that were taken" in rows[0].reason
    assert sum(isinstance(row, Row) for row in rows) > 10_000


def test_another_encoding_is_named_by_row_and_column() -> None:
    """A byte that is not UTF-8 stops the run, with row, column and what to do, and without the value."""
    with pytest.raises(KitError) as caught:
        list(source("ref,family_name\n1,Doe\n2,Muñoz\n".encode("cp1252")).rows())
    assert "Row 2, column 'family_name' is not in UTF-8." in caught.value.what
    assert "windows-1252" in caught.value.remedy
    assert "Mu" not in str(caught.value)


def test_another_encoding_can_be_named() -> None:
    """With --encoding the same file is read."""
    data = "ref,family_name\n1,Muñoz\n".encode("cp1252")
    assert cells(data, encoding="windows-1252") == [{"ref": "1", "family_name": "Muñoz"}]
    assert cells("ref,town\n1,Ely\n".encode("utf-16"), encoding="utf-16") == [{"ref": "1", "town": "Ely"}]


def test_utf16_is_recognised() -> None:
    """UTF-16 without --encoding is named as such."""
    with pytest.raises(KitError, match="UTF-16"):
        source("ref,town\n1,Ely\n".encode("utf-16"))


def test_a_file_cut_off_inside_a_utf16_character_is_explained() -> None:
    """Half a character at the end is an encoding error, not a crash."""
    with pytest.raises(KitError, match="is not in utf-16"):
        list(source("ref,town\n1,Ely\n".encode("utf-16")[:-1], encoding="utf-16").rows())


@pytest.mark.parametrize("data", [b"", b"\n1,2\n", b"\xef\xbb\xbf"])
def test_a_heading_line_is_needed(data: bytes) -> None:
    """Without headings nothing can be said about the columns."""
    with pytest.raises(KitError, match="no heading line"):
        source(data)


def test_a_binary_file_is_refused_at_its_heading() -> None:
    """Bytes that are no text are refused at once."""
    with pytest.raises(KitError, match="heading line"):
        source(b"PAR1\xff\x80\x81,\n1\n")


def test_unknown_encoding_is_refused() -> None:
    """A misspelt encoding is named as the cause."""
    with pytest.raises(KitError, match="no encoding"):
        source(b"ref\n", encoding="utf-99")


def test_a_column_without_heading_gets_its_number() -> None:
    """A trailing delimiter in the heading makes a column that can be named, and left out."""
    assert source(b"ref,\n1,\n").headings == ("ref", "(column 2)")


def test_a_heading_with_an_open_quote_is_refused() -> None:
    """A heading that runs over its line is not guessed at."""
    with pytest.raises(KitError, match="heading line"):
        source(b'ref,"town\n1,Ely\n')


def test_position_reaches_the_total() -> None:
    """Progress ends where the file does."""
    opened = source(b"ref\n1\n2\n")
    list(opened.rows())
    assert opened.position == opened.total
