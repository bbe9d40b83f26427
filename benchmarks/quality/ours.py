"""Our own linkage, by the code of the pool: every shipped schema, with a model of its own and with the shipped one."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.linking import encode_people
from benchmarks.quality.scoring import Scored
from benchmarks.quality.sets import DataSet, read
from frankpledge.keys import LinkageKey
from frankpledge.records import RecordEncoder
from matching.corpus import compare_sets, weigh_sets
from matching.schema import load_schema
from matching.shipped import shipped_model
from matching.training import train
from matching.types import EncodedSubject

OWN, ALONE, SHIPPED = "own model", "own model, each pair alone", "shipped model"


@dataclass(frozen=True, slots=True)
class Held:
    """Subjects that could be encoded, and the rows of the file that they are."""

    subjects: list[EncodedSubject]
    rows: npt.NDArray[np.int64]


def link(data: DataSet, schema: str) -> dict[str, Scored]:
    """Link a set under a schema: by a model trained on its encodings, without labels, and by the shipped one."""
    started = time.process_time()
    encoder = RecordEncoder.for_key(LinkageKey(os.urandom(32)), schema)
    left = _encoded(encoder, data, 0)
    right = None if data.duplicates else _encoded(encoder, data, 1)
    compared = compare_sets(left.subjects, right.subjects if right else None, "person", load_schema(schema))
    trained = train(compared.training, "person").model
    common = time.process_time() - started
    models = {(OWN, False): trained, (ALONE, True): trained, (SHIPPED, False): shipped_model(schema).kinds["person"]}
    told = {}
    for (name, alone), model in models.items():
        started = time.process_time()
        linked = weigh_sets(compared, model, alone=alone)
        seconds = common + time.process_time() - started
        rows, others = left.rows[linked.candidates.rows], (right or left).rows[linked.candidates.others]
        told[f"{schema} {name}"] = Scored(rows, others, linked.weights, linked.probabilities, seconds=seconds)
    return told


def _encoded(encoder: RecordEncoder, data: DataSet, side: int) -> Held:
    encoded = encode_people(encoder, read(data.files[side]))
    rows = np.array([row for row, each in enumerate(encoded) if each is not None], np.int64)
    return Held([each for each in encoded if each is not None], rows)
