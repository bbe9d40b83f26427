"""The data: sets that others made, whose true links are known, and the generated market."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.books import make_books
from benchmarks.machine import FEBRL4, REPOSITORY
from benchmarks.market import HARD, Tagged

DATA = REPOSITORY / "benchmarks" / "data"
SEED = 12
"""Of the market that is measured; the shipped model was trained on another one."""
NOBODY = ""
Rows = list[dict[str, str]]


@dataclass(frozen=True, slots=True)
class DataSet:
    """Two files to link, or one given twice, for the duplicates within it; and the true person of every row.

    The files have no column that names the person. `tags` are the market's.
    """

    name: str
    files: tuple[Path, Path]
    left: npt.NDArray[np.str_]
    right: npt.NDArray[np.str_]
    tags: tuple[Sequence[Tagged], Sequence[Tagged]] = ((), ())

    @property
    def duplicates(self) -> bool:
        """Whether it is one file, within which duplicates are looked for."""
        return self.files[0] == self.files[1]

    def is_match(self, rows: npt.NDArray[np.int64], others: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Which of the pairs are one person."""
        own = self.left[rows]
        match: npt.NDArray[np.bool_] = (own == self.right[others]) & (own != NOBODY)
        return match

    def true_pairs(self, asked: int | None = None) -> int:
        """How many pairs are true; those of the first `asked` left rows, where not all were looked up.

        Within a file a pair counts once, or once for each of its rows that was looked up.
        """
        people, counts = np.unique(self.right[self.right != NOBODY], return_counts=True)
        times = dict(zip(people.tolist(), counts.tolist(), strict=True))
        found: int = sum(times.get(person, 0) - self.duplicates for person in self.left[:asked].tolist() if person)
        return found // 2 if self.duplicates and asked is None else found


def read(path: Path) -> Rows:
    """All rows of a CSV file, which may be compressed."""
    text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return list(csv.DictReader(io.StringIO(text.decode("utf-8"), newline="")))


def of_files(name: str, directory: Path, sources: Sequence[Path], drop: Sequence[str] = ()) -> DataSet:
    """A set of one or two source files, written to the directory without the true person and some columns."""
    files, people = [], []
    for number, source in enumerate(sources):
        rows = read(source)
        people.append(np.array([row["cluster"] for row in rows], np.str_))
        files.append(directory / f"{number}.csv")
        _write(files[-1], [column for column in rows[0] if column not in {"cluster", *drop}], rows)
    return DataSet(name, (files[0], files[-1]), people[0], people[-1])


def market(name: str, directory: Path, people: int, *, identifiers: bool) -> DataSet:
    """Two insurers' books, of so many people in all, a third of whom are in both."""
    records = people * 2 // 3
    books = make_books(directory, records, seed=SEED, identifiers=identifiers, habits=HARD)
    left, right = (np.array(each, np.str_) for each in (books.left, books.right))
    return DataSet(name, books.files, left, right, books.tags)


def _write(path: Path, columns: Sequence[str], rows: Rows) -> None:
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)


@dataclass(frozen=True, slots=True)
class Source:
    """Where a set comes from: its title, what makes it in a directory, of so many people; whether only if asked for."""

    title: str
    make: Callable[[str, Path, int], DataSet]
    generated: bool = False
    optional: bool = False


def _files(title: str, *sources: Path, drop: Sequence[str] = ()) -> Source:
    def make(name: str, directory: Path, _people: int) -> DataSet:
        return of_files(name, directory, sources, drop)

    return Source(title, make)


def _market(title: str, *, identifiers: bool) -> Source:
    def make(name: str, directory: Path, people: int) -> DataSet:
        return market(name, directory, people, identifiers=identifiers)

    return Source(title, make, generated=True, optional=identifiers)


_ID = ("national_id",)
SOURCES: dict[str, Source] = {
    "febrl4": _files("FEBRL 4 without national id", *FEBRL4, drop=_ID),
    "febrl4-id": _files("FEBRL 4 with it", *FEBRL4),
    "febrl3": _files("FEBRL 3 without national id", DATA / "febrl3.csv.gz", drop=_ID),
    "febrl3-id": _files("FEBRL 3 with it", DATA / "febrl3.csv.gz"),
    "historical": _files("historical persons", DATA / "historical_dev.csv.gz"),
    "market": _market("market", identifiers=False),
    "market-id": _market("market with phone, email, numbers", identifiers=True),
}


USUAL = [name for name, source in SOURCES.items() if not source.optional]
"""The sets of a run that names none."""


def place(name: str, work: Path, people: int) -> Path:
    """Where a set and its results are kept, made if need be."""
    directory = work / (f"{name}-{people}" if SOURCES[name].generated else name)
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def prepare(name: str, work: Path, people: int) -> DataSet:
    """Make a set in its place."""
    return SOURCES[name].make(name, place(name, work, people), people)
