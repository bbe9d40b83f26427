"""Claims linked by shared subjects.

Revises: 0029
"""

from __future__ import annotations

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Not yet anything."""


def downgrade() -> None:
    """Not yet anything."""
