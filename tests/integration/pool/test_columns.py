"""Batches as Arrow and Parquet: the same rows land, bad ones are told, and a hostile file costs nothing."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped] # pyarrow ships no types
import pytest

from repository.jobs import arrow_stream, columnar, intake, parquet_footer, parquet_pages
from repository.jobs.worker import IntakeWorker
from repository.services import batchwork
from tests.integration.pool.conftest import Counted, Desk
from tests.support.columns import TYPES, arrow, batch_of, content, in_dictionaries, parquet, raw_batch_of
from tests.support.encodings import filing, subject

KEYS = range(4)
ROWS = [filing(f"P-{number}", subject(number, only=KEYS)) for number in range(10)]
KINDS = pytest.mark.parametrize("kind", ["arrow", "parquet"])


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three rows a transaction, so that a few rows make several."""
    monkeypatch.setattr(intake, "CHUNK_LINES", 3)


def taken(desk: Desk, data: bytes, kind: str, key: str = "key-1", **headers: str) -> dict[str, Any]:
    """A batch in columns, as it is when it was worked through."""
    return desk.batch(data, key, **{"Content-Type": TYPES[kind]} | headers)


@KINDS
def test_rows_of_columns_land(alpha: Desk, rows: Counted, kind: str) -> None:
    """Each row is a filing, the same as one that came as NDJSON: that finds them unchanged."""
    done = taken(alpha, content(kind, ROWS), kind)
    assert (done["status"], done["format"], done["rows"]["created"]) == ("done", kind, 10)
    assert done["bytes_done"] == done["bytes_total"]
    assert (rows("filings"), rows("key_index")) == (10, 10 * len(KEYS))
    assert alpha.batch(ROWS, "key-2")["rows"]["unchanged"] == 10


@KINDS
def test_small_groups_make_one_chunk(alpha: Desk, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A transaction for each would write the same pages of the index again and again."""
    chunks, take = [], batchwork.BatchWork.take

    def spy(self: batchwork.BatchWork, chunk: batchwork.Chunk, *arguments: Any) -> None:
        chunks.append(chunk.rows)
        take(self, chunk, *arguments)

    monkeypatch.setattr(batchwork.BatchWork, "take", spy)
    groups = [batch_of([row]) for row in ROWS[:8]]
    done = taken(alpha, {"arrow": arrow, "parquet": parquet}[kind](*groups), kind)
    assert (done["rows"]["created"], chunks) == (8, [3, 3, 2])


@KINDS
def test_bad_rows_are_told_one_by_one(alpha: Desk, kind: str) -> None:
    """By row, reference, field and what was expected, as the same rows in NDJSON; the good ones land."""
    said: list[dict[str, Any]] = [
        {"basis": {"policy_end": "2025-02-28"} | each} for each in ({}, {"customer_kind": "quote"})
    ]
    broken = [
        ROWS[0],
        filing("P-1", line="pet"),
        ROWS[2],
        filing("P-3", record_class="claim", claim={}),
        ROWS[4] | said[0],
    ]
    broken.append(filing("P-5") | said[1])
    done = taken(alpha, content(kind, broken), kind)
    assert (done["rows"]["created"], done["rows"]["rejected"]) == (3, 3)
    assert [(each["row"], each["ref"], each["field"]) for each in done["errors"]] == [
        (2, "P-1", "line"),
        (4, "P-3", "claim.incident_date"),
        (6, "P-5", "basis.policy_end"),
    ]
    ends = [each["kept_from"] for each in alpha.get("/v1/retention/expiring?until=2029-02-28")["items"]]
    assert sorted(ends) == ["2025-02-28", "2026-03-02", "2026-03-02"]
    assert alpha.batch(broken, "key-2", query="?dry_run=true")["errors"] == done["errors"]


def test_an_arrow_stream_may_come_under_gzip_and_parquet_not(alpha: Desk) -> None:
    """Parquet has compression of its own: 415."""
    packed = gzip.compress(content("arrow", ROWS))
    assert taken(alpha, packed, "arrow", **{"Content-Encoding": "gzip"})["rows"]["created"] == 10
    headers: dict[str, Any] = {"Content-Type": TYPES["parquet"], "Content-Encoding": "gzip"}
    alpha.upload(b"x", "key-2", status=415, **headers)


@KINDS
def test_a_batch_goes_on_at_its_cursor(alpha: Desk, rows: Counted, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed after some chunks, within a record batch or row group, the next worker does the rest, each row once."""
    received = alpha.upload(content(kind, ROWS), "key-1", status=202, query="", **{"Content-Type": TYPES[kind]})
    take, left = batchwork.BatchWork.take, [None] * 2

    def dying(self: batchwork.BatchWork, *arguments: Any) -> None:
        if not left:
            raise KeyboardInterrupt
        left.pop()
        take(self, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(batchwork.BatchWork, "take", dying)
        with pytest.raises(KeyboardInterrupt):
            IntakeWorker(alpha.services).run_pending()
    before = alpha.get(f"/v1/batches/{received['id']}")["rows"]["created"]
    assert 0 < before < 10
    IntakeWorker(alpha.services).run_pending()
    done = alpha.get(f"/v1/batches/{received['id']}")
    assert (done["status"], done["rows"]["created"], rows("filings")) == ("done", 10, 10)


@KINDS
def test_a_value_that_is_no_text_or_day_is_one_bad_row(alpha: Desk, kind: str) -> None:
    """Bytes that are not UTF-8, and a day after the last year: the rows around them land."""
    days = {"date": 20_500}
    broken = [ROWS[0] | days, ROWS[1] | days | {"line": "mo\udcfftor"}, ROWS[2] | {"date": 2**31 - 1}, ROWS[3] | days]
    batch = raw_batch_of(broken)
    done = taken(alpha, arrow(batch) if kind == "arrow" else parquet(batch), kind)
    assert (done["status"], done["rows"]["created"]) == ("done", 2)
    assert [tuple(each.values()) for each in done["errors"]] == [
        (2, "P-1", "line", "text in UTF-8"),
        (3, "P-2", "date", "a date as YYYY-MM-DD"),
    ]


def _spoilt(words: pa.Array, numbers: list[int]) -> Any:
    """Filings with their lines in a dictionary that is not whole."""
    batch = batch_of(ROWS)
    lines = pa.DictionaryArray.from_arrays(pa.array(numbers, pa.int8()), words, safe=False)
    return batch.set_column(batch.schema.get_field_index("line"), "line", lines)


def test_text_in_dictionaries_is_read(alpha: Desk, rows: Counted) -> None:
    """Wherever text is; a dictionary counts from where it is sent, a later one replaces it or adds to it."""
    first, second, third = (in_dictionaries(batch_of(ROWS[start : start + 3])) for start in (0, 3, 6))
    for number, options in enumerate(({}, {"emit_dictionary_deltas": True})):
        done = taken(alpha, arrow(first, second, third, **options), "arrow", f"key-{number}")
        assert (done["status"], done["rows"]["read"], done["rows"]["rejected"]) == ("done", 9, 0)
    assert rows("filings") == 9
    assert alpha.batch(ROWS, "key-3")["rows"]["unchanged"] == 9


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_a_dictionary_is_checked(alpha: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A word that is no text spoils its rows alone; numbers without a word, and words too long, are refused."""
    words = pa.array([b"motor", b"\xff"]).view(pa.string())
    done = taken(alpha, arrow(_spoilt(words, [0, 1] * 5)), "arrow")
    assert (done["rows"]["created"], done["rows"]["rejected"]) == (5, 5)
    assert {each["expected"] for each in done["errors"]} == {"text in UTF-8"}
    for number in (7, -1):
        done = taken(alpha, arrow(_spoilt(words, [0, number] * 5)), "arrow", f"number{number}")
        assert done["failure"]["expected"].startswith("a whole Arrow IPC stream")
    monkeypatch.setattr(arrow_stream, "MAX_WRITTEN_OUT_BYTES", 100)
    assert "MiB once" in taken(alpha, arrow(_spoilt(words, [0] * 10)), "arrow", "key-3")["failure"]["expected"]
    monkeypatch.setattr(arrow_stream, "MAX_DICTIONARY_BYTES", 100)
    assert (
        "dictionaries of at most"
        in taken(alpha, arrow(_spoilt(words, [0] * 10)), "arrow", "key-4")["failure"]["expected"]
    )


def _words(pattern: str) -> Any:
    """A batch whose column of references is made of one long word again and again."""
    batch = batch_of(ROWS)
    return batch.set_column(batch.schema.get_field_index("ref"), "ref", pa.array([pattern] * batch.num_rows))


def _renamed() -> Any:
    return batch_of(ROWS).rename_columns([*batch_of(ROWS).schema.names[:-1], "people"])


def _typed() -> Any:
    batch = batch_of(ROWS)
    return batch.set_column(2, "ref", pa.array(range(batch.num_rows)))


HOSTILE: dict[str, tuple[str, Callable[[], bytes], str, str]] = {
    "cut": ("arrow", lambda: content("arrow", ROWS)[:-4000], "(file)", "whole Arrow"),
    "file": ("arrow", lambda: b"ARROW1\0\0" + content("arrow", ROWS), "(file)", "this is an Arrow file"),
    "noise": ("arrow", lambda: b"\xff" * 4 + b"\x10\0\0\0" + b"\x7f" * 4000, "(file)", "whole Arrow"),
    "huge metadata": ("arrow", lambda: b"\xff" * 4 + b"\xff\xff\xff\x7f" + b"\0" * 40, "(file)", "whole Arrow"),
    "compressed": ("arrow", lambda: arrow(batch_of(ROWS), compression="zstd"), "(file)", "not compressed"),
    "columns": ("arrow", lambda: arrow(_renamed()), "(columns)", "no other columns"),
    "names": ("arrow", lambda: content("arrow", ROWS).replace(b"fingerprint", b"\xff" * 11), "(columns)", "UTF-8"),
    "parquet names": (
        "parquet",
        lambda: content("parquet", ROWS).replace(b"labels", b"\xff" * 6),
        "(columns)",
        "UTF-8",
    ),
    "types": ("parquet", lambda: parquet(_typed()), "ref", "a column of text"),
    "cut parquet": ("parquet", lambda: content("parquet", ROWS)[:-100], "(file)", "whole Parquet"),
    "no parquet": ("parquet", lambda: b"PAR1" + b"\0" * 100 + b"\xff\xff\xff\x7fPAR1", "(file)", "footer"),
    "deltas": (
        "parquet",
        lambda: parquet(_words("x"), use_dictionary=False, column_encoding={"ref": "DELTA_BYTE_ARRAY"}),
        "(file)",
        "plain or dictionary",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_cannot_be_read_fails_the_batch(alpha: Desk, rows: Counted, name: str) -> None:
    """Damaged, of another format or layout: the batch says what was expected, and no attempt is repeated."""
    kind, make, field, expected = HOSTILE[name]
    done = taken(alpha, make(), kind)
    assert (done["status"], done["failure"]["field"]) == ("failed", field)
    assert expected in done["failure"]["expected"]
    assert rows("filings") == (4 if name == "cut" else 0)


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_what_would_inflate_is_refused_before_it_is(alpha: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A megabyte that is repeated by a dictionary, or compressed, is weighed by its headers; no row is read."""
    monkeypatch.setattr(columnar, "check", lambda *_: pytest.fail("a row was read"))
    long = "x" * (1 << 20)
    many = pa.Table.from_batches([_words(long)] * 20).combine_chunks().to_batches()[0]
    done = taken(alpha, parquet(many, compression="zstd", write_statistics=False), "parquet")
    assert done["failure"]["expected"].startswith("row groups of at most")
    several = parquet(many, compression="zstd", use_dictionary=False, write_statistics=False)
    assert len(several) < 1 << 20
    done = taken(alpha, several, "parquet", "key-2")
    assert done["failure"]["expected"].startswith(("row groups of at most", "pages of at most"))
    monkeypatch.setattr(arrow_stream, "MAX_BODY_BYTES", 1000)
    assert "MiB" in taken(alpha, content("arrow", ROWS), "arrow", "key-3")["failure"]["expected"]


def test_the_weight_of_a_row_group_is_what_it_takes() -> None:
    """It is above what the columns take in memory, and not by much for what the kit writes."""
    batch = batch_of(ROWS * 30)
    data = parquet(batch, compression="zstd", use_dictionary=["schema", "class"])
    weights = list(parquet_pages.weigh(io.BytesIO(data), parquet_footer.read(io.BytesIO(data))))
    assert batch.nbytes * 0.8 < sum(weights) < batch.nbytes * 3
