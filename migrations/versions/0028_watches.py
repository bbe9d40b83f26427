"""Screenings that stand, and schedules.

Revises: 0027
"""

from __future__ import annotations

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Not yet anything."""


def downgrade() -> None:
    """Not yet anything."""
