"""A pool has one linkage schema: the setting says which, the pool remembers it, and records of another are refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from frankpledge.keys import LinkageKey
from frankpledge.records import RecordEncoder
from matching.schema import load_schema
from repository.jobs.worker import IntakeWorker
from repository.services import Services
from repository.services.compose import compose
from repository.services.installation import install
from repository.services.operator import WrongSchemaError, accept_fingerprint, remember_schema
from repository.settings import Settings
from repository.storage.dialect.fencing import SecretInUseError
from repository.storage.engine import Database, create_engine
from repository.storage.filings import SUBJECTS
from tests.integration.pool.conftest import Desk
from tests.support.columns import TYPES, arrow, batch_of
from tests.support.encodings import filing, question, subject
from tests.support.scope import Guard

BROAD = load_schema("broad")
KEY = LinkageKey(bytes(range(32)))
OTHER = "broad/1, the linkage schema of this pool; the record was encoded under guarded/1"


@pytest.fixture
def under_broad(settings: Settings) -> Settings:
    """The settings of a pool of another schema than the default one."""
    database = Database(create_engine(settings.database_url))
    with database.write() as session:
        remember_schema(session, BROAD.id)
    database.close()
    return replace(settings, schema=BROAD.id)


def test_a_pool_is_made_of_a_schema_and_starts_with_no_other(database_url: str, tmp_path: Path) -> None:
    """Its model is that schema's; empty, and with nobody at work, it is made one of another."""
    settings = replace(Settings.under(tmp_path / "pool"), database_url=database_url, schema=BROAD.id)
    guarded = replace(settings, schema="guarded/1")
    assert ("linkage schema broad/1", True) in [(step.what, step.done) for step in install(settings)]
    services = compose(settings)
    assert (services.schema.id, services.linker.model.schema) == (BROAD.id, BROAD.id)
    with services.database.read():
        pass
    with pytest.raises(SecretInUseError):
        install(guarded)
    services.database.close()
    with pytest.raises(WrongSchemaError, match=r"is of the linkage schema broad/1, and \w+ says guarded/1: set it to"):
        compose(guarded)
    install(guarded)
    compose(guarded).database.close()


def test_a_pool_that_holds_encodings_keeps_its_schema(alpha: Desk, scoped: Guard) -> None:
    """It is refused with what to do; once nothing is encoded any more the pool may have another."""
    alpha.file(filing("A-1"))
    with alpha.services.database.write() as session, pytest.raises(WrongSchemaError, match="it holds encodings"):
        remember_schema(session, BROAD.id)
    with alpha.services.database.writing() as connection:
        connection.execute(update(SUBJECTS).values(envelope=b""))
    with alpha.services.database.write() as session:
        remember_schema(session, BROAD.id)
    answer = alpha.client.get("/readyz").get_json()
    assert answer["checks"]["linkage_schema"] is False


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
class TestBroad:
    """A pool of the schema `broad`."""

    @pytest.fixture
    def settings(self, under_broad: Settings) -> Settings:
        """Its settings."""
        return under_broad

    @pytest.fixture
    def accepting(self, services: Services) -> RecordEncoder:
        """The members' encoder, whose key the pool accepts."""
        with services.database.write() as session:
            accept_fingerprint(session, BROAD.id, KEY.fingerprint, now=services.clock())
        return RecordEncoder.for_key(KEY, "broad")

    def test_people_are_found_by_its_encodings(self, alpha: Desk, beta: Desk, accepting: RecordEncoder) -> None:
        """Filed, indexed, looked up and compared; the scheme tells of its keys only."""
        known = {"given_name": "Cornelius", "family_name": "Featherstonehaugh", "date_of_birth": "1981-03-09"}
        said = {"schema": BROAD.id, "fingerprint": KEY.fingerprint}
        for desk, town in ((alpha, "Leeds"), (beta, "Truro")):
            (encoded,) = accepting.subjects(known | {"town": town}, "policyholder")
            assert desk.file(filing("P-1", encoded) | said)["result"] == "created"
        (hit,) = beta.hits()
        assert hit["band"] in ("probable", "strong")
        assert [each["id"] for each in beta.client.get("/v1/scheme").get_json()["schemas"]] == [BROAD.id]

    def test_records_of_another_schema_are_refused(self, alpha: Desk) -> None:
        """A filing, a question, a row of a batch and one of columns: which schema is expected, and which was sent."""
        refused: list[dict[str, Any]] = [
            alpha.file(filing("P-1"), status=422),
            alpha.screen(question("ann"), status=422),
            alpha.batch([filing("P-1")]),
        ]
        sent = {"Content-Type": TYPES["arrow"], "Idempotency-Key": "columns"} | alpha.member.headers
        answer = alpha.client.post("/v1/batches", data=arrow(batch_of([filing("P-1")])), headers=sent).get_json()
        IntakeWorker(alpha.services).run_pending()
        refused.append(alpha.get(f"/v1/batches/{answer['id']}"))
        assert [problem.get("type", "")[-14:] for problem in refused[:2]] == ["unknown-schema"] * 2
        for problem in refused:
            assert [(error["field"], error["expected"]) for error in problem["errors"]] == [("schema", OTHER)]

    def test_what_was_sent_is_named_only_where_it_is_a_schema(self, alpha: Desk) -> None:
        """Anything else that stands there may be personal data."""
        problem = alpha.file(filing("P-1", subject("ann", schema=BROAD), schema="Ann Smith"), status=422)
        assert problem["errors"][0]["expected"] == "broad/1, the linkage schema of this pool"
