"""The published vectors: what another language's encoder is checked against, and what no change may alter unnoticed."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from frankpledge.encode import Encoder
from frankpledge.keys import LinkageKey
from frankpledge.records import STANDARDISE
from matching.schema import (
    AlteredSchemaError,
    LinkageSchema,
    content_hash,
    load_schema,
    parse_schema,
    shipped_schemas,
)
from matching.wire import subject_to_json
from tests.support import vectors

PUBLISHED = {
    ("guarded/1", 1): "18f7694e2962ea2c3a90c3bb12a8f55e8db392c36a5d87584db84f79fad1bbb9",
    ("broad/1", 1): "d9d104b05e18160d73dac3781e49c8e3e5e54f9586367b9d9364dd6746d2cf70",
}
"""What the vectors of each version hold. No line is ever changed: other encodings are another version's, and line."""


@pytest.fixture(params=shipped_schemas())
def schema(request: pytest.FixtureRequest) -> LinkageSchema:
    """Each schema that is shipped."""
    return load_schema(request.param)


@pytest.fixture
def held(schema: LinkageSchema) -> dict[str, Any]:
    """Its published vectors."""
    found: dict[str, Any] = json.loads(vectors.path_of(schema).read_text("utf-8"))
    return found


def test_the_kit_makes_the_published_encodings(schema: LinkageSchema, held: dict[str, Any]) -> None:
    """From raw columns to bytes: the kit's fast encoder gives every vector, and null where there is too little."""
    key = LinkageKey(bytes([held["linkage_key_byte"]]) * 32)
    assert key.fingerprint == held["fingerprint"]
    encoder = Encoder(schema, key)
    for case in held["cases"]:
        atoms = STANDARDISE[case["kind"]](case["raw"])[0]
        assert atoms == case["atoms"], case["name"]
        subject = encoder.subjects([(case["kind"], case["role"], atoms)])[0]
        encoded = None if subject is None else json.loads(json.dumps(subject_to_json(subject)))
        assert encoded == case["encoded"], case["name"]


def test_a_version_keeps_its_vectors(schema: LinkageSchema, held: dict[str, Any]) -> None:
    """Whoever alters one encoding must give the schema another version: the digest of this one is published."""
    assert (held["schema"], held["version"], held["sha256"]) == (schema.id, schema.version, schema.sha256)
    assert vectors.digest(held) == PUBLISHED[schema.id, schema.version]
    assert vectors.digest(vectors.made(schema)) == PUBLISHED[schema.id, schema.version]


def test_every_atom_and_key_is_in_a_vector(schema: LinkageSchema, held: dict[str, Any]) -> None:
    """No atom of a key, band or sketch, and no key of any kind, is left without a vector."""
    cases = [case for case in held["cases"] if case["encoded"]]
    for kind, spec in schema.kinds.items():
        own = [case for case in cases if case["kind"] == kind]
        masks = [int(case["encoded"]["mask"], 16) for case in own]
        missing = [key.name for bit, key in enumerate(spec.keys) if not any(mask >> bit & 1 for mask in masks)]
        assert missing == []
        seen = [int(case["encoded"].get("observed", "0"), 16) for case in own]
        assert [part.field for part in spec.sketch if not any(mask >> part.number & 1 for mask in seen)] == []


def test_no_key_of_one_schema_is_one_of_another() -> None:
    """Under one linkage key the same person has other keys in each schema, even of the same composites."""
    seen = []
    for name in shipped_schemas():
        cases = json.loads(vectors.path_of(load_schema(name)).read_text("utf-8"))["cases"]
        full = base64.b64decode(cases[0]["encoded"]["keys"])
        seen.append({full[at : at + 16] for at in range(0, len(full), 16)})
    assert not set.intersection(*seen)


@pytest.mark.parametrize("path", sorted(vectors.SCHEMAS.glob("*.json")), ids=lambda path: path.name)
def test_an_altered_schema_is_refused(path: Path) -> None:
    """A schema whose content is not that of its hash is not loaded, whatever was altered."""
    raw = json.loads(path.read_text("utf-8"))
    assert raw["sha256"] == content_hash(raw)
    raw["kinds"]["person"]["bands"]["count"] += 1
    with pytest.raises(AlteredSchemaError):
        parse_schema(raw)
