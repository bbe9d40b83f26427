"""What the views of applications, appeals and the membership share: errors as problems, and who acts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

from flask import Response
from sqlalchemy.orm import Session

from repository.api import cursors
from repository.api.base import json_response
from repository.api.context import current_actor, services
from repository.api.own import field_problem, own_member
from repository.api.problems import ProblemError
from repository.domain.errors import FieldError
from repository.domain.membership import CaseStatus, LifeCycleError, NotIndependentError
from repository.services.applications import Clocks
from repository.services.lifecycle import Act
from repository.services.onboarding import OnboardingError
from repository.storage.members import MemberRow
from repository.storage.membership import Wanted


@contextmanager
def problems() -> Iterator[None]:
    """Answer what cannot be done with the problem it is."""
    try:
        yield
    except FieldError as error:
        raise field_problem(error) from None
    except NotIndependentError as error:
        raise ProblemError("not-independent", f"{_sentence(error)}", rule="R9") from None
    except (LifeCycleError, OnboardingError) as error:
        raise ProblemError("conflict", _sentence(error)) from None


def act(reason: str | None = None) -> Act:
    """What the actor of this request does, now."""
    return Act(services().clock(), current_actor().id, reason)


def clocks() -> Clocks:
    """Today, and the rulebook of today."""
    return Clocks(services().rulebook, services().clock().date())


def wanted(query: dict[str, Any], kind: str, member_id: str | None = None) -> Wanted:
    """The page of a list that a query asks for, and one entry more, which tells whether there are more."""
    status = CaseStatus(query["status"]) if "status" in query else None
    position = cursors.decode((kind, member_id, status), query.get("cursor"), [str, str])
    after = None
    if position is not None:
        try:
            after = (date.fromisoformat(str(position[0])), str(position[1]))
        except ValueError:
            raise ProblemError("invalid-cursor") from None
    return Wanted(status, member_id, after, query["limit"] + 1)


def page(asked: Wanted, kind: str, items: list[dict[str, Any]]) -> Response:
    """The page itself, with the cursor of the next one."""
    limit = (asked.limit or 1) - 1
    shown, last = items[:limit], items[limit - 1] if len(items) > limit else None
    scope = (kind, asked.member_id, asked.status)
    cursor = cursors.encode(scope, [last["due_on"], last["id"]]) if last else None
    return json_response({"items": shown, "next_cursor": cursor})


def own_row(session: Session, *, to_change: bool = False) -> MemberRow:
    """The row of the member who makes this request; raises ProblemError for an operator or auditor.

    With `to_change` nobody else changes it until the transaction ends.
    """
    return session.get_one(MemberRow, own_member().id, with_for_update=to_change)


def _sentence(error: Exception) -> str:
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."
