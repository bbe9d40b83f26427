"""What each party sees of a table of encoded people, as a graph: a node for a record, an edge where two show something.

The plain list is looked at in the same way: the attacker encodes it with the public software under a linkage key and a
secret of its own, so that both graphs are drawn by one rule and differ by nothing but the keys. That is the strongest
simulation there is.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from benchmarks.linking import encode_people
from benchmarks.market import Raw
from frankpledge.records import RecordEncoder
from matching.schema import KindSchema
from matching.types import KEY_BYTES, EncodedSubject
from repository.services.pool import seal_subject
from repository.storage.sealing import SECRET_BYTES, Sealer

Ints = npt.NDArray[np.int64]
Trait = tuple[object, ...]
MOST_SHARERS = 60
"""Keys of more records than this tell nothing, and would make quadratically many edges."""
_TELLING = 0.99
"""A tag agrees where it does under nearly every anchor: under each, strangers' agree once in 256 by chance."""


@dataclass(slots=True)
class Graph:
    """Labels of nodes, and for each edge its two nodes, its weight and what it shows.

    The `core` of an edge is what it shows under any linkage key: which bands are shared is chance, which fields are
    alike is not.
    """

    labels: list[Trait]
    edges: dict[tuple[int, int], list[Trait]] = field(default_factory=dict)
    cores: dict[tuple[int, int], Trait] = field(default_factory=dict)
    weights: dict[tuple[int, int], float] = field(default_factory=dict)

    def add(self, pair: tuple[int, int], weight: float, traits: Sequence[Trait]) -> None:
        """Add what an edge shows."""
        self.edges.setdefault(pair, []).extend(traits)
        self.weights[pair] = self.weights.get(pair, 0.0) + weight


View = Callable[[Sequence[EncodedSubject], KindSchema], Graph]


def encode_table(encoder: RecordEncoder, people: Sequence[Raw]) -> list[EncodedSubject]:
    """People as the pool gets them; each must hold enough for a key.

    That their keys are not re-keyed here changes no view: what was equal stays so, and nothing else is looked at.
    """
    subjects = [subject for subject in encode_people(encoder, people) if subject]
    if len(subjects) != len(people):
        raise ValueError("a person holds too little to be encoded")
    return subjects


@dataclass(frozen=True, slots=True)
class _Rows:
    """All keys of a table: whose each is, which of the schema's, its first 8 bytes, and its block, -1 for none."""

    records: Ints
    bits: Ints
    keys: Ints
    blocks: Ints
    sketches: npt.NDArray[np.uint8]


def _rows(subjects: Sequence[EncodedSubject], spec: KindSchema) -> _Rows:
    width = len(spec.keys)
    present = np.array([[each.mask >> bit & 1 for bit in range(width)] for each in subjects], np.bool_)
    records, bits = np.nonzero(present)
    keys = np.frombuffer(b"".join(each.keys for each in subjects), np.int64).reshape(-1, KEY_BYTES // 8)[:, 0]
    anchors = np.isin(bits, spec.anchor_bits)
    blocks = np.where(anchors, np.cumsum(anchors) - 1, -1)
    sketches = np.frombuffer(b"".join(each.sketches for each in subjects), np.uint8)
    return _Rows(records, bits, keys, blocks, sketches.reshape(-1, max(1, spec.block_size)))


def _meetings(keys: Ints) -> Iterator[tuple[int, int]]:
    """Every two places of one value, of values that few places have."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    ends = np.append(starts[1:], len(ordered))
    for run in np.flatnonzero((ends - starts > 1) & (ends - starts <= MOST_SHARERS)):
        places = order[starts[run] : ends[run]].tolist()
        yield from ((first, second) for at, second in enumerate(places) for first in places[:at])


def curious_operator(subjects: Sequence[EncodedSubject], spec: KindSchema) -> Graph:
    """Who runs the service and opens everything with its secret: masks, which keys are shared, sketches under them."""
    graph = Graph([("known", each.mask, each.observed) for each in subjects])
    agreeing = _shared(graph, _rows(subjects, spec), spec)
    for (first, second), agree in agreeing.items():
        both = subjects[first].observed & subjects[second].observed
        pattern = tuple(_levels(np.mean(agree, axis=0), both, spec)) if agree else ()
        exact = tuple(each for each in pattern if each[2] is True)
        shared = sorted(trait for trait in graph.edges[first, second] if trait[0] == "shares")
        fields: list[Trait] = [("pattern", *pattern), ("exact", *exact), *pattern]
        graph.add((first, second), 0.5 * len(pattern), fields)
        graph.cores[first, second] = ("core", *shared, *exact)
    return graph


def operator_without_gaps(subjects: Sequence[EncodedSubject], spec: KindSchema) -> Graph:
    """The same, blind to which fields a record lacks: what remains if the attacker's list lacks others."""
    graph = curious_operator(subjects, spec)
    graph.labels = [("known",) for _ in subjects]
    return graph


def _shared(graph: Graph, rows: _Rows, spec: KindSchema) -> dict[tuple[int, int], list[npt.NDArray[np.bool_]]]:
    """Put into a graph who shares which keys; which bytes of the sketches under them agree."""
    agreeing: dict[tuple[int, int], list[npt.NDArray[np.bool_]]] = defaultdict(list)
    bands: Counter[tuple[int, int]] = Counter()
    for first, second in _meetings(rows.keys):
        pair = _ordered(int(rows.records[first]), int(rows.records[second]))
        bit = int(rows.bits[first])
        if spec.keys[bit].band is None:
            graph.add(pair, 1.0, [("shares", bit)])
        else:
            bands[pair] += 1
        agreeing.setdefault(pair, [])
        if rows.blocks[first] >= 0 and rows.blocks[second] >= 0:
            agreeing[pair].append(rows.sketches[rows.blocks[first]] == rows.sketches[rows.blocks[second]])
    for pair, count in bands.items():
        graph.add(pair, 0.25 * count, [("bands", min(count, 8).bit_length())])
    return agreeing


def _levels(agree: npt.NDArray[np.float64], both: int, spec: KindSchema) -> Iterator[tuple[str, str, object]]:
    """How far each field agrees that both records have: True for a tag, the slots that do for grams."""
    for part in spec.sketch:
        if both >> part.number & 1:
            share = float(agree[part.offset : part.offset + part.size].mean())
            level: object = share > _TELLING if part.size == 1 else round(share * part.size)
            if level:
                yield ("field", part.field, level)


def thief(subjects: Sequence[EncodedSubject], spec: KindSchema) -> Graph:  # noqa: ARG001 - a View
    """Who has the tables alone: of a record its kind, role and the length of its envelope; index rows are nobody's."""
    sealer = Sealer(bytes(SECRET_BYTES))
    return Graph([("envelope", each.kind, each.role, len(seal_subject(sealer, 1, each))) for each in subjects])


def thief_with_logs(subjects: Sequence[EncodedSubject], spec: KindSchema) -> Graph:
    """Who also has the write-ahead log of filings filed one by one: which index rows belong to a record.

    All are taken to have been filed alone, which is the worst case.
    """
    alone = thief(subjects, spec)
    held = [(each.mask & spec.index_mask).bit_count() for each in subjects]
    graph = Graph([(*label, count) for label, count in zip(alone.labels, held, strict=True)])
    rows = _rows(subjects, spec)
    indexed = np.isin(rows.bits, spec.index_bits)
    records = rows.records[indexed]
    counts = Counter(
        _ordered(int(records[first]), int(records[second])) for first, second in _meetings(rows.keys[indexed])
    )
    for pair, count in counts.items():
        graph.add(pair, float(count), [("rows", count), ("rows about", count.bit_length())])
    return graph


def _ordered(first: int, second: int) -> tuple[int, int]:
    return (first, second) if first < second else (second, first)


VIEWS: Mapping[str, View] = {
    "stolen_database": thief,
    "thief_with_logs": thief_with_logs,
    "curious_operator": curious_operator,
    "curious_operator_without_gaps": operator_without_gaps,
}
