"""The shipped linkage schema keeps the promises of the encoding."""

from __future__ import annotations

import pytest

from matching.schema import UnknownSchemaError, load_schema
from matching.types import KINDS

HOUSEHOLD = {"family", "family_phonetic", "street", "street_word", "house_number", "postcode", "town", "outward"}
SHARED_IN_FAMILIES = {"phone", "email", "bank_account", "vehicle_registration"}


def test_every_composite_is_above_the_entropy_floor() -> None:
    """No key is guessable over one low-entropy atom: each composite's joint entropy reaches its floor."""
    schema = load_schema()
    for kind in KINDS:
        for key in schema.keys(kind):
            if key.band is None:
                assert schema.joint_bits(key.of) >= schema.kinds[kind].entropy_floor, key.name
    assert schema.kinds["person"].entropy_floor == 22


def test_no_anchor_is_shared_by_a_whole_household() -> None:
    """Sketches never hang on what a family has in common: an address, a family name, a telephone."""
    for key in load_schema().keys("person"):
        if key.anchor and key.band is None:
            assert not set(key.of) <= HOUSEHOLD, key.name
            assert not set(key.of) <= SHARED_IN_FAMILIES, key.name


def test_key_names_are_unique() -> None:
    """A key is named by its name: HMACs of two keys can never meet."""
    for kind in KINDS:
        names = [key.name for key in load_schema().keys(kind)]
        assert len(names) == len(set(names))


def test_sketch_fields_fill_their_block_without_gaps() -> None:
    """Each sketch field starts where the one before it ends, and the block is their sum."""
    spec = load_schema().kinds["person"]
    ends = [part.offset + part.size for part in spec.sketch]
    assert [part.offset for part in spec.sketch] == [0, *ends[:-1]]
    assert spec.block_size == ends[-1]


def test_unknown_schema_is_refused_without_repeating_it() -> None:
    """An id that is not known raises, and the message does not echo it."""
    with pytest.raises(UnknownSchemaError) as caught:
        load_schema("bespoke/7")
    assert "bespoke" not in str(caught.value)
