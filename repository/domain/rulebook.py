"""The numbers of the scheme's rules: data, read from a rulebook file that every decision names by its hash.

Each class is a table of the file, each attribute an entry of it; repository/rulebooks/default.toml says what they mean.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from matching.types import Band
from repository.domain.calendar import Calendar
from repository.domain.retention import RetentionRules

NO_TIER, HIT_TIER, CLASS_TIER, POINTER_TIER, DETAIL_TIER = range(5)
"""R2: nothing; hit or no hit; class, count and age band; the contributor and the record's facts; the detail."""


class Level(StrEnum):
    """What a member contributes in one line, from least to most; R2 reads its tiers from it."""

    NOTHING = "nothing"
    MARKS = "marks"
    CUSTOMERS = "customers"
    CLAIMS = "claims"
    FULL = "full"


class SubscriberClass(StrEnum):
    """R7: who never contributes, and asks under a grant."""

    LAW_ENFORCEMENT = "law_enforcement"
    REGULATOR = "regulator"
    OMBUDSMAN = "ombudsman"
    AUDITOR = "auditor"
    TRIAL = "trial"


@dataclass(frozen=True, slots=True)
class Window:
    """R2 and R3: for how long contributions count."""

    days: int
    accepted_to_ask: int


@dataclass(frozen=True, slots=True)
class LevelRules:
    """R2: when a class counts as contributed, and what that gives."""

    at_par: int
    highest: int
    counts_from: float
    counts_tolerance: float
    counted_over: int
    counted_days: int
    met_from: int
    seen_days: int
    keys_needed: int
    same_subject_counts: int


@dataclass(frozen=True, slots=True)
class StandingRules:
    """R3, R4, R8: the targets of standing."""

    completeness_target: float
    timeliness_target: float
    timely_days: int
    accuracy_target: float
    duty_target: float
    answer_days: int
    duty_band: Band
    request_working_days: int
    tolerance: float
    spared: float
    corroboration_from: int
    corroboration_expected: float
    corroboration_share: float
    corroboration_peers: int


@dataclass(frozen=True, slots=True)
class LadderRules:
    """R6: days below target from which each step holds, and the highest tier of a restricted member."""

    warned: int
    plan: int
    restricted: int
    suspended: int
    restricted_tier: int


@dataclass(frozen=True, slots=True)
class RampRules:
    """R5: how a new member starts."""

    clean_days: int
    covenant_months: int


@dataclass(frozen=True, slots=True)
class MembershipRules:
    """R1 and R9: how long an attestation holds, and the clocks of applications and appeals."""

    attestation_days: int
    application_working_days: int
    appeal_working_days: int


@dataclass(frozen=True, slots=True)
class QuotaRules:
    """R10: how much may be asked."""

    floor_per_day: int
    per_accepted: float
    burst_per_minute: int
    subjects_per_reference: int
    reference_days: int


@dataclass(frozen=True, slots=True)
class ClosedPurpose:
    """A purpose under which a class is not seen in a line."""

    line: str
    record_class: str
    purpose: str


@dataclass(frozen=True, slots=True)
class PurposeRules:
    """Which purposes contributing members have, and where one is closed."""

    closed: tuple[ClosedPurpose, ...]
    own: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SubscriberRules:
    """R7: the most that a grant to one class of subscriber gives."""

    tier: int
    purposes: tuple[str, ...]
    classes: tuple[str, ...]
    quota_per_day: int
    grant_days: int


@dataclass(frozen=True, slots=True)
class HandlingRules:
    """The highest tier at which a record is seen, by each label it may carry."""

    tlp: Mapping[str, int]
    source: Mapping[str, int]
    information: Mapping[str, int]
    code: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class DisclosureRules:
    """How an answer is told. `age_bands` are (upper limit in days, exclusive; label)."""

    enquire_from: Band
    suppress_below: int
    age_bands: tuple[tuple[int, str], ...]
    oldest_age_band: str
    hits_per_subject: int


@dataclass(frozen=True, slots=True)
class ProofRules:
    """What a filing of class proven may be about, and what became of the product."""

    case_types: tuple[str, ...]
    product_actions: tuple[str, ...]
    exceptions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FilingRules:
    """How far ahead of today dates may lie; `future_days` for trigger dates, by class."""

    clock_skew_days: int
    future_days: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class ScreeningRules:
    """How long a screening is kept."""

    keep_days: int


@dataclass(frozen=True, slots=True)
class ExchangeRules:
    """Tier 4: what may be asked of a contributor and by which legal powers, and how long what was asked is kept."""

    items: tuple[str, ...]
    legal_powers: tuple[str, ...]
    most_open: int
    sealed_days: int
    keep_days: int


@dataclass(frozen=True, slots=True)
class SubjectAccessRules:
    """What a person asks through a member: how sure a match is, the clocks, and what is told of others."""

    band: Band
    answer_months: int
    contributor_working_days: int
    deferral_days: int
    report_days: int
    keep_days: int
    per_day: int
    second_person: bool
    name_members: bool
    untold_purposes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AccuracyRules:
    """By how many members a filing of which classes is refuted, and how long its contributor may contest that."""

    refuted_by: int
    contest_days: int
    refuted_classes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DisputeRules:
    """How a dispute goes on, how far a flagged record is shown meanwhile, and by when a correction is acknowledged."""

    answer_days: int
    disputed_tier: int
    restricted_tier: int
    notice_words: int
    acknowledge_working_days: int


@dataclass(frozen=True, slots=True)
class CaseworkRules:
    """By when a member's case is to be closed, for how long it may be put off, and how short evidence may not be."""

    due_days: int
    snooze_days: int
    evidence_characters: int


@dataclass(frozen=True, slots=True)
class MonitoringRules:
    """For how many days a screening may stand, unless said and at most, and who is told of it.

    `hits_per_watch` bounds what later filings add to one. `told_purposes`: those of which a contributor is told that
    somebody asked about a record of its.
    """

    quote_days: int
    quote_most_days: int
    policy_days: int
    policy_most_days: int
    hits_per_watch: int
    told_purposes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MatchingRules:
    """What bounds the work of a look-up."""

    hot_key_rows: int
    hot_key_hours: int
    candidates_per_subject: int


@dataclass(frozen=True, slots=True)
class PatternRules:
    """From how many incidents and people on a pattern fires; the bits it adds then, for each more, and at most."""

    incidents: int
    people: int
    bits: float
    each: float
    most: float


@dataclass(frozen=True, slots=True)
class NetworkRules:
    """What links claims into networks, what bounds these, and from how many bits on one is reported.

    `repairing` and `advising` are roles of providers; `local`: their share of the pool's claims counts so many times,
    as most customers of a firm are its neighbours. `recycled`: people of a staged ring who change sides, at least.
    """

    classes: Sequence[str]
    bits: Mapping[str, float]
    floor_bits: float
    most_claims: int
    links_per_subject: int
    raise_at: float
    burst_days: int
    local: float
    recycled: int
    repairing: Sequence[str]
    advising: Sequence[str]
    patterns: Mapping[str, PatternRules]


@dataclass(frozen=True, slots=True)
class Rulebook:
    """Every number the service applies. `digest` is the SHA-256 of the file, in hex; `tiers` R2's table."""

    version: str
    title: str
    digest: str
    window: Window
    tiers: Mapping[Level, Mapping[str, int]]
    level: LevelRules
    standing: StandingRules
    ladder: LadderRules
    ramp: RampRules
    membership: MembershipRules
    quota: QuotaRules
    purposes: PurposeRules
    subscribers: Mapping[SubscriberClass, SubscriberRules]
    handling: HandlingRules
    disclosure: DisclosureRules
    proof: ProofRules
    filing: FilingRules
    screening: ScreeningRules
    calendar: Calendar
    exchange: ExchangeRules
    disputes: DisputeRules
    accuracy: AccuracyRules
    subject_access: SubjectAccessRules
    casework: CaseworkRules
    monitoring: MonitoringRules
    retention: Mapping[str, RetentionRules]
    matching: MatchingRules
    networks: NetworkRules
