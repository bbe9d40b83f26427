"""Graph matching of every view, and of Bloom filters beside it, at several overlaps."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.linking import encode_people
from benchmarks.market import Raw
from benchmarks.privacy.clk import Clk, dice
from benchmarks.privacy.dense import match_likenesses
from benchmarks.privacy.graph import match_graphs
from benchmarks.privacy.rates import Rate
from benchmarks.privacy.tables import Ints, Tables, fields_of, pair_up
from benchmarks.privacy.views import VIEWS, encode_table
from frankpledge.keys import LinkageKey
from frankpledge.records import RecordEncoder
from matching.schema import load_schema

OVERLAPS = (100, 50, 20, 5)
IDENTIFIERS = frozenset({"national_id"})
"""Left out of the Bloom filters, as in the schema that clkhash's tutorial uses."""


@dataclass(frozen=True, slots=True)
class Attacked:
    """People of whom `size` are stored, and what an attacker's list says of them, if that is not the same."""

    people: Sequence[Raw]
    size: int
    listed: Sequence[Raw] | None = None

    def tables(self, overlap: int) -> Tables:
        """The tables at an overlap in percent."""
        return pair_up(self.people, self.size, overlap / 100, listed=self.listed)


def encoder(schema_id: str) -> RecordEncoder:
    """An encoder of a schema under a new key."""
    return RecordEncoder.for_key(LinkageKey(os.urandom(32)), schema_id)


def usable(people: Sequence[Raw], schema_id: str) -> list[Raw]:
    """Those of whom enough is known to encode them."""
    subjects = encode_people(encoder(schema_id), people)
    return [person for person, subject in zip(people, subjects, strict=True) if subject]


def of_views(
    attacked: Attacked, schema_id: str, views: Sequence[str], overlaps: Sequence[int] = OVERLAPS, seeds: int = 0
) -> dict[str, dict[str, Rate]]:
    """For each view and overlap how many of the people in both are found; with so many pairs known from the start."""
    spec = load_schema(schema_id).kinds["person"]
    found: dict[str, dict[str, Rate]] = {view: {} for view in views}
    for overlap in overlaps:
        tables = attacked.tables(overlap)
        held, listed = (encode_table(encoder(schema_id), each) for each in (tables.held, tables.listed))
        given = known(tables, seeds)
        for view in views:
            taken = match_graphs(VIEWS[view](held, spec), VIEWS[view](listed, spec), given)
            found[view][str(overlap)] = rate(taken, tables, given)
    return found


def of_clk(attacked: Attacked, overlaps: Sequence[int] = OVERLAPS) -> dict[str, Rate]:
    """The same of Bloom filters, by whoever has the table of them."""
    fields = sorted(set(fields_of(attacked.people)) - IDENTIFIERS)
    found: dict[str, Rate] = {}
    for overlap in overlaps:
        tables = attacked.tables(overlap)
        held, listed = (Clk(os.urandom(32)).filters(each, fields) for each in (tables.held, tables.listed))
        sizes = tuple(each.sum(axis=1).astype(np.float32) for each in (held, listed))
        found[str(overlap)] = rate(match_likenesses(dice(held), dice(listed), (sizes[0], sizes[1])), tables, {})
    return found


def known(tables: Tables, count: int) -> dict[int, int]:
    """The first so many of the people in both tables, as pairs."""
    places = np.flatnonzero(tables.truth >= 0)[:count]
    return dict(zip(places.tolist(), tables.truth[places].tolist(), strict=True))


def rate(taken: Ints, tables: Tables, given: Mapping[int, int]) -> Rate:
    """How many people in both tables were found, those given left out."""
    right = int(((taken == tables.truth) & (tables.truth >= 0)).sum())
    return Rate(right - len(given), tables.shared - len(given), 1 / len(tables.listed))
