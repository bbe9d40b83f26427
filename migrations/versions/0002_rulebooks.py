"""Rulebooks.

Revises: 0001
"""

from __future__ import annotations

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Rulebooks."""


def downgrade() -> None:
    """Back to 0001."""
