"""Standings as they were when decisions were taken on them: each once, however many decisions name it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
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


def find(connection: Connection, standing_id: str) -> dict[str, Any] | None:
    """A stored standing as JSON, None when there is none of this id."""
    body = connection.scalar(select(STANDINGS.c.body).where(STANDINGS.c.id == standing_id))
    return None if body is None else cast(dict[str, Any], orjson.loads(body))
