"""The closed word lists of a filing, shared by the member's kit and the pool."""

from __future__ import annotations

from matching.types import Kind

RECORD_CLASSES = ("customer", "claim", "suspected", "proven", "victim", "protective")
LINES = ("motor", "home", "travel", "liability", "commercial", "life", "health", "pet")

PROVIDER_ROLES = ("garage", "solicitor", "claims_manager", "medical_expert", "engineer", "hire_company")
PERSON_ROLES = ("policyholder", "claimant", "driver", "passenger", "pedestrian", "witness", "third_party")
ROLES: dict[Kind, tuple[str, ...]] = {
    "person": (*PERSON_ROLES, *PROVIDER_ROLES),
    "vehicle": ("insured_vehicle", "third_party_vehicle"),
    "organisation": ("policyholder", "claimant", "third_party", *PROVIDER_ROLES),
}

CLAIM_KINDS = (
    "theft",
    "collision",
    "fire",
    "flood",
    "storm",
    "escape_of_water",
    "accidental_damage",
    "injury",
    "liability",
    "medical",
    "cancellation",
    "death",
    "other",
)
AMOUNT_BANDS = ("0-1k", "1k-5k", "5k-20k", "20k-100k", "100k+")
CLAIM_STATUSES = ("open", "closed", "repudiated", "withdrawn")

CUSTOMER_KINDS = ("quote", "policy")
BASIS = {"customer": ("customer_kind", "policy_end"), "claim": ("closed_on",), "proven": ("decided_on",)}
"""By class what a filing may say of the day from which it is kept; the last of each is a date."""

LABELS = {
    "tlp": ("clear", "green", "amber", "amber_strict", "red"),
    "source": ("reliable", "untested", "not_reliable"),
    "information": ("A", "B", "C", "D", "E"),
    "code": ("P", "C"),
}
"""Handling labels of a record: the Traffic Light Protocol (amber_strict: TLP:AMBER+STRICT), and 3x5x2 grading."""

PURPOSES = ("new_business", "claim_validation", "investigation", "subject_access", "law_enforcement", "audit")

MAX_SUBJECTS = 50
MAX_REFERENCE_LENGTH = 64
MAX_LINE_BYTES = 64 * 1024
