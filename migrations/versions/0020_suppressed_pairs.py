"""Pairs that a member found not to be the same.

Revises: 0019
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The pairs, and which outcome another stands for.

    Those that were found so before are not copied: each row would hold the filings that it refers to until the end. No
    pool was at the version before.
    """
    op.create_table(
        "suppressed_pairs",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("member_id", sa.String(), nullable=False),
        sa.Column("hit_id", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("band", sa.Integer(), nullable=False),
        sa.Column("own_filing_id", sa.String(), nullable=True),
        sa.Column("own_position", sa.Integer(), nullable=False),
        sa.Column("own_screening_id", sa.String(), nullable=True),
        sa.Column("their_filing_id", sa.String(), nullable=False),
        sa.Column("their_position", sa.Integer(), nullable=False),
        sa.Column("ends", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name="fk_suppressed_pairs_member_id_members"),
        sa.ForeignKeyConstraint(["own_filing_id"], ["filings.id"], name="fk_suppressed_pairs_own_filing_id_filings"),
        sa.ForeignKeyConstraint(["their_filing_id"], ["filings.id"], name="fk_suppressed_pairs_their_filing_id_filings"),
        sa.PrimaryKeyConstraint("id", name="pk_suppressed_pairs"),
        sa.UniqueConstraint("member_id", "hit_id", name="uq_suppressed_pairs_member_id_hit_id"),
    )
    op.create_index("ix_suppressed_pairs_their_filing_id", "suppressed_pairs", ["their_filing_id"])
    op.create_index("ix_suppressed_pairs_own_filing_id", "suppressed_pairs", ["own_filing_id"])
    op.add_column("outcomes", sa.Column("carried_from", sa.String(), nullable=True))


def downgrade() -> None:
    """Back to the one before: a pair that comes back under another hit is shown again."""
    op.drop_column("outcomes", "carried_from")
    op.drop_table("suppressed_pairs")
