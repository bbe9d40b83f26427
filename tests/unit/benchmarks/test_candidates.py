"""The benchmark of candidates counts what a look-up would read and find."""

from __future__ import annotations

from pathlib import Path

from benchmarks import candidates
from benchmarks.linking import random_encoder
from frankpledge.keys import LinkageKey
from frankpledge.records import RecordEncoder

PEOPLE = "given_name,family_name,date_of_birth,postcode,cluster\n"
ROWS = [
    "ada,quill,1970-03-04,ls1 4ab,a",
    "ada,quill,1970-03-04,ls1 4ab,a",
    "bert,marsh,1981-11-30,ne3 2xy,b",
    "bert,marsh,1981-11-30,ne3 2xy,b",
    "bert,marsh,1981-11-30,ne3 2xy,b",
    "cora,vale,1955-07-19,ex2 8pq,c",
]


def test_each_record_looks_for_the_others_of_its_person(tmp_path: Path) -> None:
    """Whoever stands alone is not asked about; all others are found, first, and nobody finds itself."""
    path = tmp_path / "people.csv"
    path.write_text(PEOPLE + "\n".join(ROWS) + "\n", "utf-8")
    questions, index = candidates.of_file(RecordEncoder.for_key(LinkageKey(bytes(32))), path, 100)
    keys, records = index.rows()
    assert sorted(map(len, questions.sought)) == [1, 1, 2, 2, 2]
    found = candidates.measure(questions, keys, records, cap=500)
    assert found["found"] == 1
    assert found["found_within"]["1"] == 5 / 8
    assert found["found_within"]["2"] == 1


def test_keys_over_the_cap_are_skipped(tmp_path: Path) -> None:
    """With two rows to a key at most, the three records of one person do not find each other."""
    path = tmp_path / "people.csv"
    path.write_text(PEOPLE + "\n".join(ROWS) + "\n", "utf-8")
    questions, index = candidates.of_file(RecordEncoder.for_key(LinkageKey(bytes(32))), path, 100)
    capped = candidates.measure(questions, *index.rows(), cap=2)
    assert capped["found"] == 2 / 8
    assert capped["rows_read"]["mean"] < candidates.measure(questions, *index.rows(), cap=3)["rows_read"]["mean"]


def test_people_of_a_market_are_found_by_number() -> None:
    """Of a small market nearly all who are asked about are found, and most of them first."""
    questions, index = candidates.of_market(random_encoder(), 300, 40)
    found = candidates.measure(questions, *index.rows(), cap=500)
    assert len(questions.sought) >= 20
    assert found["found_within"]["1"] > 0.8
