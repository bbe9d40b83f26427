"""Train the shipped model of a linkage schema: `python -m benchmarks.default_model [--schema broad] [--write]`.

Trains, without labels, on the encodings of a generated market, of FEBRL 3 and 4, and of a tenth of the pairs of the
historical persons together, so that the model has seen several kinds of clerks' errors and poor data (with all of
those pairs, which are by far the most, it would be a model of them alone), then scores it on each and on a market of
another seed.
`--write` puts it, with its card, into matching/models. Vehicles and organisations keep their reference rates: neither
set says how often clerks mistake them.
"""

from __future__ import annotations

import argparse
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from benchmarks.linking import add_schema, encode_people, random_encoder
from benchmarks.machine import FEBRL4, REPOSITORY, show
from benchmarks.market import Market
from benchmarks.quality.sets import DATA, read
from matching.corpus import compare_sets, weigh_sets
from matching.evaluation import band_quality, best_point, calibration_error
from matching.model import (
    DEFAULT_BANDS,
    DEFAULT_MODEL,
    KindModel,
    LinkageModel,
    reference_kind,
    to_json,
)
from matching.schema import DEFAULT_SCHEMA, load_schema
from matching.training import TrainingPairs, train
from matching.types import KINDS, Kind

PEOPLE = 8000
HISTORICAL_SHARE = 0.1
TRAIN_SEED, TEST_SEED = 11, 12
Rows = Sequence[Mapping[str, str]]


def pairs_of(left: Rows, right: Rows | None, schema: str) -> TrainingPairs:
    """Compared candidate pairs of these rows, encoded under a random key; their clusters are not looked at."""
    encoder = random_encoder(schema)
    ours = [subject for subject in encode_people(encoder, left) if subject]
    theirs = None if right is None else [subject for subject in encode_people(encoder, right) if subject]
    return compare_sets(ours, theirs, "person", load_schema(schema)).training


def pooled(samples: Sequence[TrainingPairs]) -> TrainingPairs:
    """Several samples as one."""
    return TrainingPairs(
        np.concatenate([sample.levels for sample in samples]),
        np.concatenate([sample.lone for sample in samples]),
        sum(sample.records for sample in samples),
        sum(sample.possible_pairs for sample in samples),
    )


def thinned(sample: TrainingPairs, share: float) -> TrainingPairs:
    """A share of the pairs of a sample, drawn at random."""
    drawn = np.random.default_rng(TRAIN_SEED).random(len(sample.levels)) < share
    records, possible = sample.records * share, sample.possible_pairs * share
    return TrainingPairs(sample.levels[drawn], sample.lone[drawn], records, possible)


def score(model: LinkageModel, left: Rows, right: Rows | None) -> dict[str, Any]:
    """Quality of a model, as it is, on rows whose clusters are known: each pair alone, as a screening weighs it."""
    encoder, own = random_encoder(model.schema), model.kinds["person"]
    ours = [(s, row["cluster"]) for s, row in zip(encode_people(encoder, left), left, strict=True) if s]
    theirs = ours
    if right is not None:
        theirs = [(s, row["cluster"]) for s, row in zip(encode_people(encoder, right), right, strict=True) if s]
    compared = compare_sets(
        [s for s, _ in ours], None if right is None else [s for s, _ in theirs], "person", load_schema(model.schema)
    )
    linked = weigh_sets(compared, own, alone=True)
    people = np.array([cluster for _, cluster in ours])[linked.candidates.rows]
    is_match = people == np.array([cluster for _, cluster in theirs])[linked.candidates.others]
    true_pairs = _true_pairs(left, right)
    best = best_point(linked.weights, is_match, true_pairs)
    quality = band_quality(linked.probabilities, is_match, true_pairs, DEFAULT_BANDS)
    return {
        "best_f1": round(best.f1, 4),
        "bands": {
            band.label: {"precision": round(precision or 0.0, 4), "recall": round(recall, 4)}
            for band, (precision, recall) in quality.items()
        },
        "expected_calibration_error": round(calibration_error(linked.probabilities, is_match), 5),
    }


def _true_pairs(left: Rows, right: Rows | None) -> int:
    _, counts = np.unique([row["cluster"] for row in left], return_counts=True)
    if right is None:
        return int((counts * (counts - 1) // 2).sum())
    theirs = {row["cluster"] for row in right}
    return sum(row["cluster"] in theirs for row in left)


def _rows(path: Path) -> Rows:
    return [{name: value for name, value in row.items() if name != "national_id"} for row in read(path)]


def name_of(schema: str) -> str:
    """The id of the shipped model of a schema, and the name of its file."""
    return DEFAULT_MODEL.removesuffix(".json") if schema == DEFAULT_SCHEMA else schema.replace("/", "-")


def main() -> None:
    """Train, score, print, and write if asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_schema(parser)
    parser.add_argument("--write", action="store_true", help="replace the shipped model")
    parser.add_argument("--people", type=int, default=PEOPLE)
    options = parser.parse_args()
    left, right = map(_rows, FEBRL4)
    febrl3, historical = _rows(DATA / "febrl3.csv.gz"), _rows(DATA / "historical_dev.csv.gz")
    market = list(Market(TRAIN_SEED).rows(options.people))
    whole: list[tuple[Rows, Rows | None]] = [(market, None), (left, right), (febrl3, None)]
    samples = [pairs_of(*rows, options.schema) for rows in whole]
    samples.append(thinned(pairs_of(historical, None, options.schema), HISTORICAL_SHARE))
    kinds: dict[Kind, KindModel] = {kind: reference_kind(kind) for kind in KINDS}
    kinds["person"] = train(pooled(samples), "person").model
    model = LinkageModel(name_of(options.schema), options.schema, kinds, DEFAULT_BANDS)
    figures = {
        "generated market, another seed": score(model, list(Market(TEST_SEED).rows(options.people)), None),
        "FEBRL 4 without national_id": score(model, left, right),
        "FEBRL 3 without national_id": score(model, febrl3, None),
        "historical persons": score(model, historical, None),
    }
    card = {
        "data": f"market of {options.people} generated people, seed {TRAIN_SEED}, FEBRL 3 and 4, and a tenth of the"
        " pairs of the historical persons, encoded",
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "method": "u from sampled chance pairs, m by EM with a household class; no labels, no plaintext",
        "vehicles_and_organisations": "reference rates, not trained",
        "figures": figures,
    }
    if options.write:
        path = REPOSITORY / "matching" / "models" / f"{model.id}.json"
        path.write_bytes(orjson.dumps(to_json(replace(model, card=card)), option=orjson.OPT_INDENT_2) + b"\n")
    show({"benchmark": "default_model", "schema": options.schema, "figures": figures, "written": options.write})


if __name__ == "__main__":
    main()
