"""A Parquet footer from outside: what is wrong with it fails the batch, and never the process that reads it."""

from __future__ import annotations

import io
import subprocess
import sys
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped] # pyarrow ships no types
import pyarrow.parquet as pq  # type: ignore[import-untyped] # pyarrow ships no types
import pytest

from repository.jobs import parquet_footer
from repository.jobs.lines import StreamError
from tests.support.columns import WIDE, batch_of, parquet
from tests.support.encodings import filing
from tests.support.flips import read

ROWS = batch_of([*(filing(f"P-{number}") for number in range(3)), filing("C-1", record_class="claim")])


def anew(data: bytes) -> Any:
    """A file as pyarrow reads it by the footer that we wrote."""
    metadata = pq.read_metadata(io.BytesIO(parquet_footer.read(io.BytesIO(data)).alone()))
    return pq.ParquetFile(io.BytesIO(data), metadata=metadata, pre_buffer=False).read()


def test_no_footer_ends_the_process() -> None:
    """Some two hundred footers with one byte changed, unknown codecs among them: each is read or refused."""
    done = subprocess.run([sys.executable, "-m", "tests.support.flips"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("4 rows\n")


@pytest.mark.parametrize("version", ["1.0", "2.6"])
@pytest.mark.parametrize("compression", ["none", "snappy", "gzip", "zstd", "lz4"])
def test_a_footer_written_anew_reads_the_same(compression: str, version: str) -> None:
    """However the file was written, row groups and all."""
    data = parquet(ROWS, ROWS, compression=compression, version=version, data_page_version=version[0] + ".0")
    assert anew(data).equals(pa.Table.from_batches([ROWS, ROWS]).cast(WIDE))


def test_a_footer_keeps_nothing_else() -> None:
    """Metadata, statistics and the names of programs are gone; a dictionary is plain text, a column of nulls is one."""
    nulls = ROWS.set_column(2, "ref", pa.nulls(4)).set_column(0, "schema", ROWS.column(0).dictionary_encode())
    found = anew(parquet(nulls.replace_schema_metadata({"by": "x"})))
    assert found.schema.types[:3] == [pa.string(), pa.string(), pa.null()]
    assert found.schema.metadata is None
    assert found.to_pylist() == nulls.to_pylist()


def test_a_column_of_another_type_is_refused_by_its_name() -> None:
    """As is one of a type that is not even passed on."""
    for array in (pa.array([1.0] * 4), pa.array([1] * 4, pa.timestamp("ms")), pa.array([b"x"] * 4, pa.binary(1))):
        assert read(parquet(ROWS.set_column(5, "date", array))) == "date: expected a column of text or dates"


def test_rows_that_a_footer_does_not_count_are_not_lost() -> None:
    """A footer whose groups have other rows than the file says is damaged, not shorter."""
    footer = parquet_footer.read(io.BytesIO(parquet(ROWS)))
    said = footer.alone()[4:-8]
    for wrong in (said.replace(b"\x16\x08", b"\x16\x0a", 1), said.replace(b"\x16\x08", b"\x16\x00", 1)):
        data = b"PAR1" + bytes(20_000) + wrong + len(wrong).to_bytes(4, "little") + b"PAR1"
        with pytest.raises(StreamError, match="whole Parquet"):
            parquet_footer.read(io.BytesIO(data))
