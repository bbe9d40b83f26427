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

_KNOWN = """
INSERT INTO suppressed_pairs (id, member_id, hit_id, at, band, own_filing_id, own_position, own_screening_id,
    their_filing_id, their_position)
SELECT 'sup_' || substr(outcomes.hit_id, 5) || '_' || outcomes.member_id, outcomes.member_id, outcomes.hit_id,
    outcomes.given_at, hits.band, side.own_filing_id, side.own_position, side.own_screening_id, side.their_filing_id,
    side.their_position
FROM outcomes JOIN hits ON hits.id = outcomes.hit_id
JOIN hit_sides AS side ON side.hit_id = outcomes.hit_id AND side.member_id = outcomes.member_id
WHERE outcomes.outcome = 'not_same'
"""
# What both sides were then, of which the table has digests, is not in any column: these pairs are known by their places.


def upgrade() -> None:
    """The pairs, those that were found so before among them, and which outcome another stands for."""
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
    op.execute(_KNOWN)


def downgrade() -> None:
    """Back to the one before: a pair that comes back under another hit is shown again."""
    op.drop_column("outcomes", "carried_from")
    op.drop_table("suppressed_pairs")
