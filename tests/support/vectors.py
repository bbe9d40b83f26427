"""Test vectors of the encoding, for implementations in other languages: `python -m tests.support.vectors` writes them.

Of every shipped schema, or of those named; `--seal` puts the SHA-256 of its content into a schema's file first. Made by
the slow reference, which follows docs/encoding.md word by word. They are published: once a version of a
schema is used, none of its vectors changes (see `tests/unit/frankpledge/encode/test_vectors.py`).
"""

from __future__ import annotations

import argparse
import hashlib
import hmac
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from frankpledge.records import STANDARDISE
from matching.schema import LinkageSchema, content_hash, parse_schema
from matching.types import Kind
from matching.wire import subject_to_json
from tests.support.reference import Reference

DIRECTORY = Path(__file__).parents[1] / "vectors"
SCHEMAS = Path(__file__).parents[2] / "matching" / "schemas"
KEY_BYTE = 7
NOTE = (
    "The linkage key is this byte, 32 times. `raw` are columns as an insurer has them, `atoms` what standardisation"
    " makes of them, `encoded` what goes to the pool; null where the record holds too little. All people are invented."
)
_ADA = {
    "given_name": "Ada", "family_name": "Lovering", "date_of_birth": "1981-12-10", "sex": "F", "house_number": "12",
    "street": "Marchmont Street", "town": "Leeds", "postcode": "LS6 2AB",
}  # fmt: skip
_NUMBERS = {
    "phone": "07700 900123", "email": "ada.lovering+car@example.com", "national_id": "AB 65 43 20 C",
    "driving_licence": "LOVER812100A99IJ", "bank_account": "GB82 WEST 1234 5698 7654 32",
    "vehicle_registration": "KD51 RTP",
}  # fmt: skip
_PEOPLE = {
    "every field": _ADA | _NUMBERS,
    "names, date and address": _ADA,
    "names beyond ASCII": _ADA | {"given_name": "Zoë-Anaïs", "family_name": "Łukasiewicz"},
    "a script that has no Latin letters": _ADA | {
        "given_name": "\u041e\u043b\u0435\u043d\u0430",
        "family_name": "\u0428\u0435\u0432\u0447\u0435\u043d\u043a\u043e",
    },
    "decomposed accents, a title and a curly apostrophe": _ADA | {
        "given_name": "Dr. Rene\u0301", "family_name": "O\u2019Neil Jr."
    },
    "a nickname": _ADA | {"given_name": "Bill", "family_name": "de la Cruz"},
    "a double-barrelled name": _ADA | {"family_name": "Smith-Jones"},
    "a year and a month": _ADA | {"date_of_birth": "1981-12"},
    "a year alone": _ADA | {"date_of_birth": "1981"},
    "an impossible month": _ADA | {"date_of_birth": "1981-81-10"},
    "the month first": _ADA | {"date_of_birth": "12/25/1981"},
    "no date": _ADA | {"date_of_birth": ""},
    "a postcode misread": _ADA | {"postcode": "LS6 ZAB"},
    "an outward part alone": _ADA | {"postcode": "LS6"},
    "a foreign postcode": _ADA | {"postcode": "75008", "country": "FR", "town": "Paris"},
    "a house without a street": _ADA | {"street": "", "town": ""},
    "a house in the street": _ADA | {"house_number": "", "street": "Flat 3, 12a High Street"},
    "an initial and a telephone": {"given_name": "J", "phone": "+44 7700 900123"},
    "a telephone alone": {"phone": "07700900123"},
    "a national identifier alone": {"national_id": "AB654320C"},
    "too little": {"given_name": "Ada"},
    "nothing": {},
    "fillers": {"given_name": "unknown", "family_name": "test", "date_of_birth": "1900-01-01"},
}  # fmt: skip
_VEHICLES = {
    "mark and number": {"vehicle_registration": "KD51 RTP", "vin": "WVWZZZIJZ3W386752"},
    "a short number": {"vin": "AB12345678"},
    "a mark alone": {"vehicle_registration": "AB10 CDE"},
}
_FIRMS = {
    "every field of a firm": {
        "organisation_name": "The Marsh Lane & Sons Bodyshop Co. Ltd", "company_number": "SC 12345",
        "phone": "0113 496 0000", "email": "office@example.com", "bank_account": "20-15-73 41836529",
        "postcode": "LS6 2AB", "town": "Leeds",
    },
    "a firm's name and town": {"organisation_name": "Crème & Co", "town": "Saint Ives"},
}  # fmt: skip
CASES: tuple[tuple[Kind, str, dict[str, dict[str, str]]], ...] = (
    ("person", "policyholder", _PEOPLE),
    ("vehicle", "insured_vehicle", _VEHICLES),
    ("organisation", "garage", _FIRMS),
)


def path_of(schema: LinkageSchema) -> Path:
    """Where the vectors of a schema are."""
    return DIRECTORY / f"{schema.id.replace('/', '-')}.json"


def made(schema: LinkageSchema) -> dict[str, Any]:
    """The vectors of a schema."""
    slow = Reference(schema, bytes([KEY_BYTE]) * 32)
    cases = []
    for kind, role, named in CASES:
        for name, raw in named.items():
            atoms = STANDARDISE[kind](raw)[0]
            subject = slow.subject(kind, role, atoms)
            encoded = None if subject is None else subject_to_json(subject)
            cases.append({"name": name, "kind": kind, "role": role, "raw": raw, "atoms": atoms, "encoded": encoded})
    fingerprint = hmac.digest(bytes([KEY_BYTE]) * 32, b"frankpledge/key-check/v1", "sha256")[:8].hex()
    head = {"schema": schema.id, "version": schema.version, "sha256": schema.sha256, "note": NOTE}
    return {**head, "linkage_key_byte": KEY_BYTE, "fingerprint": fingerprint, "cases": cases}


def digest(vectors: dict[str, Any]) -> str:
    """SHA-256 of what vectors hold, however they are laid out; hexadecimal."""
    return hashlib.sha256(orjson.dumps(vectors["cases"], option=orjson.OPT_SORT_KEYS)).hexdigest()


def seal(path: Path) -> None:
    """Put the SHA-256 of its content into a schema's file, which stays as it is otherwise."""
    text = path.read_text("utf-8")
    sealed, count = re.subn(r'"sha256": "[0-9a-f]*"', f'"sha256": "{content_hash(json.loads(text))}"', text)
    if count != 1:
        raise SystemExit(f'{path.name}: expected one "sha256"')
    path.write_text(sealed, "utf-8")


def _files(names: list[str]) -> Iterator[Path]:
    """The files of the schemas of these names or ids, all without any."""
    for path in sorted(SCHEMAS.glob("*.json")):
        own = str(json.loads(path.read_text("utf-8"))["id"])
        if not names or {own, own.partition("/")[0]} & set(names):
            yield path


def main() -> None:
    """Write the vectors of schemas, and say their digests."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("schemas", nargs="*", metavar="SCHEMA", help="such as broad or broad/1; all without any")
    parser.add_argument("--seal", action="store_true", help="put the SHA-256 of its content into each one's file first")
    options = parser.parse_args()
    for path in _files(options.schemas):
        if options.seal:
            seal(path)
        schema = parse_schema(json.loads(path.read_text("utf-8")))
        vectors = made(schema)
        path_of(schema).write_bytes(orjson.dumps(vectors, option=orjson.OPT_INDENT_2) + b"\n")
        print(path.name, path_of(schema).name, digest(vectors))  # noqa: T201 - a command


if __name__ == "__main__":
    main()
