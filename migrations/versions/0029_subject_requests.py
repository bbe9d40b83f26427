"""Requests of the persons whom records are about.

Revises: 0028
"""

from __future__ import annotations

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Not yet anything."""


def downgrade() -> None:
    """Not yet anything."""
