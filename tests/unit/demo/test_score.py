"""The demo's arithmetic: pairs by band against the truth, and claims that hang together."""

from __future__ import annotations

from typing import Any

from demo.score import by_band, customer_pairs, references, rings


def hit(
    own: str, theirs: str, band: str = "strong", *, subject: int = 0, record_class: str = "customer"
) -> dict[str, Any]:
    """Return one person hit as GET /v1/hits gives it, with filing ids made of the references."""
    return {
        "band": band,
        "own": {"filing": f"fil_{own}", "reference": own, "subject": subject, "kind": "person"},
        "theirs": {"filing": f"fil_{theirs}", "class": record_class},
    }


def test_a_pair_counts_once_in_its_best_band() -> None:
    """Two hits between the same two customers are one pair, in the better band of the two."""
    names = references([hit("b1", "a1")])
    pages = [hit("a1", "b1", "possible"), hit("a1", "b1", "probable")]
    assert customer_pairs(pages, names, frozenset({"a1", "b1"})) == {("a1", "b1"): "probable"}


def test_hits_on_claims_are_no_customer_pairs() -> None:
    """A hit whose other side is not in the customer books is left out of the score."""
    assert customer_pairs([hit("a1", "c1")], {"fil_c1": "c1"}, frozenset({"a1"})) == {}


def test_bands_add_up_from_the_best() -> None:
    """Each band's figures include the better bands, so recall never falls on the way down."""
    found = {("a1", "b1"): "strong", ("a2", "b2"): "probable", ("a3", "b9"): "possible"}
    scores = by_band(found, {"a1": "x", "a2": "y", "a3": "z"}, {"b1": "x", "b2": "y", "b9": "w"})
    assert [(score.band, score.pairs, score.true) for score in scores] == [
        ("strong", 1, 1),
        ("probable", 2, 2),
        ("possible", 3, 2),
    ]
    assert [score.recall for score in scores] == [0.5, 1.0, 1.0]


def test_nothing_found_scores_zero() -> None:
    """Without pairs precision and recall are nought, not an error."""
    assert [(score.precision, score.recall) for score in by_band({}, {}, {})] == [(0.0, 0.0)] * 3


def test_a_ring_is_two_people_shared_and_hangs_together() -> None:
    """Claims sharing two people are joined into one ring; claims sharing one customer are not."""
    names = {f"fil_B{number}": f"B{number}" for number in range(1, 5)}
    pages = (
        [hit("A1", "B1", subject=subject, record_class="claim") for subject in (0, 1)]
        + [hit("A2", "B1", "probable", subject=subject, record_class="claim") for subject in (0, 2)]
        + [hit("A9", "B4", record_class="claim")]
    )
    found = rings(pages, names, [frozenset({"A1", "A2", "B1"})])
    assert [(ring.claims, ring.planted) for ring in found] == [(frozenset({"A1", "A2", "B1"}), 0)]
