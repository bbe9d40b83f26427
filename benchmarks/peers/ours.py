"""Link two files with the project's own code: encode, look up, compare, weigh, one to one; on all cores.

Weights are fitted to the encodings at hand, without labels, on the candidates of some records; nothing is taken from
the shipped model. Records are encoded as the kit does it and linked as two books of encodings are, in memory.
"""

from __future__ import annotations

import functools
import itertools
import multiprocessing
import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.linking import encode_people
from benchmarks.peers.common import Link, Stages, arguments, read, tell
from frankpledge.keys import LinkageKey
from frankpledge.pipeline import collect_seldom
from frankpledge.records import RecordEncoder
from matching.candidates import Candidates, Index
from matching.columns import Columns, stack
from matching.linkage import compare_pairs
from matching.model import DEFAULT_BANDS, KindModel, household_discount, probability, weigh
from matching.schema import load_schema
from matching.training import TrainingPairs, train
from matching.types import Band

CHUNK = 2048
SAMPLE = 2000
"""Records on whose candidates the weights are fitted."""
MOST = 3
"""Candidates compared for each record, those with the rarest shared keys."""
EVERY = 1 << 40
SCREENED = 20
"""Candidates compared in a screening, as the pool does."""
SCHEMA = load_schema()
PERSON = SCHEMA.kinds["person"]

Encoded = tuple[Columns, npt.NDArray[np.int64]]
"""The records that could be encoded, and the rows they stand in."""


class Shared:
    """What the processes that compare share with the one that starts them, by being forked from it."""

    left: Columns
    right: Columns
    index: Index
    model: KindModel


@functools.cache
def _encoder(key: bytes) -> RecordEncoder:
    return RecordEncoder.for_key(LinkageKey(key))


def _encode(key: bytes, rows: Sequence[dict[str, str]]) -> Encoded:
    subjects = encode_people(_encoder(key), rows)
    held = [(row, subject) for row, subject in enumerate(subjects) if subject is not None]
    return stack([subject for _, subject in held], PERSON), np.array([row for row, _ in held], np.int64)


def encode(pool: ProcessPoolExecutor, key: bytes, rows: Sequence[dict[str, str]]) -> Encoded:
    """Encode a file in chunks; they come in order."""
    starts = range(0, len(rows), CHUNK)
    parts = list(pool.map(functools.partial(_encode, key), [rows[start : start + CHUNK] for start in starts]))
    columns = [part for part, _ in parts]
    joined = Columns(
        np.concatenate([part.keys for part in columns]),
        np.concatenate([part.blocks for part in columns]),
        np.concatenate([part.observed for part in columns]),
        tuple(name for part in columns for name in part.names),
    )
    return joined, np.concatenate([at + start for start, (_, at) in zip(starts, parts, strict=True)])


def part_of(columns: Columns, part: slice) -> Columns:
    """Some records of many."""
    return Columns(columns.keys[part], columns.blocks[part], columns.observed[part], columns.names[part])


def fit(left: Columns) -> KindModel:
    """Fit weights on all candidates of some records."""
    sample = part_of(left, slice(0, SAMPLE))
    found = Shared.index.likeliest(sample, EVERY)
    result = compare_pairs(sample, Shared.right, found, "person", SCHEMA)
    possible = float(len(sample)) * len(Shared.right)
    return train(TrainingPairs(result.levels, result.lone, float(len(sample)), possible), "person").model


Weighed = tuple[Candidates, npt.NDArray[np.float64], float, float]
"""Pairs, their weights, seconds of looking up, seconds of comparing."""


def weighed(part: slice) -> Weighed:
    """Candidates of some records of the left book, compared and weighed."""
    started = time.perf_counter()
    left, model, size = part_of(Shared.left, part), Shared.model, len(Shared.right)
    found = Shared.index.likeliest(left, MOST)
    compared = time.perf_counter()
    levels = compare_pairs(left, Shared.right, found, "person", SCHEMA).levels
    weights = weigh(levels, "person", model).sum(axis=1) + model.prior(size)
    weights += household_discount(levels, "person", model, size)
    kept = probability(weights) >= DEFAULT_BANDS[Band.POSSIBLE]
    pairs = Candidates(found.rows[kept] + part.start, found.others[kept], found.capped)
    return pairs, weights[kept], compared - started, time.perf_counter() - compared


def one_to_one(pairs: Candidates, weights: npt.NDArray[np.float64], lowest: float) -> Iterator[tuple[int, int, float]]:
    """Links of at least so many bits, the heaviest first, each record in one at most."""
    ours: set[int] = set()
    theirs: set[int] = set()
    order = np.argsort(-weights, kind="stable")
    for at in order[weights[order] >= lowest].tolist():
        row, other = int(pairs.rows[at]), int(pairs.others[at])
        if row not in ours and other not in theirs:
            ours.add(row)
            theirs.add(other)
            yield row, other, float(weights[at])


def link(files: Sequence[Path], workers: int, stages: Stages) -> tuple[list[Link], dict[str, Any]]:
    """Link two files on so many processes."""
    forked = multiprocessing.get_context("fork")
    key = os.urandom(32)
    with stages.stage("encode"), ProcessPoolExecutor(workers, forked, collect_seldom) as pool:
        (Shared.left, left_rows), (Shared.right, right_rows) = (encode(pool, key, read(path)) for path in files)
    with stages.stage("index"):
        Shared.index = Index(Shared.right, PERSON)
    with stages.stage("train"):
        Shared.model = fit(Shared.left)
    started = time.perf_counter()
    edges = np.linspace(0, len(Shared.left), workers + 1).astype(int).tolist()
    with ProcessPoolExecutor(workers, forked) as pool:
        parts = list(pool.map(weighed, [slice(a, b) for a, b in itertools.pairwise(edges)]))
    compared = time.perf_counter() - started
    looked_up = max(each[2] for each in parts)
    stages.add("candidates", looked_up)
    stages.add("compare", compared - looked_up)
    with stages.stage("solve"):
        pairs = Candidates(
            np.concatenate([each[0].rows for each in parts]), np.concatenate([each[0].others for each in parts]), 0
        )
        weights = np.concatenate([each[1] for each in parts])
        even = 0.0  # bits: a probability of a half
        found = one_to_one(pairs, weights, even)
        links = [(int(left_rows[row]), int(right_rows[other]), weight) for row, other, weight in found]
    return links, {"encoded": [len(Shared.left), len(Shared.right)]}


def screenings(rows: Sequence[dict[str, str]]) -> dict[str, float]:
    """Milliseconds of one question at a time: encode it, look it up in the index, compare and weigh."""
    encoder = RecordEncoder.for_key(LinkageKey(os.urandom(32)))
    spent = []
    for row in rows:
        started = time.perf_counter()
        asked = stack([each for each in encode_people(encoder, [row]) if each is not None], PERSON)
        found = Shared.index.likeliest(asked, SCREENED)
        levels = compare_pairs(asked, Shared.right, found, "person", SCHEMA).levels
        weigh(levels, "person", Shared.model).sum(axis=1)
        spent.append((time.perf_counter() - started) * 1000)
    p50, p99 = np.percentile(spent, (50, 99)).tolist()
    return {"p50_ms": round(p50, 3), "p99_ms": round(p99, 3)}


def main() -> None:
    """Link, and tell."""
    parser = arguments(__doc__)
    parser.add_argument("--screenings", type=int, default=0, help="afterwards look up so many records one by one")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    stages = Stages()
    links, more = link((options.left, options.right), options.workers, stages)
    if options.screenings:
        more["screening"] = screenings(read(options.left)[: options.screenings])
    tell(stages, links, options.links, workers=options.workers, **more)


if __name__ == "__main__":
    main()
