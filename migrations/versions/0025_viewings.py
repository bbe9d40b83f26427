"""Who was shown which filing, when and for what.

Revises: 0024
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

_KNOWN = """
INSERT INTO viewings (filing_id, member_id, version, day, via, purpose, tier, actor_id, at)
SELECT side.their_filing_id, side.member_id, filings.version, date(side.shown_at), 'hit', 'investigation',
    max(side.shown_tier), '', max(side.shown_at)
FROM hit_sides AS side JOIN filings ON filings.id = side.their_filing_id
WHERE side.shown_tier > 0 AND side.shown_at IS NOT NULL
GROUP BY side.their_filing_id, side.member_id, filings.version, date(side.shown_at)
"""
# By whom, and for what else, was not kept before.


def upgrade() -> None:
    """One row for whoever was shown a filing on a day, by a way; of what was shown before, as far as that is known."""
    op.create_table(
        "viewings",
        sa.Column("filing_id", sa.String(), nullable=False),
        sa.Column("member_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("via", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("tier", sa.Integer(), nullable=False),
        sa.Column("actor_id", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name="fk_viewings_member_id_members"),
        sa.PrimaryKeyConstraint(
            *("filing_id", "member_id", "version", "day", "via", "purpose", "tier", "actor_id"), name="pk_viewings"
        ),
    )
    op.create_index("ix_viewings_at", "viewings", ["at"])
    op.execute(_KNOWN)


def downgrade() -> None:
    """Back to the one before."""
    op.drop_table("viewings")
