"""Models kept, reviewed and adopted; filings that were refuted.

Revises: 0030
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Every model that was trained or used, and who reviewed and adopted it."""
    op.create_table(
        "models",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("schema_id", sa.String(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("content", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("base_id", sa.String(), nullable=True),
        sa.Column("report", sa.JSON(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.String(), nullable=True),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reviewed_by", sa.String(), nullable=True),
        sa.Column("review", sa.String(), nullable=True),
        sa.Column("adopted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("adopted_by", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("left_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_models"),
    )
    op.create_table(
        "refutations",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("filing_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("contributor_id", sa.String(), nullable=False),
        sa.Column("line", sa.String(), nullable=False),
        sa.Column("record_class", sa.String(), nullable=False),
        sa.Column("noticed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("contest_until", sa.Date(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("note_reference", sa.String(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["contributor_id"], ["members.id"], name="fk_refutations_contributor_id_members"),
        sa.PrimaryKeyConstraint("id", name="pk_refutations"),
        sa.UniqueConstraint("filing_id", "version", name="uq_refutations_filing_id_version"),
    )
    op.create_index("ix_refutations_contributor_id", "refutations", ["contributor_id", "id"])
    op.create_index("ix_refutations_status", "refutations", ["status"])
    with op.batch_alter_table("upheld_versions") as batch:
        batch.alter_column("dispute_id", existing_type=sa.String(), nullable=True)


def downgrade() -> None:
    """Back to the one before, as far as rows of then can say it: what counts without a dispute is not there."""
    op.execute("DELETE FROM upheld_versions WHERE dispute_id IS NULL")
    with op.batch_alter_table("upheld_versions") as batch:
        batch.alter_column("dispute_id", existing_type=sa.String(), nullable=False)
    op.drop_table("refutations")
    op.drop_table("models")
