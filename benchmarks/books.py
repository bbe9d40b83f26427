"""Two books of customers to link: files with the true person of every record, and how a linkage of them is scored."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from benchmarks.market import COLUMNS, PLAIN, Habits, Market, Tagged
from benchmarks.peers.common import Link
from matching.evaluation import best_point

COMMON = ("given_name", "family_name", "date_of_birth", "sex", "house_number", "street", "town", "postcode")
"""What every insurer knows of a customer, and what the tutorials of the peers link by."""
IDENTIFIERS = tuple(name for name in COLUMNS if name not in {*COMMON, "ref", "cluster"})
SHARED = 0.5
"""The share of each book's people who are in the other book too."""


@dataclass(frozen=True, slots=True)
class Books:
    """Two files of customers, without the column that names the person; `left` and `right` hold that, row by row.

    `tags` are the records of the two as the market made them.
    """

    files: tuple[Path, Path]
    left: Sequence[str]
    right: Sequence[str]
    tags: tuple[Sequence[Tagged], Sequence[Tagged]] = ((), ())

    @property
    def true_pairs(self) -> int:
        """How many people are in both books."""
        return len(set(self.left) & set(self.right))


def make_books(directory: Path, records: int, *, seed: int, identifiers: bool, habits: Habits = PLAIN) -> Books:
    """Write two books of so many records each, nobody twice in one; who is in which is drawn, and so is the order."""
    random = Random(seed)  # noqa: S311 - a repeatable market, no secret
    both, alone = int(records * SHARED), records - int(records * SHARED)
    places = ["both"] * both + ["left"] * alone + ["right"] * alone
    random.shuffle(places)
    books: dict[str, list[Tagged]] = {"left": [], "right": []}
    last = 0
    for row in Market(seed, habits=habits).tagged(len(places)):
        person = int(row.raw["cluster"].removeprefix("p"))
        if person > len(places):
            break
        # Everyone has two records: the first is for the left book, the other, with a clerk's errors, for the right.
        side = "left" if person > last else "right"
        last = person
        if places[person - 1] in {"both", side}:
            books[side].append(row)
    columns = ("ref", *COMMON, *(IDENTIFIERS if identifiers else ()))
    files = []
    for name, rows in books.items():
        random.shuffle(rows)
        files.append(directory / f"{name}.csv")
        _write(files[-1], columns, (row.raw for row in rows))
    left, right = ([row.raw["cluster"] for row in rows] for rows in books.values())
    return Books((files[0], files[1]), left, right, (books["left"], books["right"]))


def quality(books: Books, links: Sequence[Link], *, asked: int | None = None) -> dict[str, Any]:
    """Precision, recall and F1 of links, and the best F1 a higher threshold would have given.

    `asked` is how many rows of the left book were looked up, from its start, where not all were.
    """
    theirs = set(books.right)
    looked_up = books.left[:asked]
    true_pairs = sum(person in theirs for person in looked_up)
    match = np.array([books.left[row] == books.right[other] for row, other, _ in links], np.bool_)
    right = int(match.sum())
    best = best_point(np.array([score for *_, score in links], np.float64), match, true_pairs)
    return {
        "links": len(links),
        "precision": round(right / len(links), 4) if links else None,
        "recall": round(right / true_pairs, 4) if true_pairs else None,
        "f1": round(2 * right / (len(links) + true_pairs), 4) if true_pairs else None,
        "best_threshold": {"f1": round(best.f1, 4), "at": round(best.weight, 4)},
    }


def _write(path: Path, columns: Sequence[str], rows: Iterable[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
