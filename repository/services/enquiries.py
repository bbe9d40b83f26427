"""What a contributor is told of who asked about a record of its, by the tier it has for customers of that line."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Connection

from repository.domain.alerts import Alert, AlertKind
from repository.domain.rulebook import CLASS_TIER, HIT_TIER, POINTER_TIER
from repository.services.entitlements import Granted
from repository.storage import asked
from repository.storage.asked import Enquiry

AS_CLASS = "customer"
"""What somebody asks in a line is to others as a customer of that line would be."""


def dedupe(filing_id: str, day: date) -> str:
    """What an alert of this is the only one of: a record and a day."""
    return f"{AlertKind.RECORD_ASKED.value}:{filing_id}:{day.isoformat()}"


def told(connection: Connection, granted: Granted | None, alerts: Sequence[Alert]) -> dict[str, dict[str, Any]]:
    """What a contributor is told of who asked about its records, by alert; those that tell it nothing are out."""
    if granted is None or not alerts:
        return {}
    days = {each.id: date.fromisoformat(each.dedupe.rsplit(":", 1)[1]) for each in alerts}
    start, end = min(days.values()), max(days.values()) + timedelta(days=1)
    between = (datetime.combine(start, time(), UTC), datetime.combine(end, time(), UTC))
    filing_ids, purposes = {each.about["filing"] for each in alerts}, granted.rulebook.monitoring.told_purposes
    of_day = defaultdict(list)
    for each in asked.of_filings(connection, granted.member.id, sorted(filing_ids), purposes, between):
        of_day[each.filing_id, each.at.astimezone(UTC).date()].append(each)
    found = {}
    for alert in alerts:
        on_day = of_day[alert.about["filing"], days[alert.id]]
        tiers = {each: granted.entitlement.tier(each.line, AS_CLASS) for each in on_day}
        if max(tiers.values(), default=0) >= HIT_TIER:
            words = {_words(each, tier) for each, tier in tiers.items() if tier >= CLASS_TIER}
            found[alert.id] = {"asked": [dict(each) for each in sorted(words)]}
    return found


def _words(enquiry: Enquiry, tier: int) -> tuple[tuple[str, str], ...]:
    said = {"line": enquiry.line, "purpose": enquiry.purpose}
    return tuple((said | {"member": enquiry.asker} if tier >= POINTER_TIER else said).items())
