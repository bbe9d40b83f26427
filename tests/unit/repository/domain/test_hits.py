"""What a hit shows at each tier: nothing that the tier does not allow is in the answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import orjson
import pytest

from matching.types import Band, ExplanationRow
from repository.domain.hits import Hit, Own, Theirs, age_band, disclose
from repository.domain.labels import Labels
from tests.support.rulebooks import DEFAULT_RULEBOOK

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
HIT = Hit(
    id="hit_1",
    created_at=NOW,
    band=Band.STRONG,
    probability=0.99987,
    explanation=(
        ExplanationRow("prior", "pool", -9.96),
        ExplanationRow("name", "same", 12.34),
        ExplanationRow("x", "y", 4.44),
    ),
    own=Own("P-1", 0, "policyholder", "person", filing_id="fil_own"),
    theirs=Theirs("Beta", "fil_theirs", "motor", "claim", date(2025, 3, 1), "claimant", {"kind": "theft"}),
    count=2,
    seen_by=2,
)


def shown(tier: int, hit: Hit = HIT) -> dict[str, object]:
    """The hit at a tier."""
    return disclose(hit, tier, today=NOW.date(), rulebook=DEFAULT_RULEBOOK)


def labelled(**labels: str) -> Hit:
    """The hit on a record with labels."""
    return replace(HIT, theirs=replace(HIT.theirs, labels=Labels(**labels)))


def test_tier_one_says_hit_and_no_more() -> None:
    """Only the own side and the band: neither class nor contributor nor any fact of the record."""
    assert set(shown(1)) == {"id", "created_at", "band", "model", "tier", "own", "seen_by"}
    text = orjson.dumps(shown(1)).decode()
    assert not any(word in text for word in ("Beta", "claim", "theft", "fil_theirs", "2025"))


def test_tier_two_adds_class_count_and_age() -> None:
    """And still nobody can tell whose record it is."""
    assert set(shown(2)) - set(shown(1)) == {"class", "count", "age_band"}
    assert (shown(2)["class"], shown(2)["count"], shown(2)["age_band"]) == ("claim", {"fewer_than": 3}, "1-3y")
    assert not any(word in orjson.dumps(shown(2)).decode() for word in ("Beta", "theft", "fil_theirs", "2025"))


def test_tier_three_adds_the_pointer_and_an_explanation_that_adds_up() -> None:
    """Contributor and facts are there, the contributor's own reference is not; rounded rows add up to the weight."""
    full = shown(3)
    assert full["count"] == 2
    assert "seen_by" not in full
    assert full["contributor"] == "Beta"
    assert full["theirs"] == {
        "filing": "fil_theirs",
        "line": "motor",
        "class": "claim",
        "date": "2025-03-01",
        "role": "claimant",
        "claim": {"kind": "theft"},
    }
    assert full["explanation"] == [
        {"field": "prior", "level": "pool", "weight": -10.0},
        {"field": "name", "level": "same", "weight": 12.3},
        {"field": "x", "level": "y", "weight": 4.4},
    ]
    assert full["weight"] == 6.7
    assert full["probability"] == 1.0


@pytest.mark.parametrize(
    ("members", "told"),
    [(1, {"fewer_than": 3}), (2, {"fewer_than": 3}), (3, {"members": 3}), (40, {"members": 40})],
)
def test_how_many_others_hold_a_match_is_told_below_the_tier_that_names_them(
    members: int, told: dict[str, int]
) -> None:
    """At tiers 1 and 2, small numbers only as few; from tier 3 on the contributors themselves are named."""
    hit = replace(HIT, seen_by=members)
    assert [shown(tier, hit).get("seen_by") for tier in (1, 2, 3)] == [told, told, None]


@pytest.mark.parametrize(
    ("labels", "tier"),
    [
        ({"tlp": "red"}, 1),
        ({"tlp": "amber_strict"}, 2),
        ({"tlp": "green", "information": "E"}, 2),
        ({"tlp": "clear", "source": "reliable", "information": "A", "code": "P"}, 3),
    ],
)
def test_labels_hold_back_whatever_the_reader_is_entitled_to(labels: dict[str, str], tier: int) -> None:
    """The answer is that of the labels' tier; from tier 2 on it says which labels there are."""
    full = shown(3, labelled(**labels))
    assert full["tier"] == tier
    assert full == shown(tier, labelled(**labels))
    assert full.get("labels") == (labels if tier >= 2 else None)
    assert full.keys() - {"labels"} == shown(tier).keys()


def test_no_labels_no_word_of_them() -> None:
    """A record without labels has no empty ones."""
    assert "labels" not in shown(3)


@pytest.mark.parametrize("record_class", ["customer", "claim", "suspected", "proven", "victim", "protective"])
def test_who_is_to_be_protected_is_never_adverse(record_class: str) -> None:
    """Victims and people under protection are marked so where the class is told, and nobody else is."""
    hit = replace(HIT, theirs=replace(HIT.theirs, record_class=record_class))
    protected = record_class in ("victim", "protective")
    for tier in (2, 3):
        notes = {name: shown(tier, hit)[name] for name in ("adverse", "attention") if name in shown(tier, hit)}
        assert notes == ({"adverse": False, "attention": "protect"} if protected else {})
    assert not {"adverse", "attention"} & shown(1, hit).keys()


def test_a_superseded_hit_shows_nothing_of_others() -> None:
    """Neither labels nor how many hold a match: only that there was one."""
    old = replace(labelled(tlp="green"), superseded_at=NOW)
    assert set(shown(3, old)) == {"id", "created_at", "band", "tier", "own", "superseded_at"}


def test_tier_zero_is_no_hit() -> None:
    """There is nothing to show, and asking for it is an error of ours."""
    with pytest.raises(ValueError, match="tier 0"):
        shown(0)


@pytest.mark.parametrize(
    ("day", "label"),
    [
        (date(2027, 1, 1), "0-6m"),
        (date(2026, 3, 2), "0-6m"),
        (date(2025, 9, 2), "0-6m"),
        (date(2025, 9, 1), "6-12m"),
        (date(2025, 3, 3), "6-12m"),
        (date(2025, 3, 2), "1-3y"),
        (date(2020, 3, 4), "3-6y"),
        (date(1990, 1, 1), "6y+"),
    ],
)
def test_age_bands(day: date, label: str) -> None:
    """A record's age in the rulebook's words; a date to come counts as today."""
    assert age_band(day, date(2026, 3, 2), DEFAULT_RULEBOOK) == label
