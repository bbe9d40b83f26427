"""`frankpledge encode`, with the real standardiser and encoder."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import orjson
import pytest

from matching.schema import load_schema
from matching.wire import subject_from_json
from tests.unit.frankpledge.cli.conftest import Run
from tests.unit.frankpledge.fakes import KEY

EXTRACT = """ref,Given Name,Surname,date_of_birth,postcode,phone,date,vehicle_registration
P-1,Ann,O'Brien,1980-03-09,WR9 0AE,020 7946 0018,2026-03-01,AB12 CDE
P-2,Bob,Smith,01/01/1900,WR9 0AE,,2026-03-01,
P-3,Cy,Jones,1970-01-31,W1A 1AA,,yesterday,
P-4,Dee,Hill,1970-01-31,W1A 1AA,,2026-03-04
"""


@pytest.fixture
def extract(home: Path) -> Path:
    """A CSV with two good rows, a bad date and a short row."""
    path = home / "extract.csv"
    path.write_text(EXTRACT)
    return path


def test_good_rows_are_encoded_and_bad_ones_named(run: Run, extract: Path, home: Path) -> None:
    """The output is encoded filings, the rejects have row, field and reason, the exit code says that some failed."""
    out, rejects = home / "out.ndjson", home / "rejects.csv"
    shown = run("encode", extract, "--out", out, "--rejects", rejects)
    assert shown.exit_code == 1, shown.output
    filings = [orjson.loads(line) for line in out.read_bytes().splitlines()]
    assert [filing["ref"] for filing in filings] == ["P-1", "P-2"]
    assert {filing["fingerprint"] for filing in filings} == {KEY.fingerprint}
    subjects = [subject_from_json(subject, load_schema()) for subject in filings[0]["subjects"]]
    assert [subject.kind for subject in subjects] == ["person", "vehicle"]
    rows = list(csv.reader(rejects.read_text().splitlines()))
    assert [row[:2] for row in rows] == [["row", "field"], ["3", "date"], ["4", "(row)"]]
    assert "4 rows read, 2 filings written (2 persons, 1 vehicles), 2 rows rejected" in shown.stdout
    assert "dummy value" in shown.stdout


def test_nothing_plain_is_written_or_shown(run: Run, extract: Path, home: Path) -> None:
    """No name, date, postcode, phone or mark of the extract is in the output, the rejects or on the screen."""
    out, rejects = home / "out.ndjson", home / "rejects.ndjson"
    shown = run("encode", extract, "--out", out, "--rejects", rejects)
    encoded = [
        blob
        for line in out.read_bytes().splitlines()
        for subject in orjson.loads(line)["subjects"]
        for blob in (subject["keys"], subject.get("sketches", ""))
    ]
    everything = out.read_text() + rejects.read_text() + shown.output
    for blob in filter(None, encoded):
        everything = everything.replace(blob, "")
    for value in ("brien", "smith", "jones", "1980", "01/01", "wr9", "w1a", "7946", "ab12", "yesterday"):
        assert value not in everything.lower()


def test_unknown_headings_are_proposed_not_guessed(run: Run, extract: Path, home: Path) -> None:
    """Exit code 2, options to paste, no output."""
    extract.write_text(EXTRACT.replace("date_of_birth", "D.O.B."))
    shown = run("encode", extract, "--out", home / "out.ndjson")
    assert shown.exit_code == 2
    assert '--map "D.O.B.=date_of_birth"' in shown.stderr
    assert not (home / "out.ndjson").exists()
    assert run("encode", extract, "--out", home / "out.ndjson", "--map", "D.O.B.=date_of_birth").exit_code == 1
    assert run("encode", extract, "--out", home / "out.ndjson", "--ignore-unknown").exit_code == 1


def test_all_good_is_exit_code_0_and_json_tells_machines(run: Run, extract: Path, home: Path) -> None:
    """A clean run says so by its exit code, and in JSON when asked."""
    extract.write_text("".join(EXTRACT.splitlines(keepends=True)[:2]))
    shown = run("encode", extract, "--out", home / "out.ndjson", "--json")
    assert shown.exit_code == 0
    document = orjson.loads(shown.stdout)
    assert (document["rows"], document["filings"], document["rejects"]) == (1, 1, [])


def test_defaults_come_from_options_then_the_profile(run: Run, extract: Path, home: Path) -> None:
    """--line wins over the profile's line; --date-format reads British dates."""
    extract.write_text("ref,family_name,date_of_birth,date\nP-1,Doe,1980-03-09,01/03/2026\n")
    out = home / "out.ndjson"
    assert run("encode", extract, "--out", out, "--line", "home", "--date-format", "%d/%m/%Y").exit_code == 0
    filing = orjson.loads(out.read_bytes())
    assert (filing["class"], filing["line"], filing["date"]) == ("customer", "home", "2026-03-01")


def test_gzip_and_standard_input(run: Run, home: Path) -> None:
    """A pipe in, a compressed file out."""
    out = home / "out.ndjson.gz"
    shown = run(
        "encode", "-", "--format", "csv", "--out", out, "--gzip", "--date", "2026-03-01",
        stdin="ref,family_name,date_of_birth\nP-1,Doe,1980-03-09\n",
    )  # fmt: skip
    assert shown.exit_code == 0, shown.output
    assert orjson.loads(gzip.decompress(out.read_bytes()))["ref"] == "P-1"


def test_workers_write_the_same_file(run: Run, extract: Path, home: Path) -> None:
    """Two processes give byte for byte what one gives."""
    run("encode", extract, "--out", home / "one")
    run("encode", extract, "--out", home / "two", "--workers", 2)
    assert (home / "one").read_bytes() == (home / "two").read_bytes()


def test_the_input_is_never_overwritten(run: Run, extract: Path) -> None:
    """Output onto input is refused before anything is read."""
    for option in ("--out", "--rejects"):
        other = [] if option == "--out" else ["--out", extract.with_suffix(".out")]
        shown = run("encode", extract, option, extract, *other)
        assert shown.exit_code == 2
        assert "same file" in shown.stderr
    assert extract.read_text() == EXTRACT


def test_a_run_that_fails_leaves_no_half_file(run: Run, extract: Path, home: Path) -> None:
    """A wrong byte far into the file leaves what was there before, and names row and column."""
    out = home / "out.ndjson"
    out.write_text("before")
    good = "P-1,Ann,Doe,1980-03-09,WR9 0AE,,2026-03-01,\n" * 2000
    extract.write_bytes(EXTRACT.splitlines(keepends=True)[0].encode() + good.encode() + b"P,Mu\xf1oz,,,,,,\n")
    shown = run("encode", extract, "--out", out)
    assert shown.exit_code == 2
    assert "Row 2001, column 'Given Name' is not in UTF-8" in shown.stderr
    assert out.read_text() == "before"
    assert not list(home.glob("*.part")) + list(home.glob(".*.part"))


@pytest.mark.parametrize(
    ("options", "what"),
    [
        (["--date", "tomorrow"], "--date is not a date"),
        (["--delimiter", "::"], "--delimiter is not one character"),
        (["--map", "x"], "no '='"),
        (["--key-file", "none.key"], "There is no file"),
        (["--profile", "none"], "no profile"),
    ],
)
def test_mistakes_on_the_command_line_are_sentences(
    run: Run, extract: Path, home: Path, options: list[str], what: str
) -> None:
    """Each says what is wrong, with exit code 2."""
    shown = run("encode", extract, "--out", home / "out", *options)
    assert shown.exit_code == 2
    assert what in shown.stderr


def test_a_schema_that_the_kit_does_not_have_is_explained(run: Run, extract: Path, home: Path) -> None:
    """A profile ahead of the installed kit is told apart from a broken file."""
    config = home / "config.toml"
    config.write_text(config.read_text().replace("[profiles.default]\n", '[profiles.default]\nschema = "open/9"\n', 1))
    shown = run("encode", extract, "--out", home / "out")
    assert shown.exit_code == 2
    assert "linkage schema is not known" in shown.stderr
