"""The checks behind readiness."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from repository.services import Services, operator
from repository.settings import read_operator_secret


def checks(services: Services) -> dict[str, bool]:
    """Each check by name. A failing database fails the checks that need it; nothing is raised."""
    secret = read_operator_secret(services.settings.operator_secret_file)
    try:
        with services.database.read() as session:
            session.execute(text("SELECT 1"))
            matches = operator.secret_matches(session, secret)
    except SQLAlchemyError:
        return {"database": False, "operator_secret": False}
    return {"database": True, "operator_secret": matches}
