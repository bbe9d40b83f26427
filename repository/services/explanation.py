"""Stored decisions as those they are about read them: listed, and explained in plain words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Connection

from repository.domain import explanation
from repository.domain.explanation import RULES
from repository.services.replay import Replay, ReplayError, Row, differences
from repository.storage import decisions
from repository.storage.decisions import Chosen

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Day:
    """What was decided on a member in a day: how many by rule, and the one to explain first, if there is any.

    That is the last refusal, or where none was refused the last decision.
    """

    allowed: int
    refused: Mapping[str, int]
    first: str | None


def starts(day: date) -> datetime:
    """The instant at which a day begins."""
    return datetime.combine(day, time(), UTC)


def between(since: date | None, until: date | None, **options: Any) -> Chosen:
    """Decisions from one day to another, both included."""
    return Chosen(starts(since) if since else None, starts(until) + _DAY if until else None, **options)


def listed(connection: Connection, chosen: Chosen, before: str | None, limit: int) -> tuple[list[dict[str, Any]], bool]:
    """Decisions, latest first, before an id if one is given; and whether there are more."""
    rows = decisions.latest(connection, chosen, before, limit + 1)
    return [facts(row) for row in rows[:limit]], len(rows) > limit


def facts(row: Row) -> dict[str, Any]:
    """A decision as JSON, without its grounds. It says nothing of whom was asked about."""
    request = row["request"]
    return {
        "id": row["id"],
        "at": row["at"].isoformat(),
        "actor": row["actor_id"],
        "action": row["action"],
        "purpose": request.get("purpose"),
        "line": request.get("line"),
        "asked": request.get("asked"),
        "allowed": row["allowed"],
        "rule": row["rule"],
        "rulebook": {"version": row["rulebook"], "digest": row["rulebook_digest"]},
    }


def explain(connection: Connection, decision_id: str, member_id: str | None = None) -> dict[str, Any] | None:
    """One decision explained, as JSON; None when there is none of this id, or it is not this member's.

    `replayed` says whether it came out the same when it was taken again for this; where not, only what was stored of
    it is told, and `because` says so.
    """
    row = decisions.find(connection, decision_id)
    if row is None or member_id not in (None, row["member_id"]):
        return None
    told = facts(row) | {"figures": row["figures"]}
    try:
        case = Replay().case(connection, row)
    except ReplayError as error:
        return told | _unexplained(row, f"It cannot be taken again: {error}.")
    differs = differences(row, case)
    if differs:
        return told | _unexplained(row, f"Taken again, it comes out differently: {', '.join(differs)}.")
    return told | {"replayed": True} | explanation.explain(case, decision_id).as_dict()


def of_day(connection: Connection, member_id: str, day: date, line: str | None = None) -> Day:
    """What was decided on a member on a day (UTC), in one line or in all."""
    refused: Counter[str] = Counter()
    allowed, last, last_refused = 0, None, None
    for row in decisions.every(connection, between(day, day, member_id=member_id)):
        if line is not None and row["request"].get("line") != line:
            continue
        last = row["id"]
        if row["allowed"]:
            allowed += 1
        else:
            refused[row["rule"]] += 1
            last_refused = row["id"]
    return Day(allowed, dict(sorted(refused.items())), last_refused or last)


def _unexplained(row: Row, because: str) -> dict[str, Any]:
    """Of a decision that does not come out the same: what its rule says, and how to appeal."""
    return {
        "replayed": False,
        "rule_says": RULES.get(row["rule"], ""),
        "because": f"{because} The operator of the scheme has to look into it.",
        "workings": [],
        "ladder": "",
        "remedy": "",
        "appeal": explanation.appeal(row["id"], None),
        "seen": [],
    }
