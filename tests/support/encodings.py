"""Synthetic encodings for tests of the pool: random keys and sketches, the same for the same person."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import orjson

from matching.schema import LinkageSchema, load_schema
from matching.types import KEY_BYTES, EncodedSubject, Kind
from matching.wire import subject_to_json

SCHEMA = load_schema()
FINGERPRINT = "0123456789abcdef"


def subject(
    who: int | str,
    *,
    kind: Kind = "person",
    role: str = "policyholder",
    schema: LinkageSchema = SCHEMA,
    only: Sequence[int] | None = None,
) -> EncodedSubject:
    """The encoding of somebody: the same `who` gives the same keys; `only` keeps the keys at these places."""
    spec = schema.kinds[kind]
    draw = random.Random(f"{kind}/{who}")  # noqa: S311 - the same keys for the same person are the point
    places = range(len(spec.keys)) if only is None else sorted(only)
    keys = {place: draw.randbytes(KEY_BYTES) for place in range(len(spec.keys))}
    blocks = {place: draw.randbytes(spec.block_size) for place in range(len(spec.keys)) if spec.keys[place].anchor}
    kept = [blocks[place] for place in places if place in blocks]
    return EncodedSubject(
        kind=kind,
        role=role,
        mask=sum(1 << place for place in places),
        keys=b"".join(keys[place] for place in places),
        observed=(1 << len(spec.sketch)) - 1 if any(kept) else 0,
        sketches=b"".join(kept),
    )


def filing(reference: str, *subjects: EncodedSubject, **changes: Any) -> dict[str, Any]:
    """A filing as a member sends it: a customer in motor, or what `changes` say (record_class for class)."""
    body: dict[str, Any] = {
        "schema": SCHEMA.id,
        "fingerprint": FINGERPRINT,
        "ref": reference,
        "class": changes.pop("record_class", "customer"),
        "line": "motor",
        "date": "2026-03-01",
        "subjects": [subject_to_json(each) for each in subjects or (subject(reference),)],
    }
    if body["class"] == "claim":
        body["claim"] = claim()
    return body | changes


def claim(**changes: str) -> dict[str, str]:
    """The facts of a claim."""
    return {
        "incident_date": "2026-02-26",
        "notification_date": "2026-02-27",
        "kind": "collision",
        "amount_band": "1k-5k",
        "status": "open",
    } | changes


def question(who: int | str, *, reference: str = "Q-1", **changes: Any) -> dict[str, Any]:
    """A screening as a member sends it, for new business in motor."""
    return {
        "schema": SCHEMA.id,
        "fingerprint": FINGERPRINT,
        "purpose": "new_business",
        "reference": reference,
        "line": "motor",
        "subject": subject_to_json(subject(who)),
    } | changes


def ndjson(rows: Sequence[dict[str, Any]]) -> bytes:
    """Filings as the body of a batch."""
    return b"".join(orjson.dumps(row) + b"\n" for row in rows)
