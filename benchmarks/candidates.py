"""Where the cut falls in a look-up: `python -m benchmarks.candidates --records 100000` (or `--data file.csv`).

Encodes a generated market and asks about people in it under another insurer's spelling; or a file whose column
`cluster` names the true person, each record asked about among all others. For several sizes from which on a key is hot
and skipped, it tells how many rows of the index a question reads, how many of the sought records are found at all, and
how many are among the first few of the ranked candidates. All in memory, ranked by the code of the pool.
"""

from __future__ import annotations

import argparse
import functools
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.linking import encode_people, random_encoder, read_csv
from benchmarks.machine import show
from benchmarks.pool import chunks, people
from frankpledge.records import RecordEncoder
from matching.schema import DEFAULT_SCHEMA, load_schema
from matching.types import EncodedSubject
from repository.services.pool import key_weights
from repository.storage.ranking import ranked, shared
from repository.storage.sealing import Integers, index_keys

CAPS = (500, 250, 100, 50, 25, 12)
LIMITS = (1, 2, 5, 10, 20, 50)
_PERSON = load_schema(DEFAULT_SCHEMA).kinds["person"]


@dataclass(frozen=True, slots=True)
class Asked:
    """Subjects to find: all their keys, whose each is and what it weighs; the records that each is to find.

    `own` is the record that the subject itself is, -1 where it is none: it does not find itself.
    """

    keys: Integers
    owner: Integers
    weights: Integers
    sought: Sequence[frozenset[int]]
    own: Integers


def asked(subjects: Sequence[EncodedSubject], sought: Sequence[frozenset[int]], own: Integers) -> Asked:
    """Put the keys of what is asked in columns."""
    keys, owner = _rows(subjects)
    weights = np.concatenate([key_weights(_PERSON, each.mask) for each in subjects])
    return Asked(keys, owner, weights, sought, own)


def _rows(subjects: Sequence[EncodedSubject]) -> tuple[Integers, Integers]:
    """The keys by which subjects are found, and whose each is."""
    found = [(place, bit) for place, each in enumerate(subjects) for bit in _set_bits(each.mask)]
    owner, bits = np.array(found, np.int64).reshape(-1, 2).T
    indexed = np.isin(bits, _PERSON.index_bits)
    return index_keys(b"".join(each.keys for each in subjects))[indexed], owner[indexed]


@functools.lru_cache(maxsize=4096)
def _set_bits(mask: int) -> tuple[int, ...]:
    return tuple(bit for bit in range(mask.bit_length()) if mask >> bit & 1)


class Index:
    """Rows (key, record) under the keys that are asked about, in the order of the keys."""

    def __init__(self, wanted: Integers) -> None:
        self._wanted = np.unique(wanted)
        self._keys: list[Integers] = []
        self._records: list[Integers] = []

    def add(self, subjects: Sequence[EncodedSubject], first: int) -> None:
        """Add records that are numbered from `first`."""
        keys, places = _rows(subjects)
        records = places + first
        kept = np.isin(keys, self._wanted)
        self._keys.append(keys[kept])
        self._records.append(records[kept])

    def rows(self) -> tuple[Integers, Integers]:
        """All of them."""
        keys, records = np.concatenate(self._keys), np.concatenate(self._records)
        order = np.argsort(keys, kind="stable")
        return keys[order], records[order]


def measure(questions: Asked, keys: Integers, records: Integers, cap: int) -> dict[str, Any]:
    """What a look-up finds where keys of more than `cap` rows are skipped."""
    _, place, times = np.unique(keys, return_inverse=True, return_counts=True)
    cold = times[place] <= cap
    owner, found, weight = shared(questions.keys, questions.weights, questions.owner, keys[cold], records[cold])
    others = found != questions.own[owner]
    count = len(questions.sought)
    best = ranked(owner[others], found[others], weight[others], count, len(records))
    wanted = sum(map(len, questions.sought))
    listed = zip(questions.sought, best, strict=True)
    places = [place for sought, records in listed for place, record in enumerate(records) if record in sought]
    read = np.bincount(owner[others], minlength=count)
    return {
        "rows_read": {"mean": round(float(read.mean()), 1), "p99": int(np.percentile(read, 99))},
        "found": round(len(places) / wanted, 4),
        "found_within": {str(limit): round(sum(place < limit for place in places) / wanted, 4) for limit in LIMITS},
    }


def of_market(encoder: RecordEncoder, records: int, count: int) -> tuple[Asked, Index]:
    """Ask about people of a generated market of which one insurer holds so many."""
    rows: list[tuple[str, dict[str, str]]] = []
    for _ in people(records, count, rows):
        pass  # the market is drawn twice, so that only one chunk of it is in memory, and the keys asked about
    subjects = encoded(encoder, [row for _, row in rows])
    sought = [frozenset({int(reference.removeprefix("P-"))}) for reference, _ in rows]
    questions = asked(subjects, sought, np.full(len(rows), -1))
    index, first = Index(questions.keys), 0
    for chunk in chunks(people(records, count, [])):
        index.add(encoded(encoder, chunk), first)
        first += len(chunk)
    return questions, index


def of_file(encoder: RecordEncoder, path: Path, count: int) -> tuple[Asked, Index]:
    """Ask about records of a file that has others of the same person, as many as are wanted."""
    rows = read_csv(path)
    pairs = zip(encode_people(encoder, rows), rows, strict=True)
    held = [(subject, row["cluster"]) for subject, row in pairs if subject]
    of_person: dict[str, set[int]] = {}
    for place, (_, person) in enumerate(held):
        of_person.setdefault(person, set()).add(place)
    places = [place for place, (_, person) in enumerate(held) if len(of_person[person]) > 1]
    places = random.Random(1).sample(places, min(count, len(places)))  # noqa: S311 - a repeatable draw, no secret
    sought = [frozenset(of_person[held[place][1]] - {place}) for place in places]
    questions = asked([held[place][0] for place in places], sought, np.array(places))
    index = Index(questions.keys)
    index.add([subject for subject, _ in held], 0)
    return questions, index


def encoded(encoder: RecordEncoder, rows: Sequence[dict[str, str]]) -> list[EncodedSubject]:
    """Encode people, each of whom must hold enough."""
    subjects = [subject for subject in encode_people(encoder, rows) if subject]
    if len(subjects) != len(rows):
        raise RuntimeError("every person of the generated market has something to encode")
    return subjects


def main() -> None:
    """Encode, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=100_000, help="people in the generated market")
    parser.add_argument("--data", type=Path, help="a CSV file in the columns of the kit, and `cluster`, instead")
    parser.add_argument("--questions", type=int, default=2000, help="subjects asked about")
    options = parser.parse_args()
    encoder = random_encoder()
    if options.data is None:
        questions, index = of_market(encoder, options.records, options.questions)
    else:
        questions, index = of_file(encoder, options.data, options.questions)
    keys, records = index.rows()
    show(
        {
            "benchmark": "candidates",
            "data": f"market of {options.records}" if options.data is None else options.data.stem,
            "asked": len(questions.sought),
            "by_hot_key_rows": {str(cap): measure(questions, keys, records, cap) for cap in CAPS},
        }
    )


if __name__ == "__main__":
    main()
