"""The published schedule: how long what is kept, of filings and of what is kept on account of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from matching.vocabulary import CUSTOMER_KINDS
from repository.domain import alerts, corrections
from repository.domain.retention import FOOTPRINT_DAYS, FOOTPRINT_MONTHS, LONGEST, Period
from repository.domain.rulebook import Rulebook
from repository.services.expiring import KEPT_DELIVERIES, KEPT_HOT_KEYS
from repository.storage import idempotency


def schedule(rulebook: Rulebook) -> dict[str, Any]:
    """How long what is kept, as JSON for anybody."""
    classes = [
        {
            "class": "customer" if kind in CUSTOMER_KINDS else kind,
            "customer_kind": kind if kind in CUSTOMER_KINDS else None,
            "basis": rulebook.retention[kind].basis.value,
            "keep": str(rulebook.retention[kind].keep),
            "cap": str(rulebook.retention[kind].cap),
            "cap_of_any_scheme": str(Period(longest.cap_months)),
            "renewable": longest.renewable,
        }
        for kind, longest in LONGEST.items()
    ]
    screenings = {"keep_days": rulebook.screening.keep_days, "cap_months": FOOTPRINT_MONTHS}
    others = [{"what": what, "keep": str(period)} for what, period in _others(rulebook).items()]
    return {"rulebook": rulebook.version, "classes": classes, "screenings": screenings, "others": others}


def _others(rulebook: Rulebook) -> dict[str, Period]:
    """What else is kept of records, of who saw them, and of whom they are about."""
    access, exchange = rulebook.subject_access, rulebook.exchange
    return {
        "viewings": Period(FOOTPRINT_DAYS, "days"),
        "alerts": Period(alerts.KEPT_MONTHS),
        "corrections": Period(corrections.KEPT_MONTHS),
        "subject_requests": Period(access.keep_days, "days"),
        "subject_reports": Period(access.report_days, "days"),
        "disclosure_requests": Period(exchange.keep_days, "days"),
        "disclosure_answers": Period(exchange.sealed_days, "days"),
        "webhook_deliveries": _days(KEPT_DELIVERIES),
        "hot_keys": _days(KEPT_HOT_KEYS),
        "answers_sent_again": _days(idempotency.KEPT),
    }


def _days(span: timedelta) -> Period:
    return Period(span.days, "days")
