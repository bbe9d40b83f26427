"""Link two files with the project's own code: encode, look up, compare, weigh, one to one; on all cores.

Weights are fitted to the encodings at hand, without labels, on the candidates of some records; nothing is taken from
the shipped model. Records are encoded as the kit does it and linked as two books of encodings are, in memory.
"""

from __future__ import annotations

import functools
import itertools
import mmap
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


class Shared:
    """What the processes that compare share with the one that starts them, by being forked from it."""

    rows: tuple[list[dict[str, str]], ...]
    left: Columns
    right: Columns
    index: Index
    model: KindModel


@functools.cache
def _encoder(key: bytes) -> RecordEncoder:
    return RecordEncoder.for_key(LinkageKey(key))


def empty(records: int) -> Columns:
    """Columns of so many records, to be filled by other processes; a record that is too poor to encode stays empty."""
    keys, anchors, size = len(PERSON.keys), len(PERSON.anchor_bits), PERSON.block_size
    return Columns(
        np.frombuffer(mmap.mmap(-1, records * keys * 8), np.uint64).reshape(records, keys),
        np.frombuffer(mmap.mmap(-1, records * anchors * size), np.uint8).reshape(records, anchors, size),
        np.frombuffer(mmap.mmap(-1, records * 8), np.uint64),
        (None,) * records,
    )


def encode(key: bytes, side: int, start: int) -> int:
    """Encode a chunk of one book into its place; how many could be."""
    into = (Shared.left, Shared.right)[side]
    subjects = encode_people(_encoder(key), Shared.rows[side][start : start + CHUNK])
    held = [row for row, subject in enumerate(subjects, start) if subject is not None]
    columns = stack([subject for subject in subjects if subject is not None], PERSON)
    into.keys[held], into.blocks[held], into.observed[held] = columns.keys, columns.blocks, columns.observed
    return len(held)


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
    with stages.stage("encode"):
        Shared.rows = tuple(read(path) for path in files)
        Shared.left, Shared.right = (empty(len(rows)) for rows in Shared.rows)
        chunks = [(side, at) for side, rows in enumerate(Shared.rows) for at in range(0, len(rows), CHUNK)]
        with ProcessPoolExecutor(workers, forked, collect_seldom) as pool:
            encoded = sum(pool.map(functools.partial(encode, key), *zip(*chunks, strict=True)))
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
        links = list(one_to_one(pairs, weights, even))
    return links, {"encoded": encoded}


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
