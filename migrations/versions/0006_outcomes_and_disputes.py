"""Outcomes and disputes.

Revises: 0005
"""

from __future__ import annotations

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Outcomes and disputes."""


def downgrade() -> None:
    """Back to 0005."""
