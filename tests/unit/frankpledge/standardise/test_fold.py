"""Unicode folding."""

from __future__ import annotations

import pytest

from frankpledge.standardise.fold import compact, fold, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  Ann \t LEE ", "ann lee"),
        ("Łódź", "lodz"),
        ("I\u015f\u0131k \u0130nci", "isik inci"),
        ("Weiß", "weiss"),
        ("Ærø", "aero"),
        ("\uff21nn", "ann"),
        ("Jose\u0301", "jose"),
        ("Ann \U0001f600", "ann"),
        ("A\u200bnn", "ann"),
    ],
)
def test_any_text_becomes_plain(text: str, expected: str) -> None:
    """Accents, widths, ligatures, symbols and white space fold to lower-case ASCII."""
    assert fold(text) == expected


def test_apostrophes_join_and_the_rest_parts() -> None:
    """O'Brien is one word, Smith-Jones two."""
    assert words("o'brien smith-jones") == ["obrien", "smith", "jones"]


def test_compact_runs_together() -> None:
    """Only letters and digits remain."""
    assert compact("ab-12 / c") == "ab12c"
