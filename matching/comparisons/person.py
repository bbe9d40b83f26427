"""How two persons are compared."""

from __future__ import annotations

import numpy as np

from matching.columns import Bool
from matching.comparisons.base import Comparison, ComparisonSet, Levels, choose, shared_key
from matching.evidence import PairEvidence

CLOSE = 0.3
"""Estimated Jaccard similarity of bigrams from which two spellings count as close: one letter in six or so differs."""


def _swapped(evidence: PairEvidence) -> Bool:
    """Given and family name stand in each other's place, and are not simply equal."""
    crossed: Bool = (evidence.crossed == evidence.opened[:, None]).all(axis=1)
    return (
        crossed
        & evidence.known("given")
        & evidence.known("family")
        & ~evidence.same("given")
        & ~evidence.same("family")
    )


def given_name(evidence: PairEvidence) -> Levels:
    """Given names: equal, of one nickname family (Bill, William), swapped with the family name, or spelt alike."""
    return choose(
        len(evidence),
        {
            5: _swapped(evidence),
            1: evidence.same("given"),
            2: evidence.same("given_canonical"),
            3: evidence.similarity("given_grams") >= CLOSE,
            4: evidence.known("given"),
        },
    )


def family_name(evidence: PairEvidence) -> Levels:
    """Family names: equal, of one phonetic code, or spelt alike; a swap is told by the given name alone."""
    return choose(
        len(evidence),
        {
            0: _swapped(evidence),
            1: evidence.same("family"),
            2: evidence.same("family_phonetic"),
            3: evidence.similarity("family_grams") >= CLOSE,
            4: evidence.known("family"),
        },
    )


def date_of_birth(evidence: PairEvidence) -> Levels:
    """Dates of birth by their parts: year, month and day, each known or not."""
    parts = ("dob_y", "dob_m", "dob_d")
    known = np.sum([evidence.known(part) for part in parts], axis=0)
    same = np.sum([evidence.same(part) for part in parts], axis=0)
    return choose(
        len(evidence),
        {
            1: same == 3,
            7: evidence.same("dob_y") & evidence.same("dob_md"),
            2: (same == 2) & (known == 2),
            3: same == 2,
            4: (same == 1) & evidence.same("dob_y"),
            5: same == 1,
            6: known > 0,
        },
    )


def address(evidence: PairEvidence) -> Levels:
    """Addresses as one comparison, since house, street, postcode and town say much the same thing."""
    street, house = evidence.same("street"), evidence.same("house_number")
    close = evidence.known("street") & (evidence.similarity("street_grams") >= CLOSE)
    postcode, outward, town = evidence.same("postcode"), evidence.same("outward"), evidence.same("town")
    known = evidence.known("postcode") | evidence.known("town") | evidence.known("street")
    return choose(
        len(evidence),
        {
            1: street & house & (postcode | town | outward),
            2: (street & (postcode | town | outward)) | ((street | close) & house),
            3: close & (house | postcode | town),
            4: postcode | (outward & town),
            5: outward | town,
            6: known,
        },
    )


def sex(evidence: PairEvidence) -> Levels:
    """Sex as recorded."""
    return choose(len(evidence), {1: evidence.same("sex"), 2: evidence.known("sex")})


def spelling(evidence: PairEvidence) -> Levels:
    """How many MinHash bands are shared, where no composite key is: nearness of the whole record, letter by letter."""
    shared = evidence.shared[:, evidence.schema.band_bits].sum(axis=1)
    alone = evidence.shared.sum(axis=1) == shared
    return choose(
        len(evidence),
        {
            1: alone & (shared >= 9),
            2: alone & (shared >= 5),
            3: alone & (shared >= 3),
            4: alone & (shared == 2),
            5: alone & (shared == 1),
        },
    )


PERSON = ComparisonSet(
    (
        Comparison(
            "given name",
            ("exact", "nickname", "close", "differs", "swapped"),
            (0.75, 0.05, 0.08, 0.11, 0.01),
            (0.006, 0.004, 0.05, 0.9398, 0.0002),
            given_name,
            (0.01, 0.01, 0.08, 0.895, 0.005),
            personal=True,
        ),
        Comparison(
            "family name",
            ("exact", "sounds alike", "close", "differs"),
            (0.80, 0.06, 0.08, 0.06),
            (0.0015, 0.0015, 0.04, 0.957),
            family_name,
            (0.70, 0.02, 0.03, 0.25),
        ),
        Comparison(
            "date of birth",
            ("exact", "known parts", "two parts", "year", "one part", "differs", "day and month swapped"),
            (0.85, 0.03, 0.06, 0.02, 0.01, 0.02, 0.01),
            (0.00005, 0.001, 0.0045, 0.0145, 0.11, 0.8699, 0.00005),
            date_of_birth,
            (0.01, 0.002, 0.01, 0.05, 0.13, 0.797, 0.001),
            personal=True,
        ),
        Comparison(
            "address",
            ("same house", "same street", "close", "same postcode", "same area", "differs"),
            (0.45, 0.15, 0.05, 0.10, 0.05, 0.20),
            (0.00001, 0.0002, 0.0004, 0.0008, 0.00859, 0.99),
            address,
            (0.80, 0.05, 0.02, 0.03, 0.02, 0.08),
        ),
        Comparison("sex", ("same", "differs"), (0.98, 0.02), (0.5, 0.5), sex, (0.4, 0.6)),
        Comparison(
            "spelling",
            ("9+ bands", "5-8 bands", "3-4 bands", "2 bands", "1 band"),
            (0.15, 0.20, 0.25, 0.20, 0.20),
            (0.0005, 0.001, 0.0085, 0.05, 0.94),
            spelling,
            (0.10, 0.25, 0.30, 0.15, 0.20),
            sampled=False,
        ),
        shared_key("national id", key="national_id", m=0.85, u=0.00001, h=0.0005),
        shared_key("driving licence", key="driving_licence", m=0.85, u=0.00001, h=0.0005),
        shared_key("phone", m=0.6, u=0.0005, h=0.3),
        shared_key("email", m=0.6, u=0.0002, h=0.05),
        shared_key("bank account", key="bank_account", m=0.6, u=0.0005, h=0.2),
        shared_key("vehicle", key="vehicle_registration", m=0.5, u=0.001, h=0.3),
    ),
    chance_rate=0.002,
)
