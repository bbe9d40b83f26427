"""Screenings that stand, and schedules.

Revises: 0027
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """What stands, and what it is found by."""
    time = sa.DateTime(timezone=True)
    op.create_table(
        "watches",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("member_id", sa.String(), nullable=False),
        sa.Column("actor_id", sa.String(), nullable=False),
        sa.Column("screening_id", sa.String(), nullable=False),
        sa.Column("stands_as", sa.String(), nullable=False),
        sa.Column("since", time, nullable=False),
        sa.Column("until_on", sa.Date(), nullable=False),
        sa.Column("until", time, nullable=False),
        sa.Column("ended_at", time, nullable=True),
        sa.Column("end_reason", sa.String(), nullable=True),
        sa.Column("owed_at", time, nullable=True),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name="fk_watches_member_id_members"),
        sa.ForeignKeyConstraint(["actor_id"], ["actors.id"], name="fk_watches_actor_id_actors"),
        sa.ForeignKeyConstraint(["screening_id"], ["screenings.id"], name="fk_watches_screening_id_screenings"),
        sa.PrimaryKeyConstraint("id", name="pk_watches"),
        sa.UniqueConstraint("number", name="uq_watches_number"),
    )
    op.create_index("ix_watches_member_id_id", "watches", ["member_id", "id"])
    op.create_index("ix_watches_screening_id", "watches", ["screening_id"])
    op.create_index("ix_watches_ended_at_until", "watches", ["ended_at", "until"])
    op.create_index("ix_watches_owed_at", "watches", ["owed_at"])
    op.create_table(
        "watch_index",
        sa.Column("key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("pointer", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("key", "pointer", name="pk_watch_index"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "schedules",
        sa.Column("member_id", sa.String(), nullable=False),
        sa.Column("task", sa.String(), nullable=False),
        sa.Column("actor_id", sa.String(), nullable=False),
        sa.Column("schedule", sa.JSON(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=True),
        sa.Column("set_at", time, nullable=False),
        sa.Column("next_at", time, nullable=False),
        sa.Column("last_at", time, nullable=True),
        sa.Column("last", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name="fk_schedules_member_id_members"),
        sa.ForeignKeyConstraint(["actor_id"], ["actors.id"], name="fk_schedules_actor_id_actors"),
        sa.PrimaryKeyConstraint("member_id", "task", name="pk_schedules"),
    )
    op.create_index("ix_schedules_next_at", "schedules", ["next_at"])


def downgrade() -> None:
    """Back to the one before: what stands, stands no more."""
    op.drop_table("schedules")
    op.drop_table("watch_index")
    op.drop_table("watches")
