"""The whole way of a file, in bounded memory."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from functools import partial
from io import BytesIO
from pathlib import Path

import orjson
import pytest

from frankpledge.drafts import Draft, Refused, drafts
from frankpledge.errors import KitError
from frankpledge.facts import Defaults, Facts
from frankpledge.files import replacing
from frankpledge.keys import LinkageKey
from frankpledge.mapping import plan
from frankpledge.parties import Party
from frankpledge.pipeline import chunks, encode_here, encode_with_workers, write
from frankpledge.readers import open_source
from frankpledge.records import RecordEncoder
from frankpledge.rejects import Reject, RejectsFile, Tally

DEFAULTS = Defaults(record_class="customer", line="motor", date="2026-03-01")
KEY = LinkageKey(bytes(range(32)))


def people(count: int) -> Iterator[Draft | Refused]:
    """Make drafts of different people; every tenth is refused."""
    for n in range(count):
        if n % 10 == 9:
            yield Refused(1, (Reject(n + 1, "date", "is missing"),))
        else:
            raw = {"family_name": "Doe", "date_of_birth": "1980-03-09", "phone": f"020 7946 {n:04d}"}
            yield Draft(
                n + 1,
                1,
                Facts(f"P-{n}", "customer", "motor", "2026-03-01", None),
                (Party("person", "policyholder", raw),),
            )


def test_chunks_are_cut_by_rows() -> None:
    """A chunk ends with the filing that fills it, and nothing is lost."""
    cut = list(chunks(people(25), 10))
    assert [len(chunk) for chunk in cut] == [10, 10, 5]


def test_everything_is_counted(encoder: RecordEncoder, tmp_path: Path) -> None:
    """Rows, filings, subjects and rejects add up."""
    tally, out = Tally(), BytesIO()
    with RejectsFile(tmp_path / "rejects.ndjson") as rejects:
        for _ in write(encode_here(people(1000), encoder), out, rejects, tally):
            pass
    assert (tally.rows, tally.filings, tally.rejected_rows) == (1000, 900, 100)
    assert tally.subjects == {"person": 900}
    assert tally.rejects == {("date", "is missing"): 100}
    assert len(out.getvalue().splitlines()) == 900
    assert len((tmp_path / "rejects.ndjson").read_bytes().splitlines()) == 100


def test_workers_give_the_same_lines_in_the_same_order() -> None:
    """Two processes write what one writes."""
    alone = [line for chunk in encode_here(people(700), RecordEncoder.for_key(KEY)) for line in chunk.lines]
    together = [
        line
        for chunk in encode_with_workers(people(700), partial(RecordEncoder.for_key, KEY), 2)
        for line in chunk.lines
    ]
    assert [orjson.loads(line)["ref"] for line in together] == [orjson.loads(line)["ref"] for line in alone]
    assert together == alone


def test_a_worker_that_dies_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    """A killed process ends the run with a sentence; it does not hang."""
    with pytest.raises(KitError, match="process died"):
        list(encode_with_workers(people(10), partial(RecordEncoder.for_key, KEY, "no/such/schema"), 1))


@pytest.mark.parametrize("suffix", ["csv", "ndjson"])
def test_memory_does_not_grow_with_the_file(encoder: RecordEncoder, tmp_path: Path, suffix: str) -> None:
    """Five times the rows need no more memory: reading, grouping, encoding, writing and rejects all stream.

    Names repeat, as they do in life: what standardising remembers of them is bounded, but not at once full.
    """
    peaks = []
    for rows in (2_000, 10_000):
        path = tmp_path / f"{rows}.{suffix}"
        with path.open("w") as handle:
            if suffix == "csv":
                handle.write("ref,family_name,date_of_birth\n")
            for n in range(rows):
                bad = "2026-13-40" if n % 7 == 0 else "1980-03-09"
                record = {"ref": f"P-{n}", "family_name": f"Doe{n % 100}", "date_of_birth": bad}
                handle.write(",".join(record.values()) if suffix == "csv" else orjson.dumps(record).decode())
                handle.write("\n" if n % 11 else ",\n")
        peaks.append(peak(path, encoder, tmp_path))
    assert peaks[1] < peaks[0] * 1.2


def peak(path: Path, encoder: RecordEncoder, folder: Path) -> int:
    """Run a file through everything; returns the most bytes held at once."""
    source = open_source(path)
    tracemalloc.start()
    try:
        found = drafts(source.rows(), plan(source.headings, {}), DEFAULTS)
        with replacing(folder / "out") as out, RejectsFile(folder / "rejects") as rejects:
            for _ in write(encode_here(found, encoder), out, rejects, Tally()):
                pass
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        source.close()
