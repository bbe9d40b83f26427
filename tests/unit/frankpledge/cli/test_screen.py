"""`frankpledge screen`."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from tests.unit.frankpledge.cli.conftest import Run
from tests.unit.frankpledge.fakes import FakePool

RECORD = {"given_name": "Ann", "Surname": "O'Brien", "date_of_birth": "1980-03-09", "postcode": "WR9 0AE"}


@pytest.fixture
def record(home: Path) -> Path:
    """A record with one heading that the profile maps."""
    path = home / "record.json"
    path.write_bytes(orjson.dumps(RECORD))
    return path


def test_clear_is_exit_code_0(run: Run, record: Path, fake: FakePool) -> None:
    """Purpose and line come from the profile; nothing plain is sent."""
    shown = run("screen", "--record", record, "--reference", "Q-1")
    assert shown.exit_code == 0, shown.output
    assert shown.stdout.startswith("clear  person for Q-1")
    [request] = fake.sent("/v1/screenings")
    assert orjson.loads(request.content)["purpose"] == "new_business"
    assert not any(word in request.content.lower() for word in (b"brien", b"1980", b"wr9"))


def test_enquire_is_exit_code_3_and_explains(run: Run, record: Path, fake: FakePool) -> None:
    """Hits with band and tier, and why, as a table that adds up."""
    fake.answer = "enquire"
    shown = run("screen", "--record", record, "--reference", "Q-1")
    assert shown.exit_code == 3
    for word in ("enquire", "strong", "suspected", "Alder Insurance", "+24.5", "Why hit_1", "date of birth", "+14.0"):
        assert word in shown.stdout
    assert "2 keys are shared by too many records" in shown.stdout
    assert "a record that only shares them was not found" in " ".join(shown.stdout.split())


def test_standard_input_json_output_and_own_ref(run: Run, fake: FakePool) -> None:
    """A system pipes a record in and gets the pool's answer out; `ref` in the record is the reference."""
    shown = run("screen", "--record", "-", "--json", stdin=orjson.dumps({**RECORD, "ref": "Q-7"}))
    assert shown.exit_code == 0, shown.output
    assert orjson.loads(shown.stdout)["answer"] == "clear"
    assert orjson.loads(fake.sent("/v1/screenings")[0].content)["reference"] == "Q-7"


def test_a_vehicle_asks_a_second_question(run: Run, home: Path, fake: FakePool) -> None:
    """Each subject of a record has an answer of its own."""
    shown = run(
        "screen",
        "--record",
        "-",
        "--reference",
        "Q-1",
        stdin='{"family_name": "Doe", "phone": "020 7946 0018", "vehicle_registration": "AB12 CDE"}',
    )
    assert shown.exit_code == 0, shown.output
    assert [line.split()[1] for line in shown.stdout.splitlines()] == ["person", "vehicle"]


def test_fields_can_be_given_for_tests(run: Run) -> None:
    """--field works, and its help warns."""
    shown = run("screen", "--field", "family_name=Doe", "--field", "date_of_birth=1980-03-09", "--reference", "Q-1")
    assert shown.exit_code == 0, shown.output
    assert "Other users of this machine can see it" in " ".join(run("screen", "--help").stdout.split())


def test_fields_can_be_asked_for(run: Run) -> None:
    """--ask prompts for each column; empty answers are left out."""
    answers = ["Ann", "Doe", "1980-03-09"] + [""] * 20
    shown = run("screen", "--ask", "--reference", "Q-1", stdin="\n".join(answers))
    assert shown.exit_code == 0, shown.output
    assert shown.stdout.startswith("clear  person")


def test_a_file_is_asked_row_by_row(run: Run, home: Path, fake: FakePool) -> None:
    """Bad rows are named, the others answered; exit codes 1 and 3."""
    path = home / "quotes.csv"
    path.write_text("ref,Surname,date_of_birth\nQ-1,Doe,1980-03-09\n,Roe,1980-03-09\nbad,Poe,1980-03-09\n")
    shown = run("screen", "--bulk", path)
    assert shown.exit_code == 1
    assert "Row 2: ref: expected 1 to 64" in shown.stderr
    assert "Row 3: (pool): Not so." in shown.stderr
    assert "1 clear, 0 to enquire, 2 could not be asked about." in shown.stderr
    fake.answer = "enquire"
    shown = run("screen", "--bulk", path, "--json")
    assert shown.exit_code == 3
    assert [orjson.loads(line)["answer"] for line in shown.stdout.splitlines()] == ["enquire"]


@pytest.mark.parametrize(
    ("arguments", "stdin", "what"),
    [
        ([], "", "not clear whom to ask about"),
        (["--record", "-", "--ask"], "", "not clear whom to ask about"),
        (["--record", "-"], '{"family_name": "Doe"}', "needs your own reference"),
        (["--record", "-", "--reference", "Q"], "[1]", "cannot be read"),
        (["--record", "-", "--reference", "Q"], '{"subjects": []}', "nested"),
        (["--record", "-", "--reference", "Q"], '{"D.O.B.": "1980-03-09"}', "D.O.B.=date_of_birth"),
        (["--record", "-", "--reference", "Q"], '{"sex": "f"}', "no person"),
        (["--field", "postcode", "--reference", "Q"], "", "no '='"),
        (["--record", "none.json", "--reference", "Q"], "", "No such file"),
    ],
)
def test_mistakes_are_sentences(run: Run, fake: FakePool, arguments: list[str], stdin: str, what: str) -> None:
    """Each says what is wrong, with exit code 2, before anything is asked."""
    shown = run("screen", *arguments, stdin=stdin)
    assert shown.exit_code == 2, shown.output
    assert what in shown.stderr
    assert fake.requests == []


def test_purpose_and_line_are_needed(run: Run, record: Path, home: Path) -> None:
    """Without them nothing is asked."""
    (home / "config.toml").write_text(f'[profiles.default]\nkey_file = "{home / "linkage.key"}"\n')
    shown = run("screen", "--record", record, "--reference", "Q-1")
    assert shown.exit_code == 2
    assert "needs a purpose and a line" in shown.stderr
