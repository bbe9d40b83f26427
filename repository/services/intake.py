"""Taking filings in: some of one member's at once, in the caller's transaction, and found hits with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from sqlalchemy import Connection

from matching.types import EncodedSubject
from matching.wire import unpack
from repository.domain.filings import Outcome
from repository.services import Services, aftermath, amending, crediting, outcomes, pool, unlinking
from repository.services.crediting import Visible
from repository.services.foresight import NOTHING, Foreseen, Prepared, prepare, seek
from repository.services.hitmaking import Source, record_hits, rescore_screening_hits
from repository.services.planning import Numbered, Plan, Taken, Written, plan
from repository.services.pool import Sighting
from repository.storage import dialect, filings, index
from repository.storage.sealing import Integers, record_context


def take_in(
    services: Services,
    connection: Connection,
    source: Source,
    batch: Sequence[Numbered],
    foreseen: Foreseen = NOTHING,
    *,
    own: Mapping[int, Written] = MappingProxyType({}),
) -> Taken:
    """Store filings with their subjects, index rows and hits in the caller's transaction, a writing one.

    What was `foreseen` of them is used as far as it holds still; `own` is what chunks of the same batch wrote before.
    """
    dialect.lock_pool(connection)
    number = index.note_write(connection)
    taken = plan(services, connection, source, batch, foreseen=foreseen.as_new)
    accepted = [each for each in taken.plans if each.outcome is not Outcome.UNCHANGED]
    new = {each.filing_id: each.numbered.filing for each in accepted if each.outcome is Outcome.CREATED}
    counted = crediting.counted(services, connection, source, new, foreseen.digests)
    _store_facts(connection, source, accepted, counted)
    if source.batch_id is not None:
        unchanged = [(p.filing_id, p.numbered.row) for p in taken.plans if p.outcome is Outcome.UNCHANGED]
        filings.note_batch(connection, source.batch_id, unchanged)
    matched = [each for each in accepted if each.matched]
    before = _take_out(services, connection, [p.filing_id for p in matched if p.outcome is Outcome.NEW_VERSION])
    prepared = foreseen.settled(services, matched, number, own)
    taken.foreseen = prepared is not None
    if prepared is None and matched:
        sought = seek(services, connection, source.member, matched)
        prepared = prepare(services, connection, source.member, sought)
    seen: list[tuple[str, Sighting]] = []
    capped = Counter[str]()
    if prepared is not None:
        seen, capped, keys = _store_subjects(services, connection, source, (matched, prepared), before)
        taken.written = number, Written.of(keys, prepared.linked.keys)
    crediting.credit(services, connection, source, {each: new[each] for each in counted}, seen)
    filed = {each.filing_id: each.numbered.filing.facts.record_class for each in matched}
    aftermath.queue(services, connection, source, filed)
    amending.follow(services, connection, source, accepted)
    changed = {each.filing_id: each.numbered.filing for each in accepted if each.filing_id not in new}
    crediting.revise(services, connection, source, changed, before)
    # Decided whether anything was seen or not: that a decision is there must not tell of a hit.
    told = crediting.visible(services, connection, source, seen) if matched else Visible()
    for each in matched:
        each.hits = told.hits[each.filing_id]
        each.capped_keys = capped[each.filing_id] if told.hot_keys else None
    return taken


def _store_facts(
    connection: Connection, source: Source, accepted: Sequence[Plan], counted: Mapping[str, int | None]
) -> None:
    """Store filings and their versions; those new ones that count as records come with a digest of their subjects."""
    created, changed, versions = [], [], []
    for each in accepted:
        facts, counts = each.numbered.filing.facts, each.filing_id in counted
        roles = [subject.role for subject in each.numbered.filing.subjects]
        row = {  # of the filing and of its version: each takes what it has a column for
            "id": each.filing_id,
            "filing_id": each.filing_id,
            "member_id": source.member.id,
            "actor_id": source.actor_id,
            "reference": facts.reference,
            "record_class": facts.record_class,
            "line": facts.line,
            "schema_id": facts.schema_id,
            "fingerprint": facts.fingerprint,
            "triggered_on": facts.triggered_on,
            "claim": None if facts.claim is None else facts.claim.as_dict(),
            **filings.label_values(facts.labels),
            "customer_kind": facts.basis.customer_kind,
            "basis_on": facts.basis.on,
            "ended_on": facts.basis.on,
            "proof_id": each.proof_id,
            "version": each.version,
            "match_digest": each.match_digest,
            "content_digest": each.content_digest,
            "subjects_digest": counted[each.filing_id] if counts else None,
            "credited_line": facts.line if counts else None,
            "created_at": source.now,
            "filed_at": source.now,
            "batch_id": source.batch_id,
            "last_batch_id": source.batch_id,
            "last_batch_row": each.numbered.row if source.batch_id else None,
            "flag": None,
            "notice": None,
            "notice_cause": None,
            "roles": roles,
            "matched": each.matched,
        }
        versions.append(row)
        if each.outcome is Outcome.CREATED:
            created.append(row)
        else:
            new = {name: row[name] for name in filings.OF_A_VERSION}
            end = {"end": facts.basis.on, "goes_on": facts.goes_on(source.now.date())}
            changed.append({"filing": each.filing_id, **end, **new})
        if not each.matched:
            filings.update_roles(connection, each.filing_id, roles)
    filings.insert_filings(connection, created)
    filings.update_filings(connection, changed)
    filings.insert_versions(connection, versions)


def _store_subjects(
    services: Services,
    connection: Connection,
    source: Source,
    matched: tuple[Sequence[Plan], Prepared],
    before: Mapping[str, Sequence[EncodedSubject]],
) -> tuple[list[tuple[str, Sighting]], Counter[str], Integers]:
    """Store and index the encodings that were looked up, and record the hits; those `before` were taken out.

    Returns what was seen, with the id of the filing each is of, by filing the hot keys that were not looked up, and
    the keys of the index rows.
    """
    (plans, prepared), replaced = matched, list(before)
    places = [(each, place) for each in plans for place in range(len(each.numbered.filing.subjects))]
    subjects, linked = prepared.subjects, prepared.linked
    filings.insert_subjects(
        connection,
        [
            {
                "id": record_id,
                "filing_id": each.filing_id,
                "position": place,
                "kind": subject.kind,
                "role": subject.role,
                "envelope": envelope,
            }
            for (each, place), subject, record_id, envelope in zip(
                places, subjects, prepared.record_ids, prepared.envelopes, strict=True
            )
        ],
    )
    keys = index.insert(connection, prepared.rows, linked.keys.own, share=pool.hot(services, source.now).share)
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
    return [(places[s.subject][0].filing_id, s) for s in linked.sightings], capped, keys


def _take_out(
    services: Services, connection: Connection, filing_ids: Sequence[str]
) -> Mapping[str, Sequence[EncodedSubject]]:
    """Remove the subjects of filings and their index rows; the subjects by filing, but those that were erased."""
    if not filing_ids:
        return {}
    taken: dict[str, list[EncodedSubject]] = {filing_id: [] for filing_id in filing_ids}
    record_ids, subjects = [], []
    for record_id, filing_id, envelope in filings.take_out_subjects(connection, filing_ids):
        if not envelope:  # erased with its linkage key: out of the index, and not counted any more
            continue
        subject: EncodedSubject = unpack(services.sealer.unseal(record_context(record_id), envelope))
        taken[filing_id].append(subject)
        record_ids.append(record_id)
        subjects.append(subject)
    index.remove(connection, services.sealer, record_ids, pool.rekeyed(services.sealer, services.schema, subjects))
    unlinking.unsettle(services, connection, filing_ids, taken)
    return taken
