"""Screening: one or many subjects looked for in the pool of the others, under a purpose, and answered by tier."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NoReturn

from sqlalchemy import Connection

from matching.types import EncodedSubject
from matching.wire import pack
from repository import metrics
from repository.domain import hits, screening
from repository.domain.events import Event, EventKind
from repository.domain.filings import refuse_unknown
from repository.domain.hits import Hit, Own, Theirs
from repository.domain.members import Actor, Member
from repository.domain.reciprocity import CLASS_TIER, HIT_TIER, Decision, Entitlement, Inputs, entitlement, may_ask
from repository.domain.screening import Purpose, Question, purpose_from_json
from repository.services import Services, pool, reciprocity
from repository.services.encodings import encoding
from repository.services.hitmaking import Source, record_screening_hits
from repository.services.pool import Linked, Sighting
from repository.services.reciprocity import RefusedError
from repository.storage import events, screenings
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
    """One question, its subject re-keyed, and where it stands in what the pool gave."""

    question: Question
    subject: EncodedSubject
    linked: Linked
    place: int

    def sightings(self) -> list[Sighting]:
        """What was seen of this subject, best first."""
        return [each for each in self.linked.sightings if each.subject == self.place]


@dataclass(frozen=True, slots=True)
class _Answered:
    """One question with its answer as JSON, and the hits that were shown with their tiers."""

    screening_id: str
    asked: _Asked
    body: dict[str, Any]
    shown: Sequence[tuple[str, str, int, Sighting]]


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
    with services.database.read() as session:
        connection = session.connection()
        inputs = reciprocity.inputs(services, connection, member)
        decision = may_ask(inputs, request.purpose.line, services.rulebook)
        linked = pool.link(services, connection, member, subjects) if decision.allowed else None
    if linked is None:
        _refuse(services, actor, inputs, decision)
    may = entitlement(inputs.contributions, services.rulebook)
    answered = [
        _answer(services, inputs, may, request.purpose.line, _Asked(question, subjects[place], linked, place))
        for place, question in enumerate(questions)
    ]
    with services.database.write() as session:
        connection = session.connection()
        decision_id = reciprocity.remember(services, connection, decision, inputs, actor=actor, action=ACTION)
        source = Source(member, actor.id, None, inputs.now)
        screenings.add(connection, [_row(services, source, request, each, decision_id) for each in answered])
        record_screening_hits(
            services, connection, source, [shown for each in answered for shown in each.shown], linked
        )
        pool.note_keys(services, connection, linked, inputs.now)
        _tell(services, connection, source, EventKind.SCREENING_ANSWERED, decision_id=decision_id, answered=answered)
    return [each.body for each in answered]


def _refuse(services: Services, actor: Actor, inputs: Inputs, decision: Decision) -> NoReturn:
    metrics.SCREENINGS.labels(answer="refused").inc()
    with services.database.write() as session:
        connection = session.connection()
        decision_id = reciprocity.remember(services, connection, decision, inputs, actor=actor, action=ACTION)
        source = Source(inputs.member, actor.id, None, inputs.now)
        _tell(services, connection, source, EventKind.SCREENING_REFUSED, decision_id=decision_id, answered=[])
    raise RefusedError(decision)


def _answer(services: Services, inputs: Inputs, may: Entitlement, line: str, asked: _Asked) -> _Answered:
    """Show each sighting as far as its tier allows; what may not be shown does not move the answer either.

    Hot keys are told only to who may see the class of every record in the line: they say that many records are there.
    """
    screening_id = reciprocity.new_id(services, "scr")
    seen = [(s, may.tier(s.candidate.line, s.candidate.record_class)) for s in asked.sightings()]
    seen = [(sighting, tier) for sighting, tier in seen if tier >= HIT_TIER]
    counts = Counter(sighting.candidate.record_class for sighting, tier in seen if tier >= CLASS_TIER)
    own = Own(asked.question.reference, 0, asked.subject.role, asked.subject.kind, screening_id=screening_id)
    shown, bodies = [], []
    for sighting, tier in seen:
        hit_id = reciprocity.new_id(services, "hit")
        hit = _hit(hit_id, own, sighting, counts[sighting.candidate.record_class], inputs.now)
        bodies.append(hits.disclose(hit, tier, today=inputs.now.date(), rulebook=services.rulebook))
        shown.append((hit_id, screening_id, tier, sighting))
    answer = screening.answer([sighting.match.band for sighting, _ in seen], services.rulebook)
    metrics.SCREENINGS.labels(answer=answer.value).inc()
    body = {
        "id": screening_id,
        "reference": asked.question.reference,
        "answer": answer.value,
        "hits": bodies,
        "capped_keys": asked.linked.capped[asked.place] if may.all_from_tier(CLASS_TIER, line) else 0,
        "model": services.linker.model_id,
        "rulebook": services.rulebook.version,
    }
    return _Answered(screening_id, asked, body, shown)


def _hit(hit_id: str, own: Own, sighting: Sighting, count: int, now: datetime) -> Hit:
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
        ),
        count=count,
    )


def _row(services: Services, source: Source, request: Asking, answered: _Answered, decision_id: str) -> dict[str, Any]:
    subject = answered.asked.subject
    return {
        "id": answered.screening_id,
        "at": source.now,
        "expires_at": source.now + timedelta(days=services.rulebook.screening_keep_days),
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
        "hits": len(answered.shown),
        "capped_keys": answered.asked.linked.capped[answered.asked.place],
        "pool_size": answered.asked.linked.pool_sizes.get(subject.kind, 0),
        "model_id": services.linker.model_id,
        "envelope": services.sealer.seal(named_context(answered.screening_id), pack(subject)),
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
