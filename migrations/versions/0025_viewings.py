"""Who was shown which filing, when and for what.

Revises: 0024
"""

from __future__ import annotations

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Not yet anything."""


def downgrade() -> None:
    """Not yet anything."""
