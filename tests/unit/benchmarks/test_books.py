"""The books that tools are compared on, and how their links are scored."""

from __future__ import annotations

import csv
from pathlib import Path

from benchmarks.books import COMMON, IDENTIFIERS, Books, make_books, quality


def rows_of(path: Path) -> list[dict[str, str]]:
    """A file's rows."""
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def test_books_are_as_large_as_asked_and_share_half_their_people(tmp_path: Path) -> None:
    """Nobody is twice in a book, half of each is in the other, and no file names the person or gives them in order."""
    books = make_books(tmp_path, 60, seed=3, identifiers=False)
    assert len(books.left) == len(set(books.left)) == len(books.right) == len(set(books.right)) == 60
    assert books.true_pairs == 30
    assert [list(rows_of(file)[0]) for file in books.files] == [["ref", *COMMON]] * 2
    shared = [person for person in books.left if person in set(books.right)]
    assert shared != [person for person in books.right if person in set(books.left)]


def test_books_of_one_seed_are_the_same(tmp_path: Path) -> None:
    """A seed gives the same files again, and another seed others; identifiers are there if asked for."""
    for name in ("one", "again", "other"):
        (tmp_path / name).mkdir()
    one = make_books(tmp_path / "one", 20, seed=3, identifiers=True)
    again = make_books(tmp_path / "again", 20, seed=3, identifiers=True)
    other = make_books(tmp_path / "other", 20, seed=4, identifiers=True)
    assert [file.read_bytes() for file in one.files] == [file.read_bytes() for file in again.files]
    assert one.files[0].read_bytes() != other.files[0].read_bytes()
    assert set(rows_of(one.files[0])[0]) == {"ref", *COMMON, *IDENTIFIERS}


def test_quality_counts_links_against_people_in_both_books() -> None:
    """Precision is of the links, recall of the people in both; the best threshold drops the wrong link of low score."""
    books = Books((Path("left"), Path("right")), ["a", "b", "c", "d"], ["b", "a", "x", "y"])
    found = quality(books, [(0, 1, 9.0), (1, 0, 8.0), (2, 2, 1.0)])
    assert (found["links"], found["precision"], found["recall"], found["f1"]) == (3, 0.6667, 1.0, 0.8)
    assert found["best_threshold"] == {"f1": 1.0, "at": 8.0}


def test_quality_of_some_questions_counts_those_only() -> None:
    """Where the first records only were looked up, the people of the others are not missed."""
    books = Books((Path("left"), Path("right")), ["a", "b", "c"], ["b", "a", "c"])
    assert quality(books, [(0, 1, 1.0)], asked=1)["recall"] == 1.0
    assert quality(books, [])["f1"] == 0.0
