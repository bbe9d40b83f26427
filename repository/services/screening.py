"""Screening: one or many subjects looked for in the pool of the others, under a purpose, and answered by tier."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from matching.types import EncodedSubject
from matching.wire import pack
from repository import metrics, tracing
from repository.domain import disclosure, hits, screening
from repository.domain.entitlement import Entitlement
from repository.domain.events import EventKind
from repository.domain.hits import Hit, Own, Theirs
from repository.domain.members import Actor, Member
from repository.domain.rulebook import CLASS_TIER, HIT_TIER, NO_TIER, Rulebook
from repository.domain.screening import Question
from repository.domain.viewings import Reader, Via, Viewing
from repository.domain.watches import StandsAs, Watch
from repository.services import Services, entitlements, outcomes, pool, reciprocity, suppression, watching
from repository.services.asking import Asker, Asking, decide, most_subjects
from repository.services.entitlements import Granted, RefusedError
from repository.services.hitmaking import Source, record_screening_hits
from repository.services.pool import Found, Linked, Sighting
from repository.storage import index, screenings, suppressed, viewings
from repository.storage.dialect import at_once, lock_pool, together
from repository.storage.filings import Candidate
from repository.storage.sealing import Sealer, named_context

_LOOKS = 3
"""How often what is to stand is looked for before it is with the pool locked, while others file."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """One question, its subject as it will be sealed too, and what the pool gave for it, best first."""

    question: Question
    subject: EncodedSubject
    packed: bytes
    digest: bytes
    sightings: Sequence[Sighting]
    capped: int
    pool_size: int


@dataclass(frozen=True, slots=True)
class _Posed:
    """Questions, with their subjects, those as they will be sealed, and as a digest of that."""

    questions: Sequence[Question]
    subjects: Sequence[EncodedSubject]
    packed: Sequence[bytes]
    digests: Sequence[bytes]

    @classmethod
    def of(cls, sealer: Sealer, member: Member, questions: Sequence[Question]) -> _Posed:
        subjects = [each.subject for each in questions]
        packed = [pack(each) for each in subjects]
        return cls(
            questions, subjects, packed, [sealer.digest(b"screened" + member.id.encode(), each) for each in packed]
        )

    def named(self) -> list[tuple[str, bytes]]:
        """The reference of each question with its digest."""
        return [(question.reference, digest) for question, digest in zip(self.questions, self.digests, strict=True)]

    def distinct(self) -> list[EncodedSubject]:
        """The subjects, those that are the same once."""
        return list(dict(zip(self.packed, self.subjects, strict=True)).values())

    def standing(self) -> set[tuple[str, bytes, StandsAs]]:
        """The questions that are to stand: reference, digest, and as what."""
        asked = zip(self.named(), self.questions, strict=True)
        return {(*named, each.stands.stands_as) for named, each in asked if each.stands is not None}

    def with_found(self, linked: Linked) -> list[_Asked]:
        """The questions with what was found for each of `distinct`."""
        places = {each: place for place, each in enumerate(dict.fromkeys(self.packed))}
        seen, sizes = linked.by_subject(), linked.pool_sizes
        return [
            _Asked(question, subject, packed, digest, seen[place], linked.capped[place], sizes.get(subject.kind, 0))
            for question, subject, packed, digest, place in zip(
                self.questions,
                self.subjects,
                self.packed,
                self.digests,
                [places[each] for each in self.packed],
                strict=True,
            )
        ]


@dataclass(frozen=True, slots=True)
class _Looked:
    """What was found of questions; where one stands, by how many writes to the pool, and whether it is the last look.

    The last one is made with the pool locked if it must be, which keeps all that file waiting.
    """

    found: Found
    written: int | None
    last: bool


class _WrittenError(Exception):
    """Somebody wrote to the pool after it was looked at."""


@dataclass(frozen=True, slots=True)
class _Answered:
    """One question with its answer as JSON, and the hits to keep, each with the tier it was shown at."""

    screening_id: str
    asked: _Asked
    body: dict[str, Any]
    kept: Sequence[tuple[str, str, int, Sighting]]
    watch: Watch | None = None


def screen(
    services: Services, actor: Actor, member: Member, request: Asking, questions: Sequence[Question]
) -> list[dict[str, Any]]:
    """Answer every question, in order, or none. Raises RefusedError, before anything is matched, when a rule denies it.

    Raises FieldError for a linkage key whose records are not accepted. Only where others of the member ask at the same
    time, and use up its quota (R10) or what may be asked under one reference, is a refusal found after matching.
    """
    try:
        return _screen(services, actor, member, request, questions)
    except RefusedError as refused:
        _note_refusal(services, refused.granted)
        raise


def screen_one(services: Services, actor: Actor, member: Member, request: Asking, question: Question) -> dict[str, Any]:
    """Answer one question, together with others of the actor for the same purpose that wait, as in one request of many.

    They share a decision; where a rule denies it to all of them together, each is decided on alone. Raises what
    `screen` does.
    """

    def answers(questions: Sequence[Question]) -> Sequence[dict[str, Any] | None]:
        if len(questions) == 1:
            return screen(services, actor, member, request, questions)
        with suppress(RefusedError):
            return _screen(services, actor, member, request, questions)
        return [None for _ in questions]

    together = services.joining.ask((actor, member, request), question, answers)
    return together or screen(services, actor, member, request, [question])[0]


def _screen(
    services: Services, actor: Actor, member: Member, request: Asking, questions: Sequence[Question]
) -> list[dict[str, Any]]:
    """What `screen` does; a refusal is not stored."""
    posed = _Posed.of(services.sealer, member, questions)
    with services.database.glancing() as connection:
        granted, sizes = decide(services, connection, Asker(actor, member), request, posed.named())
        if not granted.entitlement.allowed:
            raise RefusedError(granted)
        written = index.writes(connection) if posed.standing() else None
        found = pool.find(services, connection, member, posed.distinct(), sizes=sizes)
    answered = None
    for last in (False,) * _LOOKS + (True,):
        with suppress(_WrittenError), tracing.span("answer"):
            answered = _answer_all(services, granted, request, posed, _Looked(found, written, last))
            break
        with services.database.glancing() as connection:
            written = index.writes(connection)
            found = pool.find(services, connection, member, posed.distinct())
    assert answered is not None  # noqa: S101 - the last look is made under the lock
    services.met.count(found.keys.met)
    for each in answered:
        metrics.SCREENINGS.labels(answer=each.body["answer"]).inc()
    return [each.body for each in answered]


def _answer_all(
    services: Services, granted: Granted, request: Asking, posed: _Posed, looked: _Looked
) -> list[_Answered]:
    """Answer, and store the decision, the questions and what was told. Raises RefusedError, then nothing is stored.

    What stands meets whatever is filed after it was looked for: raises _WrittenError where something was in between.
    """
    member, found = granted.member, looked.found
    with services.database.writing() as connection:
        if looked.written is not None:
            lock_pool(connection)
            if index.writes(connection) != looked.written:
                if not looked.last:
                    raise _WrittenError
                found = pool.find(services, connection, member, posed.distinct())
            watching.end_same(services, connection, granted, posed.standing())
        most = partial(most_subjects, services, connection, member, request, posed.named())
        with at_once(connection):
            counted = entitlements.counting(connection, granted, most)
            held = pool.hold(connection, member, found)
            ruled_out = suppressed.against(connection, member.id, found.records())
        granted = counted()
        if not granted.entitlement.allowed:
            raise RefusedError(granted)
        linked = held()
        subjects = posed.distinct()
        known = suppression.seen_before(services, connection, subjects, linked.sightings, ruled_out())
        if known:
            linked = replace(linked, sightings=tuple(each for each in linked.sightings if each not in known))
        answered = [_answer(services, granted, each) for each in posed.with_found(linked)]
        source = Source(member, granted.actor.id, None, granted.now)
        pool.note_keys(services, connection, linked, granted.now)
        with together(connection, commit=True):
            entitlements.remember(connection, granted)
            screenings.add(connection, [_row(services, granted, request, each) for each in answered])
            stand = [(each.watch, each.asked.subject) for each in answered if each.watch is not None]
            if stand:
                watching.put_in(services, connection, stand)
            kept = [hit for each in answered for hit in each.kept]
            record_screening_hits(services, connection, source, kept, linked)
            viewings.note(connection, _seen(granted, request, kept))
            outcomes.add_first(connection, member.id, _told(granted, answered), granted.rulebook, granted.now)
            figures = Counter(each.body["answer"] for each in answered)
            entitlements.tell(services, connection, granted, EventKind.SCREENING_ANSWERED, figures)
    return answered


def _told(granted: Granted, answered: Sequence[_Answered]) -> list[tuple[dict[str, Any], tuple[str, str]]]:
    """The hits that were told, with the line asked in and the class of the record: there an answer counts."""
    line = granted.request.line or ""
    classes = {hit_id: s.candidate.record_class for each in answered for hit_id, _, _, s in each.kept}
    return [(hit, (line, classes[hit["id"]])) for each in answered for hit in each.body["hits"]]


def _seen(granted: Granted, request: Asking, kept: Sequence[tuple[str, str, int, Sighting]]) -> list[Viewing]:
    """The records that were told."""
    reader = Reader(granted.member.id, granted.actor.id, request.purpose.purpose, Via.SCREENING, granted.now)
    told = [(sighting.candidate, tier) for _, _, tier, sighting in kept if tier > NO_TIER]
    return [reader.saw(record.filing_id, record.version, tier) for record, tier in told]


def _note_refusal(services: Services, granted: Granted) -> None:
    metrics.SCREENINGS.labels(answer="refused").inc()
    with services.database.writing() as connection:
        entitlements.remember(connection, granted)
        entitlements.tell(services, connection, granted, EventKind.SCREENING_REFUSED)


def _answer(services: Services, granted: Granted, asked: _Asked) -> _Answered:
    """Show each sighting as far as its tier allows; what may not be shown does not move the answer either.

    At tier 1 the best stands for all: how many there are is tier 2. Those not shown are kept, for a tier to come.
    Hot keys are told only to who may see the class of every record of every line: they say that many records are there,
    and not of which line.
    """
    screening_id = reciprocity.new_id(services, "scr")
    may, rulebook, now = granted.entitlement, granted.rulebook, granted.now
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
        hit = _hit(services, hit_id, own, sighting, now=now, count=count, seen_by=members)
        bodies.append(hits.disclose(hit, tier, today=now.date(), rulebook=rulebook))
    answer = screening.answer([sighting.match.band for sighting, _ in seen], rulebook)
    body = {
        "id": screening_id,
        "reference": asked.question.reference,
        "answer": answer.value,
        **disclosure.answer_caution((sighting.candidate.record_class, tier) for sighting, tier in seen),
        "hits": bodies,
        "more_hits": any(tier >= CLASS_TIER for _, tier in seen[rulebook.disclosure.hits_per_subject :]),
        "capped_keys": asked.capped if may.all_from_tier(CLASS_TIER) else None,
        "model": services.linker.model_id,
        "rulebook": rulebook.version,
    }
    stands, watch = asked.question.stands, None
    if stands is not None:
        watch = watching.watch_of(services, granted.actor, granted.member, stands, screening_id)
        body["stands"] = {"watch": watch.id, "as": watch.stands_as.value, "until": watch.until_on.isoformat()}
    return _Answered(screening_id, asked, body, kept, watch)


def _tier(may: Entitlement, record: Candidate, rulebook: Rulebook) -> int:
    """What is seen of one record: no more than the own contributions give, nor than its labels allow."""
    return disclosure.tier_of(may.tier(record.line, record.record_class), record.labels, rulebook)


def _hit(
    services: Services, hit_id: str, own: Own, sighting: Sighting, *, now: datetime, count: int, seen_by: int
) -> Hit:
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
            notice=pool.open_notice(services.sealer, other.filing_id, other.notice),
        ),
        count=count,
        seen_by=seen_by,
        model=services.linker.model_id,
    )


def _row(services: Services, granted: Granted, request: Asking, answered: _Answered) -> dict[str, Any]:
    subject, release = answered.asked.subject, request.purpose.release
    expires_at = granted.now + timedelta(days=granted.rulebook.screening.keep_days)
    return {
        "id": answered.screening_id,
        "at": granted.now,
        "expires_at": max(expires_at, answered.watch.until) if answered.watch else expires_at,
        "member_id": granted.member.id,
        "actor_id": granted.actor.id,
        "decision_id": granted.id,
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
        "subject_digest": answered.asked.digest,
        "release_checks": release.as_dict() if release else None,
    }
