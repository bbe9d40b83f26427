"""How far a record may be told: what its reader may see, cut by what its labels allow, and small counts kept back.

Every read of another member's record takes its tier from `tier_of`; a search takes the same rule from `reach`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from repository.domain.filings import FRAUD_CLASSES, PROTECTED_CLASSES
from repository.domain.flags import Flag
from repository.domain.labels import UNLABELLED, Labels
from repository.domain.rulebook import CLASS_TIER, DETAIL_TIER, NO_TIER, Rulebook

PROTECT = "protect"
"""What is asked of who meets a victim's or a protective entry: this person is to be protected, not suspected."""


@dataclass(frozen=True, slots=True)
class Reach:
    """The records that are seen at some tier or better: of these (line, class), unless a label or flag is hidden."""

    pairs: Sequence[tuple[str, str]]
    hidden: Mapping[str, Sequence[str]]

    def of_class(self, record_class: str) -> Reach:
        """Those of one class."""
        return Reach([pair for pair in self.pairs if pair[1] == record_class], self.hidden)


def cap(labels: Labels, rulebook: Rulebook) -> int:
    """The highest tier that the labels of a record, and its flag, allow: that of the strictest."""
    if labels == UNLABELLED:
        return DETAIL_TIER
    caps, words = _caps(rulebook), labels.as_dict()
    if labels.flag is not None:
        words["flag"] = labels.flag
    return min((caps[name][word] for name, word in words.items()), default=DETAIL_TIER)


def tier_of(entitled_tier: int, labels: Labels, rulebook: Rulebook) -> int:
    """The tier of one record: what the reader is entitled to in its line and class, and no more than its labels."""
    return min(entitled_tier, cap(labels, rulebook))


def reach(pairs: Sequence[tuple[str, str]], tier: int, rulebook: Rulebook) -> Reach:
    """What is seen at `tier` or better, for a search: `pairs` are the (line, class) entitled to it."""
    hidden = {
        name: tuple(word for word, highest in words.items() if highest < tier)
        for name, words in _caps(rulebook).items()
    }
    return Reach(pairs, hidden)


def suppressed(count: int, rulebook: Rulebook) -> int | dict[str, int]:
    """A count as it is told below the tier that names contributors: small ones only as fewer than a number."""
    below = rulebook.disclosure.suppress_below
    return count if count >= below else {"fewer_than": below}


def seen_by(members: int, rulebook: Rulebook) -> dict[str, int]:
    """How many other members hold a match, told in the same way."""
    told = suppressed(members, rulebook)
    return {"members": told} if isinstance(told, int) else told


def caution(record_class: str) -> dict[str, object]:
    """What a hit says, at a tier that shows its class, so that nobody reads it against the person."""
    return {"adverse": False, "attention": PROTECT} if record_class in PROTECTED_CLASSES else {}


def answer_caution(seen: Iterable[tuple[str, int]]) -> dict[str, object]:
    """The same of a whole answer, from the (class, tier) of everything in it that may be seen.

    `adverse: false` only when every class may be seen and none is of fraud: what is seen at tier 1 may be anything,
    so its class cannot be told from whether the word is there.
    """
    hits = tuple(seen)
    if not any(record_class in PROTECTED_CLASSES and tier >= CLASS_TIER for record_class, tier in hits):
        return {}
    harmless = all(tier >= CLASS_TIER and record_class not in FRAUD_CLASSES for record_class, tier in hits)
    return {"attention": PROTECT} | ({"adverse": False} if harmless else {})


def _caps(rulebook: Rulebook) -> dict[str, Mapping[str, int]]:
    rules, disputes = rulebook.handling, rulebook.disputes
    flags = {
        Flag.DISPUTED.value: disputes.disputed_tier,
        Flag.RESTRICTED.value: disputes.restricted_tier,
        Flag.SUPPRESSED.value: NO_TIER,
    }
    labels: dict[str, Mapping[str, int]] = {
        "tlp": rules.tlp,
        "source": rules.source,
        "information": rules.information,
        "code": rules.code,
    }
    return labels | {"flag": flags}
