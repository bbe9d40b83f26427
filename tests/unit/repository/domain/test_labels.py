"""Handling labels as a member sends them."""

from __future__ import annotations

import pytest

from matching.vocabulary import LABELS
from repository.domain.errors import FieldError
from repository.domain.labels import UNLABELLED, Labels, labels_from_json


@pytest.mark.parametrize("raw", [None, {}, {"tlp": None, "code": None}])
def test_labels_may_be_left_out(raw: object) -> None:
    """All of them, or the object as a whole."""
    assert labels_from_json(raw) == UNLABELLED
    assert UNLABELLED.as_dict() == {}


def test_labels_are_read_and_written_alike() -> None:
    """What was given comes back, and only that."""
    raw = {"tlp": "amber_strict", "information": "D"}
    assert labels_from_json(raw) == Labels(tlp="amber_strict", information="D")
    assert labels_from_json(raw).as_dict() == raw


@pytest.mark.parametrize("name", LABELS)
def test_every_word_of_a_list_is_a_label(name: str) -> None:
    """And each is told apart from being not labelled."""
    for word in LABELS[name]:
        assert labels_from_json({name: word}).as_dict() == {name: word}


@pytest.mark.parametrize(
    ("raw", "field", "expected"),
    [
        ("red", "labels", "an object"),
        (["tlp"], "labels", "an object"),
        ({"colour": "secret red"}, "labels", "no other fields than"),
        ({"tlp": "secret red"}, "labels.tlp", "one of clear, green, amber, amber_strict, red"),
        ({"tlp": "RED"}, "labels.tlp", "one of clear"),
        ({"source": 1}, "labels.source", "one of reliable"),
        ({"information": "F"}, "labels.information", "one of A"),
        ({"code": ["P"]}, "labels.code", "one of P, C"),
    ],
)
def test_other_words_are_refused_by_field(raw: object, field: str, expected: str) -> None:
    """The error names the field and the list, never the value."""
    with pytest.raises(FieldError) as caught:
        labels_from_json(raw)
    assert caught.value.field == field
    assert expected in caught.value.expected
    assert "secret" not in str(caught.value)
