"""The checks behind readiness."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from repository.services import Services, migration, operator
from repository.settings import SettingsError, read_operator_secret


def checks(services: Services) -> dict[str, bool]:
    """Each check by name. A failing database fails the checks that need it; nothing is raised."""
    passed = {"database": False, "tables": False, "operator_secret": False, "linkage_schema": False}
    try:
        with services.database.read() as session:
            session.execute(text("SELECT 1"))
            passed["database"] = True
            passed["tables"] = migration.serves(session)
            passed["linkage_schema"] = operator.is_of_schema(session, services.schema.id)
            secret = read_operator_secret(services.settings.operator_secret_file)
            passed["operator_secret"] = operator.secret_matches(session, secret)
    except (SQLAlchemyError, SettingsError):
        return passed
    return passed
