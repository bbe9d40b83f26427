"""What every step of a membership's life shares: who takes it, when and why, and its event."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from repository.domain import ids
from repository.domain.errors import FieldError
from repository.domain.events import Event, EventKind
from repository.domain.ids import Prefix
from repository.domain.membership import COMMAND_LINE
from repository.storage import events

LONGEST_REASON = 500


@dataclass(frozen=True, slots=True)
class Act:
    """Who acts (an actor's id, SYSTEM or COMMAND_LINE), when, and why, in words."""

    now: datetime
    actor_id: str = COMMAND_LINE
    reason: str | None = None

    def new_id(self, prefix: Prefix) -> str:
        """An id of this time."""
        return ids.make(prefix, self.now, os.urandom(ids.RANDOM_BYTES))


@dataclass(frozen=True, slots=True)
class What:
    """What happened, to which member, under which rule; `subject_id` is the case or grant it was about."""

    kind: EventKind
    rule: str
    member_id: str | None
    subject_id: str | None = None


def tell(connection: Connection, act: Act, what: What, **figures: str | int | None) -> str:
    """Append the event of a step and return its id; rule and reason are among its figures."""
    event_id = act.new_id("evt")
    told = {"rule": what.rule, "reason": act.reason, **figures}
    event = Event(event_id, act.now, what.kind, act.actor_id, what.member_id, what.subject_id, told)
    events.append(connection, event)
    return event_id


def given_reason(text: str, field: str = "reason") -> str:
    """A reason that says something, without space around it; raises FieldError for one that is empty or too long."""
    stripped = text.strip()
    if not stripped or len(stripped) > LONGEST_REASON or not stripped.replace("\n", " ").isprintable():
        raise FieldError(field, f"a sentence of 1 to {LONGEST_REASON} printable characters")
    return stripped
