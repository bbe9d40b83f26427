"""The operators who take decisions on members, on the command line: who they are, and that it is them."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from repository.domain.members import Role
from repository.services.authentication import secret_is_right
from repository.services.onboarding import OnboardingError
from repository.storage.members import ActorRow


def acting(session: Session, username: str | None) -> str:
    """The actor's id of an operator by name; without a name, of the only operator there is.

    Raises OnboardingError where there is none of that name, or several to choose from.
    """
    found = [row for row in _operators(session) if username in (None, row.login)]
    if len(found) == 1:
        return found[0].id
    if username is None and found:
        raise OnboardingError("there are several operators: say with --by which one you are")
    raise OnboardingError("there is no operator of that name: `frankpledge-admin user add NAME --role operator`")


def officer(session: Session, username: str, password: str) -> str:
    """The actor's id of an operator who shows by the password that it is them; raises OnboardingError otherwise."""
    row = next((each for each in _operators(session) if each.login == username), None)
    if not secret_is_right(row, password) or row is None:
        raise OnboardingError("there is no operator of that name and password")
    return row.id


def _operators(session: Session) -> list[ActorRow]:
    people = session.scalars(
        select(ActorRow).where(ActorRow.kind == "user", ActorRow.disabled_at.is_(None), ActorRow.member_id.is_(None))
    )
    return [each for each in people if Role.OPERATOR.value in each.roles]
