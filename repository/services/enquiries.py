"""What a contributor is told of who asked about a record of its, by the tier it has for customers of that line."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

from sqlalchemy import Connection

from repository.domain.alerts import Alert
from repository.domain.rulebook import CLASS_TIER, HIT_TIER, POINTER_TIER
from repository.services.entitlements import Granted
from repository.storage import asked
from repository.storage.asked import Enquiry

AS_CLASS = "customer"
"""What somebody asks in a line is to others as a customer of that line would be."""


def told(connection: Connection, granted: Granted | None, alert: Alert) -> dict[str, Any] | None:
    """What a contributor is told of who asked about a record on a day; None where it is told nothing of it now."""
    if granted is None:
        return None
    start = datetime.combine(alert.at.astimezone(UTC).date(), time(), UTC)
    purposes = granted.rulebook.monitoring.told_purposes
    found = asked.of_filings(connection, alert.member_id, [alert.about["filing"]], purposes)
    on_day = [each for each in found if start <= each.at < start + timedelta(days=1)]
    tiers = {each: granted.entitlement.tier(each.line, AS_CLASS) for each in on_day}
    if max(tiers.values(), default=0) < HIT_TIER:
        return None
    words = {_words(each, tier) for each, tier in tiers.items() if tier >= CLASS_TIER}
    return {"asked": [dict(each) for each in sorted(words)]}


def _words(enquiry: Enquiry, tier: int) -> tuple[tuple[str, str], ...]:
    said = {"line": enquiry.line, "purpose": enquiry.purpose}
    return tuple((said | {"member": enquiry.asker} if tier >= POINTER_TIER else said).items())
