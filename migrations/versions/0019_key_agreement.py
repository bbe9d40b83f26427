"""Epochs of the linkage key, members' public keys, and keys offered to them.

Revises: 0018
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Until when a linkage key is accepted, and what members seal to each other."""
    op.add_column("fingerprints", sa.Column("epoch", sa.Integer(), nullable=True))
    op.add_column("fingerprints", sa.Column("accepted_until", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "recipients",
        sa.Column("member_id", sa.String(), nullable=False),
        sa.Column("actor_id", sa.String(), nullable=False),
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name="fk_recipients_member_id_members"),
        sa.ForeignKeyConstraint(["actor_id"], ["actors.id"], name="fk_recipients_actor_id_actors"),
        sa.PrimaryKeyConstraint("member_id", name="pk_recipients"),
    )
    op.create_table(
        "key_offers",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("from_member_id", sa.String(), nullable=False),
        sa.Column("to_member_id", sa.String(), nullable=False),
        sa.Column("actor_id", sa.String(), nullable=False),
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["from_member_id"], ["members.id"], name="fk_key_offers_from_member_id_members"),
        sa.ForeignKeyConstraint(["to_member_id"], ["members.id"], name="fk_key_offers_to_member_id_members"),
        sa.ForeignKeyConstraint(["actor_id"], ["actors.id"], name="fk_key_offers_actor_id_actors"),
        sa.PrimaryKeyConstraint("id", name="pk_key_offers"),
    )
    op.create_index("ix_key_offers_from_member_id", "key_offers", ["from_member_id"])
    op.create_index("ix_key_offers_to_member_id", "key_offers", ["to_member_id"])
    op.create_index("ix_key_offers_expires_at", "key_offers", ["expires_at"])


def downgrade() -> None:
    """Back to the one before."""
    op.drop_table("key_offers")
    op.drop_table("recipients")
    op.drop_column("fingerprints", "accepted_until")
    op.drop_column("fingerprints", "epoch")
