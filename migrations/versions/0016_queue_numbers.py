"""Numbers of queued work.

Revises: 0015
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations import safely

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Give batches and jobs a number in the order they are queued in: no clock that is set back changes it.

    What is there has none, nor has what the version before queues, and comes first.
    """
    for table in ("batches", "jobs"):
        op.add_column(table, sa.Column("number", sa.BigInteger(), nullable=True))
        safely.create_index(f"ix_{table}_number", table, ["number"])


def downgrade() -> None:
    """Back to 0015."""
    for table in ("jobs", "batches"):
        op.drop_index(f"ix_{table}_number", table)
        op.drop_column(table, "number")
