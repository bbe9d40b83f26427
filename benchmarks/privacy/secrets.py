"""Attacks by who holds one secret of two: known pairs of keys, and whole dictionaries.

The insider holds the members' linkage key and a stolen table, a thief of the operator's secret the table and that.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from benchmarks.market import Raw
from benchmarks.privacy.rates import Rate
from benchmarks.privacy.views import encode_table
from frankpledge.keys import LinkageKey
from frankpledge.records import RecordEncoder
from matching.types import KEY_BYTES, EncodedSubject
from repository.storage.sealing import SECRET_BYTES, Sealer, index_keys

Bytes = npt.NDArray[np.uint8]
_READ = 0.5
"""A guess at a key that is right in half of its bytes counts as read; at random one in 256 is."""


def known_pairs(known: int, others: int = 1000) -> dict[str, Rate]:
    """With so many pairs of before and after known: how many other keys, or slots of a sketch, can be read back.

    For re-keyed keys, and as a contrast for a sketch that a secret permutes slot by slot, 64 slots of 8 bits.
    """
    random = np.random.default_rng()
    plain = np.frombuffer(os.urandom((known + others) * KEY_BYTES), np.uint8).reshape(-1, KEY_BYTES)
    rekeyed = index_keys(Sealer(os.urandom(SECRET_BYTES)).rekey(plain.tobytes(), "person"))
    stored = rekeyed.astype(">i8").view(np.uint8).reshape(-1, 8)
    right = learnt(plain[:known, :8], stored[:known], stored[known:]) == plain[known:, :8]
    sketches = random.integers(0, 256, (known + others, 64), np.uint8)
    tables = np.array([random.permutation(256) for _ in range(64)], np.uint8)
    salted = np.take_along_axis(tables, sketches.T, axis=1).T
    slots = learnt(sketches[:known], salted[:known], salted[known:]) == sketches[known:]
    return {
        "rekeyed_keys": Rate(int((right.mean(axis=1) > _READ).sum()), others, 2.0**-64),
        "sketch_by_slots": Rate(int((slots.mean(axis=1) > _READ).sum()), others, 0.0),
    }


def learnt(before: Bytes, after: Bytes, others: Bytes) -> Bytes:
    """What the pairs say the other rows were, byte by byte: the latest byte seen that became this one, else zero."""
    width = before.shape[1]
    tables = np.zeros((width, 256), np.uint8)
    for place in range(width):
        tables[place, after[:, place]] = before[:, place]
    return np.take_along_axis(tables, others.T, axis=1).T


def dictionaries(people: Sequence[Raw]) -> dict[str, Rate]:
    """How many people of a stolen index a complete list of them confirms, for each choice of secrets held."""
    linkage, secret = LinkageKey(os.urandom(32)), os.urandom(SECRET_BYTES)
    subjects = encode_table(RecordEncoder.for_key(linkage), people)
    other = encode_table(RecordEncoder.for_key(LinkageKey(os.urandom(32))), people)
    stolen = stolen_index(subjects, secret)
    chance = sum(subject.mask.bit_count() for subject in subjects) * len(stolen) / len(people) * 2.0**-64
    tries = {
        "nothing_held": stolen_index(other, os.urandom(SECRET_BYTES)),
        "linkage_key_only": stolen_index(subjects, None) | stolen_index(subjects, os.urandom(SECRET_BYTES)),
        "operator_secret_only": stolen_index(other, secret),
        "both_secrets": stolen,
    }
    found = {}
    for name, tried in tries.items():
        known = stolen & tried
        hit = sum(not known.isdisjoint(stolen_index([subject], secret)) for subject in subjects) if known else 0
        found[name] = Rate(hit, len(subjects), chance)
    return found


def stolen_index(subjects: Sequence[EncodedSubject], secret: bytes | None) -> set[int]:
    """The index keys of a table under a secret, or as the members' keys would be without one."""
    keys = b"".join(subject.keys for subject in subjects)
    return set(index_keys(keys if secret is None else Sealer(secret).rekey(keys, "person")).tolist())
