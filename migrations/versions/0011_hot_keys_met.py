"""How often a hot key was met, and what a batch could not be looked for under.

Revises: 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Counts, of what was there before 0. The defaults stay: a service of the version before goes on inserting."""
    op.add_column("hot_keys", sa.Column("screenings", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("batches", sa.Column("capped_keys", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    """Back to 0010."""
    op.drop_column("batches", "capped_keys")
    op.drop_column("hot_keys", "screenings")
