"""What is to be done with filings: which are new, changed, the same as before, or named twice. Writes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import Any

import orjson
from sqlalchemy import Connection

from matching.types import EncodedSubject
from matching.wire import halves
from repository.domain.errors import FieldError
from repository.domain.filings import Filing, Outcome
from repository.domain.proofs import NEEDED, PROVEN
from repository.services import Services, reciprocity
from repository.services.hitmaking import Source
from repository.storage import filings, proofs
from repository.storage.filings import Standing
from repository.storage.index import Candidates
from repository.storage.sealing import Integers, Sealer


@dataclass(frozen=True, slots=True)
class Numbered:
    """A filing and its row in the batch, from 1; row 0 for a single filing."""

    row: int
    filing: Filing


@dataclass(slots=True)
class Plan:
    """What is to be done with one filing. `matched`: its encodings are new, so it is indexed and checked."""

    numbered: Numbered
    outcome: Outcome
    filing_id: str
    version: int
    matched: bool
    match_digest: bytes
    content_digest: bytes
    proof_id: str | None = None
    hits: int = 0
    capped_keys: int | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """What a chunk wrote: the keys of its index rows, and which keys it noted as hot or not any more."""

    keys: Integers
    noted: frozenset[int]

    @classmethod
    def of(cls, keys: Integers, found: Candidates) -> Written:
        """Of the keys of index rows, and what was found before."""
        return cls(keys, frozenset(found.crowded) | frozenset(found.cooled))


@dataclass(slots=True)
class Taken:
    """What became of the filings: plans in the order given, and the rows refused."""

    plans: list[Plan] = field(default_factory=list)
    refused: list[tuple[int, Filing, FieldError]] = field(default_factory=list)
    as_new: dict[int, Plan] = field(default_factory=dict)
    """For each row the plan that it would have if nobody had filed it before."""
    foreseen: bool = False
    """Whether what was foreseen of them held."""
    written: tuple[int, Written] | None = None
    """Which write to the pool it was, and what it wrote to the index."""

    def counts(self) -> Counter[Outcome]:
        """How many filings there are of each outcome."""
        return Counter(plan.outcome for plan in self.plans)


def plan(
    services: Services,
    connection: Connection,
    source: Source,
    batch: Sequence[Numbered],
    met: Mapping[tuple[str, str], Standing] = MappingProxyType({}),
    *,
    foreseen: Mapping[int, Plan] = MappingProxyType({}),
) -> Taken:
    """Decide for each filing whether it is new, changed, unchanged, or named twice in its batch. Writes nothing.

    `met` are filings, by (reference, class), that count as there though the pool does not have them so. `foreseen` is
    what an earlier plan of the same filings had as `as_new`.
    """
    references = [each.filing.facts.reference for each in batch]
    proven = [each.filing.facts.reference for each in batch if each.filing.facts.record_class == PROVEN]
    proved = proofs.approved(connection, source.member.id, proven)
    known = filings.by_reference(connection, source.member.id, references) | dict(met)
    taken = Taken()
    for each in batch:
        facts = each.filing.facts
        identity = (facts.reference, facts.record_class)
        proof_id = proved.get(facts.reference) if facts.record_class == PROVEN else None
        new = foreseen.get(each.row)
        if new is None or new.proof_id != proof_id:
            match_digest, content_digest = _digests(services, source, each.filing, proof_id)
            new = Plan(each, Outcome.CREATED, "", 1, True, match_digest, content_digest, proof_id)
        taken.as_new[each.row] = new
        planned = _plan_one(services, source, new, known.get(identity))
        if isinstance(planned, FieldError):
            taken.refused.append((each.row, each.filing, planned))
            continue
        taken.plans.append(planned)
        known[identity] = Standing(
            planned.filing_id,
            planned.version,
            planned.match_digest,
            planned.content_digest,
            source.batch_id,
            each.row,
        )
    return taken


def _plan_one(services: Services, source: Source, new: Plan, known: Standing | None) -> Plan | FieldError:
    each, proof_id = new.numbered, new.proof_id
    if each.filing.facts.record_class == PROVEN and proof_id is None:
        return FieldError("class", NEEDED)
    if known is None:
        new.filing_id = new.filing_id or reciprocity.new_id(services, "fil")
        return new
    match_digest, content_digest = new.match_digest, new.content_digest
    if known.content_digest == content_digest:
        return Plan(each, Outcome.UNCHANGED, known.id, known.version, False, match_digest, content_digest)
    if source.batch_id is not None and known.last_batch_id == source.batch_id:
        expected = f"each reference once for a class in a batch; row {known.last_batch_row} has it with other content"
        return FieldError("ref", expected)
    matched = known.match_digest != match_digest
    version = known.version + 1
    return Plan(each, Outcome.NEW_VERSION, known.id, version, matched, match_digest, content_digest, proof_id)


def _digests(services: Services, source: Source, filing: Filing, proof_id: str | None) -> tuple[bytes, bytes]:
    facts = filing.facts
    claim = None if facts.claim is None else facts.claim.as_dict()
    basis = facts.basis.as_dict(facts.record_class)
    said = Said(facts.line, facts.triggered_on, claim, facts.labels.as_dict(), proof_id, basis)
    identity = (source.member.id, facts.reference, facts.record_class)
    key = (facts.schema_id, facts.fingerprint)
    roles = [each.role for each in filing.subjects]
    return digests(services.sealer, identity, match_parts(key, filing.subjects), said_parts(said, roles))


@dataclass(frozen=True, slots=True)
class Said:
    """What a filing says that matching does not use."""

    line: str
    triggered_on: date
    claim: Mapping[str, Any] | None
    labels: Mapping[str, Any]
    proof_id: str | None
    basis: Mapping[str, str] = field(default_factory=dict)


def digests(sealer: Sealer, identity: tuple[str, str, str], matched: bytes, said: bytes) -> tuple[bytes, bytes]:
    """Over what matching uses, and over everything; bound to (member, reference, class), so that no two compare.

    Of what the pool stores of a filing the same digests can be made again under another secret.
    """
    bound = orjson.dumps(identity)
    match_digest = sealer.digest(b"match" + bound, matched)
    return match_digest, sealer.digest(b"content" + bound, match_digest + said)


def match_parts(key: tuple[str, str], subjects: Sequence[EncodedSubject]) -> bytes:
    """What matching uses of a filing under a schema and linkage key (by fingerprint). Of keys the halves that count."""
    parts = [orjson.dumps(key)]
    for each in subjects:
        known = sorted(each.facts.items())
        parts += [
            orjson.dumps([each.kind, f"{each.mask:x}", each.observed, known, each.name]),
            halves(each.keys),
            each.sketches,
        ]
    return b"".join(parts)


def said_parts(said: Said, roles: Sequence[str]) -> bytes:
    """The rest of a filing."""
    rest: list[Any] = [said.line, said.triggered_on, said.claim, roles]
    handling = {"labels": said.labels, "proof": said.proof_id}
    if any(handling.values()):  # absent otherwise: filings from before there were any keep their digest
        rest.append(handling)
    if said.basis:  # the same
        rest.append({"basis": dict(said.basis)})
    return orjson.dumps(rest)
