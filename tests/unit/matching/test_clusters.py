"""Pairs weighed in company: average linkage over sparse pairs."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.cluster.hierarchy import cophenet, linkage

from matching import clusters
from matching.candidates import Candidates
from matching.clusters import HEAVIEST, LEAST_BITS, LIGHTEST, gather_clusters, unmet_bits

Weights = dict[tuple[int, int], float]
RECORDS = 9
PAIRS = st.dictionaries(
    st.sampled_from(list(itertools.combinations(range(RECORDS), 2))),
    st.floats(-30, 30).map(lambda bits: round(bits, 2)),
)


def candidates(weights: Weights) -> tuple[Candidates, np.ndarray]:
    """Pairs in order, with what each weighs alone."""
    ordered = sorted(weights)
    rows, others = (np.array([pair[side] for pair in ordered], np.int64) for side in (0, 1))
    return Candidates(rows, others, 0), np.array([weights[pair] for pair in ordered], np.float64)


def gathered(weights: Weights, records: int = RECORDS) -> Weights:
    """What each pair weighs in company."""
    found = gather_clusters(records, *candidates(weights))
    pairs = list(zip(found.pairs.rows.tolist(), found.pairs.others.tolist(), strict=True))
    assert pairs == sorted(set(pairs)), "each pair comes once, in order"
    return dict(zip(pairs, found.weights.tolist(), strict=True))


def test_a_pair_without_company_weighs_what_it_weighs() -> None:
    """Two records that meet nobody else keep their weight, within its bounds."""
    assert gathered({(0, 1): 7.25, (2, 3): -9.5, (4, 5): 40.0}) == {(0, 1): 7.25, (2, 3): -9.5, (4, 5): HEAVIEST}


def test_matches_of_one_record_are_matches_of_each_other() -> None:
    """Two records that never met are told as a pair when both match a third, less surely than each of those."""
    told = gathered({(0, 1): 14.0, (1, 2): 13.0})
    assert told[0, 1] == 14.0
    assert 0 < told[0, 2] == told[1, 2] < 13.0


def test_a_near_match_loses_to_a_nearer_one_that_contradicts_it() -> None:
    """A record's second match falls when it is plainly another person than the first."""
    told = gathered({(0, 1): 15.0, (0, 2): 2.0, (1, 2): -12.0})
    assert told[0, 1] == 15.0
    assert told[0, 2] < 0


def test_a_doubtful_match_rises_with_others_that_agree() -> None:
    """A record that is doubtful beside each of three, which are one person, counts for more than a single doubt."""
    same = dict.fromkeys(itertools.combinations(range(3), 2), 12.0)
    told = gathered({**same, (0, 3): 3.0, (1, 3): 3.0, (2, 3): 3.0})
    assert told[0, 3] == told[1, 3] == told[2, 3] > 3.0


def test_where_matches_often_never_met_that_says_little() -> None:
    """Having never met weighs less against a pair the more often two matches of one record never met."""
    stars = {(10 * star, 10 * star + leaf): 12.0 for star in range(60) for leaf in range(1, 9)}
    full = {
        (10 * star + one, 10 * star + other): 12.0
        for star in range(60)
        for one, other in itertools.combinations(range(9), 2)
    }
    assert (
        unmet_bits(600, *candidates(full))
        < unmet_bits(600, *candidates({}))
        == -6.0
        < unmet_bits(600, *candidates(stars))
        < 0
    )


@given(PAIRS)
def test_every_candidate_is_told_and_no_weight_leaves_its_bounds(weights: Weights) -> None:
    """Candidates are all there; pairs that never met come only if they are possible; no weight exceeds the heaviest."""
    told = gathered(weights)
    assert set(weights) <= set(told)
    assert all(told[pair] >= LEAST_BITS for pair in set(told) - set(weights))
    assert max(told.values(), default=0.0) <= HEAVIEST * RECORDS


@given(st.lists(st.integers(-19_000, 14_000), min_size=28, max_size=28, unique=True))
def test_against_another_implementation(drawn: list[int]) -> None:
    """Where every pair was met, heights are those of SciPy's average linkage."""
    weights = dict(zip(itertools.combinations(range(8), 2), (each / 1000 for each in drawn), strict=True))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clusters, "COMPANY", 0.0)
        told = gathered(weights)
    apart = -np.array(list(weights.values())) - LIGHTEST
    heights = -(cophenet(linkage(apart + 1, "average")) - 1 + LIGHTEST)
    for pair, height in zip(weights, heights.tolist(), strict=True):
        if height > LEAST_BITS + 1e-6:
            assert told[pair] == pytest.approx(height)
        elif height < LEAST_BITS - 1e-6:
            assert told[pair] <= LEAST_BITS
