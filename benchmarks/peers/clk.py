"""Link two files with clkhash and anonlink: Bloom filters, all against all, greedy one to one.

The schema is that of clkhash's tutorial on FEBRL 4, for the columns at hand: 1024 bits, bigrams of names and address,
digits by position of dates, house numbers and postcodes, with the tutorial's bits for each. Identifiers are left out,
as there: a value that only some records have makes equal people unlike. clkhash encodes on all cores by itself, and
anonlink compares on one.
"""

from __future__ import annotations

import csv
import json
import time
from pathlib import Path
from typing import Any

import anonlink
from bitarray import bitarray
from clkhash import clk
from clkhash.schema import Schema, from_json_dict

from benchmarks.peers.common import Link, Stages, arguments, cpu_seconds, tell, versions

TUTORIAL = {
    "given_name": (200, 2, False),
    "family_name": (200, 2, False),
    "date_of_birth": (200, 1, True),
    "house_number": (100, 1, True),
    "street": (100, 2, False),
    "town": (100, 2, False),
    "postcode": (100, 1, True),
}
"""Bits of a feature, the length of its n-grams, and whether their position counts."""
SALT = "SCbL2zHNnmsckfzchsNkZY9XoHk96P/G5nUBrM7ybymlEFsMV6PAeDZCNp3rfNUPCtLDMOGQHG4pCQpfhiHCyA=="


def schema_for(columns: list[str]) -> Schema:
    """The linkage schema of a file with these columns."""
    kdf = {"type": "HKDF", "hash": "SHA256", "info": "c2NoZW1hX2V4YW1wbGU=", "salt": SALT, "keySize": 64}
    return from_json_dict(
        {
            "version": 3,
            "clkConfig": {"l": 1024, "kdf": kdf},
            "features": [_feature(column) for column in columns],
        }
    )


def _feature(column: str) -> dict[str, Any]:
    if column not in TUTORIAL:
        return {"identifier": column, "ignored": True}
    bits, length, positional = TUTORIAL[column]
    return {
        "identifier": column,
        "format": {"type": "string", "encoding": "utf-8"},
        "hashing": {
            "comparison": {"type": "ngram", "n": length, "positional": positional},
            "strategy": {"bitsPerFeature": bits},
            "hash": {"type": "doubleHash"},
        },
    }


def encode(path: Path, workers: int | None) -> list[bitarray]:
    """The filters of a file's rows, in order."""
    with path.open(encoding="utf-8", newline="") as handle:
        schema = schema_for(next(csv.reader(handle)))
        handle.seek(0)
        filters: list[bitarray] = clk.generate_clk_from_csv(
            handle, "secret", schema, progress_bar=False, max_workers=workers
        )
    return filters


def link(files: tuple[Path, Path], threshold: float, stages: Stages) -> list[Link]:
    """Link two files."""
    with stages.stage("encode"):
        filters = [encode(path, None) for path in files]
    with stages.stage("compare"):
        found = anonlink.candidate_generation.find_candidate_pairs(
            filters, anonlink.similarities.dice_coefficient, threshold
        )
    with stages.stage("solve"):
        groups = anonlink.solving.greedy_solve(found)
    similar, _, (rows, others) = found
    pairs = {tuple(row for _, row in sorted(group)) for group in groups if len(group) == 2}
    scores = zip(rows.tolist(), others.tolist(), similar.tolist(), strict=True)
    return [(row, other, score) for row, other, score in scores if (row, other) in pairs]


def pairs(files: tuple[Path, Path], threshold: float, stages: Stages) -> list[Link]:
    """All pairs that are so similar, nothing solved; of one file given twice, those within it."""
    with stages.stage("encode"):
        left = encode(files[0], None)
        right = left if files[0] == files[1] else encode(files[1], None)
    with stages.stage("compare"):
        similar, _, (rows, others) = anonlink.candidate_generation.find_candidate_pairs(
            [left, right], anonlink.similarities.dice_coefficient, threshold
        )
    scores = zip(rows.tolist(), others.tolist(), similar.tolist(), strict=True)
    return [(row, other, score) for row, other, score in scores if left is not right or row < other]


def main() -> None:
    """Link, and tell; or encode the left file only, and tell how fast."""
    parser = arguments(__doc__)
    parser.add_argument("--threshold", type=float, default=0.8, help="least Dice similarity; the tutorial's")
    parser.add_argument("--pairs", action="store_true", help="tell every pair that is so similar, not one to one")
    parser.add_argument("--encode-only", type=int, metavar="WORKERS", help="encode the left file on so many processes")
    options = parser.parse_args()
    if options.encode_only is not None:
        started, spent = time.perf_counter(), cpu_seconds()
        filters = encode(options.left, options.encode_only)
        told = {"wall": time.perf_counter() - started, "cpu": cpu_seconds() - spent}
        print(json.dumps({**told, "rows": len(filters), "bytes": len(filters[0]) // 8}))
        return
    stages = Stages()
    linked = pairs if options.pairs else link
    links = linked((options.left, options.right), options.threshold, stages)
    tell(stages, links, options.links, threshold=options.threshold, versions=versions("anonlink", "clkhash"))


if __name__ == "__main__":
    main()
