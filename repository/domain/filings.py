"""A filing as a member hands it in: its facts, checked; its subjects are the linkage's and pass through untouched."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from matching.types import EncodedSubject
from matching.vocabulary import (
    AMOUNT_BANDS,
    BASIS,
    CLAIM_KINDS,
    CLAIM_STATUSES,
    CUSTOMER_KINDS,
    LINES,
    MAX_REFERENCE_LENGTH,
    RECORD_CLASSES,
)
from repository.domain.errors import FieldError
from repository.domain.labels import UNLABELLED, Labels, labels_from_json
from repository.domain.rulebook import Rulebook

FIELDS = frozenset({"schema", "fingerprint", "ref", "class", "line", "date", "claim", "basis", "labels", "subjects"})
CLAIM_FIELDS = frozenset({"incident_date", "notification_date", "kind", "amount_band", "status"})
FRAUD_CLASSES = frozenset({"suspected", "proven"})
PROTECTED_CLASSES = frozenset({"victim", "protective"})
"""They slow a decision down; nothing ever counts or words them as adverse."""

EARLIEST = date(1900, 1, 1)
"""No day of a filing is before this one."""
LATEST_END_DAYS = 50 * 366
"""How far ahead the end of a policy may lie. One that has no end yet says none."""

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_FINGERPRINT = re.compile(r"[0-9a-f]{16}")


class Outcome(StrEnum):
    """What became of a filing that was accepted."""

    CREATED = "created"
    NEW_VERSION = "new_version"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Claim:
    """The facts of a claim; all from closed lists."""

    incident_date: date
    notification_date: date
    kind: str
    amount_band: str | None
    status: str

    def as_dict(self) -> dict[str, str]:
        """As JSON; an unknown amount band is absent."""
        facts = {
            "incident_date": self.incident_date.isoformat(),
            "notification_date": self.notification_date.isoformat(),
            "kind": self.kind,
            "status": self.status,
        }
        return facts if self.amount_band is None else {**facts, "amount_band": self.amount_band}


@dataclass(frozen=True, slots=True)
class StatedBasis:
    """What a filing says of the day from which it is kept: `on` is a policy's end, a claim's closure, or a decision."""

    customer_kind: str | None = None
    on: date | None = None

    def as_dict(self, record_class: str) -> dict[str, str]:
        """As JSON, for a class; what is not said is absent."""
        kind = {} if self.customer_kind is None else {"customer_kind": self.customer_kind}
        return kind if self.on is None else {**kind, BASIS[record_class][-1]: self.on.isoformat()}


UNSTATED = StatedBasis()


@dataclass(frozen=True, slots=True)
class FilingFacts:
    """What a filing says besides its subjects. (member, reference, record class) is the identity of a filing."""

    schema_id: str
    fingerprint: str
    reference: str
    record_class: str
    line: str
    triggered_on: date
    claim: Claim | None
    labels: Labels = UNLABELLED
    basis: StatedBasis = UNSTATED

    def goes_on(self, today: date) -> bool:
        """Whether it is of a claim that is open, or a customer of which no end is said that has passed."""
        if self.record_class == "customer":
            return self.basis.on is None or self.basis.on > today
        return self.claim is not None and self.claim.status == "open"


@dataclass(frozen=True, slots=True)
class Filing:
    """A filing ready to be stored: facts and 1 to 50 encoded subjects."""

    facts: FilingFacts
    subjects: tuple[EncodedSubject, ...]


@dataclass(frozen=True, slots=True)
class Accepts:
    """What the pool takes from one member today: its linkage keys by schema, and the lines of the membership."""

    fingerprints: Mapping[str, Iterable[str]]
    lines: frozenset[str]
    today: date
    rulebook: Rulebook


def facts_from_json(body: Mapping[str, object], accepts: Accepts) -> FilingFacts:
    """Check everything of a filing but its subjects. Raises FieldError, which never shows a value."""
    refuse_unknown(body, FIELDS)
    schema_id, fingerprint = encoding_from_json(body, accepts.fingerprints)
    record_class = one_of(body, "class", RECORD_CLASSES)
    line = one_of(body, "line", LINES)
    if line not in accepts.lines:
        raise FieldError("line", f"a line of the membership ({', '.join(sorted(accepts.lines)) or 'it has none'})")
    ahead = accepts.rulebook.filing.future_days.get(record_class, accepts.rulebook.filing.clock_skew_days)
    claim = _claim(body, record_class, accepts)
    return FilingFacts(
        schema_id=schema_id,
        fingerprint=fingerprint,
        reference=reference_from_json(body, "ref"),
        record_class=record_class,
        line=line,
        triggered_on=day(body, "date", latest=accepts.today + timedelta(days=ahead)),
        claim=claim,
        labels=labels_from_json(body.get("labels")),
        basis=_basis(body.get("basis"), record_class, claim, accepts),
    )


def encoding_from_json(body: Mapping[str, object], fingerprints: Mapping[str, Iterable[str]]) -> tuple[str, str]:
    """The schema and fingerprint of a record. Raises FieldError when this pool does not take records under them."""
    schema_id = body.get("schema")
    if not isinstance(schema_id, str) or schema_id not in fingerprints:
        known = ", ".join(sorted(fingerprints)) or "none yet"
        raise FieldError("schema", f"a linkage schema of which this pool accepts a linkage key ({known})")
    fingerprint = body.get("fingerprint")
    if not isinstance(fingerprint, str) or _FINGERPRINT.fullmatch(fingerprint) is None:
        raise FieldError("fingerprint", "the fingerprint of a linkage key, 16 hex digits in lower case")
    if fingerprint not in tuple(fingerprints[schema_id]):
        raise FieldError(
            "fingerprint", "the fingerprint of this pool's linkage key; the record was encoded under another key"
        )
    return schema_id, fingerprint


def reference_from_json(body: Mapping[str, object], name: str) -> str:
    """The member's own reference: 1 to 64 printable ASCII characters without spaces at the ends. Raises FieldError."""
    value = body.get(name)
    well_formed = isinstance(value, str) and 0 < len(value) <= MAX_REFERENCE_LENGTH
    if not isinstance(value, str) or not well_formed or not (value.isascii() and value.isprintable()):
        raise FieldError(name, f"1 to {MAX_REFERENCE_LENGTH} printable ASCII characters")
    if value != value.strip():
        raise FieldError(name, "no spaces at the start or the end")
    return value


def one_of(body: Mapping[str, object], name: str, words: Iterable[str], *, path: str | None = None) -> str:
    """A word of a closed list. Raises FieldError naming the list."""
    value = body.get(name)
    listed = tuple(words)
    if not isinstance(value, str) or value not in listed:
        raise FieldError(path or name, f"one of {', '.join(listed)}")
    return value


def day(body: Mapping[str, object], name: str, *, latest: date, path: str | None = None) -> date:
    """A calendar day as YYYY-MM-DD from 1900 to `latest`. Raises FieldError."""
    value = body.get(name)
    where = path or name
    if not isinstance(value, str) or _DATE.fullmatch(value) is None:
        raise FieldError(where, "a date as YYYY-MM-DD")
    try:
        parsed = date.fromisoformat(value)
    except ValueError:
        raise FieldError(where, "a date that exists, as YYYY-MM-DD") from None
    if parsed < EARLIEST:
        raise FieldError(where, f"a date from {EARLIEST.isoformat()} on")
    if parsed > latest:
        raise FieldError(where, f"a date not after {latest.isoformat()} (by the pool's clock)")
    return parsed


def refuse_unknown(body: Mapping[str, object], known: frozenset[str], *, prefix: str = "") -> None:
    """Raises FieldError when there are fields that nobody reads; their names are not repeated, they may hold data."""
    if not body.keys() <= known:
        raise FieldError(prefix or "(record)", f"no other fields than {', '.join(sorted(known))}")


def _claim(body: Mapping[str, object], record_class: str, accepts: Accepts) -> Claim | None:
    raw = body.get("claim")
    if record_class != "claim":
        if raw is not None:
            raise FieldError("claim", f"nothing, as the class is {record_class}")
        return None
    if not isinstance(raw, dict):
        raise FieldError("claim", "the facts of the claim, as the class is claim")
    refuse_unknown(raw, CLAIM_FIELDS, prefix="claim")
    latest = accepts.today + timedelta(days=accepts.rulebook.filing.clock_skew_days)
    claim = Claim(
        incident_date=day(raw, "incident_date", latest=latest, path="claim.incident_date"),
        notification_date=day(raw, "notification_date", latest=latest, path="claim.notification_date"),
        kind=one_of(raw, "kind", CLAIM_KINDS, path="claim.kind"),
        amount_band=None
        if raw.get("amount_band") is None
        else one_of(raw, "amount_band", AMOUNT_BANDS, path="claim.amount_band"),
        status=one_of(raw, "status", CLAIM_STATUSES, path="claim.status"),
    )
    if claim.notification_date < claim.incident_date:
        raise FieldError("claim.notification_date", "a date not before claim.incident_date")
    return claim


def _basis(raw: object, record_class: str, claim: Claim | None, accepts: Accepts) -> StatedBasis:
    if raw is None or raw == {}:
        return UNSTATED
    names = BASIS.get(record_class)
    if names is None:
        raise FieldError("basis", f"nothing, as the class is {record_class}")
    if not isinstance(raw, dict):
        raise FieldError("basis", f"an object of {', '.join(names)}")
    refuse_unknown(raw, frozenset(names), prefix="basis")
    if record_class == "customer":
        return _customer_basis(raw, accepts)
    if raw.get(names[-1]) is None:
        return UNSTATED
    where = f"basis.{names[-1]}"
    if claim is not None and claim.status == "open":
        raise FieldError(where, "nothing, as claim.status is open")
    latest = accepts.today + timedelta(days=accepts.rulebook.filing.clock_skew_days)
    on = day(raw, names[-1], latest=latest, path=where)
    if claim is not None and on < claim.notification_date:
        raise FieldError(where, "a date not before claim.notification_date")
    return StatedBasis(on=on)


def _customer_basis(raw: Mapping[str, object], accepts: Accepts) -> StatedBasis:
    kind = raw.get("customer_kind")
    if kind is not None:
        kind = one_of(raw, "customer_kind", CUSTOMER_KINDS, path="basis.customer_kind")
    if raw.get("policy_end") is None:
        return StatedBasis(kind)
    if kind == "quote":
        raise FieldError("basis.policy_end", "nothing, as basis.customer_kind is quote")
    latest = accepts.today + timedelta(days=LATEST_END_DAYS)
    return StatedBasis("policy", day(raw, "policy_end", latest=latest, path="basis.policy_end"))
