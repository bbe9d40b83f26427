"""The whole report: every attack, the rates first and what stands behind them after."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.market import Raw
from benchmarks.privacy import clk, entropy, frequency, guessing, households, matching, mining, online, secrets, tables
from benchmarks.privacy.matching import Attacked
from benchmarks.privacy.rates import Rate
from benchmarks.privacy.views import encode_table
from matching.schema import DEFAULT_SCHEMA, load_schema, shipped_schemas
from repository.services import rulebook_file

SEEDS = 25
KNOWN_PAIRS = (10, 100, 1000)
OFFERED = ("stolen_database", "curious_operator")
_MINED = "given_name"
Attacks = tuple[dict[str, dict[str, Rate]], dict[str, Rate]]
"""Rates of graph matching by view and overlap, and of frequencies by field."""


def report(people: int, *, quick: bool) -> dict[str, Any]:
    """Everything that is measured; `quick` leaves out families, seeds, and smaller overlaps of other schemas."""
    febrl = Attacked(matching.usable(tables.febrl(), DEFAULT_SCHEMA), people)
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as beside:
        filters = beside.submit(matching.of_clk, febrl)
        others = beside.submit(other_schemas, people, (100,) if quick else matching.OVERLAPS)
        own = _ours(febrl, quick=quick, filters=filters)
        found = others.result()
    own["detail"]["other_schemas"] = {
        schema_id: {"graph_matching": told(views), "frequency": one(fields)}
        for schema_id, (views, fields) in found.items()
    }
    return own | {"other_schemas": {schema_id: _bare(each) for schema_id, each in found.items()}}


def _bare(attacks: Attacks) -> dict[str, Any]:
    views, fields = attacks
    graphs = {view: shares(of_overlaps) for view, of_overlaps in views.items()}
    return {"graph_matching": graphs, "frequency": shares(fields)}


def _ours(febrl: Attacked, *, quick: bool, filters: Future[dict[str, Rate]]) -> dict[str, Any]:
    people = febrl.size
    found = matching.of_views(febrl, DEFAULT_SCHEMA, OFFERED)
    found |= matching.of_views(febrl, DEFAULT_SCHEMA, ["thief_with_logs"], (100,) if quick else matching.OVERLAPS)
    frequencies, contrast = of_frequency(febrl)
    found["clk"] = filters.result()
    market = tables.market(people * (3 if quick else 8))
    detail: dict[str, Any] = {"graph_matching": told(found)}
    if not quick:
        seeded = matching.of_views(febrl, DEFAULT_SCHEMA, ["curious_operator"], (100,), SEEDS)
        detail["graph_matching_with_seeds"] = {"seeds": SEEDS, **told(seeded)}
        detail["graph_matching_families"] = families(people)
    return {
        "people": people,
        "schema": DEFAULT_SCHEMA,
        "graph_matching": {view: shares(of_overlaps) for view, of_overlaps in found.items()},
        "frequency": shares(frequencies),
        "entropy": of_entropy(market),
        "detail": {
            **detail,
            "frequency": {name: rate.told() for name, rate in frequencies.items()},
            "frequency_of_one_hash_a_field": {name: rate.told() for name, rate in contrast.items()},
            "pattern_mining": of_mining(febrl),
            "known_pairs": {str(count): one(secrets.known_pairs(count)) for count in KNOWN_PAIRS},
            "dictionaries": one(secrets.dictionaries(febrl.people[:500])),
            "households": of_households(market[:people]),
            "online": of_online(),
            "operator_and_member": guessing.guessing(list(febrl.people[:people])),
        },
    }


def shares(rates: Mapping[str, Rate]) -> dict[str, float]:
    """Bare rates."""
    return {name: round(rate.share, 5) for name, rate in rates.items()}


def one(rates: Mapping[str, Rate]) -> dict[str, Any]:
    """Rates with what stands behind them."""
    return {name: rate.told() for name, rate in rates.items()}


def told(found: Mapping[str, Mapping[str, Rate]]) -> dict[str, Any]:
    """The same for several views."""
    return {view: one(rates) for view, rates in found.items()}


def families(people: int) -> dict[str, Any]:
    """Graph matching on a market of households, whose structure is what gives people away.

    `same_gaps`: the list lacks exactly the fields that the table lacks, record by record; `own_gaps`: others;
    `no_gaps`: neither lacks any.
    """
    drawn = tables.market(2 * people)
    known = matching.usable(tables.with_gaps(drawn, 1), DEFAULT_SCHEMA)
    whole = {person["ref"]: person for person in tables.with_gaps(drawn, 2)}
    same = Attacked(known, people)
    views = ("stolen_database", "thief_with_logs", "curious_operator", "curious_operator_without_gaps")
    own = Attacked(known, people, [whole[person["ref"]] for person in known])
    return {
        "same_gaps": told(matching.of_views(same, DEFAULT_SCHEMA, views, (100, 20))),
        "own_gaps": told(matching.of_views(own, DEFAULT_SCHEMA, views, (100,))),
        "no_gaps": told(matching.of_views(Attacked(drawn, people), DEFAULT_SCHEMA, views[:-1], (100,))),
        "clk": one(matching.of_clk(same, (100,))),
    }


def other_schemas(people: int, overlaps: Sequence[int]) -> dict[str, Attacks]:
    """The views, and frequencies by field, of every schema but the default one."""
    found = {}
    for schema_id in shipped_schemas()[1:]:
        febrl = Attacked(matching.usable(tables.febrl(), schema_id), people)
        found[schema_id] = matching.of_views(febrl, schema_id, OFFERED, overlaps), of_frequency(febrl, schema_id)[0]
    return found


def of_frequency(attacked: Attacked, schema_id: str = DEFAULT_SCHEMA) -> tuple[dict[str, Rate], dict[str, Rate]]:
    """By field, of our keys and of one keyed hash a field."""
    paired, spec = attacked.tables(100), load_schema(schema_id).kinds["person"]
    held, listed = (
        frequency.columns(encode_table(matching.encoder(schema_id), each), spec)
        for each in (paired.held, paired.listed)
    )
    of_keys = frequency.attack(held, listed, paired.truth)
    contrast = frequency.attack(frequency.plain(paired.held), frequency.plain(paired.listed), paired.truth)
    return frequency.by_field(of_keys, spec), contrast


def of_mining(attacked: Attacked) -> dict[str, Any]:
    """Patterns of bits in filters over one field, and in the bits of our keys."""
    paired = attacked.tables(100)
    filters = clk.Clk(os.urandom(32))
    tokens = Counter(token for person in paired.listed for token in clk.bigrams(person[_MINED]))
    seen = {token: count / len(paired.listed) for token, count in tokens.items()}
    right = {token: frozenset(filters.positions(_MINED, token).tolist()) for token in tokens}
    bits = filters.filters(paired.held, [_MINED])
    exposed, read, of = mining.read(bits, seen, right)
    ours = mining.key_bits(encode_table(matching.encoder(DEFAULT_SCHEMA), paired.held))
    chance = 1 / of
    return {
        "bloom_filter_bigrams_exposed": Rate(exposed, of, chance).told(),
        "bloom_filter_bigrams_read": Rate(read, of, chance).told(),
        "patterns_in_our_keys": len(mining.patterns(ours)),
    }


def of_households(people: Sequence[Raw]) -> dict[str, Any]:
    """What of families an operator sees."""
    encoded = encode_table(matching.encoder(DEFAULT_SCHEMA), tables.with_gaps(people, 1))
    return one(households.households(people, encoded, load_schema().kinds["person"]))


def of_entropy(people: Sequence[Raw]) -> dict[str, float]:
    """Of every key of every schema that is shipped; those of the default one under their bare names."""
    found: dict[str, float] = {}
    for schema_id in shipped_schemas():
        encoded = encode_table(matching.encoder(schema_id), people)
        bits = entropy.collision_bits(people, encoded, load_schema(schema_id).kinds["person"])
        found |= bits if schema_id == DEFAULT_SCHEMA else {f"{schema_id}: {name}": each for name, each in bits.items()}
    return found


def of_online() -> dict[str, Any]:
    """Guessing by questions: reckoned for a small and a large member, and tried."""
    rulebook = rulebook_file.read(rulebook_file.default_text())
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary) / "pool"
        directory.mkdir(mode=0o700)
        tried = online.tried(directory, 300, rulebook.quota.floor_per_day + 20)
    return {
        "small_member": online.reckoned(rulebook, load_schema()),
        "large_member": online.reckoned(rulebook, load_schema(), accepted=100_000),
        "tried": tried,
    }
