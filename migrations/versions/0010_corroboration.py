"""What others corroborated of everyone's records, summed up once a day.

Revises: 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The sums of a day, of every member."""
    op.create_table(
        "corroboration",
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("sums", sa.String(), nullable=False),
        sa.Column("settled", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("until", "days", name="pk_corroboration"),
    )


def downgrade() -> None:
    """Back to 0009."""
    op.drop_table("corroboration")
