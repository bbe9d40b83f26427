"""What the pool sends to a member's webhook: check that it is from the pool before anything is done with it.

    try:
        notice = webhooks.verify(secret, request.headers, request.get_data())
    except WebhookError:
        return "", 400

A notice has ids, never a record: what they stand for is asked of the pool. The same notice may come more than once,
under the same `notice.id`; do it once.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from frankpledge.errors import KitError

TOLERANCE = 300.0
"""Seconds by which the time of a notice may differ from ours: one that was recorded is of no use later."""
PREFIX = "whsec_"
SHORTEST = 16
"""Bytes of a secret."""
_REMEDY = "Refuse it with status 400, and do nothing with it."


class WebhookError(KitError):
    """It is not from the pool, or not from now, or not whole."""

    def __init__(self, what: str) -> None:
        super().__init__(what, _REMEDY)


@dataclass(frozen=True, slots=True)
class Notice:
    """What the pool tells: its id, the same each time it is sent, its kind such as hit.created, and its data."""

    id: str
    kind: str
    timestamp: str
    data: Mapping[str, Any]


def verify(
    secret: str | Sequence[str],
    headers: Mapping[str, str],
    body: bytes,
    *,
    tolerance: float = TOLERANCE,
    now: float | None = None,
) -> Notice:
    """Give the notice in a request, whose body is as it came in. Raises WebhookError unless the secret signed it.

    Of several secrets, while they change, any will do.
    """
    document = _document(verified(secret, headers, body, tolerance=tolerance, now=now))
    identifier = {name.lower(): value for name, value in headers.items()}["webhook-id"]
    try:
        return Notice(identifier, str(document["type"]), str(document["timestamp"]), dict(document["data"]))
    except (KeyError, TypeError, ValueError):
        raise WebhookError("The notice is not one of the pool's.") from None


def verified(
    secret: str | Sequence[str],
    headers: Mapping[str, str],
    body: bytes,
    *,
    tolerance: float = TOLERANCE,
    now: float | None = None,
) -> bytes:
    """Give the body of any Standard Webhook. Raises WebhookError unless it was signed by the secret, lately."""
    found = {name.lower(): value for name, value in headers.items()}
    try:
        identifier, stamp = found["webhook-id"], found["webhook-timestamp"]
        signatures = found["webhook-signature"].split(" ")
        sent = int(stamp)
    except (KeyError, ValueError):
        raise WebhookError("The request has not the headers of a webhook.") from None
    if abs((time.time() if now is None else now) - sent) > tolerance:
        raise WebhookError("The notice was sent too long ago, or one of the clocks is wrong.")
    signed = f"{identifier}.{stamp}.".encode() + body
    expected = [
        hmac.digest(_key(each), signed, hashlib.sha256) for each in ([secret] if isinstance(secret, str) else secret)
    ]
    given = [_decoded(each.removeprefix("v1,")) for each in signatures if each.startswith("v1,")]
    if not any(hmac.compare_digest(one, other) for one in expected for other in given):
        raise WebhookError("The signature is not by this secret.")
    return body


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) < SHORTEST:  # anyone signs by an empty one
        raise WebhookError("The secret is not one of a webhook.")
    return key


def _decoded(signature: str) -> bytes:
    try:
        return base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _document(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        raise WebhookError("The notice is not JSON.") from None
