"""The days from which the time of a filing counts.

Revises: 0031
"""

from __future__ import annotations

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Not yet anything."""


def downgrade() -> None:
    """Not yet anything."""
