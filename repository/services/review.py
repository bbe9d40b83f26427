"""What a reviewer sees of a case besides its hits: why not, others' sightings, disputes, findings, notes, history."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from rapidfuzz import fuzz, process, utils
from sqlalchemy import Connection, RowMapping

from matching.comparisons import COMPARISONS
from matching.types import Kind
from matching.wire import unpack
from repository.domain import disclosure
from repository.domain.casework import Case
from repository.domain.rulebook import CLASS_TIER, POINTER_TIER
from repository.domain.why_not import why_not
from repository.services import Services, casework
from repository.services.entitlements import Granted
from repository.storage import casework as stored
from repository.storage import disputes, suppressed
from repository.storage.disputes import Of
from repository.storage.hit_views import HitView
from repository.storage.sealing import record_context

ORGANISATION = "organisation"
LEAST_ALIKE = 75
"""Of 100, how like the words a text is that is found: a letter or two wrong in a short reference."""
_DISPUTES = 500


def reviewed(services: Services, body: dict[str, Any], model: str, view: HitView) -> dict[str, Any]:
    """A hit as it is told, with the model that scored it and, where it is explained, what speaks against it."""
    told = body | {"model": model}
    if "explanation" in body:
        kind: Kind = view.own_kind  # type: ignore[assignment] # stored as one of them
        names = [each.name for each in COMPARISONS[kind].comparisons]
        told["why_not"] = why_not(body["explanation"], names, body["probability"], services.linker.model.bands)
    return told


def sightings(granted: Granted, views: Sequence[HitView]) -> dict[str, Any]:
    """Who else has what on the subject: named members with their classes, classes in numbers, or how many members."""
    named: dict[str, Counter[str]] = defaultdict(Counter)
    classes: Counter[str] = Counter()
    for view in views:
        entitled_tier = granted.entitlement.tier(view.their_line, view.their_class)
        tier = disclosure.tier_of(entitled_tier, view.labels, granted.rulebook)
        if tier >= POINTER_TIER:
            named[view.contributor][view.their_class] += 1
        elif tier >= CLASS_TIER:
            classes[view.their_class] += 1
    everyone = len({view.contributor for view in views})
    seen_by = everyone if len(named) == everyone else disclosure.suppressed(everyone, granted.rulebook)
    return {
        "members": seen_by,
        "named": [{"member": name, "records": dict(found)} for name, found in sorted(named.items())],
        "classes": {each: disclosure.suppressed(count, granted.rulebook) for each, count in sorted(classes.items())},
    }


def of_member(services: Services, connection: Connection, case: Case) -> dict[str, Any]:
    """The member's own of a case: its disputes about the hits in it, findings, notes and the moves so far."""
    there = set(stored.hit_ids(connection, case.member_id, case.id))
    raised = disputes.page(connection, Of(raiser_id=case.member_id), before=None, limit=_DISPUTES)
    about = [each for each in raised if each.hit_id in there]
    notes = stored.notes(connection, case.member_id, [case.id])
    return {
        "disputes": [
            {"id": each.id, "hit": each.hit_id, "status": each.status.value, "ground": each.ground.value}
            for each in about
        ],
        "findings": [_finding(services, row) for row in stored.findings(connection, case.member_id, case.id)],
        "notes": [casework.note_json(services.sealer, row) for row in notes],
        "history": [_move(services, row) for row in stored.moves(connection, case.member_id, case.id)],
    }


def searched(
    services: Services,
    connection: Connection,
    granted: Granted,
    cases: Sequence[Case],
    contents: Mapping[str, Sequence[tuple[str, HitView]]],
) -> dict[tuple[str, int], str]:
    """The texts by which cases are found, by case and number: own references, and organisations' names in clear.

    Another's organisation is found by its name only where that member is named, too.
    """
    texts: dict[str, set[str]] = {case.id: set() for case in cases}
    names: dict[tuple[str, int], str] = {}
    for case in cases:
        for _, view in contents.get(case.id, ()):
            texts[case.id].add(view.own_reference)
            if view.own_kind != ORGANISATION:
                continue
            entitled_tier = granted.entitlement.tier(view.their_line, view.their_class)
            places = [(view.own_filing_id or "", view.own_position)]
            if disclosure.tier_of(entitled_tier, view.labels, granted.rulebook) >= POINTER_TIER:
                places.append((view.their_filing_id, view.their_position))
            for place in places:
                if place not in names:
                    names[place] = _name(services, connection, *place)
                texts[case.id].add(names[place])
    for row in stored.notes(connection, granted.member.id, [case.id for case in cases]):
        texts[row["case_id"]].add(row["attachment_reference"] or "")
    return {(case, at): text for case, found in texts.items() for at, text in enumerate(sorted(found)) if text}


def ranked(words: str, texts: Mapping[tuple[str, int], str]) -> list[str]:
    """The cases whose texts are like the words, the most alike first."""
    found = process.extract(
        words, texts, scorer=fuzz.WRatio, processor=utils.default_process, limit=None, score_cutoff=LEAST_ALIKE
    )
    return list(dict.fromkeys(key[0] for _, _, key in found))


def _name(services: Services, connection: Connection, filing_id: str, position: int) -> str:
    found = suppressed.subject(connection, filing_id, position)
    if found is None:
        return ""
    return unpack(services.sealer.unseal(record_context(found[0]), found[1])).name or ""


def _finding(services: Services, row: RowMapping) -> dict[str, Any]:
    words = casework.opened_words(services.sealer, row["id"], row["words"])
    return {
        "id": row["id"],
        "finding": row["finding"],
        "proposed_at": row["proposed_at"].isoformat(),
        "proposed_by": row["proposed_by"],
        "evidence": words["evidence"],
        "evidence_reference": row["evidence_reference"],
        "subject_could_speak": row["subject_could_speak"],
        "subject_words": words["subject"] or None,
        "decided_at": None if row["decided_at"] is None else row["decided_at"].isoformat(),
        "decided_by": row["decided_by"],
        "approved": row["approved"],
    }


def _move(services: Services, row: RowMapping) -> dict[str, Any]:
    reason = None
    if row["reason"] is not None:
        reason = casework.opened_words(services.sealer, row["id"], row["reason"])["reason"]
    return {
        "version": row["version"],
        "at": row["at"].isoformat(),
        "by": row["actor_id"],
        "move": row["move"],
        "status": row["status"],
        "reason": reason,
    }
