"""The format of a batch, when its sender cancelled it, and uploads that come in pieces.

Revises: 0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Batches that were there before are NDJSON; a service of the version before goes on inserting such."""
    op.add_column("batches", sa.Column("format", sa.String(), nullable=False, server_default="ndjson"))
    op.add_column("batches", sa.Column("cancel_asked_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "uploads",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("member_id", sa.String(), nullable=False),
        sa.Column("actor_id", sa.String(), nullable=False),
        sa.Column("idempotency_key", sa.String(), nullable=False),
        sa.Column("format", sa.String(), nullable=False),
        sa.Column("gzipped", sa.Boolean(), nullable=False),
        sa.Column("dry_run", sa.Boolean(), nullable=False),
        sa.Column("length", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("spool", sa.String(), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column("stored", sa.BigInteger(), nullable=False),
        sa.Column("frames", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("batch_id", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name="fk_uploads_member_id_members"),
        sa.ForeignKeyConstraint(["actor_id"], ["actors.id"], name="fk_uploads_actor_id_actors"),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name="fk_uploads_batch_id_batches"),
        sa.PrimaryKeyConstraint("id", name="pk_uploads"),
        sa.UniqueConstraint("member_id", "idempotency_key", name="uq_uploads_member_id_idempotency_key"),
    )


def downgrade() -> None:
    """Back to 0011."""
    op.drop_table("uploads")
    op.drop_column("batches", "cancel_asked_at")
    op.drop_column("batches", "format")
