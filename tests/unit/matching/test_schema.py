"""The shipped linkage schemas keep the promises of the encoding."""

from __future__ import annotations

import pytest

from matching.schema import (
    DEFAULT_SCHEMA,
    LinkageSchema,
    UnknownSchemaError,
    load_schema,
    schema_id,
    shipped_schemas,
)
from matching.shipped import shipped_linker, shipped_model
from matching.types import KINDS

HOUSEHOLD = {"family", "family_phonetic", "street", "street_word", "house_number", "postcode", "town", "outward"}
SHARED_IN_FAMILIES = {"phone", "email", "bank_account", "vehicle_registration"}


FLOORS = {"guarded/1": 22, "broad/1": 18}
"""The least joint entropy of a person's composite in bits."""


@pytest.fixture(params=shipped_schemas())
def schema(request: pytest.FixtureRequest) -> LinkageSchema:
    """Each schema that is shipped."""
    return load_schema(request.param)


def test_every_composite_is_above_the_entropy_floor(schema: LinkageSchema) -> None:
    """No key is guessable over one low-entropy atom: each composite's joint entropy reaches its floor."""
    for kind in KINDS:
        for key in schema.keys(kind):
            if key.band is None:
                assert schema.joint_bits(key.of) >= schema.kinds[kind].entropy_floor, key.name
    assert schema.kinds["person"].entropy_floor == FLOORS[schema.id]


def test_no_anchor_is_shared_by_a_whole_household(schema: LinkageSchema) -> None:
    """Sketches never hang on what a family has in common: an address, a family name, a telephone."""
    for key in schema.keys("person"):
        if key.anchor and key.band is None:
            assert not set(key.of) <= HOUSEHOLD, key.name
            assert not set(key.of) <= SHARED_IN_FAMILIES, key.name


def test_key_names_are_unique(schema: LinkageSchema) -> None:
    """A key is named by its name: HMACs of two keys can never meet."""
    for kind in KINDS:
        names = [key.name for key in schema.keys(kind)]
        assert len(names) == len(set(names))


def test_sketch_fields_fill_their_block_without_gaps(schema: LinkageSchema) -> None:
    """Each sketch field starts where the one before it ends, and the block is their sum."""
    spec = schema.kinds["person"]
    ends = [part.offset + part.size for part in spec.sketch]
    assert [part.offset for part in spec.sketch] == [0, *ends[:-1]]
    assert spec.block_size == ends[-1]


def test_each_schema_is_found_by_its_id_and_by_its_name() -> None:
    """The default comes first; a name alone is its newest version; an id is what its records say."""
    assert shipped_schemas()[0] == DEFAULT_SCHEMA == load_schema().id
    for each in shipped_schemas():
        assert load_schema(each).id == schema_id(each) == each
        assert load_schema(each.partition("/")[0]).id == schema_id(each.partition("/")[0])


def test_unknown_schema_is_refused_without_repeating_it() -> None:
    """An id that is not known raises, and the message names what there is and does not echo it."""
    with pytest.raises(UnknownSchemaError) as caught:
        load_schema("bespoke/7")
    assert str(caught.value) == "unknown linkage schema: expected one of guarded/1, broad/1"


@pytest.mark.parametrize("name", shipped_schemas())
def test_each_schema_has_a_model(name: str) -> None:
    """A pool under any of them starts with a model that was trained for it."""
    assert shipped_model(name).schema == name
    assert shipped_linker(name).schema.id == name
