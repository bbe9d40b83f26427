"""Look some records of one file up among all of another with rapidfuzz: WRatio over the plain strings.

`cdist` compares a block of questions with every string on all cores; `one_pass` is one question at a time on one core.
What all questions would take is told as so many times as long: each is compared with every string, whichever it is.
"""

from __future__ import annotations

import os
import statistics
import time

import numpy as np
import numpy.typing as npt
from rapidfuzz import fuzz, process

from benchmarks.peers.common import Link, Stages, arguments, read, tell, versions

PASSES = 5


def text(row: dict[str, str]) -> str:
    """A record as one string."""
    return " ".join(value.lower() for name, value in row.items() if value and name != "ref")


def main() -> None:
    """Look up, and tell."""
    parser = arguments(__doc__)
    parser.add_argument("--queries", type=int, default=100, help="records of the left file to look up, from its start")
    parser.add_argument(
        "--lowest", type=float, help="tell every other record of at least this score, not the best only"
    )
    options = parser.parse_args()
    stages = Stages()
    with stages.stage("read"):
        questions, strings = ([text(row) for row in read(path)] for path in (options.left, options.right))
    asked = questions[: options.queries]
    started = time.perf_counter()
    scores = process.cdist(
        asked, strings, scorer=fuzz.WRatio, dtype=np.float32, workers=-1, score_cutoff=options.lowest
    )
    seconds = time.perf_counter() - started
    stages.add("compare, extrapolated", seconds / len(asked) * len(questions))
    if options.left == options.right:
        np.fill_diagonal(scores, 0.0)
    links = told(scores, options.lowest)
    tell(
        stages,
        links,
        options.links,
        queries=len(asked),
        measured_seconds=round(seconds, 3),
        one_pass_ms=one_pass(asked[:PASSES], strings),
        workers=os.cpu_count(),
        versions=versions("rapidfuzz"),
    )


def told(scores: npt.NDArray[np.float32], lowest: float | None) -> list[Link]:
    """The best of each question, or all that reach a score."""
    if lowest is None:
        rows, others = np.arange(len(scores)), scores.argmax(axis=1)
    else:
        rows, others = np.nonzero(scores >= lowest)
    return list(zip(rows.tolist(), others.tolist(), scores[rows, others].tolist(), strict=True))


def one_pass(asked: list[str], strings: list[str]) -> float:
    """Milliseconds of one question against all strings, the median."""
    passes = []
    for question in asked:
        started = time.perf_counter()
        process.extractOne(question, strings, scorer=fuzz.WRatio)
        passes.append((time.perf_counter() - started) * 1000)
    return round(statistics.median(passes), 3)


if __name__ == "__main__":
    main()
