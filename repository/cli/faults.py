"""Errors that an operator can mend, as sentences."""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError, OperationalError, ProgrammingError

from repository.domain.errors import FieldError
from repository.domain.membership import LifeCycleError
from repository.services.archive import BackupError
from repository.services.onboarding import OnboardingError
from repository.services.operator import WrongSecretError
from repository.services.rotation import RotationError
from repository.services.rulebook_file import RulebookFileError
from repository.services.rulebooks import RulebookError
from repository.settings import SettingsError
from repository.storage.dialect.fencing import SecretChangedError, SecretInUseError
from repository.storage.migrating import MigrationError

_IN_WORDS = (
    SettingsError,
    OnboardingError,
    LifeCycleError,
    FieldError,
    RulebookError,
    BackupError,
    MigrationError,
    RotationError,
    SecretChangedError,
)


def sentence(error: Exception) -> str | None:
    """What to tell of an error; None of one that nobody foresaw."""
    if isinstance(error, RulebookFileError):
        faults = (f"  {entry}: {expected}" for entry, expected in error.errors)
        return "\n".join(("this is no rulebook", *faults))
    if isinstance(error, _IN_WORDS):
        return str(error)
    if isinstance(error, WrongSecretError):
        return (
            "the operator secret is not the one this pool was written under: restore the right file, or take an"
            " empty database. If it was being changed, finish that: `frankpledge-admin secret rotate`"
        )
    if isinstance(error, SecretInUseError):
        return "others work under the operator secret: stop every `serve`, `worker run` and command of this pool first"
    return _database_problem(error) if isinstance(error, OperationalError | ProgrammingError) else None


def _database_problem(error: DBAPIError) -> str:
    """What the database said is not shown in full: it may hold values. Its first line names what is missing."""
    first = str(error.orig).strip().splitlines()[0] if error.orig else type(error).__name__
    if "no such table" in first or "does not exist" in first:
        return "the database lacks tables of this version: run `frankpledge-admin migrate`"
    return f"the database does not answer: {first}"
