"""Drafts to encoded filings: standardise, encode a whole chunk at once, write one NDJSON line each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Protocol

import orjson

from frankpledge import standardise
from frankpledge.drafts import Draft, Refused
from frankpledge.errors import KitError
from frankpledge.keys import LinkageKey
from frankpledge.parties import Party, PartyError, of_row
from frankpledge.questions import Asking
from frankpledge.rejects import Reject
from frankpledge.standardise import Note
from matching.schema import DEFAULT_SCHEMA, load_schema
from matching.types import EncodedSubject, Kind
from matching.vocabulary import MAX_LINE_BYTES
from matching.wire import subject_to_json

CHUNK_ROWS = 512
"""Rows that are encoded in one call."""

STANDARDISE: dict[Kind, Callable[[Mapping[str, str]], tuple[dict[str, str], list[Note]]]] = {
    "person": standardise.person,
    "vehicle": standardise.vehicle,
    "organisation": standardise.organisation,
}

Item = tuple[Kind, str, Mapping[str, str]]


class SubjectEncoder(Protocol):
    """What turns atoms into keys and sketches; `frankpledge.encode.Encoder` is one."""

    def subjects(self, items: Sequence[Item]) -> list[EncodedSubject | None]:
        """Encode (kind, role, atoms); None where there is too little to make a key."""


@dataclass(slots=True)
class Chunk:
    """What became of some drafts, in their order: lines of NDJSON, rejects, and counts."""

    lines: list[bytes] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    rows: int = 0
    rejected_rows: int = 0
    subjects: Counter[str] = field(default_factory=Counter)
    notes: Counter[tuple[str, str]] = field(default_factory=Counter)


class HasKey(Protocol):
    """A custodian of the scheme: see `frankpledge.custodian.client`."""

    @property
    def public(self) -> bytes:
        """Its public key."""
        ...

    def harden(self, blocks: Any) -> Any:
        """Other blocks in the place of some, by its key."""
        ...


class RecordEncoder:
    """Encodes records under one linkage key and one linkage schema. Safe to use from several threads."""

    def __init__(self, encoder: SubjectEncoder, *, schema_id: str, fingerprint: str) -> None:
        self._encoder = encoder
        self.schema_id = schema_id
        self.fingerprint = fingerprint

    @classmethod
    def for_key(
        cls,
        key: LinkageKey,
        schema_id: str = DEFAULT_SCHEMA,
        *,
        names_in_clear: bool = False,
        custodian: HasKey | None = None,
    ) -> RecordEncoder:
        """Make the encoder of a linkage key. Raises matching.schema.UnknownSchemaError.

        `names_in_clear` files the trading names of organisations, and theirs only, unencoded. Where the scheme has a
        `custodian`, it is asked for every value.
        """
        from frankpledge.custodian.binding import fingerprint  # noqa: PLC0415 - the same
        from frankpledge.encode import Encoder  # noqa: PLC0415 - numpy is slow to import

        harden = custodian.harden if custodian else None
        schema = load_schema(schema_id)
        encoder = Encoder(schema, key, organisation_names=names_in_clear, harden=harden)
        known_by = fingerprint(key, custodian.public if custodian else None)
        return cls(encoder, schema_id=schema.id, fingerprint=known_by)

    def parties(self, parties: Sequence[Party]) -> tuple[list[EncodedSubject | None], list[list[Note]]]:
        """Standardise and encode subjects; None where there is too little to match on. Notes say what was dropped."""
        items: list[Item] = []
        notes: list[list[Note]] = []
        for party in parties:
            atoms, remarks = STANDARDISE[party.kind](party.raw)
            items.append((party.kind, party.role, atoms))
            notes.append(remarks)
        return self._encoder.subjects(items), notes

    def subjects(self, record: Mapping[str, str], role: str | None = None) -> list[EncodedSubject]:
        """Encode the subjects of one flat record (canonical columns), to ask about them.

        Raises KitError when a role is wrong or missing, or when the record holds too little to match on.
        """
        try:
            parties = of_row({column: value for column, value in record.items() if value}, role)
        except PartyError as error:
            what = "The record" if error.column == "(row)" else f"The record's {error.column}"
            raise KitError(f"{what} {error.reason}.", "Correct the record.") from None
        subjects = [subject for subject in self.parties(parties)[0] if subject is not None]
        if not subjects:
            raise KitError(
                "The record holds too little to match on.",
                "Add a date of birth, a postcode, or an identifier such as a phone number.",
            )
        return subjects

    def asking(self, *, purpose: str, line: str, lawful_basis: str | None = None) -> Asking:
        """Say why questions are asked, under this encoder's key and schema."""
        return Asking(self.schema_id, self.fingerprint, purpose, line, lawful_basis)

    def filings(self, drafts: Sequence[Draft | Refused]) -> Chunk:
        """Encode a chunk of drafts, in order."""
        good = [draft for draft in drafts if isinstance(draft, Draft)]
        encoded, notes = self.parties([party for draft in good for party in draft.parties])
        chunk = Chunk(rows=sum(draft.rows for draft in drafts))
        chunk.notes.update((note.field, note.reason) for remarks in notes for note in remarks)
        subjects = iter(encoded)
        for draft in drafts:
            if isinstance(draft, Draft):
                self._file(chunk, draft, subjects)
            else:
                _refuse(chunk, draft.rows, draft.rejects)
        return chunk

    def _file(self, chunk: Chunk, draft: Draft, encoded: Iterator[EncodedSubject | None]) -> None:
        own = list(islice(encoded, len(draft.parties)))
        subjects = _distinct([subject for subject in own if subject is not None])
        if not subjects:
            reason = "holds too little to match on: no combination of its fields is complete and usable"
            _refuse(chunk, draft.rows, (Reject(draft.row, "subjects", reason),))
            return
        line = orjson.dumps(self._filing(draft, subjects)) + b"\n"
        if len(line) > MAX_LINE_BYTES:
            reason = f"make a filing of more than {MAX_LINE_BYTES // 1024} KiB: file them under several references"
            _refuse(chunk, draft.rows, (Reject(draft.row, "subjects", reason),))
            return
        for party, subject in zip(draft.parties, own, strict=True):
            if subject is None:
                chunk.notes[party.kind, "too little to match on"] += 1
        for each in subjects:
            chunk.subjects[each.kind] += 1
        chunk.lines.append(line)

    def _filing(self, draft: Draft, subjects: Sequence[EncodedSubject]) -> dict[str, object]:
        facts = draft.facts
        filing: dict[str, object] = {
            "schema": self.schema_id,
            "fingerprint": self.fingerprint,
            "ref": facts.ref,
            "class": facts.record_class,
            "line": facts.line,
            "date": facts.date,
        }
        if facts.claim is not None:
            filing["claim"] = facts.claim
        if facts.basis is not None:
            filing["basis"] = facts.basis
        if facts.labels is not None:
            filing["labels"] = facts.labels
        filing["subjects"] = [subject_to_json(subject) for subject in subjects]
        return filing


def _refuse(chunk: Chunk, rows: int, rejects: Sequence[Reject]) -> None:
    chunk.rejected_rows += rows
    chunk.rejects += rejects


def _distinct(subjects: Sequence[EncodedSubject]) -> list[EncodedSubject]:
    """Keep one of each: a vehicle that is named in every row of a claim is still one vehicle."""
    if len(subjects) == 1:
        return list(subjects)
    first: dict[tuple[str, str, int, bytes], EncodedSubject] = {}
    for subject in subjects:
        first.setdefault((subject.kind, subject.role, subject.mask, subject.keys), subject)
    return list(first.values())
