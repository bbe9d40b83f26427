"""Index rows under their key alone.

Revises: 0017
"""

from __future__ import annotations

from alembic import op

from migrations import safely

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Have PostgreSQL find index rows by their key and keep no second copy of the pointers, which nothing looks for.

    A row's place in a primary key of both was larger than the row. SQLite keeps the table within its primary key.
    """
    if op.get_context().dialect.name == "postgresql":
        safely.create_index("ix_key_index_key", "key_index", ["key"])
        op.execute("ALTER TABLE key_index DROP CONSTRAINT IF EXISTS pk_key_index")


def downgrade() -> None:
    """Back to 0017."""
    if op.get_context().dialect.name == "postgresql":
        safely.create_index("pk_key_index", "key_index", ["key", "pointer"], unique=True)
        op.execute("ALTER TABLE key_index ADD CONSTRAINT pk_key_index PRIMARY KEY USING INDEX pk_key_index")
        safely.drop_index("ix_key_index_key", "key_index")
