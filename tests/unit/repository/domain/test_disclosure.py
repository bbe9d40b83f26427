"""How far a record may be told: the reader's tier, cut by the labels, and small counts kept back."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from matching.vocabulary import LABELS
from repository.domain.disclosure import answer_caution, cap, reach, seen_by, suppressed, tier_of
from repository.domain.labels import UNLABELLED, Labels
from tests.support.rulebooks import DEFAULT_RULEBOOK

EVERY = [Labels(*words) for words in itertools.product(*((None, *LABELS[name]) for name in LABELS))]
"""Every combination of labels there is."""


def test_an_unlabelled_record_is_capped_by_nothing() -> None:
    """The reader's entitlement stands."""
    assert [tier_of(tier, UNLABELLED, DEFAULT_RULEBOOK) for tier in range(5)] == [0, 1, 2, 3, 4]


def test_the_strictest_label_holds() -> None:
    """The cap is the least of those the rulebook gives to the labels, for every combination."""
    rules = DEFAULT_RULEBOOK.handling
    for labels in EVERY:
        caps = [getattr(rules, name)[getattr(labels, name)] for name in LABELS if getattr(labels, name) is not None]
        assert cap(labels, DEFAULT_RULEBOOK) == min([4, *caps])


def test_the_rulebook_in_force_decides() -> None:
    """Another number for a label is another tier for every record that carries it, filed before or after."""
    strict = replace(DEFAULT_RULEBOOK.handling, tlp=dict(DEFAULT_RULEBOOK.handling.tlp) | {"green": 0})
    assert tier_of(3, Labels(tlp="green"), DEFAULT_RULEBOOK) == 3
    assert tier_of(3, Labels(tlp="green"), replace(DEFAULT_RULEBOOK, handling=strict)) == 0


def test_a_search_reaches_what_a_read_shows() -> None:
    """A record is in reach of a tier just when its own tier is that or better: no filter finds what a label hides."""
    for labels, entitled, tier in itertools.product(EVERY, range(5), range(1, 4)):
        found = reach([("motor", "claim")] if entitled >= tier else [], tier, DEFAULT_RULEBOOK)
        hidden = any(getattr(labels, name) in words for name, words in found.hidden.items())
        assert (bool(found.pairs) and not hidden) == (tier_of(entitled, labels, DEFAULT_RULEBOOK) >= tier)


def test_a_reach_is_narrowed_to_a_class() -> None:
    """Its lines stay, and so does what labels hide."""
    whole = reach([("home", "claim"), ("motor", "claim"), ("motor", "victim")], 2, DEFAULT_RULEBOOK)
    assert whole.of_class("claim").pairs == [("home", "claim"), ("motor", "claim")]
    assert whole.of_class("claim").hidden == whole.hidden


@pytest.mark.parametrize(("count", "told"), [(0, {"fewer_than": 3}), (2, {"fewer_than": 3}), (3, 3), (9, 9)])
def test_small_counts_are_kept_back(count: int, told: object) -> None:
    """Fewer than the rulebook's number is told as that; a number of members in the same way."""
    assert suppressed(count, DEFAULT_RULEBOOK) == told
    assert seen_by(count, DEFAULT_RULEBOOK) == (told if isinstance(told, dict) else {"members": told})


@pytest.mark.parametrize(
    ("seen", "notes"),
    [
        ([], {}),
        ([("claim", 3)], {}),
        ([("victim", 1)], {}),
        ([("victim", 2)], {"attention": "protect", "adverse": False}),
        ([("protective", 3), ("customer", 3), ("claim", 2)], {"attention": "protect", "adverse": False}),
        ([("victim", 2), ("proven", 3)], {"attention": "protect"}),
        ([("victim", 2), ("suspected", 2)], {"attention": "protect"}),
        ([("victim", 2), ("proven", 1)], {"attention": "protect"}),
        ([("victim", 2), ("customer", 1)], {"attention": "protect"}),
    ],
)
def test_an_answer_with_a_victim_asks_for_care(seen: list[tuple[str, int]], notes: dict[str, object]) -> None:
    """It is called not adverse only where nothing else could be; the class of what is seen at tier 1 moves nothing."""
    assert answer_caution(seen) == notes
