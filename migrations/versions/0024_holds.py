"""Renewals of the time of filings, and legal holds on them.

Revises: 0023
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """What keeps a filing for longer than its class."""
    op.create_table(
        "renewals",
        sa.Column("filing_id", sa.String(), nullable=False),
        sa.Column("renewed_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("note_reference", sa.String(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["filing_id"], ["filings.id"], name="fk_renewals_filing_id_filings"),
        sa.ForeignKeyConstraint(["actor_id"], ["actors.id"], name="fk_renewals_actor_id_actors"),
        sa.PrimaryKeyConstraint("filing_id", "renewed_on", name="pk_renewals"),
    )
    op.create_table(
        "holds",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("filing_id", sa.String(), nullable=False),
        sa.Column("member_id", sa.String(), nullable=False),
        sa.Column("by_member", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("note_reference", sa.String(), nullable=True),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("placed_by", sa.String(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("released_by", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["filing_id"], ["filings.id"], name="fk_holds_filing_id_filings"),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name="fk_holds_member_id_members"),
        sa.PrimaryKeyConstraint("id", name="pk_holds"),
    )
    op.create_index("ix_holds_filing_id", "holds", ["filing_id"])
    op.create_index("ix_holds_member_id_id", "holds", ["member_id", "id"])


def downgrade() -> None:
    """Back to the one before."""
    op.drop_table("holds")
    op.drop_table("renewals")
