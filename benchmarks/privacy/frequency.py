"""Frequency: the commonest code stands for the commonest value, the next for the next.

By rank alone, and as an assignment in which a code is also known by how common those are that stand beside it. The
attacker's list has the very same people, and what is shared out is distinct values: guessing the commonest is no feat.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from random import Random

from benchmarks.market import Raw
from benchmarks.privacy.rates import Rate
from benchmarks.privacy.tables import Ints, fields_of
from matching.schema import KindSchema
from matching.types import KEY_BYTES, EncodedSubject

Column = Sequence[Hashable | None]
"""The code or the value of each record; None where it has none."""
BANDS = "bands"


def attack(held: Mapping[str, Column], listed: Mapping[str, Column], truth: Ints) -> dict[str, Rate]:
    """For each column how many of its distinct codes are read, by the better of the two ways."""
    found: dict[str, Rate] = {}
    ours, theirs = _commonness(held), _commonness(listed)
    for name, codes in held.items():
        values = listed[name]
        right = {code: values[at] for code, at in zip(codes, truth, strict=True) if code is not None and at >= 0}
        alone = _matched(_ranked(codes), _ranked(values), right)
        beside = _matched(_ranked(codes, ours), _ranked(values, theirs), right)
        found[name] = Rate(max(alone, beside), len(right), 1 / max(1, len(right)))
    return found


def _matched(codes: Sequence[Hashable], values: Sequence[Hashable], right: Mapping[Hashable, Hashable | None]) -> int:
    return sum(code in right and right[code] == value for code, value in zip(codes, values, strict=False))


def _commonness(table: Mapping[str, Column]) -> Sequence[int]:
    """Of each record how common all of its entries are, added up."""
    counts = {name: Counter(entry for entry in column if entry is not None) for name, column in table.items()}
    named = [(counts[name], column) for name, column in table.items()]
    return [
        sum(count[entry] for (count, _), entry in zip(named, record, strict=True) if entry is not None)
        for record in zip(*(column for _, column in named), strict=True)
    ]


def _ranked(column: Column, commonness: Sequence[int] = ()) -> list[Hashable]:
    """Distinct entries, commonest first; of equally common ones those in commoner company first, then at random."""
    counts = Counter(entry for entry in column if entry is not None)
    company: Counter[Hashable] = Counter()
    for entry, common in zip(column, commonness, strict=False):
        company[entry] += common
    entries = list(counts)
    Random(len(entries)).shuffle(entries)  # noqa: S311 - a repeatable draw, no secret
    return sorted(entries, key=lambda entry: (-counts[entry], -company[entry]))


def columns(subjects: Sequence[EncodedSubject], spec: KindSchema) -> dict[str, Column]:
    """The keys of a table, by the name of the key: the operator knows which is which."""
    found: dict[str, list[Hashable | None]] = {key.name: [None] * len(subjects) for key in spec.keys}
    for at, subject in enumerate(subjects):
        present = [key.name for bit, key in enumerate(spec.keys) if subject.mask >> bit & 1]
        for place, name in enumerate(present):
            found[name][at] = subject.keys[place * KEY_BYTES : (place + 1) * KEY_BYTES]
    return {name: column for name, column in found.items() if len(set(column) - {None}) > 1}


def by_field(of_keys: Mapping[str, Rate], spec: KindSchema) -> dict[str, Rate]:
    """For each atom the rate of the worst key that holds it, and that of the worst band."""
    found: dict[str, Rate] = {}
    for key in spec.keys:
        rate = of_keys.get(key.name)
        for atom in key.of if key.band is None else (BANDS,):
            if rate is not None and (atom not in found or rate.share > found[atom].share):
                found[atom] = rate
    return found


def plain(people: Sequence[Raw]) -> dict[str, Column]:
    """One keyed hash for each field, which is what rank sees of it: the contrast."""
    return {field: [person[field] or None for person in people] for field in fields_of(people)}
