"""Labels and proofs.

Revises: 0004
"""

from __future__ import annotations

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Labels and proofs."""


def downgrade() -> None:
    """Back to 0004."""
