"""What the pool refuses, in words."""

from __future__ import annotations

import pytest

from frankpledge.problems import Problem, RefusedError, error_for
from repository.api.catalogue import PROBLEM_TYPES


def test_a_refusal_explains_itself() -> None:
    """Rule, figures and remedy are in the sentence a person reads."""
    error = error_for(
        403,
        {
            "title": "Contribute first",
            "detail": "No filing was accepted lately",
            "rule": "R2",
            "figures": {"accepted_in_window": 0, "window_days": 90, "line": "motor"},
            "remedy": "File motor customers.",
        },
    )
    assert error.what == ("No filing was accepted lately. (Rule R2: accepted_in_window 0, window_days 90, line motor.)")
    assert error.remedy == "File motor customers."
    assert error.problem.figures == {"accepted_in_window": 0, "window_days": 90, "line": "motor"}


def test_field_errors_are_listed() -> None:
    """Each wrong field has a line of its own."""
    error = error_for(422, {"title": "No", "errors": [{"field": "line", "expected": "one of motor"}, 5]})
    assert error.what == "No.\n  line: expected one of motor"


@pytest.mark.parametrize("document", [None, [], "text", {"title": 5, "figures": [], "errors": {}}])
def test_an_error_that_is_no_problem_still_says_its_status(document: object) -> None:
    """A proxy's error page becomes a sentence."""
    assert error_for(418, document).what == "The pool answered with status 418."


def test_the_terminal_cannot_be_steered() -> None:
    """Control characters in a server's answer are not printed."""
    assert Problem.parse(400, {"detail": "a\x1b[2Jb\r"}).detail == "a[2Jb"


def test_a_second_person_is_asked_for() -> None:
    """Nobody is sent to the operator for a role where a colleague is what is missing; it stays a refusal."""
    error = error_for(403, {"type": PROBLEM_TYPES["second-person"].uri})
    assert isinstance(error, RefusedError)
    assert "colleague" in error.remedy
