"""The pool's answers as typed values. `document` is the whole answer as it came."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from matching.schema import DEFAULT_SCHEMA

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Scheme:
    """What the pool takes: its linkage schema, fingerprints by schema, purposes, lines.

    `ahead` is server minus local clock; a pool from before there was a choice of schemas does not say which it has.
    """

    name: str
    schema: str
    fingerprints: Mapping[str, tuple[str, ...]]
    purposes: tuple[str, ...]
    lines: tuple[str, ...]
    ahead: dt.timedelta

    @property
    def keys(self) -> tuple[str, ...]:
        """The fingerprints of the linkage keys whose records the pool takes, oldest first."""
        return self.fingerprints.get(self.schema, ())

    @classmethod
    def parse(cls, document: Document, now: dt.datetime) -> Scheme:
        """Read the answer of GET /v1/scheme, received at `now` (aware). Raises KeyError, TypeError or ValueError."""
        return cls(
            name=document["name"],
            schema=str(document.get("schema", DEFAULT_SCHEMA)),
            fingerprints={schema["id"]: tuple(schema["fingerprints"]) for schema in document["schemas"]},
            purposes=tuple(document["purposes"]),
            lines=tuple(document["lines"]),
            ahead=dt.datetime.fromisoformat(document["time"]) - now,
        )


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one filing: `result` is created, new_version or unchanged; `hits` how many it made."""

    id: str
    reference: str
    version: int
    result: str
    hits: int

    @classmethod
    def parse(cls, document: Document) -> Receipt:
        """Read the answer of POST /v1/filings. Raises KeyError."""
        return cls(document["id"], document["reference"], document["version"], document["result"], document["hits"])


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload in pieces: `offset` bytes of it are there. `batch` is the id of what it became when it was whole."""

    id: str
    length: int
    offset: int
    batch: str | None

    @classmethod
    def parse(cls, document: Document) -> Upload:
        """Read the answer of /v1/uploads. Raises KeyError."""
        return cls(document["id"], document["length"], document["offset"], document["batch"])


@dataclass(frozen=True, slots=True)
class Proof:
    """What a case stands on that is filed as proven: `state` is entered, approved or withdrawn."""

    id: str
    reference: str
    case_type: str
    state: str
    filings: int
    document: Document = field(repr=False, compare=False)

    @classmethod
    def parse(cls, document: Document) -> Proof:
        """Read a proof. Raises KeyError."""
        return cls(
            id=document["id"],
            reference=document["reference"],
            case_type=document["case_type"],
            state=document["state"],
            filings=document["filings"],
            document=document,
        )


@dataclass(frozen=True, slots=True)
class Deletion:
    """The proof that an own filing is gone: why, since which day, and a commitment to what it said."""

    id: str
    filing: str
    cause: str
    removed_on: str
    commitment: str
    document: Document = field(repr=False, compare=False)

    @classmethod
    def parse(cls, document: Document) -> Deletion:
        """Read a deletion proof. Raises KeyError."""
        return cls(
            id=document["id"],
            filing=document["filing"],
            cause=document["cause"],
            removed_on=document["removed_on"],
            commitment=document["commitment"],
            document=document,
        )


@dataclass(frozen=True, slots=True)
class Expiring:
    """An own filing whose time is over on `expires_on`, unless it is held for longer."""

    filing: str
    reference: str
    record_class: str
    expires_on: str
    held_until: str | None
    document: Document = field(repr=False, compare=False)

    @classmethod
    def parse(cls, document: Document) -> Expiring:
        """Read an entry of GET /v1/retention/expiring. Raises KeyError."""
        return cls(
            filing=document["filing"],
            reference=document["reference"],
            record_class=document["class"],
            expires_on=document["expires_on"],
            held_until=document["held_until"],
            document=document,
        )


@dataclass(frozen=True, slots=True)
class Recipient:
    """The public key of a member; `own` where it is one's own."""

    member: str
    name: str
    recipient: str
    own: bool

    @classmethod
    def parse(cls, document: Document, own: str) -> Recipient:
        """Read an entry of GET /v1/keys/recipients; `own` is one's own member's id. Raises KeyError."""
        return cls(document["member"], document["name"], document["recipient"], document["member"] == own)


@dataclass(frozen=True, slots=True)
class KeyOffer:
    """A linkage key offered by `name`, if it was received, or to it; `sealed` in base64 where it may be opened."""

    id: str
    received: bool
    member: str
    name: str
    fingerprint: str
    epoch: int
    expires_at: str
    accepted_at: str | None
    sealed: str | None = field(default=None, repr=False)

    @classmethod
    def parse(cls, document: Document) -> KeyOffer:
        """Read an offer. Raises KeyError."""
        names = ("id", "received", "member", "name", "fingerprint", "epoch", "expires_at", "accepted_at")
        return cls(**{name: document[name] for name in names}, sealed=document.get("sealed"))


@dataclass(frozen=True, slots=True)
class Epoch:
    """A linkage key that the scheme accepts or accepted, and how many own filings are under it."""

    schema: str
    fingerprint: str
    epoch: int | None
    accepted: bool
    until: str | None
    filings: int

    @classmethod
    def parse(cls, document: Document) -> Epoch:
        """Read an entry of GET /v1/keys/epochs. Raises KeyError."""
        names = ("schema", "fingerprint", "epoch", "accepted", "until", "filings")
        return cls(*(document[name] for name in names))


@dataclass(frozen=True, slots=True)
class RowError:
    """Why a row of a batch was not taken: its number in the batch from 1, reference, field and what was expected."""

    row: int
    ref: str | None
    field: str
    expected: str


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch and how far its job has come. `rows` counts read, created, new_version, unchanged and rejected."""

    id: str
    status: str
    dry_run: bool
    created_at: str
    bytes_total: int
    bytes_done: int
    rows: Mapping[str, int]
    hits: int
    capped_keys: int
    failure: tuple[str, str] | None
    errors: tuple[RowError, ...]
    next_cursor: str | None
    document: Document = field(repr=False, compare=False)

    @property
    def finished(self) -> bool:
        """Whether the job is over, well or not."""
        return self.status in ("done", "failed", "cancelled")

    @property
    def position(self) -> int:
        """How far it is."""
        return self.bytes_done

    @classmethod
    def parse(cls, document: Document) -> Batch:
        """Read a batch. Raises KeyError or TypeError."""
        failure = document.get("failure")
        return cls(
            id=document["id"],
            status=document["status"],
            dry_run=document["dry_run"],
            created_at=document["created_at"],
            bytes_total=document["bytes_total"],
            bytes_done=document["bytes_done"],
            rows=document["rows"],
            hits=document["hits"],
            capped_keys=document.get("capped_keys", 0),
            failure=(failure["field"], failure["expected"]) if failure else None,
            errors=tuple(
                RowError(entry["row"], entry.get("ref"), entry["field"], entry["expected"])
                for entry in document.get("errors", ())
            ),
            next_cursor=document.get("next_cursor"),
            document=document,
        )


@dataclass(frozen=True, slots=True)
class Rescreen:
    """The own filings being looked for in the pool again, and how far that is. `error` is a code of the pool's."""

    id: str
    status: str
    filings_total: int
    filings_done: int
    hits: int
    error: str | None
    document: Document = field(repr=False, compare=False)

    @property
    def finished(self) -> bool:
        """Whether it is over, well or not."""
        return self.status in ("done", "failed", "cancelled")

    @property
    def position(self) -> int:
        """How far it is."""
        return self.filings_done

    @classmethod
    def parse(cls, document: Document) -> Rescreen:
        """Read a rescreen. Raises KeyError."""
        return cls(
            id=document["id"],
            status=document["status"],
            filings_total=document["filings_total"],
            filings_done=document["filings_done"],
            hits=document["hits"],
            error=document["error"],
            document=document,
        )


@dataclass(frozen=True, slots=True)
class Hit:
    """A hit as far as the tier allows: what it does not allow is None or empty. `weight` is in bits."""

    id: str
    band: str
    tier: int
    record_class: str | None
    probability: float | None
    weight: float | None
    contributor: str | None
    own: Document
    theirs: Document
    explanation: tuple[tuple[str, str, float], ...]
    labels: Mapping[str, str]
    document: Document = field(repr=False, compare=False)

    @property
    def protected(self) -> bool:
        """Whether it is a victim's or protective entry: a reason for care, never one against the person."""
        return self.document.get("attention") == "protect"

    @classmethod
    def parse(cls, document: Document) -> Hit:
        """Read a hit. Raises KeyError or TypeError."""
        return cls(
            id=document["id"],
            band=document["band"],
            tier=document["tier"],
            record_class=document.get("class"),
            probability=document.get("probability"),
            weight=document.get("weight"),
            contributor=document.get("contributor"),
            own=document.get("own") or {},
            theirs=document.get("theirs") or {},
            explanation=tuple((row["field"], row["level"], row["weight"]) for row in document.get("explanation") or ()),
            labels=document.get("labels") or {},
            document=document,
        )


@dataclass(frozen=True, slots=True)
class Screening:
    """The answer to a question: `answer` is clear or enquire, never a verdict.

    `capped_keys` are keys that were not looked up; None where that is not told.
    """

    id: str
    answer: str
    hits: tuple[Hit, ...]
    capped_keys: int | None
    document: Document = field(repr=False, compare=False)

    @property
    def clear(self) -> bool:
        """Whether nothing asks for a closer look."""
        return self.answer == "clear"

    @classmethod
    def parse(cls, document: Document) -> Screening:
        """Read a screening. Raises KeyError or TypeError."""
        hits = tuple(Hit.parse(hit) for hit in document["hits"])
        return cls(document["id"], document["answer"], hits, document["capped_keys"], document)
