"""What the commands share: the pool they act on, and how they print."""

from __future__ import annotations

import functools
from collections.abc import Mapping

import click
import orjson
from rich.console import Console
from rich.table import Table

from repository.services.clock import now
from repository.services.operator import WrongSecretError, check_schema, secret_matches
from repository.settings import Settings, SettingsError, read_metrics_token, read_operator_secret
from repository.storage.dump import tables
from repository.storage.engine import Database, create_engine


class Pool:
    """The pool a command acts on. The database is opened when it is first needed."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Pool:
        """The pool that the settings in an environment are about; raises SettingsError."""
        return cls(Settings.from_environment(environment))

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
        tables()  # what asks which there are, or sorts them, is to find those of modules that no command imported
        limits = self.settings.limits.patient()
        return Database(create_engine(self.settings.database_url, limits), limits)

    def close(self) -> None:
        """Close the database, if it was opened."""
        if "database" in self.__dict__:
            self.database.close()

    def check(self) -> None:
        """Tell now what would only fail at the first request: secrets, tables, and that the two belong together."""
        from repository.services import migration  # noqa: PLC0415 - loads Alembic, which few commands need
        from repository.services.signing import load_signing_keys  # noqa: PLC0415 - and what reads keys

        load_signing_keys(self.settings.signing_keys_dir)
        read_metrics_token(self.settings.metrics_token_file)
        from repository.services.models import keep_in_use  # noqa: PLC0415 - and what compares models

        try:
            with self.database.read() as session:
                if not migration.serves(session):
                    raise SettingsError("the tables are not those of this version: run `frankpledge-admin migrate`")
                if not secret_matches(session, read_operator_secret(self.settings.operator_secret_file)):
                    raise WrongSecretError
                check_schema(session, self.settings.schema)
            keep_in_use(self.settings, self.database, now())
        finally:
            self.database.close()  # no connection may cross into a process that is started from here


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
