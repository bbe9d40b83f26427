"""Handling labels on filings, and proofs of those filed as proven.

Revises: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_LABELS = ("tlp", "source_grade", "information_grade", "handling_code")


def upgrade() -> None:
    """Labels and proofs."""
    op.create_table(
        "proofs",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("member_id", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("case_type", sa.String(), nullable=False),
        sa.Column("product_action", sa.String(), nullable=True),
        sa.Column("exception", sa.String(), nullable=True),
        sa.Column("evidence_reference", sa.String(), nullable=False),
        sa.Column("notified_on", sa.Date(), nullable=True),
        sa.Column("deferral_reason", sa.String(), nullable=True),
        sa.Column("rulebook", sa.String(), nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("entered_by", sa.String(), nullable=False),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("approved_by", sa.String(), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_by", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name="fk_proofs_member_id_members"),
        sa.ForeignKeyConstraint(["entered_by"], ["actors.id"], name="fk_proofs_entered_by_actors"),
        sa.ForeignKeyConstraint(["approved_by"], ["actors.id"], name="fk_proofs_approved_by_actors"),
        sa.ForeignKeyConstraint(["withdrawn_by"], ["actors.id"], name="fk_proofs_withdrawn_by_actors"),
        sa.PrimaryKeyConstraint("id", name="pk_proofs"),
    )
    op.create_index("ix_proofs_member_id_reference", "proofs", ["member_id", "reference"])
    for table in ("filings", "filing_versions"):
        for name in _LABELS:
            op.add_column(table, sa.Column(name, sa.String(), nullable=True))
    # Said in SQL: SQLite takes a reference with a new column, but none afterwards without writing the table anew.
    op.execute(
        "ALTER TABLE filings ADD COLUMN proof_id VARCHAR CONSTRAINT fk_filings_proof_id_proofs REFERENCES proofs (id)"
    )
    op.create_index("ix_filings_proof_id", "filings", ["proof_id"])
    op.add_column("filing_versions", sa.Column("proof_id", sa.String(), nullable=True))


def downgrade() -> None:
    """Back to 0004. Labels and proofs are lost, and with them what the labels held back."""
    op.drop_column("filing_versions", "proof_id")
    op.drop_index("ix_filings_proof_id", "filings")
    op.execute("ALTER TABLE filings DROP COLUMN proof_id")
    for table in ("filing_versions", "filings"):
        for name in _LABELS:
            op.drop_column(table, name)
    op.drop_table("proofs")
