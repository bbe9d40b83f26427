"""The benchmark of privacy: each attack finds what is leaky, and nothing where nothing is."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.market import Raw
from benchmarks.privacy import clk, entropy, frequency, households, matching, mining, online, report, secrets, tables
from benchmarks.privacy.matching import Attacked
from benchmarks.privacy.rates import Rate
from benchmarks.privacy.views import encode_table
from frankpledge.encode import Encoder
from frankpledge.keys import LinkageKey
from frankpledge.records import RecordEncoder
from matching.schema import DEFAULT_SCHEMA, KeySpec, LinkageSchema, load_schema, shipped_schemas
from repository.services import rulebook_file

SPEC = load_schema().kinds["person"]


@pytest.fixture(scope="module")
def people() -> list[Raw]:
    """Some people of FEBRL, all of whom can be encoded."""
    return matching.usable(tables.febrl()[:420], DEFAULT_SCHEMA)


def test_a_rate_says_how_sure_it_is() -> None:
    """Wilson's interval holds the rate, stays within 0 and 1, and is known for 5 of 10."""
    assert Rate(0, 100, 0.0).interval[0] == 0
    assert Rate(0, 100, 0.0).interval[1] == pytest.approx(0.037, abs=0.001)
    low, high = Rate(5, 10, 0.0).interval
    assert low == pytest.approx(0.2366, abs=1e-3)
    assert high == pytest.approx(0.7634, abs=1e-3)
    assert Rate(0, 0, 0.0).told()["rate"] == 0


def test_frequency_reads_hashes_of_fields_and_not_composites(people: list[Raw]) -> None:
    """Common names and towns are read by rank off one hash a field; off our keys hardly a value of any field is."""
    keys, hashes = report.of_frequency(Attacked(people, 400))
    assert hashes["given_name"].share > 0.3
    assert max(rate.share for rate in keys.values()) < 0.05
    assert {"family", "dob", "postcode", "bands"} <= set(keys)


def test_rank_reads_what_is_common() -> None:
    """Codes of three values that differ in frequency are all read."""
    values = ["a"] * 3 + ["b"] * 2 + ["c"]
    codes = [value.upper() for value in values]
    found = frequency.attack({"field": codes}, {"field": values}, np.arange(6))
    assert found["field"].hits == 3


def test_patterns_betray_bigrams_of_filters(people: list[Raw]) -> None:
    """In filters over one field the bits of common bigrams stand together; in the bits of our keys none do."""
    filters = clk.Clk(b"secret")
    bits = filters.filters(people, ["given_name"])
    tokens = Counter(token for person in people for token in clk.bigrams(person["given_name"]))
    right = {token: frozenset(filters.positions("given_name", token).tolist()) for token in tokens}
    exposed, _, of = mining.read(bits, {token: count / len(people) for token, count in tokens.items()}, right)
    assert exposed > 0.2 * of
    assert not mining.patterns(mining.key_bits(encode_table(matching.encoder(DEFAULT_SCHEMA), people)))


def test_known_pairs_undo_a_permuted_sketch_and_no_rekeyed_key() -> None:
    """A thousand pairs give away every slot that is permuted by itself; not one key under AES."""
    found = secrets.known_pairs(1000, others=200)
    assert found["sketch_by_slots"].share == 1
    assert found["rekeyed_keys"].hits == 0


def test_one_secret_of_two_confirms_nobody(people: list[Raw]) -> None:
    """A complete list confirms everybody to who has both secrets, nobody to who has one."""
    found = secrets.dictionaries(people[:60])
    assert found.pop("both_secrets").share == 1
    assert not any(rate.hits for rate in found.values())


def test_households_are_seen_where_they_share_keys() -> None:
    """Most who live together share what strangers do not; that is what an operator learns of families."""
    drawn = tables.market(300)
    found = households.households(drawn, encode_table(matching.encoder(DEFAULT_SCHEMA), drawn), SPEC)
    assert found["seen_that_are_households"].share > 0.5
    assert found["pairs_seen"].of > 100


def _composites(schema: LinkageSchema) -> tuple[KeySpec, ...]:
    """The keys of persons without bands and without what hangs on them: what is measured, quickly."""
    return tuple(replace(key, anchor=False) for key in schema.keys("person") if key.of)


def test_every_composite_of_a_person_holds_the_floor() -> None:
    """Measured on a market, between different households: no composite meets more often than the schema's floor says.

    Of six thousand people some four pairs meet at a floor of 22 bits; three standard errors of that are allowed for.
    """
    people = tables.market(6000)
    for schema in map(load_schema, shipped_schemas()):
        spec = replace(schema.kinds["person"], keys=_composites(schema), bands=None, sketch=())
        encoder = Encoder(replace(schema, kinds={"person": spec}), LinkageKey(bytes(32)))
        subjects = encode_table(RecordEncoder(encoder, schema_id=schema.id, fingerprint=""), people)
        bits = entropy.collision_bits(people, subjects, spec)
        pairs = len(people) * (len(people) - 1) / 2
        expected = pairs * 2.0**-spec.entropy_floor
        least = math.log2(pairs / (expected + 3 * math.sqrt(expected)))
        low = {key.name: bits[key.name] for key in spec.keys if key.of and bits[key.name] < least}
        assert not low


def test_entropy_counts_pairs_of_different_households() -> None:
    """A value that half of the people have gives one bit; what only a household shares takes nothing away."""
    homes = ["1", "1", "2", "3"]
    assert entropy.bits([b"a", b"a", b"a", b"b"], homes) == round(math.log2(5 / 2), 2)
    assert entropy.bits([b"a", b"a", b"b", b"c"], homes) == round(math.log2(5 / 3), 2)


def test_questions_are_reckoned_from_the_rulebook() -> None:
    """A small member has the floor of the quota; the more a member contributes the sooner a birthday is guessed."""
    rulebook = rulebook_file.read(rulebook_file.default_text())
    small, large = online.reckoned(rulebook, load_schema()), online.reckoned(rulebook, load_schema(), accepted=100_000)
    assert small["per_day"] == rulebook.quota.floor_per_day
    assert small["days"]["birthday_of_someone_known_by_name"] > 20
    assert large["days"]["birthday_of_someone_known_by_name"] < 1


def test_a_guesser_is_refused_at_the_quota(tmp_path: Path) -> None:
    """The service answers a day's quota of guesses, and then refuses by R10."""
    directory = tmp_path / "pool"
    directory.mkdir(mode=0o700)
    found = online.tried(directory, 20, 540)
    assert found["refused_by"] == "R10"
    assert found["answered"] == 500
