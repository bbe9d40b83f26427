"""Common steps of the benchmarks: people to encodings, encodings to scored pairs."""

from __future__ import annotations

import argparse
import csv
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from frankpledge.keys import LinkageKey
from frankpledge.parties import COLUMNS, Party
from frankpledge.records import CHUNK_ROWS, RecordEncoder
from matching.schema import DEFAULT_SCHEMA, UnknownSchemaError, schema_id, shipped_schemas
from matching.types import EncodedSubject


def random_encoder(schema: str = DEFAULT_SCHEMA) -> RecordEncoder:
    """An encoder of a linkage schema under a new random linkage key."""
    return RecordEncoder.for_key(LinkageKey(os.urandom(32)), schema)


def add_schema(parser: argparse.ArgumentParser) -> None:
    """Add --schema, which takes the id or the name of a shipped linkage schema, and gives its id."""
    ids = ", ".join(shipped_schemas())
    parser.add_argument("--schema", type=_schema, default=DEFAULT_SCHEMA, help=f"linkage schema, one of {ids}")


def _schema(name: str) -> str:
    try:
        return schema_id(name)
    except UnknownSchemaError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def read_csv(path: Path) -> list[dict[str, str]]:
    """All rows of a CSV file."""
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def encode_people(encoder: RecordEncoder, rows: Iterable[Mapping[str, str]]) -> list[EncodedSubject | None]:
    """Encode rows as persons, in their order; None where a row holds too little."""
    known = frozenset(COLUMNS["person"])
    parties = [
        Party("person", "policyholder", {name: value for name, value in row.items() if value and name in known})
        for row in rows
    ]
    encoded: list[EncodedSubject | None] = []
    for start in range(0, len(parties), CHUNK_ROWS):
        encoded += encoder.parties(parties[start : start + CHUNK_ROWS])[0]
    return encoded
