"""Guessing through the front door: what a day's quota, a burst limit and decoys leave of it.

Computed from the rulebook that is shipped, and tried against a real pool: guesses are asked like any other question
until the service refuses.
"""

from __future__ import annotations

import datetime as dt
import math
import os
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.linking import encode_people
from benchmarks.market import Raw
from benchmarks.pool import LINE, fill
from benchmarks.privacy.tables import market
from frankpledge.keys import LinkageKey
from frankpledge.records import RecordEncoder
from matching.schema import LinkageSchema
from matching.types import EncodedSubject
from repository.domain.rulebook import Rulebook
from repository.domain.screening import Purpose, Question
from repository.services import rulebook_file
from repository.services.asking import Asking
from repository.services.entitlements import RefusedError
from repository.services.screening import screen

YEARS = 80
"""Of birth that someone may have, as far as a guesser knows."""
DECOYS = 0.001
"""A share of the pool that nobody has a reason to ask about."""


def reckoned(rulebook: Rulebook, schema: LinkageSchema, accepted: int = 0) -> dict[str, Any]:
    """Guesses, and days of one member's quota, until half of the tries have come off; `accepted` records raise it."""
    quota = rulebook.quota
    per_day = max(quota.floor_per_day, round(quota.per_accepted * accepted))
    keys = [key for key in schema.keys("person") if key.band is None]
    cheapest = min(schema.joint_bits(key.of) for key in keys)
    guesses = {
        "is_someone_in_the_pool_who_is_known": 1.0,
        "birthday_of_someone_known_by_name": YEARS * 365.25 / 2,
        "a_person_of_whom_nothing_is_known": 2 ** (cheapest - 1),
    }
    days = {name: round(count / per_day, 2) for name, count in guesses.items()}
    references = math.ceil(guesses["birthday_of_someone_known_by_name"] / quota.subjects_per_reference)
    return {
        "per_day": per_day,
        "burst_per_minute": quota.burst_per_minute,
        "guesses": {name: round(count) for name, count in guesses.items()},
        "days": days,
        "references_for_a_birthday": references,
        "cheapest_key_bits": round(cheapest, 1),
        "hits_until_a_decoy_is_likely": math.ceil(math.log(0.5) / math.log(1 - DECOYS)),
    }


def tried(directory: Path, people: int, guesses: int) -> dict[str, Any]:
    """Guess someone's birthday, whose name is known, against a pool of so many under the rules as shipped."""
    key = LinkageKey(os.urandom(32))
    filled = fill(directory, people, max(1, people // 10), key=key)
    services = filled.services
    text = rulebook_file.default_text().replace('version = "', 'version = "guessed.')
    services.rulebooks.load(text, services.clock().date(), now=services.clock())
    asking = Asking(Purpose("new_business", LINE, None), filled.fingerprint)
    subjects = _guesses(RecordEncoder.for_key(key), guesses)
    asked = met = 0
    rule = None
    step = services.rulebook.quota.subjects_per_reference
    try:
        for start in range(0, len(subjects), step):
            part = [Question(f"G-{start}", each) for each in subjects[start : start + step]]
            answers = screen(services, filled.asker.actor, filled.asker.member, asking, part)
            asked += len(part)
            met += sum(answer["answer"] != "clear" for answer in answers)
    except RefusedError as refused:
        rule = str(refused)
    services.database.close()
    return {"pool": people, "guesses": len(subjects), "answered": asked, "met_someone": met, "refused_by": rule}


def _guesses(encoder: RecordEncoder, count: int) -> Sequence[EncodedSubject]:
    """Someone's name under one birthday after the other, drawn at random."""
    random = Random(1)  # noqa: S311 - a repeatable draw, no secret
    target = market(1, seed=7)[0]
    days = random.sample(range(YEARS * 365), count)
    first = dt.date(1925, 1, 1)
    people: list[Raw] = [
        {
            "given_name": target["given_name"],
            "family_name": target["family_name"],
            "date_of_birth": (first + dt.timedelta(days=day)).isoformat(),
        }
        for day in days
    ]
    return [subject for subject in encode_people(encoder, people) if subject]
