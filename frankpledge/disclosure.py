"""The detail of a record, from its contributor to the member that asked: sealed here, and opened there, by age.

The pool carries ciphertext. As age does not say who sealed a file, what is sealed names the request that it answers,
and both sides have a check of it to compare by another way than the pool.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from frankpledge.agreement import Identity, grouped
from frankpledge.errors import KitError

FORMAT = "frankpledge-disclosure/1"
LARGEST = 256 * 1024
"""Bytes of a sealed answer that the pool carries."""
_CHECK_DIGITS = 32


class AnswerError(KitError):
    """A sealed answer that cannot be opened, or is not one to this request."""


@dataclass(frozen=True, slots=True)
class Disclosure:
    """A request for detail as one of its two members sees it; `name` is the other one."""

    id: str
    sent: bool
    status: str
    overdue: bool
    member: str
    name: str
    due_on: str
    working_days_left: int | None
    items: tuple[str, ...]
    granted: tuple[str, ...]
    recipient: str | None
    document: Mapping[str, Any] = field(repr=False, compare=False)

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Disclosure:
        """Read a request. Raises KeyError or TypeError."""
        return cls(
            id=document["id"],
            sent=document["side"] == "sent",
            status=document["status"],
            overdue=document["overdue"],
            member=document["member"],
            name=document["name"],
            due_on=document["due_on"],
            working_days_left=document["working_days_left"],
            items=tuple(document["items"]),
            granted=tuple(document["granted"]),
            recipient=document.get("recipient"),
            document=document,
        )


def seal(disclosure_id: str, items: Mapping[str, str], recipient: str) -> bytes:
    """Seal the answer to a request to a public key. Raises KitError for what is none, or is too large."""
    import pyrage  # noqa: PLC0415 - only where something is sealed

    answer = {"format": FORMAT, "request": disclosure_id, "items": dict(items)}
    try:
        sealed = pyrage.encrypt(orjson.dumps(answer), [pyrage.x25519.Recipient.from_str(recipient)])
    except pyrage.RecipientError:
        raise KitError("The member that asks has no public key of age.", "Have it publish one.") from None
    if len(sealed) > LARGEST:
        raise KitError(f"The answer is larger than {LARGEST:,} bytes.", "Give papers by another way, and say how here.")
    return sealed


def unseal(sealed: bytes, identity: Identity, *, disclosure_id: str, granted: Collection[str]) -> dict[str, str]:
    """Open an answer, which must be the one to this request and have what was granted. Raises AnswerError."""
    import pyrage  # noqa: PLC0415 - only where something is opened

    try:
        answer = orjson.loads(pyrage.decrypt(sealed, [pyrage.x25519.Identity.from_str(identity.secret)]))
        items = {str(name): str(text) for name, text in answer["items"].items()}
        named = (answer["format"], answer["request"])
    except pyrage.DecryptError:
        raise AnswerError(
            "The answer cannot be opened with this identity.", "Give the identity whose public key was published."
        ) from None
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        raise _other() from None
    if named != (FORMAT, disclosure_id) or items.keys() != set(granted):
        raise _other()
    return items


def check(sealed: bytes) -> str:
    """What both sides compare: 32 hex digits of the SHA-256 of what is sealed."""
    return grouped(hashlib.sha256(sealed).hexdigest()[:_CHECK_DIGITS])


def _other() -> AnswerError:
    return AnswerError(
        "What was sealed is no answer to this request.", "Do not rely on it; tell the member that was asked."
    )
