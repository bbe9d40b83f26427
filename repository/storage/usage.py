"""How much each member has asked today and in this minute (R10)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from repository.storage.base import Base


class UsageRow(Base):
    """The questions of a member in the day or the minute that began at `start`; the next one starts over."""

    __tablename__ = "usage"

    member_id: Mapped[str] = mapped_column(ForeignKey("members.id"), primary_key=True)
    period: Mapped[str] = mapped_column(primary_key=True)
    start: Mapped[datetime]
    used: Mapped[int]


USAGE = Base.metadata.tables["usage"]
