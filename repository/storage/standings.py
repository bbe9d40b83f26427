"""Standings as they were when decisions were taken on them: each once, however many decisions name it."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, cast

import orjson
from sqlalchemy import Connection, ForeignKey, select
from sqlalchemy.orm import Mapped, mapped_column

from repository.storage import dialect
from repository.storage.base import Base


class StandingRow(Base):
    """One standing as JSON text. `id` is its SHA-256 in hex, so that the same standing is there once."""

    __tablename__ = "standings"

    id: Mapped[str] = mapped_column(primary_key=True)
    member_id: Mapped[str] = mapped_column(ForeignKey("members.id"), index=True)
    at: Mapped[datetime]
    body: Mapped[str]


STANDINGS = Base.metadata.tables["standings"]


def pack(standing: Mapping[str, Any]) -> tuple[str, str]:
    """The id of a standing and its text."""
    body = orjson.dumps(standing, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(body).hexdigest(), body.decode()


def add(connection: Connection, standing_id: str, member_id: str, body: str, *, at: datetime) -> None:
    """Store a standing unless it is there."""
    row = {"id": standing_id, "member_id": member_id, "at": at, "body": body}
    dialect.insert_missing(connection, STANDINGS, [row])


def bodies(connection: Connection, standing_ids: Collection[str]) -> Mapping[str, str]:
    """The texts of some standings by id; those that are not there are left out."""
    rows = connection.execute(select(STANDINGS.c.id, STANDINGS.c.body).where(STANDINGS.c.id.in_(standing_ids)))
    return {str(standing_id): str(body) for standing_id, body in rows}


def unpack(standing_id: str, body: str) -> dict[str, Any]:
    """A standing as JSON. Raises ValueError where the text is not the one that was stored under this id."""
    if hashlib.sha256(body.encode()).hexdigest() != standing_id:
        raise ValueError("a standing is stored under the SHA-256 of its text")
    return cast(dict[str, Any], orjson.loads(body))
