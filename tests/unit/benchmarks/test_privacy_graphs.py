"""The benchmark of privacy: graph matching finds people where records can be compared, and nobody where they cannot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.market import Raw
from benchmarks.privacy import clk, dense, graph, matching, tables, views
from benchmarks.privacy.matching import Attacked
from benchmarks.privacy.tables import Tables
from benchmarks.privacy.views import Graph
from matching.schema import DEFAULT_SCHEMA, KindSchema, load_schema
from matching.types import EncodedSubject

SIZE = 150
SPEC = load_schema().kinds["person"]


@pytest.fixture(scope="module")
def people() -> list[Raw]:
    """Some people of FEBRL, all of whom can be encoded."""
    return matching.usable(tables.febrl()[: 2 * SIZE + 20], DEFAULT_SCHEMA)


def ring(order: Sequence[int], chords: Sequence[tuple[int, int]]) -> Graph:
    """A ring with chords, whose nodes stand in some order: every place of it is told from every other by its chords."""
    place = {node: at for at, node in enumerate(order)}
    made = Graph([("all alike",) for _ in order])
    edges = [(node, (node + 1) % len(order)) for node in range(len(order))]
    for first, second in [*edges, *chords]:
        made.add((place[first], place[second]), 1.0, [("edge",)])
    return made


def test_the_shape_of_a_graph_alone_gives_its_nodes_away() -> None:
    """Of two copies of a graph in different orders most nodes are found, though nothing tells nodes or edges apart."""
    order = [int(node) for node in np.random.default_rng(1).permutation(24)]
    chords = [(0, 5), (0, 9), (3, 14), (7, 20), (11, 18), (11, 22), (2, 16)]
    taken = graph.match_graphs(ring(range(24), chords), ring(order, chords), rounds=0)
    assert (np.array(order)[taken] == np.arange(24)).mean() > 0.5


def test_seeds_lead_to_their_neighbours() -> None:
    """A bare ring says nothing of who is who; a few known pairs give the others away, two steps out."""
    bare, turned = ring(range(12), []), ring([*range(5, 12), *range(5)], [])
    right = np.array([*range(7, 12), *range(7)])
    seeds = {at: int(right[at]) for at in (0, 1, 5, 6, 9)}
    assert (graph.match_graphs(bare, turned, seeds, rounds=0) == right).all()
    assert (graph.match_graphs(bare, turned, rounds=0) == right).sum() < 12


def test_filters_give_people_away(people: list[Raw]) -> None:
    """From Bloom filters under keys of their own the same people are recognised, at the full overlap."""
    found = matching.of_clk(Attacked(people, SIZE), (100,))["100"]
    assert found.share > 0.7
    assert found.chance == 1 / SIZE


def test_our_encoding_gives_few_away_in_any_view(people: list[Raw]) -> None:
    """Of so few people about as many are recognised as there are kinds of gaps in records, whatever the view."""
    found = matching.of_views(Attacked(people, SIZE), DEFAULT_SCHEMA, list(views.VIEWS), (100,))
    assert max(rates["100"].share for rates in found.values()) < 0.15
    assert found["stolen_database"]["100"].hits <= 10


def one_hash_a_field(people: Sequence[Raw]) -> Graph:
    """What one keyed hash a field would show: who shares which value, told by the field."""
    made = Graph([("record",) for _ in people])
    for first in range(len(people)):
        for second in range(first):
            same = [("shares", field) for field in tables.fields_of(people[:50]) if people[first][field]]
            same = [trait for trait in same if people[first][trait[1]] == people[second][trait[1]]]
            if same:
                made.add((second, first), float(len(same)), list(same))
                made.cores[second, first] = tuple(sorted(same))
    return made


def test_one_hash_a_field_gives_people_away(people: list[Raw]) -> None:
    """The attack that gets nothing out of composites reads a table with a hash for each field."""
    paired = tables.pair_up(people, SIZE, 1.0)
    taken = graph.match_graphs(one_hash_a_field(paired.held), one_hash_a_field(paired.listed))
    assert matching.rate(taken, paired, {}).share > 0.4


def test_an_operator_sees_which_fields_agree_under_a_shared_anchor() -> None:
    """Two who share a composite show the fields in which they agree; two who share nothing show nothing."""
    twin = {"given_name": "ada", "family_name": "quill", "date_of_birth": "1970-03-04", "postcode": "LS1 4AB"}
    other = {"given_name": "bert", "family_name": "marsh", "date_of_birth": "1981-11-30", "postcode": "NE3 2XY"}
    subjects = views.encode_table(matching.encoder(DEFAULT_SCHEMA), [twin, twin | {"postcode": "EX2 8PQ"}, other])
    seen = views.curious_operator(subjects, SPEC)
    assert list(seen.edges) == [(0, 1)]
    assert ("field", "family", True) in seen.edges[0, 1]
    assert ("field", "postcode", True) not in seen.edges[0, 1]


def test_a_thief_sees_no_edges(people: list[Raw]) -> None:
    """The tables alone tell of a record its envelope's length, which takes few values, and link no two."""
    subjects = views.encode_table(matching.encoder(DEFAULT_SCHEMA), people[:50])
    seen = views.thief(subjects, SPEC)
    assert not seen.edges
    assert len(set(seen.labels)) < 10


def test_logs_show_only_keys_that_are_indexed() -> None:
    """Who has the write-ahead log sees the rows of the index, so that a key that is not indexed links nobody."""
    hidden = tuple(replace(key, indexed=False) for key in SPEC.keys)
    bare = KindSchema(hidden, SPEC.bands, SPEC.sketch, SPEC.entropy_floor)
    person = {"given_name": "ada", "family_name": "quill", "date_of_birth": "1970-03-04"}
    subjects: list[EncodedSubject] = views.encode_table(matching.encoder(DEFAULT_SCHEMA), [person, person])
    assert views.thief_with_logs(subjects, SPEC).edges
    assert not views.thief_with_logs(subjects, bare).edges


def test_tables_overlap_as_far_as_they_are_to() -> None:
    """The truth pairs each shared person with itself, and nobody else."""
    people = [{"ref": str(number), "given_name": str(number)} for number in range(30)]
    paired = tables.pair_up(people, 20, 0.5)
    assert paired.shared == 10
    assert len(paired.held) == len(paired.listed) == 20
    for person, place in zip(paired.held, paired.truth, strict=True):
        assert place < 0 or paired.listed[place] == person
    with pytest.raises(ValueError, match="40 people are needed"):
        tables.pair_up(people, 20, 0.0)


def test_rates_leave_out_who_was_given() -> None:
    """Seeds are neither hits nor tries."""
    paired = Tables([{}] * 4, [{}] * 4, np.array([0, 1, 2, -1]))
    assert matching.known(paired, 1) == {0: 0}
    found = matching.rate(np.array([0, 1, 3, 2]), paired, {0: 0})
    assert (found.hits, found.of) == (1, 2)


def test_likeness_is_dice(people: list[Raw]) -> None:
    """Filters of the same person under one secret are alike, under two they are not; nobody is like itself."""
    one, other = clk.Clk(b"one"), clk.Clk(b"other")
    fields = list(tables.fields_of(people))
    filters = np.concatenate([each.filters(people[:1], fields) for each in (one, one, other)])
    alike = clk.dice(filters)
    assert alike[0, 1] == 1
    assert alike[0, 2] < 0.7
    assert alike[0, 0] == 0
    assert dense.nearest(clk.dice(one.filters(people[:60], fields))).nnz > 0
