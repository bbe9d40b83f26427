"""Training the pool's own linkage model from the command line."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from benchmarks.pool import Filled, file_subjects, fill
from matching.model import to_json
from matching.shipped import shipped_model
from repository.cli import main
from repository.cli.cases import PASSWORD_VARIABLE
from repository.domain.members import Role
from repository.domain.outcomes import Given, HitOutcome
from repository.services import models
from repository.services.compose import compose
from repository.services.onboarding import add_user, admit_member
from repository.settings import Settings
from repository.storage import outcomes
from repository.storage.events import EVENTS
from repository.storage.hits import HIT_SIDES, HITS

PASSWORD = "marram-plover-dunlin-wrack"
BY_PASSWORD = {PASSWORD_VARIABLE: PASSWORD}


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    """A pool in which two members share some six hundred customers."""
    pool = fill(tmp_path_factory.mktemp("model") / "pool", 900, 600)
    file_subjects(pool.services, pool.asker, pool.fingerprint, pool.questions[1:], 1)
    yield pool
    pool.services.database.close()


def admin(settings: Settings, *words: str, env: dict[str, str] | None = None) -> Result:
    """Run a command on a pool."""
    return CliRunner().invoke(main, ["--data-dir", str(settings.data_dir), *words], env=env)


@pytest.fixture(scope="module")
def operators(filled: Filled) -> None:
    """Two operators."""
    with filled.services.database.write() as session:
        for name in ("ann", "bob"):
            add_user(session, name, PASSWORD, [Role.OPERATOR.value], now=filled.services.clock())


def reviewed(filled: Filled, model_id: str, officer: str) -> Result:
    """Review a model as one of the operators."""
    words = ("model", "review", model_id, "--officer", officer, "--reason", "The table speaks for it.")
    return admin(filled.services.settings, *words, env=BY_PASSWORD)


@pytest.mark.usefixtures("operators")
def test_a_model_is_trained_reviewed_and_then_used(filled: Filled) -> None:
    """A model is fitted on encodings, reviewed by another operator, adopted, used from the next start, and kept."""
    settings = filled.services.settings
    assert "default-1" in admin(settings, "model", "show").output
    rehearsed = admin(settings, "model", "train", "--dry-run")
    assert rehearsed.exit_code == 0, rehearsed.output
    assert "say with --officer" in admin(settings, "model", "train").output
    wrong = admin(settings, "model", "train", "--officer", "bob", env={PASSWORD_VARIABLE: "ann's own"})
    assert "no operator of that name and password" in wrong.output
    trained = admin(settings, "model", "train", "--officer", "ann", "--json", env=BY_PASSWORD)
    assert trained.exit_code == 0, trained.output
    told = json.loads(trained.output)
    model_id = told["id"]
    assert "persons of the pool" in told["card"]["data"]
    unreviewed = admin(settings, "model", "adopt", model_id, "--by", "ann", "--worse", "--reason", "Now.")
    assert (unreviewed.exit_code, settings.model_file.exists()) == (1, False)
    assert "nobody has reviewed it" in unreviewed.output
    assert "another operator does" in reviewed(filled, model_id, "ann").output
    assert reviewed(filled, model_id, "bob").exit_code == 0
    adopted = admin(settings, "model", "adopt", model_id, "--by", "ann")
    assert adopted.exit_code == 0, adopted.output
    services = compose(settings)
    services.database.close()
    assert services.linker.model_id == model_id
    assert 0.5 < services.linker.model.kinds["person"].matches_per_record < 1.2
    kept = json.loads(admin(settings, "model", "show", "default-1", "--json").output)["kept"]
    assert (kept["status"], kept["origin"]) == ("used before", "shipped")
    statuses = {each["id"]: each for each in json.loads(admin(settings, "model", "list", "--json").output)}
    assert statuses[model_id]["status"] == "in use"
    assert statuses["default-1"]["hits"] > 0
    assert admin(settings, "model", "reset").exit_code == 0
    assert "default-1" in admin(settings, "model", "show").output
    assert "used before" in admin(settings, "model", "show", model_id).output


@pytest.mark.usefixtures("operators")
def test_outcomes_train_a_model(filled: Filled) -> None:
    """What three members found makes a candidate; contradictions are left out; a worse one needs a reason."""
    services, settings = filled.services, filled.services.settings
    with services.database.write() as session:
        third = admit_member(session, "Third", ["motor"], now=services.clock())
        connection = session.connection()
        sides = connection.execute(select(HIT_SIDES.c.hit_id, HITS.c.band).join(HITS, HITS.c.id == HIT_SIDES.c.hit_id))
        judges = itertools.cycle([filled.contributor.member.id, filled.asker.member.id, third.id])
        hits = sorted({tuple(row) for row in sides})
        for place, (hit_id, band) in enumerate(hits):
            what = HitOutcome.SAME_SUBJECT if band >= 2 and place % 4 else HitOutcome.NOT_SAME
            given = Given(what, None, services.clock())
            outcomes.give(connection, next(judges), hit_id, given, actor_id=filled.asker.actor.id)
        again = (
            Given(HitOutcome.INCONCLUSIVE, None, services.clock()),
            Given(what, None, services.clock(), hits[0][0]),
        )
        for each, member_id in zip(again, (third.id, filled.asker.member.id), strict=True):
            outcomes.give(connection, member_id, hits[0][0], each, actor_id=filled.asker.actor.id)
        against = Given(HitOutcome.NOT_SAME, None, services.clock())
        outcomes.give(connection, third.id, hits[3][0], against, actor_id=filled.asker.actor.id)
    trained = admin(settings, "model", "train", "--from-outcomes", "--officer", "bob", "--json", env=BY_PASSWORD)
    assert trained.exit_code == 0, trained.output
    told = json.loads(trained.output)
    assert told["remarks"] == {"contradicted": 1}
    assert told["comparison"]["new"]["log_loss"] < told["comparison"]["old"]["log_loss"]
    assert reviewed(filled, told["id"], "ann").exit_code == 0
    assert admin(settings, "model", "adopt", told["id"], "--by", "bob").exit_code == 0
    worse = admin(settings, "model", "adopt", "default-1", "--by", "bob", "--worse")
    assert "it does worse" in worse.output
    back = admin(settings, "model", "adopt", "default-1", "--by", "bob", "--worse", "--reason", "As it was.")
    assert back.exit_code == 0, back.output
    with services.database.reading() as connection:
        assert models.not_as_kept(connection, settings) is None
        settings.model_file.unlink()
        assert models.not_as_kept(connection, settings) is None
        changed = orjson.loads(orjson.dumps(to_json(shipped_model()))) | {"card": {}}
        settings.model_file.write_bytes(orjson.dumps(changed))
        assert "changed since" in str(models.not_as_kept(connection, settings))
        by_hand = changed | {"id": "by-hand"}
        settings.model_file.write_bytes(orjson.dumps(by_hand))
        assert "nobody reviewed by-hand" in str(models.not_as_kept(connection, settings))
    models.keep_in_use(settings, services.database, services.clock())
    with services.database.reading() as connection:
        assert "nobody reviewed by-hand" in str(models.not_as_kept(connection, settings))
        kinds = set(connection.scalars(select(EVENTS.c.kind).where(EVENTS.c.kind.startswith("model."))))
        assert kinds == {"model.found", "model.trained", "model.reviewed", "model.adopted"}
    settings.model_file.unlink()


def test_too_little_is_said(tmp_path: Path) -> None:
    """A pool that holds too few persons is not trained on, and the message says how many are needed."""
    settings = Settings.under(tmp_path / "pool")
    assert admin(settings, "init").exit_code == 0
    refused = admin(settings, "model", "train", "--dry-run")
    assert refused.exit_code == 1
    assert "holds 0 persons; training needs 1000" in refused.output


@pytest.mark.parametrize("content", ["{", "[]", '{"id": "x"}', '{"kinds": []}'])
def test_a_broken_model_file_stops_the_start(filled: Filled, content: str) -> None:
    """A file that is no model is named, with what to do; the pool does not silently fall back."""
    settings = filled.services.settings
    settings.model_file.write_text(content)
    try:
        shown = admin(settings, "model", "show")
    finally:
        settings.model_file.unlink()
    assert shown.exit_code == 1
    assert "is not a linkage model" in shown.output
    assert "model train" in shown.output
