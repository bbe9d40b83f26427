"""Flags on filings, corrections and who was told of them.

Revises: 0026
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations import safely

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """What restricts a filing and why, words of the person in it, and what past viewers are told and acknowledge."""
    op.add_column("filings", sa.Column("flag", sa.String(), nullable=True))
    op.add_column("filings", sa.Column("notice", sa.LargeBinary(), nullable=True))
    op.add_column("filings", sa.Column("notice_cause", sa.String(), nullable=True))
    # What was raised before has no clock: its contributor was not told of one.
    op.add_column("disputes", sa.Column("answer_by", sa.Date(), nullable=True))
    op.add_column("disputes", sa.Column("answer_until", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "filing_flags",
        sa.Column("filing_id", sa.String(), nullable=False),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("flag", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["filing_id"], ["filings.id"], name="fk_filing_flags_filing_id_filings"),
        sa.PrimaryKeyConstraint("filing_id", "cause", name="pk_filing_flags"),
    )
    op.create_table(
        "corrections",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("filing_id", sa.String(), nullable=False),
        sa.Column("contributor_id", sa.String(), nullable=False),
        sa.Column("line", sa.String(), nullable=False),
        sa.Column("record_class", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cause", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["contributor_id"], ["members.id"], name="fk_corrections_contributor_id_members"),
        sa.PrimaryKeyConstraint("id", name="pk_corrections"),
    )
    op.create_index("ix_corrections_contributor_id_id", "corrections", ["contributor_id", "id"])
    op.create_index("ix_corrections_contributor_id_filing_id_id", "corrections", ["contributor_id", "filing_id", "id"])
    op.create_index("ix_corrections_at", "corrections", ["at"])
    op.create_table(
        "correction_receipts",
        sa.Column("correction_id", sa.String(), nullable=False),
        sa.Column("member_id", sa.String(), nullable=False),
        sa.Column("tier", sa.Integer(), nullable=False),
        sa.Column("seen_version", sa.Integer(), nullable=True),
        sa.Column("hits", sa.JSON(), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acknowledge_by", sa.Date(), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reminders", sa.Integer(), nullable=False),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acknowledged_by", sa.String(), nullable=True),
        sa.Column("role", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["correction_id"], ["corrections.id"], name="fk_correction_receipts_correction_id_corrections"
        ),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name="fk_correction_receipts_member_id_members"),
        sa.PrimaryKeyConstraint("correction_id", "member_id", name="pk_correction_receipts"),
    )
    op.create_index("ix_correction_receipts_member_id", "correction_receipts", ["member_id", "correction_id"])
    outstanding = {"sqlite_where": sa.text("acknowledged_at IS NULL")}
    outstanding |= {"postgresql_where": sa.text("acknowledged_at IS NULL")}
    op.create_index("ix_correction_receipts_due_at", "correction_receipts", ["due_at"], **outstanding)
    safely.create_index("ix_disputes_answer_until", "disputes", ["answer_until"])
    safely.create_index("ix_disputes_filing_id", "disputes", ["filing_id", "raiser_id"])


def downgrade() -> None:
    """Back to the one before: flagged records are shown again as if they were not."""
    safely.drop_index("ix_disputes_filing_id", "disputes")
    safely.drop_index("ix_disputes_answer_until", "disputes")
    op.drop_table("correction_receipts")
    op.drop_table("corrections")
    op.drop_table("filing_flags")
    with op.batch_alter_table("disputes") as batch:
        batch.drop_column("answer_until")
        batch.drop_column("answer_by")
    op.drop_column("filings", "notice_cause")
    op.drop_column("filings", "notice")
    op.drop_column("filings", "flag")
