"""The encoding: the same everywhere, nothing comparable without a shared anchor, no plaintext."""

from __future__ import annotations

import functools
import hmac
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import matching
from frankpledge.encode import Encoder, encoder
from frankpledge.encode.encoder import Item
from matching.schema import content_hash, load_schema, parse_schema
from matching.types import EncodedSubject, Kind
from matching.wire import pack, subject_to_json
from tests.support.reference import Reference

SCHEMA = load_schema()
SPEC = SCHEMA.kinds["person"]

ADA = {
    "given": "ada",
    "given_first": "ada",
    "given_canonical": "ada",
    "given_phonetic": "at",
    "family": "lovering",
    "family_phonetic": "lfrnk",
    "dob": "19811210",
    "dob_y": "1981",
    "dob_m": "12",
    "dob_d": "10",
    "dob_md": "1012",
    "dob_digits": "19811210",
    "postcode": "ls62ab",
    "outward": "ls6",
    "town": "leeds",
    "street": "marchmont st",
    "house_number": "12",
    "sex": "f",
}


class Key:
    """A linkage key of one byte, repeated."""

    def __init__(self, byte: int = 0) -> None:
        self._secret = bytes([byte]) * 32

    def derive(self, purpose: bytes) -> bytes:
        """As frankpledge.keys.LinkageKey does."""
        return hmac.digest(self._secret, b"frankpledge/derive/v1\0" + purpose, "sha256")


@functools.cache
def encoder_of(byte: int) -> Encoder:
    """The encoder under such a key."""
    return Encoder(SCHEMA, Key(byte))


def encode(atoms: Mapping[str, str], byte: int = 0) -> EncodedSubject | None:
    """One person, encoded."""
    return encoder_of(byte).subjects([("person", "policyholder", atoms)])[0]


def encoded(atoms: Mapping[str, str], byte: int = 0) -> EncodedSubject:
    """One person who holds enough to be encoded."""
    subject = encode(atoms, byte)
    assert subject is not None
    return subject


def key_set(subject: EncodedSubject) -> set[bytes]:
    """The keys of a subject."""
    return {subject.keys[at : at + 16] for at in range(0, len(subject.keys), 16)}


VALUES = st.one_of(
    st.sampled_from(sorted({*ADA.values(), "zoë", "o", "kd51rtp", "wvwzzz1jz3w386752"})), st.text(max_size=20)
)
ATOMS = {
    "person": sorted({*ADA, "phone", "email", "national_id", "given_other"}),
    "vehicle": ["registration", "vin"],
    "organisation": ["org_name", "org_name_sorted", "company_number", "postcode", "town", "bank_account"],
}


def items_of(kind: Kind) -> st.SearchStrategy[Item]:
    """Subjects of a kind of whom this or that is known."""
    atoms = st.dictionaries(st.sampled_from(ATOMS[kind]), VALUES)
    whole = st.builds(lambda some: ADA | some, atoms) if kind == "person" else atoms
    return st.tuples(st.just(kind), st.just("insured"), st.one_of(atoms, whole))


ITEMS = st.lists(st.one_of(items_of("person"), items_of("vehicle"), items_of("organisation")), max_size=8)


@settings(max_examples=20, deadline=None)
@given(items=ITEMS, at_once=st.integers(1, 5))
def test_many_at_once_agree_with_the_slow_reference(items: list[Item], at_once: int) -> None:
    """Whatever is known of whom, and however many are encoded together: to the byte what one at a time gives."""
    slow = Reference(SCHEMA, bytes(32))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encoder, "SUBJECTS_AT_ONCE", at_once)
        assert Encoder(SCHEMA, Key()).subjects(items) == [slow.subject(*item) for item in items]


@pytest.mark.parametrize("cut", ["whole", "bigrams"])
@settings(max_examples=10, deadline=None)
@given(items=ITEMS)
def test_a_schema_of_one_kind_of_tokens(cut: str, items: list[Item]) -> None:
    """Bands and sketches of whole values only, or of bigrams only, agree with the reference too."""
    raw = json.loads((Path(matching.__file__).parent / "schemas" / "v1.json").read_text("utf-8"))
    person = raw["kinds"]["person"]
    person["bands"]["tokens"] = [each for each in person["bands"]["tokens"] if each["cut"] == cut]
    person["sketch"] = [each for each in person["sketch"] if each["cut"] == cut]
    schema = parse_schema(raw | {"sha256": content_hash(raw)})
    slow = Reference(schema, bytes(32))
    assert Encoder(schema, Key()).subjects(items) == [slow.subject(*item) for item in items]


def test_batches_do_not_matter() -> None:
    """A record encodes to the same bytes alone and among others, of its own kind and of others."""
    vehicle = {"registration": "kd51rtp", "vin": "wvwzzz1jz3w386752"}
    encoder = Encoder(SCHEMA, Key())
    items: list[Item] = [("person", "policyholder", ADA), ("vehicle", "insured_vehicle", vehicle)]
    items += [("person", "driver", ADA | {"given": f"ada {n}"}) for n in range(1000)]
    together = encoder.subjects(items)
    assert together[0] == encode(ADA)
    assert together[1] == encoder.subjects([("vehicle", "insured_vehicle", vehicle)])[0]


def test_threads_do_not_matter() -> None:
    """Several threads may use one encoder at once."""
    encoder = Encoder(SCHEMA, Key())
    items: list[Item] = [("person", "driver", ADA | {"given": f"ada {n}"}) for n in range(300)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(encoder.subjects, [items] * 12))
    assert all(each == found[0] for each in found)


def test_another_linkage_key_gives_nothing_in_common() -> None:
    """Under two linkage keys one person has no key in common."""
    assert not key_set(encoded(ADA)) & key_set(encoded(ADA, 1))


def test_a_lone_name_gives_no_key() -> None:
    """A record below the entropy floor is not encoded at all: no key over a single low-entropy atom."""
    assert encode({"given": "ada", "given_first": "ada", "given_canonical": "ada", "given_phonetic": "at"}) is None
    names = {name: ADA[name] for name in ("given", "given_first", "given_canonical", "family", "family_phonetic")}
    assert encode(names) is None


def test_sketches_of_strangers_agree_by_chance_only() -> None:
    """Equal names under different anchors give unrelated bytes: about one in 256 agrees."""
    others = [encoded(ADA | {"dob": f"19{n}0305", "dob_digits": f"19{n}0305"}) for n in range(10, 90)]
    agreeing, total = 0, 0
    for other in others:
        anchors = [bit for bit, key in enumerate(SPEC.keys) if key.anchor]
        one = blocks(encoded(ADA))
        two = blocks(other)
        keys_one, keys_two = by_bit(encoded(ADA)), by_bit(other)
        for bit in anchors:
            if bit in one and bit in two and keys_one[bit] != keys_two[bit]:
                agreeing += int((one[bit] == two[bit]).sum())
                total += SPEC.block_size
    assert total > 5_000
    assert agreeing / total < 3 / 256


def by_bit(subject: EncodedSubject) -> dict[int, bytes]:
    """Keys by their bit."""
    bits = [bit for bit in range(len(SPEC.keys)) if subject.mask >> bit & 1]
    return {bit: subject.keys[16 * at : 16 * at + 16] for at, bit in enumerate(bits)}


def blocks(subject: EncodedSubject) -> dict[int, np.ndarray[tuple[int], np.dtype[np.uint8]]]:
    """Sketch blocks by the bit of their anchor; bytes of fields not observed are left out of it by being unequal."""
    bits = [bit for bit in range(len(SPEC.keys)) if subject.mask >> bit & 1 and SPEC.keys[bit].anchor]
    rows = np.frombuffer(subject.sketches, np.uint8).reshape(len(bits), -1)
    return {bit: rows[at] for at, bit in enumerate(bits)}


WORDS = st.text("abcdefghijklmnopqrstuvwxyz", min_size=5, max_size=12)


@settings(max_examples=40)
@given(given_name=WORDS, family=WORDS, town=WORDS)
def test_no_plaintext_in_the_encoding(given_name: str, family: str, town: str) -> None:
    """No atom of five letters or more stands anywhere in the bytes, on the wire or packed."""
    atoms = ADA | {"given": given_name, "given_first": given_name, "family": family, "town": town}
    subject = encoded(atoms)
    wire = orjson.dumps(subject_to_json(subject))
    for text in (given_name, family, town):
        if text not in "policyholder person keys mask observed sketches facts":
            assert text.encode() not in pack(subject)
            assert text.encode() not in wire


@settings(max_examples=25)
@given(st.dictionaries(st.sampled_from(sorted(ADA)), st.text(min_size=1, max_size=30), max_size=18))
def test_any_atoms_encode_or_are_too_poor(atoms: dict[str, str]) -> None:
    """Whatever the atoms hold, encoding gives a well-formed subject or None, and never raises."""
    subject = encode(atoms)
    if subject is not None:
        assert len(subject.keys) == 16 * subject.mask.bit_count()
        assert len(subject.sketches) == SPEC.block_size * (subject.mask & SPEC.anchor_mask).bit_count()


def test_min_hash_bands_are_shared_by_near_copies() -> None:
    """A misspelt name and a wrong day leave some of the bands, while a stranger shares none."""
    near = encoded(ADA | {"family": "loverin", "dob": "19811211", "dob_digits": "19811211"})
    stranger = encoded({
        **ADA, "given": "bohdan", "family": "xu", "dob_digits": "19530227", "postcode": "tr11xx", "town": "truro",
        "street": "quay walk", "house_number": "7",
    })  # fmt: skip
    bands = [bit for bit, key in enumerate(SPEC.keys) if key.band is not None]
    own, theirs, other = by_bit(encoded(ADA)), by_bit(near), by_bit(stranger)
    assert sum(own[bit] == theirs[bit] for bit in bands) >= 3
    assert sum(own[bit] == other[bit] for bit in bands) == 0
