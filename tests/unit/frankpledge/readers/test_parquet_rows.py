"""Parquet with the types that data teams export."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pyarrow as pa  # type: ignore[import-untyped] # pyarrow ships no types
import pyarrow.parquet as pq  # type: ignore[import-untyped] # pyarrow ships no types
import pytest

from frankpledge.errors import KitError
from frankpledge.readers import open_source
from frankpledge.readers.base import Row
from frankpledge.rejects import Reject


def write(path: Path, columns: dict[str, object], **options: int) -> Path:
    """Write a Parquet file."""
    pq.write_table(pa.table(columns), path, **options)
    return path


def test_typed_columns_become_text(tmp_path: Path) -> None:
    """Dates, times, whole floats, decimals, dictionaries and nulls read as a CSV would write them."""
    path = write(
        tmp_path / "in.parquet",
        {
            "ref": pa.array(["1", "2"]),
            "date_of_birth": pa.array([dt.date(1980, 3, 9), None]),
            "date": pa.array([dt.datetime(2026, 3, 1, 10, 5, tzinfo=dt.UTC), None]),
            "postcode": pa.array([2119.0, float("nan")]),
            "house_number": pa.array([Decimal("7.00"), Decimal("7.50")]),
            "town": pa.array(["Ely", "Ely"]).dictionary_encode(),
        },
    )
    source = open_source(path)
    rows = list(source.rows())
    source.close()
    assert rows[0] == Row(
        1,
        {
            "ref": "1",
            "date_of_birth": "1980-03-09",
            "date": "2026-03-01",
            "postcode": "2119",
            "house_number": "7",
            "town": "Ely",
        },
    )
    assert isinstance(rows[1], Row)
    assert dict(rows[1].cells) == {
        "ref": "2",
        "date_of_birth": "",
        "date": "",
        "postcode": "",
        "house_number": "7.50",
        "town": "Ely",
    }
    assert source.position == source.total == 2


def test_rows_with_lists_are_rejected(tmp_path: Path) -> None:
    """A nested value is named by row and column."""
    source = open_source(write(tmp_path / "in.parquet", {"ref": pa.array(["1"]), "phone": pa.array([["x"]])}))
    assert list(source.rows()) == [Reject(1, "phone", "expected text or a number")]
    source.close()


@pytest.mark.parametrize("cut", [0, 3, 200])
def test_a_cut_off_file_is_explained(tmp_path: Path, cut: int) -> None:
    """A Parquet file that lost its end is refused with a sentence."""
    path = write(tmp_path / "in.parquet", {"ref": pa.array(["1"] * 100)})
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(KitError, match="not a whole Parquet file"):
        open_source(path)


def test_a_file_damaged_inside_is_explained(tmp_path: Path) -> None:
    """Damage that shows only while reading is refused with the same sentence."""
    path = write(tmp_path / "in.parquet", {"ref": pa.array([str(n) for n in range(5000)])})
    data = bytearray(path.read_bytes())
    data[20:4000] = b"\xff" * 3980
    path.write_bytes(data)
    source = open_source(path)
    with pytest.raises(KitError, match="not a whole Parquet file"):
        list(source.rows())
    source.close()
