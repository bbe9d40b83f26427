"""Duties that are released are kept, with the day they were first due.

Revises: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Released duties."""
    op.add_column("duties", sa.Column("released_on", sa.Date(), nullable=True))
    op.add_column("duties", sa.Column("released_by", sa.String(), nullable=True))


def downgrade() -> None:
    """Back to 0007, where a duty that is released is not there."""
    op.execute("DELETE FROM duties WHERE released_on IS NOT NULL")
    op.drop_column("duties", "released_by")
    op.drop_column("duties", "released_on")
