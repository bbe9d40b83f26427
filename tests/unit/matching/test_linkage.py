"""Scores: explanations add up, the prior follows the pool, families are not matches."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from matching.linkage import Linker, SchemaMismatchError
from matching.schema import load_schema
from matching.shipped import shipped_linker, shipped_model
from matching.types import Band, EncodedSubject
from tests.unit.matching.conftest import ADA, Encode

POOL = 100_000


def test_rows_add_up_to_the_weight(encode: Encode) -> None:
    """The rows of an explanation, the prior included, sum to the total weight to the last printed digit."""
    others = [encode(ADA), encode(ADA | {"given_name": "Adda", "house_number": "21"})]
    matches = shipped_linker().score(encode(ADA), others, pool_size=POOL)
    assert len(matches) == 2
    for match in matches:
        assert match.rows[0].field == "prior"
        assert round(sum(row.weight for row in match.rows), 2) == pytest.approx(match.weight, abs=0.011)
        assert match.probability == pytest.approx(1 / (1 + 2**-match.weight), abs=0.01)


def test_best_first_and_strong(encode: Encode) -> None:
    """The same person is strong and comes before a near copy."""
    others = [encode(ADA | {"date_of_birth": "1981-10-12", "given_name": "Zoe"}), encode(ADA)]
    matches = shipped_linker().score(encode(ADA), others, pool_size=POOL)
    assert matches[0].position == 1
    assert matches[0].band is Band.STRONG


def test_a_sibling_at_the_same_address_is_not_probable(encode: Encode) -> None:
    """One roof, one family name, one telephone, but another given name and birthday: not the same person."""
    sibling = ADA | {"given_name": "Hugh", "date_of_birth": "1984-05-02", "sex": "m", "phone": "0113 496 0123"}
    matches = shipped_linker().score(encode(ADA | {"phone": "0113 496 0123"}), [encode(sibling)], pool_size=POOL)
    assert all(match.band < Band.PROBABLE for match in matches)


def test_a_pool_twice_as_large_costs_one_bit() -> None:
    """The prior falls by one bit when the pool doubles, and stops at the smallest pool."""
    model = shipped_model().kinds["person"]
    assert model.prior(200_000) == pytest.approx(model.prior(100_000) - 1, abs=0.011)
    assert model.prior(1) == model.prior(1000)


def test_re_keying_both_sides_changes_nothing(encode: Encode) -> None:
    """Any permutation of keys, applied to both sides, gives the same scores: plaintext keys are not needed."""

    def rekey(subject: EncodedSubject) -> EncodedSubject:
        keys = np.frombuffer(subject.keys, np.uint8) ^ np.uint8(0x5A)
        return dataclasses.replace(subject, keys=keys.tobytes())

    one, other = encode(ADA), encode(ADA | {"given_name": "Adda"})
    linker = shipped_linker()
    plain = linker.score(one, [other], pool_size=POOL)
    assert linker.score(rekey(one), [rekey(other)], pool_size=POOL) == plain
    assert linker.score(rekey(one), [other], pool_size=POOL) == []


def test_no_candidates_no_matches(encode: Encode) -> None:
    """Nothing to compare gives nothing."""
    assert shipped_linker().score(encode(ADA), [], pool_size=POOL) == []


def test_a_model_of_another_schema_is_refused() -> None:
    """A model cannot be used with a schema it was not trained for."""
    with pytest.raises(SchemaMismatchError):
        Linker(load_schema(), dataclasses.replace(shipped_model(), schema="other/1"))


def vehicle(keys: dict[int, bytes]) -> EncodedSubject:
    """A vehicle with these keys by bit."""
    return EncodedSubject("vehicle", "insured_vehicle", sum(1 << bit for bit in keys), b"".join(keys.values()))


def test_vehicles_match_by_mark_and_vin() -> None:
    """Two vehicles of one VIN and one mark are strong; one mark with another VIN is less."""
    mark, vin, tail = b"m" * 16, b"v" * 16, b"t" * 16
    same = vehicle({0: mark, 1: vin, 2: tail})
    cloned = vehicle({0: mark, 1: b"x" * 16, 2: b"y" * 16})
    matches = shipped_linker().score(same, [same, cloned], pool_size=POOL)
    assert matches[0].position == 0
    assert matches[0].band is Band.STRONG
    assert all(match.weight < matches[0].weight for match in matches[1:])


def test_organisations_match_by_name_in_clear() -> None:
    """A misspelt trading name under one telephone scores above a quite different name."""

    def garage(name: str) -> EncodedSubject:
        return EncodedSubject("organisation", "garage", 1 << 4, b"p" * 16, name=name)

    matches = shipped_linker().score(
        garage("Marsh Lane Bodyshop"), [garage("Quick Tyres"), garage("Marsh Lane Body Shop")], pool_size=5000
    )
    assert matches[0].position == 1
