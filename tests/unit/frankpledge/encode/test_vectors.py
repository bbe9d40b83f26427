"""The published vectors: what another language's encoder is checked against, and what no change may alter unnoticed."""

from __future__ import annotations

import json

import pytest

from frankpledge.encode import Encoder
from frankpledge.keys import LinkageKey
from frankpledge.records import STANDARDISE
from matching.schema import AlteredSchemaError, content_hash, load_schema, parse_schema
from matching.wire import subject_to_json
from tests.support import vectors

PUBLISHED = {
    ("guarded/1", 1): "18f7694e2962ea2c3a90c3bb12a8f55e8db392c36a5d87584db84f79fad1bbb9",
}
"""What the vectors of each version hold. No line is ever changed: other encodings are another version's, and line."""
SCHEMA = load_schema()
HELD = json.loads(vectors.path_of(SCHEMA).read_text("utf-8"))


def test_the_kit_makes_the_published_encodings() -> None:
    """From raw columns to bytes: the kit's fast encoder gives every vector, and null where there is too little."""
    key = LinkageKey(bytes([HELD["linkage_key_byte"]]) * 32)
    assert key.fingerprint == HELD["fingerprint"]
    encoder = Encoder(SCHEMA, key)
    for case in HELD["cases"]:
        atoms = STANDARDISE[case["kind"]](case["raw"])[0]
        assert atoms == case["atoms"], case["name"]
        subject = encoder.subjects([(case["kind"], case["role"], atoms)])[0]
        encoded = None if subject is None else json.loads(json.dumps(subject_to_json(subject)))
        assert encoded == case["encoded"], case["name"]


def test_a_version_keeps_its_vectors() -> None:
    """Whoever alters one encoding must give the schema another version: the digest of this one is published."""
    assert (HELD["schema"], HELD["version"], HELD["sha256"]) == (SCHEMA.id, SCHEMA.version, SCHEMA.sha256)
    assert vectors.digest(HELD) == PUBLISHED[SCHEMA.id, SCHEMA.version]
    assert vectors.digest(vectors.made(SCHEMA)) == PUBLISHED[SCHEMA.id, SCHEMA.version]


def test_every_atom_and_key_is_in_a_vector() -> None:
    """No atom of a key, band or sketch, and no key of any kind, is left without a vector."""
    cases = [case for case in HELD["cases"] if case["encoded"]]
    for kind, spec in SCHEMA.kinds.items():
        own = [case for case in cases if case["kind"] == kind]
        masks = [int(case["encoded"]["mask"], 16) for case in own]
        missing = [key.name for bit, key in enumerate(spec.keys) if not any(mask >> bit & 1 for mask in masks)]
        assert missing == []
        seen = [int(case["encoded"].get("observed", "0"), 16) for case in own]
        assert [part.field for part in spec.sketch if not any(mask >> part.number & 1 for mask in seen)] == []


def test_an_altered_schema_is_refused() -> None:
    """A schema whose content is not that of its hash is not loaded, whatever was altered."""
    raw = json.loads((vectors.DIRECTORY.parents[1] / "matching" / "schemas" / "v1.json").read_text("utf-8"))
    assert raw["sha256"] == content_hash(raw)
    raw["kinds"]["person"]["bands"]["count"] += 1
    with pytest.raises(AlteredSchemaError):
        parse_schema(raw)
