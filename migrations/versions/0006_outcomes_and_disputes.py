"""Outcomes and disputes.

Revises: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Outcomes and disputes."""
    op.create_table(
        "outcomes",
        sa.Column("member_id", sa.String(), nullable=False),
        sa.Column("hit_id", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("note_reference", sa.String(), nullable=True),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["actors.id"], name="fk_outcomes_actor_id_actors"),
        sa.ForeignKeyConstraint(["hit_id"], ["hits.id"], name="fk_outcomes_hit_id_hits"),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name="fk_outcomes_member_id_members"),
        sa.PrimaryKeyConstraint("member_id", "hit_id", name="pk_outcomes"),
    )
    op.create_table(
        "duties",
        sa.Column("member_id", sa.String(), nullable=False),
        sa.Column("hit_id", sa.String(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("line", sa.String(), nullable=False),
        sa.Column("record_class", sa.String(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["hit_id"], ["hits.id"], name="fk_duties_hit_id_hits"),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name="fk_duties_member_id_members"),
        sa.PrimaryKeyConstraint("member_id", "hit_id", name="pk_duties"),
    )
    op.create_index("ix_duties_hit_id", "duties", ["hit_id"])
    op.create_table(
        "disputes",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("raiser_id", sa.String(), nullable=False),
        sa.Column("contributor_id", sa.String(), nullable=False),
        sa.Column("hit_id", sa.String(), nullable=False),
        sa.Column("filing_id", sa.String(), nullable=False),
        sa.Column("filing_version", sa.Integer(), nullable=False),
        sa.Column("line", sa.String(), nullable=False),
        sa.Column("record_class", sa.String(), nullable=False),
        sa.Column("ground", sa.String(), nullable=False),
        sa.Column("statement_reference", sa.String(), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("accepts", sa.Boolean(), nullable=True),
        sa.Column("note_reference", sa.String(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["contributor_id"], ["members.id"], name="fk_disputes_contributor_id_members"),
        sa.ForeignKeyConstraint(["filing_id"], ["filings.id"], name="fk_disputes_filing_id_filings"),
        sa.ForeignKeyConstraint(["hit_id"], ["hits.id"], name="fk_disputes_hit_id_hits"),
        sa.ForeignKeyConstraint(["raiser_id"], ["members.id"], name="fk_disputes_raiser_id_members"),
        sa.PrimaryKeyConstraint("id", name="pk_disputes"),
    )
    op.create_index("ix_disputes_contributor_id", "disputes", ["contributor_id", "id"])
    op.create_index("ix_disputes_raiser_id", "disputes", ["raiser_id", "id"])
    op.create_index(
        "uq_disputes_unclosed",
        "disputes",
        ["raiser_id", "filing_id"],
        unique=True,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_table(
        "upheld_versions",
        sa.Column("filing_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("dispute_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["dispute_id"], ["disputes.id"], name="fk_upheld_versions_dispute_id_disputes"),
        sa.ForeignKeyConstraint(["filing_id"], ["filings.id"], name="fk_upheld_versions_filing_id_filings"),
        sa.PrimaryKeyConstraint("filing_id", "version", name="pk_upheld_versions"),
    )


def downgrade() -> None:
    """Back to 0005."""
    op.drop_table("upheld_versions")
    op.drop_table("disputes")
    op.drop_table("duties")
    op.drop_table("outcomes")
