"""Drafts to encoded filings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import orjson
import pytest

from frankpledge.drafts import Draft, Refused
from frankpledge.errors import KitError
from frankpledge.facts import Facts
from frankpledge.keys import LinkageKey
from frankpledge.parties import Party
from frankpledge.records import RecordEncoder
from frankpledge.rejects import Reject
from matching.schema import UnknownSchemaError, load_schema
from matching.types import EncodedSubject, Kind
from matching.wire import subject_from_json

KEY = LinkageKey(bytes(range(32)))
PERSON = {
    "given_name": "Ann",
    "family_name": "O'Brien",
    "date_of_birth": "1980-03-09",
    "postcode": "WR9 0AE",
    "phone": "020 7946 0018",
}


def draft(*parties: Party, ref: str = "P-1", claim: dict[str, str] | None = None, rows: int = 1) -> Draft:
    """Make a draft of a customer, or of a claim."""
    facts = Facts(ref, "claim" if claim else "customer", "motor", "2026-03-01", claim)
    return Draft(1, rows, facts, parties)


def test_a_line_is_the_encoded_filing_of_the_contract() -> None:
    """The real encoder's line reads back under the real schema, under 4 kB, and holds nothing plain."""
    encoder = RecordEncoder.for_key(KEY)
    claim = {"incident_date": "2026-02-27", "notification_date": "2026-03-01", "kind": "theft", "status": "open"}
    chunk = encoder.filings([draft(Party("person", "driver", PERSON), claim=claim)])
    [line] = chunk.lines
    filing = orjson.loads(line)
    assert list(filing) == ["schema", "fingerprint", "ref", "class", "line", "date", "claim", "subjects"]
    assert (filing["schema"], filing["fingerprint"]) == ("guarded/1", KEY.fingerprint)
    assert filing["claim"] == claim
    subject = subject_from_json(filing["subjects"][0], load_schema())
    assert subject.role == "driver"
    assert len(line) <= 4096
    for value in ("ann", "brien", "1980", "wr9", "7946"):
        assert value not in line.decode().lower().replace(filing["subjects"][0]["keys"].lower(), "").replace(
            filing["subjects"][0].get("sketches", "").lower(), ""
        )


def test_unknown_schema_is_refused() -> None:
    """A linkage schema that the kit does not have is an error of its own."""
    with pytest.raises(UnknownSchemaError):
        RecordEncoder.for_key(KEY, "open/1")


def test_a_filing_without_claim_has_no_claim(encoder: RecordEncoder) -> None:
    """`claim` is absent, not null."""
    [line] = encoder.filings([draft(Party("person", "policyholder", PERSON))]).lines
    assert "claim" not in orjson.loads(line)


def test_what_a_filing_is_kept_from_travels_with_it(encoder: RecordEncoder) -> None:
    """And is absent where nothing is said."""
    plain = draft(Party("person", "policyholder", PERSON))
    said = replace(plain, facts=replace(plain.facts, basis={"customer_kind": "quote"}))
    first, second = (orjson.loads(line) for line in encoder.filings([plain, said]).lines)
    assert second == first | {"basis": {"customer_kind": "quote"}}
    assert "basis" not in first


def test_labels_travel_with_the_filing(encoder: RecordEncoder) -> None:
    """As they are; a filing without any has no such field."""
    plain = draft(Party("person", "policyholder", PERSON))
    labelled = replace(plain, facts=replace(plain.facts, labels={"tlp": "red"}))
    first, second = map(orjson.loads, encoder.filings([plain, labelled]).lines)
    assert second == first | {"labels": {"tlp": "red"}}
    assert "labels" not in first


def test_lines_and_rejects_keep_their_order(encoder: RecordEncoder) -> None:
    """Refused drafts between good ones do not shift subjects to the wrong filing."""
    chunk = encoder.filings(
        [
            draft(Party("person", "policyholder", PERSON), ref="A"),
            Refused(2, (Reject(2, "role", "is missing"),)),
            draft(Party("vehicle", "insured_vehicle", {"vehicle_registration": "AB12 CDE"}), ref="B", rows=3),
        ]
    )
    filings = [orjson.loads(line) for line in chunk.lines]
    assert [(filing["ref"], filing["subjects"][0]["kind"]) for filing in filings] == [("A", "person"), ("B", "vehicle")]
    assert chunk.rejects == [Reject(2, "role", "is missing")]
    assert (chunk.rows, chunk.rejected_rows) == (6, 2)
    assert chunk.subjects == {"person": 1, "vehicle": 1}


def test_a_subject_with_too_little_is_dropped_and_counted(encoder: RecordEncoder) -> None:
    """A filing lives on its other subjects."""
    chunk = encoder.filings(
        [draft(Party("person", "policyholder", PERSON), Party("vehicle", "insured_vehicle", {"vin": "?"}))]
    )
    assert len(orjson.loads(chunk.lines[0])["subjects"]) == 1
    assert chunk.notes[("vehicle", "too little to match on")] == 1


def test_a_filing_with_nothing_to_match_on_is_rejected(encoder: RecordEncoder) -> None:
    """A filing without any key could never be found."""
    chunk = encoder.filings([draft(Party("vehicle", "insured_vehicle", {"vin": "?"}), rows=2)])
    assert chunk.lines == []
    assert chunk.rejected_rows == 2
    assert chunk.rejects[0].field == "subjects"
    assert "too little to match on" in chunk.rejects[0].reason


def test_dropped_values_are_noted_without_them(encoder: RecordEncoder) -> None:
    """A dummy date of birth is counted by field and reason."""
    raw = {**PERSON, "date_of_birth": "01/01/1900"}
    notes = encoder.filings([draft(Party("person", "policyholder", raw))]).notes
    assert [field for field, _ in notes] == ["date_of_birth"]
    assert "1900" not in str(notes)


def test_the_same_subject_twice_is_one(encoder: RecordEncoder) -> None:
    """A vehicle named in each row of a claim is filed once; the same person in two roles stays two subjects."""
    vehicle = Party("vehicle", "insured_vehicle", {"vehicle_registration": "AB12 CDE"})
    parties = [Party("person", "driver", PERSON), vehicle, Party("person", "claimant", PERSON), vehicle]
    chunk = encoder.filings([draft(*parties)])
    roles = [subject["role"] for subject in orjson.loads(chunk.lines[0])["subjects"]]
    assert roles == ["driver", "insured_vehicle", "claimant"]


def test_a_filing_over_the_limit_of_a_line_is_rejected() -> None:
    """The pool takes 64 KiB a line; more is refused here, with what to do."""

    class Large:
        """Makes large subjects."""

        def subjects(self, items: Sequence[tuple[Kind, str, Mapping[str, str]]]) -> list[EncodedSubject | None]:
            """Encode items."""
            return [EncodedSubject(kind, role, 1, bytes(50_000)) for kind, role, _ in items]

    large = RecordEncoder(Large(), schema_id="guarded/1", fingerprint=KEY.fingerprint)
    chunk = large.filings([draft(Party("person", "driver", PERSON))])
    assert chunk.lines == []
    assert "64 KiB" in chunk.rejects[0].reason


def test_one_record_can_be_asked_about(encoder: RecordEncoder) -> None:
    """A flat record gives its subjects, ready to ask about."""
    subjects = encoder.subjects({**PERSON, "vehicle_registration": "AB12 CDE", "town": ""}, "claimant")
    assert [(subject.kind, subject.role) for subject in subjects] == [
        ("person", "claimant"),
        ("vehicle", "insured_vehicle"),
    ]


@pytest.mark.parametrize(
    ("record", "role", "what"),
    [
        ({}, "claimant", "no person"),
        ({"given_name": "Ann"}, None, "role is missing"),
        ({"vin": "?"}, "claimant", "too little to match on"),
    ],
)
def test_a_record_that_cannot_be_asked_about_is_explained(
    encoder: RecordEncoder, record: dict[str, str], role: str | None, what: str
) -> None:
    """Each reason is a sentence."""
    with pytest.raises(KitError, match=what):
        encoder.subjects(record, role)
