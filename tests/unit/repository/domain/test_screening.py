"""Questions and answers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from matching.types import Band
from repository.domain.errors import FieldError
from repository.domain.screening import Answer, Purpose, Release, answer, purpose_from_json
from tests.support.rulebooks import DEFAULT_RULEBOOK


def test_a_purpose_is_read() -> None:
    """Purpose and line come from closed lists; a lawful basis is optional."""
    body = {"purpose": "claim_validation", "line": "home", "lawful_basis": "legitimate interest"}
    assert purpose_from_json(body) == Purpose("claim_validation", "home", "legitimate interest")
    assert purpose_from_json({"purpose": "investigation", "line": "pet"}).lawful_basis is None


CHECKS = {"minimum": True, "legal_power": True, "third_party": False}


@pytest.mark.parametrize("purpose", ["law_enforcement", "subject_access", "audit"])
def test_a_release_is_checked(purpose: str) -> None:
    """Purposes under which data leaves the circle ask the three checks; others take them."""
    body = {"purpose": purpose, "line": "home"}
    assert purpose_from_json(body | {"release": CHECKS}).release == Release(True, True, False)
    assert purpose_from_json(body | {"purpose": "investigation", "release": CHECKS}).release is not None
    for wrong in (None, {}, CHECKS | {"minimum": "yes"}, CHECKS | {"more": True}, "all"):
        with pytest.raises(FieldError) as caught:
            purpose_from_json(body | {"release": wrong})
        assert caught.value.field == "release"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"line": "motor"}, "purpose"),
        ({"purpose": "curiosity", "line": "motor"}, "purpose"),
        ({"purpose": "audit"}, "line"),
        ({"purpose": "audit", "line": "motor", "lawful_basis": "  "}, "lawful_basis"),
        ({"purpose": "audit", "line": "motor", "lawful_basis": "x" * 201}, "lawful_basis"),
        ({"purpose": "audit", "line": "motor", "lawful_basis": "a\x00b"}, "lawful_basis"),
        ({"purpose": "audit", "line": "motor", "lawful_basis": "a\nb"}, "lawful_basis"),
    ],
)
def test_without_a_purpose_nothing_is_asked(body: dict[str, object], field: str) -> None:
    """What is missing is named."""
    with pytest.raises(FieldError) as caught:
        purpose_from_json(body)
    assert caught.value.field == field


def test_the_answer_follows_the_rulebooks_band() -> None:
    """Clear without hits; enquire from the rulebook's band on."""
    assert answer([], DEFAULT_RULEBOOK) is Answer.CLEAR
    assert answer([Band.POSSIBLE], DEFAULT_RULEBOOK) is Answer.ENQUIRE
    strict = replace(DEFAULT_RULEBOOK, disclosure=replace(DEFAULT_RULEBOOK.disclosure, enquire_from=Band.STRONG))
    assert answer([Band.PROBABLE], strict) is Answer.CLEAR
    assert answer([Band.PROBABLE, Band.STRONG], strict) is Answer.ENQUIRE
