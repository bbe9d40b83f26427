"""The inbox of each member, and what is to follow from filings.

Revises: 0025
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The two tables."""
    time = sa.DateTime(timezone=True)
    op.create_table(
        "alerts",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("member_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("at", time, nullable=False),
        sa.Column("dedupe", sa.String(), nullable=False),
        sa.Column("about", sa.JSON(), nullable=False),
        sa.Column("read_at", time, nullable=True),
        sa.Column("acknowledged_at", time, nullable=True),
        sa.Column("acknowledged_by", sa.String(), nullable=True),
        sa.Column("snoozed_until", time, nullable=True),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name="fk_alerts_member_id_members"),
        sa.PrimaryKeyConstraint("id", name="pk_alerts"),
        sa.UniqueConstraint("member_id", "dedupe", name="uq_alerts_member_id_dedupe"),
    )
    op.create_index("ix_alerts_member_id_id", "alerts", ["member_id", "id"])
    op.create_index("ix_alerts_at", "alerts", ["at"])
    op.create_table(
        "aftermath",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("member_id", sa.String(), nullable=False),
        sa.Column("filings", sa.JSON(), nullable=False),
        sa.Column("at", time, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_aftermath"),
    )
    op.create_index("ix_aftermath_kind_id", "aftermath", ["kind", "id"])


def downgrade() -> None:
    """Back to the one before."""
    op.drop_table("aftermath")
    op.drop_table("alerts")
