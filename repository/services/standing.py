"""Standing: what a member gives, the arithmetic on it, what may be seen for it, and what would change that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from matching.vocabulary import RECORD_CLASSES
from repository.domain.asking import Request
from repository.domain.entitlement import Entitlement, entitle
from repository.domain.members import Actor, Member
from repository.domain.standing import LineStanding, PairStanding, Schedule, Standing
from repository.services import Services, assessment, corroboration, entitlements
from repository.services.entitlements import Granted
from repository.storage import ledger
from repository.storage.members import all_members

ACTION = "standing"

Last = Mapping[tuple[str, str], datetime]


def standing(services: Services, actor: Actor, member: Member) -> dict[str, Any]:
    """A member's standing as JSON: its membership, and for each of its lines what it gave, its score and tiers."""
    with services.database.reading() as connection:
        granted = entitlements.entitled(services, connection, actor, member, Request(ACTION, None, None, asked=0))
        start = granted.now.date() - timedelta(days=granted.rulebook.window.days)
        last = ledger.last_accepted(connection, member.id, start)
    told = granted.assessed.standing
    return {
        "member": {"id": member.id, "name": member.name},
        "membership": _membership(granted),
        "on": told.on.isoformat(),
        "rulebook": granted.rulebook.version,
        "window_days": granted.rulebook.window.days,
        "quota": asdict(granted.entitlement.quota),
        "lines": [_line(granted, each, last) for each in sorted(told.lines, key=attrgetter("line"))],
    }


def assess_all(services: Services, connection: Connection, schedule: Schedule) -> Iterator[tuple[Member, Standing]]:
    """The standing of every member today as it would be under a schedule of rulebooks, oldest member first."""
    today = services.clock().date()
    shares = corroboration.shares(connection, schedule[-1][1], today)
    for row in all_members(Session(connection)):
        member = row.as_member()
        yield member, assessment.assess_under(connection, member, schedule, today, shares)


def _membership(granted: Granted) -> dict[str, Any]:
    member, told = granted.member, granted.assessed.standing
    return {
        "status": member.status.value,
        "lines": sorted(member.lines),
        "agreement_signed_on": member.agreement_signed_on.isoformat() if member.agreement_signed_on else None,
        "attested_on": member.attested_on.isoformat() if member.attested_on else None,
        "subscriber": member.subscriber.value if member.subscriber else None,
        "grant": told.grant.as_dict() if told.grant else None,
        "ramp": told.ramp.value,
        "covenant_until": told.covenant_until.isoformat() if told.covenant_until else None,
        "allowed": granted.entitlement.allowed,
        **_ruled(granted.entitlement),
    }


def _line(granted: Granted, line: LineStanding, last: Last) -> dict[str, Any]:
    request = replace(granted.request, line=line.line, asked=1)
    may = entitle(granted.member, granted.assessed.standing, request, granted.rulebook, granted.now)
    whole = line.as_dict()
    del whole["pairs"]
    return whole | {
        "contributions": [
            {
                "class": each.record_class,
                "accepted_in_window": each.accepted,
                "last": last[line.line, each.record_class].isoformat(),
            }
            for each in sorted(line.pairs, key=attrgetter("record_class"))
            if each.accepted > 0 and (line.line, each.record_class) in last
        ],
        "classes": [_class(each) for each in line.pairs],
        "tiers": {kind: granted.entitlement.tier(line.line, kind) for kind in RECORD_CLASSES},
        "lowered_by": {
            kind: rule for (named, kind), rule in sorted(granted.entitlement.caps.items()) if named == line.line
        },
        "may_screen": may.allowed,
        **_ruled(may),
    }


def _class(pair: PairStanding) -> dict[str, Any]:
    """The arithmetic of one class: value = (met + allowance) / (target x total), at most 1, and their product."""
    whole = pair.as_dict()
    del whole["line"]
    return whole


def _ruled(found: Entitlement) -> dict[str, Any]:
    return {
        "rule": found.rule,
        "figures": dict(found.figures),
        "detail": found.detail,
        "remedy": found.remedy,
    }
