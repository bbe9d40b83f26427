"""Subjects as dense arrays."""

from __future__ import annotations

import numpy as np
import pytest

from matching.columns import stack, stack_packed
from matching.schema import load_schema
from matching.types import EncodedSubject
from matching.wire import pack
from tests.unit.matching.conftest import ADA, Encode

SCHEMA = load_schema()


def _same(subjects: list[EncodedSubject]) -> bool:
    kind = SCHEMA.kinds[subjects[0].kind] if subjects else SCHEMA.kinds["person"]
    ours, theirs = stack(subjects, kind), stack_packed([pack(each) for each in subjects], kind)
    arrays = all(np.array_equal(getattr(ours, name), getattr(theirs, name)) for name in ("keys", "observed"))
    rows, anchors = np.nonzero(np.ones(ours.blocks.shape[:2]))
    blocks = not len(rows) or np.array_equal(ours.under(rows, anchors), theirs.under(rows, anchors))
    return arrays and blocks and ours.names == theirs.names


def test_columns_of_packed_subjects_are_those_of_the_subjects(encode: Encode) -> None:
    """Opened straight into columns, subjects with different keys are what they are one by one."""
    sparse = {"given_name": "Ada", "family_name": "Lovering", "date_of_birth": "1981-12-10"}
    assert _same([encode(ADA), encode(sparse), encode(ADA | {"phone": "0113 496 0123"})])
    assert _same([])


@pytest.mark.parametrize("kind", ["vehicle", "organisation"])
def test_columns_of_kinds_without_sketches(kind: str) -> None:
    """What has keys and a name only has no blocks."""
    name = "Bolt & Sons" if kind == "organisation" else None
    subject = EncodedSubject(kind, "subject", 0b101, bytes(range(32)), name=name)  # type: ignore[arg-type]
    assert _same([subject])


def test_packed_subjects_without_their_sketches(encode: Encode) -> None:
    """Anchors whose sketches were not kept open nothing, and shift nobody else's."""
    whole = encode(ADA)
    bare = EncodedSubject("person", whole.role, whole.mask, whole.keys)
    assert _same([bare, whole, bare])
