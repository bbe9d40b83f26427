"""Deletion proofs, and disputes that outlive what they are about.

Revises: 0020
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations import safely

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """What is left of a filing that was taken out; and what refers to one is found at once."""
    op.create_table(
        "deletions",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("filing_id", sa.String(), nullable=False),
        sa.Column("member_id", sa.String(), nullable=False),
        sa.Column("line", sa.String(), nullable=False),
        sa.Column("record_class", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("kept_from", sa.Date(), nullable=False),
        sa.Column("removed_on", sa.Date(), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rulebook", sa.String(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("commitment", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_deletions"),
        sa.UniqueConstraint("filing_id", name="uq_deletions_filing_id"),
    )
    op.create_index("ix_deletions_member_id_id", "deletions", ["member_id", "id"])
    with op.batch_alter_table("disputes") as batch:
        batch.drop_constraint("fk_disputes_filing_id_filings", type_="foreignkey")
        batch.drop_constraint("fk_disputes_hit_id_hits", type_="foreignkey")
    with op.batch_alter_table("upheld_versions") as batch:
        batch.drop_constraint("fk_upheld_versions_filing_id_filings", type_="foreignkey")
    safely.create_index("ix_hit_sides_their_filing_id", "hit_sides", ["their_filing_id"])


def downgrade() -> None:
    """Back to the one before; disputes about what is gone go, too."""
    safely.drop_index("ix_hit_sides_their_filing_id", "hit_sides")
    for column, table in (("filing_id", "filings"), ("hit_id", "hits")):
        gone = f"SELECT id FROM disputes WHERE {column} NOT IN (SELECT id FROM {table})"  # noqa: S608 - fixed words
        op.execute(f"DELETE FROM upheld_versions WHERE dispute_id IN ({gone})")  # noqa: S608 - fixed words
        op.execute(f"DELETE FROM disputes WHERE id IN ({gone})")  # noqa: S608 - fixed words
    op.execute("DELETE FROM upheld_versions WHERE filing_id NOT IN (SELECT id FROM filings)")
    with op.batch_alter_table("upheld_versions") as batch:
        batch.create_foreign_key("fk_upheld_versions_filing_id_filings", "filings", ["filing_id"], ["id"])
    with op.batch_alter_table("disputes") as batch:
        batch.create_foreign_key("fk_disputes_filing_id_filings", "filings", ["filing_id"], ["id"])
        batch.create_foreign_key("fk_disputes_hit_id_hits", "hits", ["hit_id"], ["id"])
    op.drop_table("deletions")
