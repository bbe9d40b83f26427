"""Ledger.

Revises: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_COUNTS = ("accepted", "late", "back_book", "thin", "corroborated", "upheld", "due", "answered")


def upgrade() -> None:
    """Ledger."""
    op.create_table(
        "ledger",
        sa.Column("member_id", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("line", sa.String(), nullable=False),
        sa.Column("record_class", sa.String(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in _COUNTS),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name="fk_ledger_member_id_members"),
        sa.PrimaryKeyConstraint("member_id", "day", "line", "record_class", name="pk_ledger"),
    )
    op.create_index("ix_ledger_day", "ledger", ["day"])
    op.execute(
        "INSERT INTO ledger (member_id, day, line, record_class, accepted, late, back_book, thin, corroborated,"
        " upheld, due, answered, last_at)"
        " SELECT member_id, day, line, record_class, accepted, 0, 0, 0, 0, 0, 0, 0, last_at FROM contributions"
    )
    op.drop_table("contributions")
    op.create_table(
        "usage",
        sa.Column("member_id", sa.String(), nullable=False),
        sa.Column("period", sa.String(), nullable=False),
        sa.Column("start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name="fk_usage_member_id_members"),
        sa.PrimaryKeyConstraint("member_id", "period", name="pk_usage"),
    )
    op.add_column("members", sa.Column("ledger_version", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    """Back to 0003. Days without an accepted filing are lost: contributions have no place for them."""
    op.drop_column("members", "ledger_version")
    op.drop_table("usage")
    op.create_table(
        "contributions",
        sa.Column("member_id", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("line", sa.String(), nullable=False),
        sa.Column("record_class", sa.String(), nullable=False),
        sa.Column("accepted", sa.Integer(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name="fk_contributions_member_id_members"),
        sa.PrimaryKeyConstraint("member_id", "day", "line", "record_class", name="pk_contributions"),
    )
    op.execute(
        "INSERT INTO contributions (member_id, day, line, record_class, accepted, last_at)"
        " SELECT member_id, day, line, record_class, accepted, last_at FROM ledger"
        " WHERE accepted > 0 AND last_at IS NOT NULL"
    )
    op.drop_table("ledger")
