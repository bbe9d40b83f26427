"""Screening: one or many subjects looked for in the pool of the others, under a purpose, and answered by tier."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, NoReturn

from sqlalchemy import Connection

from matching.types import EncodedSubject
from matching.wire import pack
from repository import metrics
from repository.domain import disclosure, hits, screening
from repository.domain.events import Event, EventKind
from repository.domain.filings import refuse_unknown
from repository.domain.hits import Hit, Own, Theirs
from repository.domain.members import Actor, Member
from repository.domain.reciprocity import (
    CLASS_TIER,
    HIT_TIER,
    NO_TIER,
    Decision,
    Entitlement,
    Inputs,
    entitlement,
    may_ask,
)
from repository.domain.rulebook import Rulebook
from repository.domain.screening import Purpose, Question, purpose_from_json
from repository.services import Services, outcomes, pool, reciprocity
from repository.services.encodings import encoding
from repository.services.hitmaking import Source, record_screening_hits
from repository.services.pool import Linked, Sighting
from repository.services.reciprocity import RefusedError
from repository.storage import events, filings, screenings
from repository.storage.filings import Candidate
from repository.storage.operator import accepted_fingerprints
from repository.storage.sealing import named_context

ACTION = "screening"


ONE_FIELDS = frozenset({"schema", "fingerprint", "purpose", "lawful_basis", "line", "reference", "subject"})
BULK_FIELDS = frozenset({"schema", "fingerprint", "purpose", "lawful_basis", "line", "screenings"})


@dataclass(frozen=True, slots=True)
class Asking:
    """Why is asked, and under which linkage key the subjects are encoded."""

    purpose: Purpose
    fingerprint: str


@dataclass(frozen=True, slots=True)
class _Asked:
    """One question, its subject re-keyed and as it will be sealed, and what the pool gave for it, best first."""

    question: Question
    subject: EncodedSubject
    packed: bytes
    sightings: Sequence[Sighting]
    capped: int
    pool_size: int


@dataclass(frozen=True, slots=True)
class _Answered:
    """One question with its answer as JSON, and the hits to keep, each with the tier it was shown at."""

    screening_id: str
    asked: _Asked
    body: dict[str, Any]
    kept: Sequence[tuple[str, str, int, Sighting]]


def asking(services: Services, body: Mapping[str, object], known: frozenset[str]) -> Asking:
    """What a request says besides its questions; `known` are the fields it may have. Raises FieldError."""
    refuse_unknown(body, known)
    with services.database.read() as session:
        fingerprints = accepted_fingerprints(session)
    return Asking(purpose_from_json(body), encoding(body, services.schema, fingerprints))


def screen(
    services: Services, actor: Actor, member: Member, request: Asking, questions: Sequence[Question]
) -> list[dict[str, Any]]:
    """Answer every question, in order. Raises RefusedError, before anything is matched, when R1 or R2 denies it."""
    subjects = pool.rekeyed(services.sealer, [each.subject for each in questions])
    packed = [pack(each) for each in subjects]
    distinct = {each: place for place, each in enumerate(packed)}
    with services.database.reading() as connection:
        inputs = reciprocity.inputs(services, connection, member)
        decision = may_ask(inputs, request.purpose.line, services.rulebook)
        looked_for = [subjects[place] for place in distinct.values()]
        linked = pool.link(services, connection, member, looked_for) if decision.allowed else None
    if linked is None:
        _refuse(services, actor, inputs, decision)
    asked = _asked(questions, subjects, packed, linked)
    answered = _answers(services, inputs, request.purpose.line, asked)
    with services.database.writing() as connection:
        standing = _standing(connection, asked)
        if standing is not asked:
            answered = _answers(services, inputs, request.purpose.line, standing)
        decision_id = reciprocity.remember(services, connection, decision, inputs, actor=actor, action=ACTION)
        source = Source(member, actor.id, None, inputs.now)
        screenings.add(connection, [_row(services, source, request, each, decision_id) for each in answered])
        record_screening_hits(services, connection, source, [kept for each in answered for kept in each.kept], linked)
        told = [hit for each in answered for hit in each.body["hits"]]
        outcomes.add_own(services, connection, member.id, told, now=inputs.now)
        pool.note_keys(services, connection, linked, inputs.now)
        _tell(services, connection, source, EventKind.SCREENING_ANSWERED, decision_id=decision_id, answered=answered)
    for each in answered:
        metrics.SCREENINGS.labels(answer=each.body["answer"]).inc()
    return [each.body for each in answered]


def _asked(
    questions: Sequence[Question], subjects: Sequence[EncodedSubject], packed: Sequence[bytes], linked: Linked
) -> list[_Asked]:
    """Questions with what was found for them; what is the same in several was looked for once."""
    places = {each: place for place, each in enumerate(dict.fromkeys(packed))}
    seen = linked.by_subject()
    asked = []
    for question, subject, content in zip(questions, subjects, packed, strict=True):
        place, pool_size = places[content], linked.pool_sizes.get(subject.kind, 0)
        asked.append(_Asked(question, subject, content, seen[place], linked.capped[place], pool_size))
    return asked


def _standing(connection: Connection, asked: list[_Asked]) -> list[_Asked]:
    """The same without what was seen of filings that have changed since: their encoding is no longer there."""
    seen = [sighting.candidate for each in asked for sighting in each.sightings]
    versions = filings.versions(connection, {each.filing_id for each in seen})
    if all(versions[each.filing_id] == each.version for each in seen):
        return asked
    return [
        replace(
            each,
            sightings=[s for s in each.sightings if versions[s.candidate.filing_id] == s.candidate.version],
        )
        for each in asked
    ]


def _refuse(services: Services, actor: Actor, inputs: Inputs, decision: Decision) -> NoReturn:
    metrics.SCREENINGS.labels(answer="refused").inc()
    with services.database.write() as session:
        connection = session.connection()
        decision_id = reciprocity.remember(services, connection, decision, inputs, actor=actor, action=ACTION)
        source = Source(inputs.member, actor.id, None, inputs.now)
        _tell(services, connection, source, EventKind.SCREENING_REFUSED, decision_id=decision_id, answered=[])
    raise RefusedError(decision)


def _answers(services: Services, inputs: Inputs, line: str, asked: Sequence[_Asked]) -> list[_Answered]:
    may = entitlement(inputs.contributions, services.rulebook)
    return [_answer(services, inputs, may, line, each) for each in asked]


def _answer(services: Services, inputs: Inputs, may: Entitlement, line: str, asked: _Asked) -> _Answered:
    """Show each sighting as far as its tier allows; what may not be shown does not move the answer either.

    At tier 1 the best stands for all: how many there are is tier 2. Those not shown are kept, for a tier to come.
    Hot keys are told only to who may see the class of every record in the line: they say that many records are there.
    """
    screening_id = reciprocity.new_id(services, "scr")
    rulebook = services.rulebook
    seen = [(s, _tier(may, s.candidate, rulebook)) for s in asked.sightings]
    seen = [(sighting, tier) for sighting, tier in seen if tier >= HIT_TIER]
    counts = Counter(sighting.candidate.record_class for sighting, tier in seen if tier >= CLASS_TIER)
    members = len({sighting.candidate.member_id for sighting, _ in seen})
    own = Own(asked.question.reference, 0, asked.subject.role, asked.subject.kind, screening_id=screening_id)
    kept, bodies, told = [], [], False
    best = seen[: rulebook.disclosure.hits_per_subject]
    # Sorted: of equal bands the list of hits, too, takes the first id as the best.
    hit_ids = sorted(reciprocity.new_id(services, "hit") for _ in best)
    for hit_id, (sighting, tier) in zip(hit_ids, best, strict=True):
        hidden = tier == HIT_TIER and told
        kept.append((hit_id, screening_id, NO_TIER if hidden else tier, sighting))
        if hidden:
            continue
        told = told or tier == HIT_TIER
        count = counts[sighting.candidate.record_class]
        hit = _hit(hit_id, own, sighting, inputs.now, count=count, seen_by=members)
        bodies.append(hits.disclose(hit, tier, today=inputs.now.date(), rulebook=rulebook))
    answer = screening.answer([sighting.match.band for sighting, _ in seen], services.rulebook)
    body = {
        "id": screening_id,
        "reference": asked.question.reference,
        "answer": answer.value,
        **disclosure.answer_caution((sighting.candidate.record_class, tier) for sighting, tier in seen),
        "hits": bodies,
        "more_hits": any(tier >= CLASS_TIER for _, tier in seen[rulebook.disclosure.hits_per_subject :]),
        "capped_keys": asked.capped if may.all_from_tier(CLASS_TIER, line) else 0,
        "model": services.linker.model_id,
        "rulebook": services.rulebook.version,
    }
    return _Answered(screening_id, asked, body, kept)


def _tier(may: Entitlement, record: Candidate, rulebook: Rulebook) -> int:
    """What is seen of one record: no more than the own contributions give, nor than its labels allow."""
    return disclosure.tier_of(may.tier(record.line, record.record_class), record.labels, rulebook)


def _hit(hit_id: str, own: Own, sighting: Sighting, now: datetime, *, count: int, seen_by: int) -> Hit:
    other, match = sighting.candidate, sighting.match
    return Hit(
        id=hit_id,
        created_at=now,
        band=match.band,
        probability=match.probability,
        explanation=match.rows,
        own=own,
        theirs=Theirs(
            contributor=other.contributor,
            filing_id=other.filing_id,
            line=other.line,
            record_class=other.record_class,
            triggered_on=other.triggered_on,
            role=other.role,
            claim=other.claim,
            labels=other.labels,
        ),
        count=count,
        seen_by=seen_by,
    )


def _row(services: Services, source: Source, request: Asking, answered: _Answered, decision_id: str) -> dict[str, Any]:
    subject = answered.asked.subject
    return {
        "id": answered.screening_id,
        "at": source.now,
        "expires_at": source.now + timedelta(days=services.rulebook.screening.keep_days),
        "member_id": source.member.id,
        "actor_id": source.actor_id,
        "decision_id": decision_id,
        "purpose": request.purpose.purpose,
        "lawful_basis": request.purpose.lawful_basis,
        "reference": answered.asked.question.reference,
        "line": request.purpose.line,
        "kind": subject.kind,
        "role": subject.role,
        "schema_id": services.schema.id,
        "fingerprint": request.fingerprint,
        "answer": answered.body["answer"],
        "hits": len(answered.kept),
        "capped_keys": answered.asked.capped,
        "pool_size": answered.asked.pool_size,
        "model_id": services.linker.model_id,
        "envelope": services.sealer.seal(named_context(answered.screening_id), answered.asked.packed),
    }


def _tell(
    services: Services,
    connection: Connection,
    source: Source,
    kind: EventKind,
    *,
    decision_id: str,
    answered: Sequence[_Answered],
) -> None:
    figures = Counter(each.body["answer"] for each in answered)
    event = Event(
        id=reciprocity.new_id(services, "evt"),
        at=source.now,
        kind=kind,
        actor_id=source.actor_id,
        member_id=source.member.id,
        subject_id=decision_id,
        figures=dict(figures),
    )
    events.append(connection, event)
