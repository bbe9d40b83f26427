"""Encoded subjects survive the wire and the envelope, and bad ones are named by field, never by value."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest

from matching.schema import load_schema
from matching.types import EncodedSubject
from matching.wire import PADDED, WireError, pack, subject_from_json, subject_to_json, unpack
from tests.unit.matching.conftest import ADA, Encode

SCHEMA = load_schema()
CANARY = "zzCANARYzz"


@pytest.fixture
def wire(encode: Encode) -> dict[str, Any]:
    """A subject as JSON."""
    document: dict[str, Any] = orjson.loads(orjson.dumps(subject_to_json(encode(ADA))))
    return document


def test_json_and_back(encode: Encode) -> None:
    """Reading what was written gives the same subject."""
    subject = encode(ADA)
    assert subject_from_json(subject_to_json(subject), SCHEMA) == subject


def test_packed_and_back(encode: Encode) -> None:
    """Unpacking what was packed gives the same subject, facts and name included."""
    subject = encode(ADA)
    organisation = EncodedSubject("organisation", "garage", 1, bytes(16), facts={"given_rarity": 3}, name="A Ltd")
    kept = b"".join(subject.keys[at : at + 8] + bytes(8) for at in range(0, len(subject.keys), 16))
    assert unpack(pack(subject)) == replace(subject, keys=kept)
    assert unpack(pack(organisation)) == organisation


def test_the_packed_form_stays_what_it_is() -> None:
    """What lies in a pool is read by the next version too: a change here needs another form beside this one."""
    subject = EncodedSubject("person", "driver", 0b101, bytes(range(32)), 0x10203, b"sketch", {"family_rarity": 7})
    first = "00 06 01 03 02 0000 10000000 06000000"
    packed = f"{first} {b'driver'.hex()} 05 030201 0107 0001020304050607 1011121314151617 {b'sketch'.hex()}"
    assert pack(subject) == bytes.fromhex(packed).ljust(PADDED, b"\0")


def test_packed_subjects_have_few_lengths(encode: Encode) -> None:
    """What is known of a person is not to be read off the length of an envelope."""
    sizes = [len(pack(encode({name: ADA[name] for name in ADA if name != left}))) for left in ADA]
    assert all(size % PADDED == 0 for size in sizes)
    assert len(set(sizes)) <= 3


def test_what_was_cut_short_does_not_unpack(encode: Encode) -> None:
    """Nothing is made of half of a subject."""
    with pytest.raises(ValueError, match="shorter than it says"):
        unpack(pack(encode(ADA))[:-PADDED])


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("kind", CANARY),
        ("kind", ["person"]),
        ("role", CANARY),
        ("role", None),
        ("mask", CANARY),
        ("mask", "0"),
        ("mask", "f" * 40),
        ("mask", 5),
        ("keys", CANARY),
        ("keys", None),
        ("observed", CANARY),
        ("sketches", CANARY),
        ("facts", {CANARY: 1}),
        ("facts", {"given_rarity": 1.5}),
        ("facts", {"given_rarity": True}),
        ("name", CANARY),
    ],
)
def test_each_bad_member_is_named_and_not_echoed(wire: dict[str, Any], member: str, value: object) -> None:
    """A wrong member raises WireError with its dotted path, and the message holds no value."""
    wire[member] = value
    with pytest.raises(WireError) as caught:
        subject_from_json(wire, SCHEMA, where="subjects[0]")
    assert caught.value.field == f"subjects[0].{member}"
    assert CANARY not in str(caught.value)


def test_unknown_members_are_refused(wire: dict[str, Any]) -> None:
    """A member that the format does not have, such as a name in clear, is refused."""
    with pytest.raises(WireError) as caught:
        subject_from_json({**wire, CANARY: 1}, SCHEMA)
    assert CANARY not in str(caught.value)


def test_what_is_no_object_is_refused() -> None:
    """A subject that is not an object is refused."""
    with pytest.raises(WireError):
        subject_from_json([CANARY], SCHEMA)


def test_keys_must_be_as_many_as_the_mask_says(wire: dict[str, Any]) -> None:
    """One key too few or too many is refused."""
    fewer = f"{int(wire['mask'], 16) & (int(wire['mask'], 16) - 1):x}"
    with pytest.raises(WireError) as caught:
        subject_from_json({**wire, "mask": fewer}, SCHEMA)
    assert caught.value.field == "subject.keys"


def test_sketches_without_an_anchor_are_refused() -> None:
    """A vehicle has no anchors, so it may carry no sketches."""
    document = {"kind": "vehicle", "role": "insured_vehicle", "mask": "1", "keys": "A" * 22 + "==", "sketches": ""}
    with pytest.raises(WireError) as caught:
        subject_from_json(document, SCHEMA)
    assert caught.value.field == "subject.sketches"


def test_a_person_with_every_field_stays_under_four_kilobytes(encode: Encode) -> None:
    """The encoded record of a person with all fields is at most 4 kB as NDJSON."""
    everything = ADA | {
        "phone": "+44 7700 900123",
        "email": "ada.lovering@example.com",
        "national_id": "AB 92 74 16 C",
        "driving_licence": "LOVER862100A99XY",
        "bank_account": "20-35-12 44910287",
        "vehicle_registration": "KD51 RTP",
    }
    line = orjson.dumps(
        {
            "schema": SCHEMA.id,
            "fingerprint": "0" * 16,
            "ref": "P-2026-0004711",
            "class": "customer",
            "line": "motor",
            "date": "2026-03-01",
            "subjects": [subject_to_json(encode(everything))],
        }
    )
    assert len(line) <= 4096
