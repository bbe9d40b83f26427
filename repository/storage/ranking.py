"""Ranking what a look-up found: for each subject its records, those that share the weightiest and rarest keys first."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt

from repository.domain.members import NUMBER_BITS
from repository.storage.sealing import Integers

_NUMBER = (1 << NUMBER_BITS) - 1
_BIT = 1 << 20
"""One bit of weight: whole numbers add up to the same in any order."""
_MIX = np.uint64(0x9E3779B97F4A7C15)  # odd: multiplying by it maps records one to one, and moves what differs upwards
_WORD = 64
_WORTH_CUTTING = 10_000


def members(records: Integers) -> Integers:
    """The numbers of the members whose records these are."""
    return records & _NUMBER


def more_than(ordered: Integers, times: int) -> Integers:
    """The keys, given in order, that are there more often."""
    return np.unique(ordered[times:][ordered[times:] == ordered[: max(0, len(ordered) - times)]])


def shared(
    keys: Integers, weights: Integers, owner: Integers, found: Integers, records: Integers
) -> tuple[Integers, Integers, Integers]:
    """Who of the owners of wanted keys meets which record how closely: as (owner, record, weight), one a shared key.

    `found` are the keys of the records, in order. A key weighs more for being rare: once where 2 ** 16 records share
    it, seventeen times where one does.
    """
    order = np.argsort(keys)
    wanted = keys[order]
    first = np.searchsorted(found, wanted, "left")
    times = np.searchsorted(found, wanted, "right") - first
    rarity = np.maximum(1.0, 17.0 - np.log2(np.maximum(times, 1)))
    weighed = weights[order] * np.rint(rarity * _BIT).astype(np.int64)
    ends = np.cumsum(times)
    place = np.arange(int(ends[-1]) if len(ends) else 0) + np.repeat(first - ends + times, times)
    return np.repeat(owner[order], times), records[place], np.repeat(weighed, times)


def ranked(
    owner: Integers, records: Integers, weights: Integers, subjects: int, limit: int
) -> tuple[tuple[int, ...], ...]:
    """For each subject its records, the weightiest shared keys first, ties by record id, at most `limit`.

    Of more than `limit`, those beyond their member's share come after the others.
    """
    order = _grouped(owner, records, subjects)
    owner, records = owner[order], records[order]
    starts = np.flatnonzero(first_of_run(owner, records))
    weights = np.add.reduceat(weights[order], starts) if len(starts) else weights
    owner, records = owner[starts], records[starts]
    kept = _contenders(owner, records, weights, subjects, limit)
    if kept is not None:
        owner, records, weights = owner[kept], records[kept], weights[kept]
    order = np.lexsort((records, -weights, owner))
    owner, best = owner[order], records[order]
    bounds = np.searchsorted(owner, np.arange(subjects + 1))
    if (np.diff(bounds) > limit).any():
        best = best[np.lexsort((np.arange(len(best)), _beyond_share(owner, best, limit // 2), owner))]
    listed, ends = best.tolist(), bounds.tolist()
    return tuple(tuple(listed[start : min(end, start + limit)]) for start, end in itertools.pairwise(ends))


def first_of_run(first: Integers, second: Integers) -> npt.NDArray[np.bool_]:
    """Of two sorted columns, which rows differ from the row before."""
    new = np.ones(len(first), dtype=np.bool_)
    new[1:] = (first[1:] != first[:-1]) | (second[1:] != second[:-1])
    return new


def _grouped(owner: Integers, records: Integers, subjects: int) -> Integers:
    """An order in which the rows of an owner with the same record stand together, owners rising.

    By one number made of both, which takes a quarter of the time of a sort by two columns. Should two records of an
    owner happen to make the same number, by two columns.
    """
    bits = np.uint64(max(1, subjects.bit_length()))
    made = owner.astype(np.uint64) << (np.uint64(_WORD) - bits) | records.view(np.uint64) * _MIX >> bits
    order: Integers = np.argsort(made)
    made, sorted_records = made[order], records[order]
    if ((made[1:] == made[:-1]) & (sorted_records[1:] != sorted_records[:-1])).any():
        return np.lexsort((records, owner))
    return order


def _contenders(
    owner: Integers, records: Integers, weights: Integers, subjects: int, limit: int
) -> npt.NDArray[np.bool_] | None:
    """Which rows can be among the first `limit` of their owner: no more than that, and their equals, of each member.

    None where they are few, or where there is too much to tell by one number.
    """
    if len(owner) < _WORTH_CUTTING:
        return None
    numbers = members(records)
    present = np.flatnonzero(np.bincount(numbers))
    group, groups = owner * len(present) + np.searchsorted(present, numbers), subjects * len(present)
    bits = int(weights.max()).bit_length()
    if bits + groups.bit_length() >= _WORD or groups > len(owner):
        return None
    made = group << bits | (1 << bits) - 1 - weights
    ordered = np.sort(made)
    starts = np.searchsorted(ordered, np.arange(groups) << bits)
    last = np.minimum(starts + limit, np.append(starts[1:], len(ordered))) - 1
    kept: npt.NDArray[np.bool_] = made <= ordered[np.maximum(last, 0)][group]
    return kept


def _beyond_share(owner: Integers, ranked: Integers, share: int) -> npt.NDArray[np.bool_]:
    """Of records ranked within each subject, which come after `share` better ones of the same member."""
    numbers = members(ranked)
    order = np.lexsort((np.arange(len(ranked)), numbers, owner))
    starts = np.flatnonzero(first_of_run(owner[order], numbers[order]))
    lengths = np.diff(np.append(starts, len(order)))
    beyond = np.empty(len(order), dtype=np.bool_)
    beyond[order] = np.arange(len(order)) - np.repeat(starts, lengths) >= share
    return beyond
