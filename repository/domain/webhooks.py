"""Webhooks: what a member's system is told of, where to, and how it knows that it was us (Standard Webhooks)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from repository.domain.errors import FieldError

SECRET_BYTES = 32
SECRET_PREFIX = "whsec_"  # noqa: S105 - what a secret begins with
MOST_PER_MEMBER = 10
LONGEST_URL = 2000
OVERLAP = timedelta(days=1)
"""How long an old secret signs beside the new one, unless told otherwise."""
LONGEST_OVERLAP = timedelta(days=7)
DISABLED_AFTER = timedelta(days=3)
"""A webhook to which nothing got through for so long is disabled."""
MOST_HITS = 100
"""Ids in one notice."""
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_URL = "an https URL with a host and without a user name or a fragment, up to 2000 characters"

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Notice(StrEnum):
    """What a member may be told of."""

    BATCH_FINISHED = "batch.finished"
    HIT_CREATED = "hit.created"
    RESCREEN_FINISHED = "rescreen.finished"
    ALERTS_DIGEST = "alerts.digest"
    RECORD_ASKED = "record.asked"
    WATCH_HIT = "watch.hit"
    WATCH_ENDED = "watch.ended"
    DISCLOSURE_REQUESTED = "disclosure.requested"
    DISCLOSURE_ANSWERED = "disclosure.answered"
    DISCLOSURE_WITHDRAWN = "disclosure.withdrawn"
    DISCLOSURE_ESCALATED = "disclosure.escalated"
    NETWORK_RAISED = "network.raised"
    DISCLOSURE_REMOVED = "disclosure.removed"
    CORRECTION_MADE = "correction.made"
    CORRECTION_OVERDUE = "correction.overdue"
    CASE_REMOVED = "case.removed"
    DISPUTE_RAISED = "dispute.raised"
    DISPUTE_OVERDUE = "dispute.overdue"
    FILING_REFUTED = "filing.refuted"
    SUBJECT_RECEIVED = "subject.received"
    SUBJECT_READY = "subject.ready"
    SUBJECT_COMPLETED = "subject.completed"


@dataclass(frozen=True, slots=True)
class Webhook:
    """A member's endpoint. `url` and the secrets are sealed; the old one signs, too, until its time is over."""

    id: str
    member_id: str
    actor_id: str
    url: bytes
    secret: bytes
    old_secret: bytes | None
    old_until: datetime | None
    kinds: frozenset[Notice]
    enabled: bool
    created_at: datetime
    failing_since: datetime | None
    disabled_at: datetime | None

    def has_old(self, now: datetime) -> bool:
        """Whether the old secret signs still."""
        return self.old_secret is not None and self.old_until is not None and now < self.old_until


def url_from_json(body: Mapping[str, object], *, loopback: bool) -> str:
    """Where notices go to. Raises FieldError. Plain http, to this machine itself, only where `loopback` is allowed."""
    url = body.get("url")
    if not isinstance(url, str) or len(url) > LONGEST_URL or not url.isascii() or not url.isprintable() or " " in url:
        raise FieldError("url", _URL)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise FieldError("url", _URL) from None
    schemes = ("https", "http") if loopback else ("https",)
    if parts.scheme not in schemes or not parts.hostname or port == 0:
        raise FieldError("url", _URL)
    if "@" in parts.netloc or parts.fragment:
        raise FieldError("url", _URL)
    literal = _literal(parts.hostname)
    if literal is not None and not is_reachable(literal, loopback=loopback):
        raise FieldError("url", "a host that is not in a private network")
    return url


def is_reachable(address: Address, *, loopback: bool) -> bool:
    """Whether notices may go to an address: a public one. Addresses that stand for others are none."""
    if address.is_loopback:
        return loopback
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped or address.sixtofour or address.teredo or address in _NAT64:
            return False
        if address.scope_id is not None:
            return False
    return address.is_global and not address.is_multicast


def sign(secret: bytes, identifier: str, timestamp: int, body: bytes) -> str:
    """The value of the header webhook-signature."""
    signed = f"{identifier}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()


def sign_by_each(secrets: Sequence[bytes], identifier: str, timestamp: int, body: bytes) -> str:
    """The same while a secret is replaced: a signature by each, of which the receiver needs to know one."""
    return " ".join(sign(each, identifier, timestamp, body) for each in secrets)


def secret_text(secret: bytes) -> str:
    """A secret as members are shown it."""
    return SECRET_PREFIX + base64.b64encode(secret).decode()


def payload(kind: Notice, at: datetime, data: Mapping[str, Any]) -> dict[str, Any]:
    """The body of a notice."""
    return {"type": kind.value, "timestamp": at.isoformat(), "data": dict(data)}


def is_given_up(failing_since: datetime | None, now: datetime) -> bool:
    """Whether nothing got through for long enough."""
    return failing_since is not None and now - failing_since >= DISABLED_AFTER


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
