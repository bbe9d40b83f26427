"""Operator and a member together: names are guessed and tested offline, as fast as they can be encoded."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from typing import Any

from benchmarks.market import Raw
from benchmarks.privacy.secrets import stolen_index
from benchmarks.privacy.views import encode_table
from frankpledge.encode import Encoder
from frankpledge.keys import LinkageKey
from frankpledge.records import RecordEncoder
from matching.schema import DEFAULT_SCHEMA, load_schema
from repository.storage.sealing import SECRET_BYTES, Sealer, index_keys


def guessing(people: list[Raw]) -> dict[str, Any]:
    """How many whole people a second can be tested on one core, and dates of birth of one known by name.

    The latter by making one key of the schema only, the first that joins a date of birth with a name.
    """
    linkage, secret = LinkageKey(os.urandom(32)), os.urandom(SECRET_BYTES)
    encoder = RecordEncoder.for_key(linkage)
    stolen = stolen_index(encode_table(encoder, people), secret)
    started = time.process_time()
    tested = encode_table(encoder, people)
    found = sum(not stolen.isdisjoint(stolen_index([subject], secret)) for subject in tested)
    whole = time.process_time() - started
    alone = _one_key(linkage, secret)
    return {
        "people_per_second": round(len(people) / whole),
        "list_confirmed": round(found / len(people), 4),
        "keys_per_second": round(alone),
        "seconds_for_a_floor_of_bits": round(2 ** load_schema().kinds["person"].entropy_floor / alone, 1),
    }


def _one_key(linkage: LinkageKey, secret: bytes, count: int = 20_000) -> float:
    """Keys of one composite a second, with all else left out, made and re-keyed."""
    schema = load_schema(DEFAULT_SCHEMA)
    person = schema.kinds["person"]
    key = next(key for key in person.keys if len(key.of) > 1 and "dob" in key.of)
    bare = replace(person, keys=(replace(key, anchor=False),), bands=None, sketch=())
    encoder = Encoder(replace(schema, kinds={"person": bare}), linkage)
    guesses = [("person", "policyholder", {**dict.fromkeys(key.of, "x"), key.of[-1]: str(at)}) for at in range(count)]
    started = time.process_time()
    subjects = encoder.subjects(guesses)  # type: ignore[arg-type]
    index_keys(Sealer(secret).rekey(b"".join(subject.keys for subject in subjects if subject), "person"))
    return count / (time.process_time() - started)
