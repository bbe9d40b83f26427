"""Taking filings in: some of one member's at once, in the caller's transaction, and found hits with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import orjson
from sqlalchemy import Connection

from matching.types import EncodedSubject
from matching.wire import unpack
from repository.domain.errors import FieldError
from repository.domain.filings import Filing, Outcome
from repository.domain.proofs import NEEDED, PROVEN
from repository.services import Services, crediting, outcomes, pool, reciprocity
from repository.services.crediting import Visible
from repository.services.hitmaking import Source, record_hits, rescore_screening_hits
from repository.services.pool import Sighting
from repository.storage import dialect, filings, index, proofs
from repository.storage.filings import Standing
from repository.storage.sealing import record_context


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
    capped_keys: int = 0


@dataclass(slots=True)
class Taken:
    """What became of the filings: plans in the order given, and the rows refused."""

    plans: list[Plan] = field(default_factory=list)
    refused: list[tuple[int, Filing, FieldError]] = field(default_factory=list)

    def counts(self) -> Counter[Outcome]:
        """How many filings there are of each outcome."""
        return Counter(plan.outcome for plan in self.plans)


def plan(
    services: Services,
    connection: Connection,
    source: Source,
    batch: Sequence[Numbered],
    met: Mapping[tuple[str, str], Standing] = MappingProxyType({}),
) -> Taken:
    """Decide for each filing whether it is new, changed, unchanged, or named twice in its batch. Writes nothing.

    `met` are filings, by (reference, class), that count as there though the pool does not have them so.
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
        planned = _plan_one(services, source, each, known.get(identity), proof_id)
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


def take_in(services: Services, connection: Connection, source: Source, batch: Sequence[Numbered]) -> Taken:
    """Store filings with their subjects, index rows and hits in the caller's transaction, a writing one."""
    dialect.lock_pool(connection)
    taken = plan(services, connection, source, batch)
    accepted = [each for each in taken.plans if each.outcome is not Outcome.UNCHANGED]
    new = {each.filing_id: each.numbered.filing for each in accepted if each.outcome is Outcome.CREATED}
    counted = crediting.counted(services, connection, source, new)
    _store_facts(connection, source, accepted, counted)
    if source.batch_id is not None:
        unchanged = [(p.filing_id, p.numbered.row) for p in taken.plans if p.outcome is Outcome.UNCHANGED]
        filings.note_batch(connection, source.batch_id, unchanged)
    matched = [each for each in accepted if each.matched]
    before = _take_out(services, connection, [p.filing_id for p in matched if p.outcome is Outcome.NEW_VERSION])
    seen, capped = _store_subjects(services, connection, source, matched, before) if matched else ([], Counter[str]())
    crediting.credit(services, connection, source, {each: new[each] for each in counted}, seen)
    changed = {each.filing_id: each.numbered.filing for each in accepted if each.filing_id not in new}
    crediting.revise(services, connection, source, changed, before)
    # Decided whether anything was seen or not: that a decision is there must not tell of a hit.
    told = crediting.visible(services, connection, source, seen) if matched else Visible()
    for each in matched:
        each.hits = told.hits[each.filing_id]
        each.capped_keys = capped[each.filing_id] if told.hot_keys else 0
    return taken


def _plan_one(
    services: Services, source: Source, each: Numbered, known: Standing | None, proof_id: str | None
) -> Plan | FieldError:
    if each.filing.facts.record_class == PROVEN and proof_id is None:
        return FieldError("class", NEEDED)
    match_digest, content_digest = _digests(services, source, each.filing, proof_id)
    if known is None:
        new_id = reciprocity.new_id(services, "fil")
        return Plan(each, Outcome.CREATED, new_id, 1, True, match_digest, content_digest, proof_id)
    if known.content_digest == content_digest:
        return Plan(each, Outcome.UNCHANGED, known.id, known.version, False, match_digest, content_digest)
    if source.batch_id is not None and known.last_batch_id == source.batch_id:
        expected = f"each reference once for a class in a batch; row {known.last_batch_row} has it with other content"
        return FieldError("ref", expected)
    matched = known.match_digest != match_digest
    version = known.version + 1
    return Plan(each, Outcome.NEW_VERSION, known.id, version, matched, match_digest, content_digest, proof_id)


def _digests(services: Services, source: Source, filing: Filing, proof_id: str | None) -> tuple[bytes, bytes]:
    """Over what matching uses, and over everything; bound to the identity of the filing, so that no two compare."""
    facts = filing.facts
    identity = orjson.dumps([source.member.id, facts.reference, facts.record_class])
    parts = [orjson.dumps([facts.schema_id, facts.fingerprint])]
    for each in filing.subjects:
        known = sorted(each.facts.items())
        parts += [
            orjson.dumps([each.kind, f"{each.mask:x}", each.observed, known, each.name]),
            each.keys,
            each.sketches,
        ]
    match_digest = services.sealer.digest(b"match" + identity, b"".join(parts))
    claim = None if facts.claim is None else facts.claim.as_dict()
    rest: list[Any] = [facts.line, facts.triggered_on, claim, [each.role for each in filing.subjects]]
    handling = {"labels": facts.labels.as_dict(), "proof": proof_id}
    if any(handling.values()):  # absent otherwise: filings from before there were any keep their digest
        rest.append(handling)
    return match_digest, services.sealer.digest(b"content" + identity, match_digest + orjson.dumps(rest))


def _store_facts(
    connection: Connection, source: Source, accepted: Sequence[Plan], counted: Mapping[str, int | None]
) -> None:
    """Store filings and their versions; those new ones that count as records come with a digest of their subjects."""
    created, changed, versions = [], [], []
    for each in accepted:
        facts = each.numbered.filing.facts
        shared = {
            "line": facts.line,
            "schema_id": facts.schema_id,
            "fingerprint": facts.fingerprint,
            "triggered_on": facts.triggered_on,
            "claim": None if facts.claim is None else facts.claim.as_dict(),
            **filings.label_values(facts.labels),
            "proof_id": each.proof_id,
            "version": each.version,
            "filed_at": source.now,
        }
        current = shared | {
            "match_digest": each.match_digest,
            "content_digest": each.content_digest,
            "last_batch_id": source.batch_id,
            "last_batch_row": each.numbered.row if source.batch_id else None,
        }
        if each.outcome is Outcome.CREATED:
            identity = {"member_id": source.member.id, "reference": facts.reference, "record_class": facts.record_class}
            credited = {
                "subjects_digest": counted.get(each.filing_id),
                "credited_line": facts.line if each.filing_id in counted else None,
            }
            created.append(current | identity | credited | {"id": each.filing_id, "created_at": source.now})
        else:
            changed.append(current | {"filing": each.filing_id})
        roles = [subject.role for subject in each.numbered.filing.subjects]
        told = {"filing_id": each.filing_id, "actor_id": source.actor_id, "batch_id": source.batch_id}
        versions.append(shared | told | {"roles": roles, "matched": each.matched})
        if not each.matched:
            filings.update_roles(connection, each.filing_id, roles)
    filings.insert_filings(connection, created)
    filings.update_filings(connection, changed)
    filings.insert_versions(connection, versions)


def _store_subjects(
    services: Services,
    connection: Connection,
    source: Source,
    matched: Sequence[Plan],
    before: Mapping[str, Sequence[EncodedSubject]],
) -> tuple[list[tuple[str, Sighting]], Counter[str]]:
    """Look the encodings up, store and index them, and record the hits; those `before`, by filing, were taken out.

    Returns what was seen, with the id of the filing each is of, and by filing the hot keys that were not looked up.
    """
    replaced = list(before)
    places = [(each, place) for each in matched for place in range(len(each.numbered.filing.subjects))]
    subjects = pool.rekeyed(services.sealer, [s for each in matched for s in each.numbered.filing.subjects])
    linked = pool.link(services, connection, source.member, subjects)
    record_ids = pool.record_ids(len(subjects), source.member)
    filings.insert_subjects(
        connection,
        [
            {
                "id": record_id,
                "filing_id": each.filing_id,
                "position": place,
                "kind": subject.kind,
                "role": subject.role,
                "envelope": pool.seal_subject(services.sealer, record_id, subject),
            }
            for record_id, (each, place), subject in zip(record_ids, places, subjects, strict=True)
        ],
    )
    keys = [subject.keys for subject in subjects]
    index.add(connection, services.sealer, record_ids, keys, without=linked.keys.full)
    pool.note_keys(services, connection, linked, source.now)
    added: Counter[str] = Counter(subject.kind for subject in subjects)
    added.subtract(subject.kind for of_filing in before.values() for subject in of_filing)
    index.count_subjects(connection, source.member.id, added)
    found = [(places[s.subject][0].filing_id, places[s.subject][1], s) for s in linked.sightings]
    record_hits(services, connection, source, found, linked, replaced=replaced)
    filed = {(each.filing_id, place): subject for (each, place), subject in zip(places, subjects, strict=True)}
    rescore_screening_hits(services, connection, source, filed, replaced=replaced)
    outcomes.follow(connection, source.member.id, replaced, today=source.now.date())
    capped: Counter[str] = Counter()
    for (each, _), skipped in zip(places, linked.capped, strict=True):
        capped[each.filing_id] += skipped
    return [(places[s.subject][0].filing_id, s) for s in linked.sightings], capped


def _take_out(
    services: Services, connection: Connection, filing_ids: Sequence[str]
) -> Mapping[str, Sequence[EncodedSubject]]:
    """Remove the subjects of filings and their index rows; the subjects by filing."""
    if not filing_ids:
        return {}
    taken: dict[str, list[EncodedSubject]] = {filing_id: [] for filing_id in filing_ids}
    record_ids, keys = [], []
    for record_id, filing_id, envelope in filings.take_out_subjects(connection, filing_ids):
        subject: EncodedSubject = unpack(services.sealer.unseal(record_context(record_id), envelope))
        taken[filing_id].append(subject)
        record_ids.append(record_id)
        keys.append(subject.keys)
    index.remove(connection, services.sealer, record_ids, keys)
    return taken
