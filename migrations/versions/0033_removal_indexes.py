"""What a removal goes by is found by an index.

Revises: 0032
"""

from __future__ import annotations

from migrations import safely

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

_COLUMNS = (("suppressed_pairs", "own_screening_id"), ("outcomes", "hit_id"), ("cases", "merged_into"))


def upgrade() -> None:
    """Without them each removal reads these tables from end to end."""
    for table, column in _COLUMNS:
        safely.create_index(f"ix_{table}_{column}", table, [column])


def downgrade() -> None:
    """Back to the one before."""
    for table, column in reversed(_COLUMNS):
        safely.drop_index(f"ix_{table}_{column}", table)
