"""Rulebooks.

Revises: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Rulebooks."""
    op.create_table(
        "rulebooks",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("loaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("loaded_by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_rulebooks"),
        sa.UniqueConstraint("number", name="uq_rulebooks_number"),
        sa.UniqueConstraint("version", name="uq_rulebooks_version"),
    )


def downgrade() -> None:
    """Back to 0001."""
    op.drop_table("rulebooks")
