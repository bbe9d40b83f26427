"""Fellegi and Sunter on one keyed token per field: what linking exact HMACs of the fields is worth.

Not a safe encoding, since a table of such tokens falls to graph matching; here it is a peer. Two classes, matches and
the rest; u from random pairs, m by expectation-maximisation without labels; a shared token weighs the more, the fewer
records have it. Candidates share two fields, or a number of their own.
"""

from __future__ import annotations

import hmac
import itertools
import os
import time

import numpy as np
import numpy.typing as npt

from benchmarks.quality.scoring import Scored
from benchmarks.quality.sets import DataSet, read
from matching.model import probability

NAMED = ("phone", "email", "national_id", "driving_licence", "bank_account", "vehicle_registration")
PARTS = ("year", "month", "day")
RANDOM_PAIRS = 200_000
ROUNDS = 60
FIRST_M, FIRST_SHARE = 0.9, 0.2
CAP = 100
"""Records that may share two fields before these stop giving candidates."""
_INT = npt.NDArray[np.int64]
_FLOAT = npt.NDArray[np.float64]
_U64 = npt.NDArray[np.uint64]


def link(data: DataSet) -> Scored:
    """Link a set by its tokens."""
    started = time.process_time()
    key = os.urandom(32)
    names, left = tokens(read(data.files[0]), key)
    right = left if data.duplicates else tokens(read(data.files[1]), key)[1]
    pairs = candidates(names, left, right, duplicates=data.duplicates)
    random = np.random.default_rng(1)
    rows, others = (random.integers(0, len(each), RANDOM_PAIRS) for each in (left, right))
    distinct = rows != others if data.duplicates else np.ones(RANDOM_PAIRS, np.bool_)
    u = agreement_rates(levels(left[rows[distinct]], right[others[distinct]]))
    told = levels(left[pairs[0]], right[pairs[1]])
    possible = len(left) * (len(left) - 1) / 2 if data.duplicates else float(len(left) * len(right))
    m, share = fit(told, u, possible)
    weights = weigh(told, m, u, share) + rarity(left[pairs[0]], right, told, u)
    return Scored(*pairs, weights, probability(weights), seconds=time.process_time() - started)


def tokens(rows: list[dict[str, str]], key: bytes) -> tuple[list[str], _U64]:
    """The fields of a file, dates by their parts, and each row's tokens: 64 bits of an HMAC, 0 where empty."""
    names = [name for name in rows[0] if name not in {"ref", "date_of_birth"}] + list(PARTS)
    seen: dict[tuple[str, str], int] = {}
    table = np.zeros((len(rows), len(names)), np.uint64)
    for at, row in enumerate(rows):
        dated = row | dict(zip(PARTS, row["date_of_birth"].split("-"), strict=False))
        for place, name in enumerate(names):
            value = "".join(filter(str.isalnum, dated.get(name, "").casefold()))
            if value:
                token = seen.get((name, value))
                if token is None:
                    digest = hmac.digest(key, f"{name}\0{value}".encode(), "sha256")
                    token = seen[name, value] = int.from_bytes(digest[:8], "big") | 1
                table[at, place] = token
    return names, table


def candidates(names: list[str], left: _U64, right: _U64, *, duplicates: bool) -> tuple[_INT, _INT]:
    """Pairs that share two fields (a whole date counts for one), or an identifier."""
    ours, theirs = (_keys(names, table) for table in (left, right))
    codes = np.unique(np.concatenate([_sharing(one, other) for one, other in zip(ours, theirs, strict=True)]))
    rows, others = np.divmod(codes, len(right))
    wanted = rows < others if duplicates else np.ones(len(codes), np.bool_)
    return rows[wanted], others[wanted]


def _keys(names: list[str], table: _U64) -> list[_U64]:
    place = {name: at for at, name in enumerate(names)}
    fields = {name: table[:, at] for name, at in place.items() if name not in {*PARTS, *NAMED, "sex"}}
    fields["date_of_birth"] = _joint(_joint(table[:, place["year"]], table[:, place["month"]]), table[:, place["day"]])
    keys = [_joint(fields[one], fields[other]) for one, other in itertools.combinations(fields, 2)]
    return keys + [table[:, place[name]] for name in NAMED if name in place]


def _sharing(ours: _U64, theirs: _U64) -> _INT:
    """The pairs that share a key, as one number each; a key that is missing or frequent gives none."""
    order = np.argsort(theirs)
    first, last = (theirs[order].searchsorted(ours, side) for side in ("left", "right"))
    times = np.where((ours != 0) & (last - first <= CAP), last - first, 0)
    starts = np.repeat(first - (np.cumsum(times) - times), times)
    rows = np.repeat(np.arange(len(ours)), times)
    codes: _INT = rows * len(theirs) + order[starts + np.arange(len(starts))]
    return codes


def _joint(one: _U64, other: _U64) -> _U64:
    """One token for two, 0 where either is missing."""
    with np.errstate(over="ignore"):
        mixed = (one * np.uint64(0x9E3779B97F4A7C15)) ^ (other * np.uint64(0xC2B2AE3D27D4EB4F) + np.uint64(1))
    joint: _U64 = np.where((one != 0) & (other != 0), mixed | np.uint64(1), np.uint64(0))
    return joint


def levels(ours: _U64, theirs: _U64) -> npt.NDArray[np.int8]:
    """1 where both have the same token, -1 where they differ, 0 where one has none."""
    known = (ours != 0) & (theirs != 0)
    told: npt.NDArray[np.int8] = np.where(known, np.where(ours == theirs, 1, -1), 0).astype(np.int8)
    return told


def agreement_rates(told: npt.NDArray[np.int8]) -> _FLOAT:
    """How often each field agrees, of the pairs where both have it."""
    rates: _FLOAT = ((told == 1).sum(axis=0) + 0.5) / ((told != 0).sum(axis=0) + 1.0)
    return rates


def fit(told: npt.NDArray[np.int8], u: _FLOAT, possible: float) -> tuple[_FLOAT, float]:
    """The m of each field and the share of matches among all possible pairs, by EM with u held."""
    m, share = np.full(told.shape[1], FIRST_M), FIRST_SHARE * len(told) / possible
    for _ in range(ROUNDS if len(told) else 0):
        chance = probability(weigh(told, m, u, share))
        agree, known = (chance @ (told == 1), chance @ (told != 0))
        m, share = np.clip((agree + 9.0) / (known + 10.0), 0.01, 0.999), max(float(chance.sum()) / possible, 1e-12)
    return m, share


def weigh(told: npt.NDArray[np.int8], m: _FLOAT, u: _FLOAT, share: float) -> _FLOAT:
    """Log2 odds of each pair, the prior included."""
    total: _FLOAT = (told == 1) @ np.log2(m / u) + (told == -1) @ np.log2((1 - m) / (1 - u))
    total += np.log2(share / (1 - share))
    return total


def rarity(ours: _U64, theirs: _U64, told: npt.NDArray[np.int8], u: _FLOAT) -> _FLOAT:
    """Bits that shared tokens weigh more, or less, than those of the average field: by how many records have them."""
    total = np.zeros(len(ours))
    for at in range(ours.shape[1]):
        values, times = np.unique(theirs[:, at], return_counts=True)
        agree = np.flatnonzero(told[:, at] == 1)
        share = times[values.searchsorted(ours[agree, at])] / max(1, int(times[values != 0].sum()))
        total[agree] += np.log2(u[at] / share)
    return total
