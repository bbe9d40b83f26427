"""What the comparison of two persons sees, through real encodings."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from matching.columns import stack
from matching.comparisons import COMPARISONS
from matching.evidence import gather
from matching.schema import load_schema
from tests.unit.matching.conftest import ADA, Encode

SPEC = load_schema().kinds["person"]


def levels(encode: Encode, one: Mapping[str, str], other: Mapping[str, str]) -> dict[str, str]:
    """The level reached by each comparison that was observed."""
    zero = np.zeros(1, np.int64)
    evidence = gather(stack([encode(one)], SPEC), stack([encode(other)], SPEC), zero, zero, SPEC)
    comparisons = COMPARISONS["person"]
    row = comparisons.levels(evidence)[0]
    return {c.name: c.levels[level - 1] for c, level in zip(comparisons.comparisons, row, strict=True) if level}


def test_a_record_agrees_with_itself(encode: Encode) -> None:
    """Every field of a record agrees with itself; spelling is silent where whole keys are shared."""
    assert levels(encode, ADA, ADA) == {
        "given name": "exact",
        "family name": "exact",
        "date of birth": "exact",
        "address": "same house",
        "sex": "same",
    }


def test_strangers_show_nothing(encode: Encode) -> None:
    """Two records that share no key cannot be compared at all, however alike single fields are."""
    stranger = {
        "given_name": "Ada",
        "family_name": "Okonkwo",
        "date_of_birth": "1953-02-27",
        "house_number": "12",
        "street": "Quay Walk",
        "town": "Truro",
        "postcode": "TR1 1XX",
        "sex": "f",
    }
    assert levels(encode, ADA, stranger) == {}


@pytest.mark.parametrize(
    ("changes", "comparison", "level"),
    [
        ({"given_name": "Adda"}, "given name", "close"),
        ({"given_name": "Zoe"}, "given name", "differs"),
        ({"family_name": "Loverring"}, "family name", "sounds alike"),
        ({"family_name": "Ng"}, "family name", "differs"),
        ({"given_name": "Lovering", "family_name": "Ada"}, "given name", "swapped"),
        ({"date_of_birth": "1981-12-11"}, "date of birth", "two parts"),
        ({"date_of_birth": "1981"}, "date of birth", "year"),
        ({"date_of_birth": "1981-10-12"}, "date of birth", "day and month swapped"),
        ({"date_of_birth": "1981-12"}, "date of birth", "known parts"),
        ({"date_of_birth": "1963-07-30"}, "date of birth", "differs"),
        ({"house_number": "21"}, "address", "same street"),
        ({"street": "Elm Row", "house_number": "3"}, "address", "same postcode"),
        ({"street": "Elm Row", "house_number": "3", "postcode": "TR1 1XX", "town": "Truro"}, "address", "differs"),
        ({"sex": "m"}, "sex", "differs"),
    ],
)
def test_levels(encode: Encode, changes: dict[str, str], comparison: str, level: str) -> None:
    """One changed field reaches the level it should and leaves the others alone."""
    found = levels(encode, ADA, ADA | changes)
    assert found[comparison] == level


def test_nicknames_agree(encode: Encode) -> None:
    """Bill and William are one name to the comparison."""
    found = levels(encode, ADA | {"given_name": "William"}, ADA | {"given_name": "Bill"})
    assert found["given name"] == "nickname"


def test_missing_is_not_different(encode: Encode) -> None:
    """A field that one side lacks is not observed."""
    poorer = {name: value for name, value in ADA.items() if name not in {"given_name", "sex"}}
    found = levels(encode, ADA, poorer)
    assert "given name" not in found
    assert "sex" not in found
    assert found["family name"] == "exact"


def test_identifiers_are_compared_by_key(encode: Encode) -> None:
    """A shared telephone is seen as the same, another one as different."""
    with_phone = ADA | {"phone": "07700 900123"}
    assert levels(encode, with_phone, ADA | {"phone": "+447700900123"})["phone"] == "same"
    assert levels(encode, with_phone, ADA | {"phone": "07700 900124"})["phone"] == "differs"
