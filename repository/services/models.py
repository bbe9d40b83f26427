"""Models that are kept: each is trained by one operator, reviewed by another, and only then put into use.

None is removed: a hit names the model it was scored with, and that can be shown for as long as the pool is there.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, RowMapping

from matching.model import LinkageModel, from_json, to_json
from matching.shipped import shipped_model
from repository.domain.events import EventKind
from repository.domain.membership import SYSTEM
from repository.services import Services, learning, lifecycle, modelling
from repository.services.learning import Comparison
from repository.services.lifecycle import Act, What
from repository.settings import Settings, SettingsError
from repository.storage import models
from repository.storage.engine import Database

SHIPPED, BY_HAND, UNLABELLED, OUTCOMES = "shipped", "by hand", "encodings", "outcomes"
"""Where models are from: with the software, a file that somebody put there, training without labels, or with them."""
_RULE = "MODEL"


class ModelError(Exception):
    """What was asked of a model cannot be done; the message says why."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model as it is to be kept: where it is from, and how it did against the one in use."""

    model: LinkageModel
    origin: str
    base_id: str | None = None
    comparison: Comparison | None = None


def keep_in_use(settings: Settings, database: Database, now: datetime) -> None:
    """Keep the model in use, if it is not kept yet: hits are about to be scored with it."""
    model = modelling.current_model(settings)
    with database.reading() as connection:
        there = models.one(connection, model.id)
    if there is None:
        with database.writing() as connection:
            _keep_used(connection, settings, model, now)


def propose(connection: Connection, act: Act, candidate: Candidate, in_use: LinkageModel, settings: Settings) -> None:
    """Keep a model that was trained, for review. Raises ModelError."""
    _keep_used(connection, settings, in_use, act.now)
    if not _keep(connection, candidate, act.now, act.actor_id):
        raise ModelError("a model was kept under this id within the second: train it again")
    _tell(connection, act, EventKind.MODEL_TRAINED, candidate.model.id, origin=candidate.origin, base=in_use.id)


def review(connection: Connection, act: Act, model_id: str) -> None:
    """Note that an operator who did not train a model has looked at it and says so, with words. Raises ModelError."""
    words = lifecycle.given_reason(act.reason or "")
    row = _found(connection, model_id)
    if row["made_by"] == act.actor_id:
        raise ModelError("who trained a model does not review it: another operator does")
    if row["reviewed_at"] is not None:
        raise ModelError("it was reviewed before")
    models.change(connection, model_id, reviewed_at=act.now, reviewed_by=act.actor_id, review=words)
    _tell(connection, Act(act.now, act.actor_id, words), EventKind.MODEL_REVIEWED, model_id)


def adopt(services: Services, act: Act, model_id: str, *, worse: bool = False) -> Comparison:
    """Put a reviewed model into use from the next start on, and say how it did against the one in use before.

    Raises ModelError for one that nobody reviewed, or that does worse on the outcomes held back unless that is
    accepted, with a reason.
    """
    settings, in_use = services.settings, modelling.current_model(services.settings)
    with services.database.read(long=True) as session:  # nobody waits while thousands of outcomes are opened
        connection = session.connection()
        model = parsed(_adoptable(connection, model_id))
        if model.schema != in_use.schema:
            raise ModelError("it is for another linkage schema than the pool's")
        comparison = learning.compare(in_use, model, learning.collect(services.sealer, connection).held_back)
    if comparison.worse and not (worse and act.reason):
        raise ModelError(
            f"on {comparison.pairs} outcomes held back it does worse than {in_use.id}: log loss"
            f" {comparison.new.log_loss:.4f}, not {comparison.old.log_loss:.4f}. --worse --reason to have it anyway"
        )
    with services.database.writing() as connection:
        _adoptable(connection, model_id)
        if _content(modelling.current_model(settings)) != _content(in_use):
            raise ModelError("another model was put into use meanwhile: adopt it again, to be compared with that one")
        _keep_used(connection, settings, in_use, act.now)
        _adopted(connection, act, model_id, in_use.id)
    # After the commit: cut off before this, the pool goes on with the model before, and `check-config` says so.
    modelling.store_model(settings, model)
    return comparison


def reset(database: Database, settings: Settings, act: Act) -> LinkageModel:
    """Go back to the shipped model from the next start on; it was reviewed with the software."""
    shipped = shipped_model(settings.schema)
    in_use = None
    with suppress(SettingsError):  # what is no model scored nothing
        in_use = modelling.current_model(settings)
    with database.writing() as connection:
        if in_use is not None:
            _keep_used(connection, settings, in_use, act.now)
        _keep(connection, Candidate(shipped, SHIPPED), act.now, None)
        _adopted(connection, act, shipped.id, None if in_use is None else in_use.id)
    settings.model_file.unlink(missing_ok=True)
    return shipped


def find(connection: Connection, settings: Settings, model_id: str) -> tuple[LinkageModel, dict[str, Any] | None]:
    """A model by its id, with what is known of its keeping, None where it is not kept yet. Raises ModelError."""
    row = models.one(connection, model_id)
    if row is not None:
        return parsed(row), to_dict(row)
    for model in (modelling.current_model(settings), shipped_model(settings.schema)):
        if model.id == model_id:
            return model, None
    raise ModelError("there is no such model: `frankpledge-admin model list` shows them")


def listed(connection: Connection) -> list[dict[str, Any]]:
    """Every model kept, the first made first, with the live hits that each scored."""
    scored = models.scored(connection)
    return [to_dict(row) | {"hits": scored.get(row["id"], 0)} for row in models.all_kept(connection)]


def to_dict(row: RowMapping) -> dict[str, Any]:
    """A kept model as JSON, without its rates."""
    names = ("id", "origin", "base_id", "made_by", "reviewed_by", "review", "adopted_by", "reason", "report", "digest")
    times = {name: row[name] and row[name].isoformat() for name in ("made_at", "reviewed_at", "adopted_at", "left_at")}
    return {name: row[name] for name in names} | times | {"schema": row["schema_id"], "status": _status(row)}


def parsed(row: Mapping[str, Any] | RowMapping) -> LinkageModel:
    """The model of a row."""
    return from_json(json.loads(row["content"]))


def not_as_kept(connection: Connection, settings: Settings) -> str | None:
    """What is wrong with the model in use as against those kept; None where nothing is."""
    model = modelling.current_model(settings)
    row = models.one(connection, model.id)
    if row is not None and row["digest"] != _digest(_content(model)):
        return f"the model that is kept as {model.id}: the file was changed since"
    if settings.model_file.exists() and (row is None or (row["origin"] != SHIPPED and row["reviewed_at"] is None)):
        return f"a model that was reviewed; nobody reviewed {model.id}: `frankpledge-admin model reset`, or `review`"
    in_use = [each["id"] for each in models.all_kept(connection) if _status(each) == "in use"]
    if in_use and model.id not in in_use:
        return f"the model that was adopted last, {in_use[-1]}, not {model.id}: `frankpledge-admin model adopt`"
    return None


def _status(row: RowMapping) -> str:
    if row["adopted_at"] is not None:
        return "in use" if row["left_at"] is None else "used before"
    return "reviewed" if row["reviewed_at"] is not None else "to be reviewed"


def _adoptable(connection: Connection, model_id: str) -> RowMapping:
    row = _found(connection, model_id)
    if row["origin"] != SHIPPED and row["reviewed_at"] is None:
        raise ModelError("nobody has reviewed it: `frankpledge-admin model review`, by who did not train it")
    return row


def _found(connection: Connection, model_id: str) -> RowMapping:
    row = models.one(connection, model_id, for_change=True)
    if row is None:
        raise ModelError("there is no such model: `frankpledge-admin model list` shows them")
    return row


def _adopted(connection: Connection, act: Act, model_id: str, before: str | None) -> None:
    models.leave(connection, model_id, act.now)
    values = {"adopted_at": act.now, "adopted_by": act.actor_id, "reason": act.reason, "left_at": None}
    models.change(connection, model_id, **values)
    _tell(connection, act, EventKind.MODEL_ADOPTED, model_id, before=before)


def _keep_used(connection: Connection, settings: Settings, model: LinkageModel, now: datetime) -> None:
    """Keep a model that is in use. One that is there by hand nobody adopted: an event says so, and `check-config`."""
    shipped = not settings.model_file.exists()
    if not _keep(connection, Candidate(model, SHIPPED if shipped else BY_HAND), now, None):
        return
    if shipped:
        models.leave(connection, model.id, now)
        models.change(connection, model.id, adopted_at=now)
    else:
        _tell(connection, Act(now, SYSTEM), EventKind.MODEL_FOUND, model.id)


def _keep(connection: Connection, candidate: Candidate, now: datetime, by: str | None) -> bool:
    content = _content(candidate.model)
    row = {
        "id": candidate.model.id,
        "schema_id": candidate.model.schema,
        "origin": candidate.origin,
        "content": content,
        "digest": _digest(content),
        "base_id": candidate.base_id,
        "report": None if candidate.comparison is None else candidate.comparison.as_dict(),
        "made_at": now,
        "made_by": by,
    }
    return models.add(connection, row)


def _content(model: LinkageModel) -> str:
    return orjson.dumps(to_json(model)).decode()


def _digest(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()


def _tell(connection: Connection, act: Act, kind: EventKind, model_id: str, **figures: str | None) -> None:
    lifecycle.tell(connection, act, What(kind, _RULE, None, model_id), **figures)
