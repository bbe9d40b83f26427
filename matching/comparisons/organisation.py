"""How two organisations are compared. Their trading names may be filed in clear and are compared by rapidfuzz."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from rapidfuzz import fuzz, process, utils

from matching.comparisons.base import Comparison, ComparisonSet, Levels, choose, shared_key
from matching.evidence import PairEvidence

SAME_NAME = 97.0
CLOSE_NAME = 82.0


def _name_ratio(evidence: PairEvidence) -> npt.NDArray[np.float32]:
    """Similarity of trading names, letter by letter or in any word order, 0 to 100; -1 where one is missing."""
    left = [utils.default_process(a) if a and b else "" for a, b in evidence.names]
    right = [utils.default_process(b) if a and b else "" for a, b in evidence.names]
    # "Body Shop" and "Bodyshop" are alike by letters, "Smith and Jones" and "Jones and Smith" by words.
    by_letter = process.cpdist(left, right, scorer=fuzz.ratio, dtype=np.float32)
    by_word = process.cpdist(left, right, scorer=fuzz.token_sort_ratio, dtype=np.float32)
    missing = np.array([not (a and b) for a, b in evidence.names], np.bool_)
    ratio: npt.NDArray[np.float32] = np.maximum(by_letter, by_word)
    ratio[missing] = -1.0
    return ratio


def name(evidence: PairEvidence) -> Levels:
    """Trading names in clear where both are filed, else what shared keys over the name say."""
    ratio = _name_ratio(evidence)
    keyed = np.zeros(len(evidence), np.bool_)
    sounding = evidence.key("org_name_phonetic+outward")[1]
    for key in ("org_name_sorted+postcode", "org_name_sorted+town"):
        keyed |= evidence.key(key)[1]
    keyed |= evidence.key("org_name_sorted")[1]
    return choose(
        len(evidence),
        {1: (ratio >= SAME_NAME) | keyed, 2: (ratio >= CLOSE_NAME) | sounding, 3: ratio >= 0.0},
    )


def place(evidence: PairEvidence) -> Levels:
    """Place of business, as far as keys over name and place tell."""
    postcode = evidence.key("org_name_sorted+postcode")[1]
    area = evidence.key("org_name_sorted+town")[1] | evidence.key("org_name_phonetic+outward")[1]
    return choose(len(evidence), {1: postcode, 2: area})


ORGANISATION = ComparisonSet(
    (
        Comparison("name", ("same", "close", "differs"), (0.8, 0.15, 0.05), (0.05, 0.1, 0.85), name),
        Comparison("place", ("same postcode", "same area"), (0.8, 0.2), (0.3, 0.7), place),
        shared_key("company number", key="company_number", m=0.95, u=0.02),
        shared_key("phone", m=0.7, u=0.1),
        shared_key("email", m=0.7, u=0.1),
        shared_key("bank account", key="bank_account", m=0.7, u=0.05),
    ),
    chance_rate=0.00001,
)
