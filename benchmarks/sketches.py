"""Comparing sketches with numpy or with rapidfuzz: `python -m benchmarks.sketches`.

For one query against so many candidates: how many of the bytes of a sketch field agree, counted over the anchors that
both share only. Both ways give the same counts (asserted); the ratio of their medians is what matters.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import numpy.typing as npt
from rapidfuzz import process
from rapidfuzz.distance import Hamming

from benchmarks.machine import show
from matching.schema import load_schema

Counts = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]


def by_numpy(query: Bytes, others: Bytes, shared: Mask) -> Counts:
    """Agreeing bytes of every block position at once: all fields in one pass."""
    counts: Counts = ((query[None] == others) & shared[:, :, None]).sum(axis=1)
    return counts


def by_rapidfuzz(query: Bytes, others: Bytes, shared: Mask) -> Counts:
    """The same by Hamming over bytes, field by field; anchors not shared are made to differ first."""
    masked = np.where(shared[:, :, None], others, query[None] ^ 1)
    columns = []
    for at in range(query.shape[1]):
        own = np.ascontiguousarray(query[:, at]).tobytes()
        rows = np.ascontiguousarray(masked[:, :, at])
        theirs = [row.tobytes() for row in rows]
        columns.append(process.cpdist([own] * len(theirs), theirs, scorer=Hamming.similarity, dtype=np.int64))
    return np.stack(columns, axis=1)


def median_ms(call: Callable[[], Counts], repeats: int) -> float:
    """Median time of a call in milliseconds."""
    spent = []
    for _ in range(repeats):
        started = time.perf_counter()
        call()
        spent.append((time.perf_counter() - started) * 1000)
    return statistics.median(spent)


def main() -> None:
    """Measure both in one run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=200)
    options = parser.parse_args()
    spec = load_schema().kinds["person"]
    anchors = spec.anchor_mask.bit_count()
    random = np.random.default_rng(1)
    results = []
    for candidates in (10, 50, 200):
        query = random.integers(0, 256, (anchors, spec.block_size), np.uint8)
        others = random.integers(0, 256, (candidates, anchors, spec.block_size), np.uint8)
        shared = random.random((candidates, anchors)) < 0.1
        if not np.array_equal(by_numpy(query, others, shared), by_rapidfuzz(query, others, shared)):
            raise AssertionError("the two ways disagree")
        numpy_ms = median_ms(partial(by_numpy, query, others, shared), options.repeats)
        rapidfuzz_ms = median_ms(partial(by_rapidfuzz, query, others, shared), options.repeats)
        results.append(
            {
                "candidates": candidates,
                "numpy_ms": round(numpy_ms, 3),
                "rapidfuzz_ms": round(rapidfuzz_ms, 3),
                "ratio": round(rapidfuzz_ms / numpy_ms, 2),
            }
        )
    show({"benchmark": "sketches", "anchors": anchors, "block_bytes": spec.block_size, "results": results})


if __name__ == "__main__":
    main()
