"""The one place where the parts of the service are put together."""

from __future__ import annotations

from contextlib import suppress

from sqlalchemy.exc import SQLAlchemyError

from matching.schema import load_schema
from repository.services import Clock, Services
from repository.services.assessment import Assessments
from repository.services.clock import now
from repository.services.hot_keys import Met
from repository.services.joining import Joining
from repository.services.modelling import linker
from repository.services.operator import check_schema, check_value
from repository.services.presence import Presence
from repository.services.rulebooks import Rulebooks
from repository.settings import Settings, read_operator_secret
from repository.storage.dialect import fencing
from repository.storage.engine import Database, create_engine
from repository.storage.operator import OPERATOR_CHECK
from repository.storage.sealing import Sealer


def compose(settings: Settings, clock: Clock = now) -> Services:
    """Everything a use case needs, from the settings.

    Raises SettingsError when a secret cannot be used, and for a pool of another linkage schema if the database answers.
    Until its database is closed nobody changes the operator secret; raises SecretChangedError while somebody does.
    """
    secret = read_operator_secret(settings.operator_secret_file)
    database = Database(create_engine(settings.database_url, settings.limits), settings.limits)
    database.hold(Presence(settings.data_dir).release)
    fencing.share(database.engine, OPERATOR_CHECK, check_value(secret))
    try:
        _check_schema(settings, database)
    except BaseException:
        database.close()
        raise
    rulebooks = Rulebooks(database)
    return Services(
        settings=settings,
        database=database,
        clock=clock,
        sealer=Sealer(secret),
        schema=load_schema(settings.schema),
        linker=linker(settings),
        rulebooks=rulebooks,
        assessments=Assessments(rulebooks),
        met=Met(database),
        joining=Joining(),
        holders=Joining(),
    )


def _check_schema(settings: Settings, database: Database) -> None:
    with suppress(SQLAlchemyError, OSError), database.read() as session:
        check_schema(session, settings.schema)
