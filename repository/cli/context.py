"""What the commands share: the pool they act on, how they print, and errors without a trace back."""

from __future__ import annotations

import functools
from typing import Any

import click
import orjson
from rich.console import Console
from rich.table import Table
from sqlalchemy.exc import DBAPIError, OperationalError, ProgrammingError

from repository.domain.errors import FieldError
from repository.domain.membership import LifeCycleError
from repository.services import migration
from repository.services.archive import BackupError
from repository.services.onboarding import OnboardingError
from repository.services.operator import WrongSecretError, secret_matches
from repository.services.rulebook_file import RulebookFileError
from repository.services.rulebooks import RulebookError
from repository.services.signing import load_signing_keys
from repository.settings import Settings, SettingsError, read_metrics_token, read_operator_secret
from repository.storage.engine import Database, create_engine
from repository.storage.migrating import MigrationError


class Pool:
    """The pool a command acts on. The database is opened when it is first needed."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @property
    def exists(self) -> bool:
        """Whether `init` was run."""
        return self.settings.operator_secret_file.exists()

    @functools.cached_property
    def database(self) -> Database:
        """The pool's database; it must be there: `init` makes it."""
        if not self.exists:
            raise SettingsError(
                f"there is no pool in {self.settings.data_dir}: run `frankpledge-admin init`, or point to another"
                " directory with --data-dir"
            )
        limits = self.settings.limits.patient()
        return Database(create_engine(self.settings.database_url, limits), limits)

    def close(self) -> None:
        """Close the database, if it was opened."""
        if "database" in self.__dict__:
            self.database.close()

    def check(self) -> None:
        """Tell now what would only fail at the first request: secrets, tables, and that the two belong together."""
        load_signing_keys(self.settings.signing_keys_dir)
        read_metrics_token(self.settings.metrics_token_file)
        try:
            with self.database.read() as session:
                if not migration.at_head(session):
                    raise SettingsError("the tables are not those of this version: run `frankpledge-admin migrate`")
                if not secret_matches(session, read_operator_secret(self.settings.operator_secret_file)):
                    raise WrongSecretError
        finally:
            self.database.close()  # no connection may cross into a process that is started from here


class FriendlyGroup(click.Group):
    """A group whose commands end with a sentence and exit code 1 where something expected went wrong."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; errors that an operator can mend become a click error."""
        try:
            return super().invoke(ctx)
        except RulebookFileError as error:
            faults = (f"  {entry}: {expected}" for entry, expected in error.errors)
            raise click.ClickException("\n".join(("this is no rulebook", *faults))) from None
        except (SettingsError, OnboardingError, LifeCycleError, FieldError, RulebookError, BackupError) as error:
            raise click.ClickException(str(error)) from None
        except MigrationError as error:
            raise click.ClickException(str(error)) from None
        except WrongSecretError:
            raise click.ClickException(
                "the operator secret is not the one this pool was written under: restore the right file, or take an"
                " empty database"
            ) from None
        except (OperationalError, ProgrammingError) as error:
            raise click.ClickException(_database_problem(error)) from None


def _database_problem(error: DBAPIError) -> str:
    """What the database said is not shown in full: it may hold values. Its first line names what is missing."""
    first = str(error.orig).strip().splitlines()[0] if error.orig else type(error).__name__
    if "no such table" in first or "does not exist" in first:
        return "the database lacks tables of this version: run `frankpledge-admin migrate`"
    return f"the database does not answer: {first}"


def console() -> Console:
    """Standard output, wide where it goes to a file or pipe. Highlighting is off: an id is not a number."""
    made = Console(highlight=False, soft_wrap=True)
    return made if made.is_terminal else Console(highlight=False, soft_wrap=True, width=200)


def print_json(value: object) -> None:
    """One JSON document on standard output."""
    click.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS).decode())


def table(*headings: str) -> Table:
    """An empty table in the house style."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    for position, heading in enumerate(headings):
        made.add_column(heading, overflow="fold", no_wrap=position == 0)
    return made
