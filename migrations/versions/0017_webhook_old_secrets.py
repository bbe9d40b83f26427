"""The secret that a webhook had before, while both sign.

Revises: 0016
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Keep an older secret beside the one in use, until a time."""
    op.add_column("webhooks", sa.Column("old_secret", sa.LargeBinary(), nullable=True))
    op.add_column("webhooks", sa.Column("old_until", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    """Back to 0016."""
    op.drop_column("webhooks", "old_until")
    op.drop_column("webhooks", "old_secret")
