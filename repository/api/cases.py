"""What the views of applications, appeals and the membership share: errors as problems, and who acts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.orm import Session

from repository.api.context import current_actor, services
from repository.api.own import field_problem, own_member
from repository.api.problems import ProblemError
from repository.domain.errors import FieldError
from repository.domain.membership import LifeCycleError, NotIndependentError
from repository.services.applications import Clocks
from repository.services.lifecycle import Act
from repository.services.onboarding import OnboardingError
from repository.storage.members import MemberRow


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


def own_row(session: Session, *, to_change: bool = False) -> MemberRow:
    """The row of the member who makes this request; raises ProblemError for an operator or auditor.

    With `to_change` nobody else changes it until the transaction ends.
    """
    return session.get_one(MemberRow, own_member().id, with_for_update=to_change)


def _sentence(error: Exception) -> str:
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."
