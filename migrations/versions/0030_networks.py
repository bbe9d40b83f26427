"""Claims linked by shared subjects.

Revises: 0029
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Links between claims, the networks that they make, and what members were told of these."""
    op.create_table(
        "network_claims",
        sa.Column("filing_id", sa.String(), nullable=False),
        sa.Column("network_id", sa.String(), nullable=False),
        sa.Column("counted", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["filing_id"], ["filings.id"], name="fk_network_claims_filing_id_filings"),
        sa.PrimaryKeyConstraint("filing_id", name="pk_network_claims"),
    )
    op.create_index("ix_network_claims_network_id", "network_claims", ["network_id"])
    op.create_table(
        "network_links",
        sa.Column("low_filing_id", sa.String(), nullable=False),
        sa.Column("low_position", sa.Integer(), nullable=False),
        sa.Column("high_filing_id", sa.String(), nullable=False),
        sa.Column("high_position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("named", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["low_filing_id"], ["filings.id"], name="fk_network_links_low_filing_id_filings"),
        sa.ForeignKeyConstraint(["high_filing_id"], ["filings.id"], name="fk_network_links_high_filing_id_filings"),
        sa.PrimaryKeyConstraint(
            *("low_filing_id", "low_position", "high_filing_id", "high_position", "kind"), name="pk_network_links"
        ),
    )
    op.create_index("ix_network_links_high_filing_id", "network_links", ["high_filing_id"])
    op.create_table(
        "network_providers",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("line", sa.String(), nullable=False),
        sa.Column("record_class", sa.String(), nullable=False),
        sa.Column("claims", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", "line", "record_class", name="pk_network_providers"),
    )
    op.create_table(
        "network_findings",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("member_id", sa.String(), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tenths", sa.Integer(), nullable=False),
        sa.Column("patterns", sa.JSON(), nullable=False),
        sa.Column("rulebook", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name="fk_network_findings_member_id_members"),
        sa.PrimaryKeyConstraint("id", name="pk_network_findings"),
    )
    op.create_index("ix_network_findings_member_id_id", "network_findings", ["member_id", "id"])
    op.create_table(
        "network_finding_claims",
        sa.Column("finding_id", sa.String(), nullable=False),
        sa.Column("filing_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["finding_id"], ["network_findings.id"], name="fk_network_finding_claims_finding_id_network_findings"
        ),
        sa.ForeignKeyConstraint(["filing_id"], ["filings.id"], name="fk_network_finding_claims_filing_id_filings"),
        sa.PrimaryKeyConstraint("finding_id", "filing_id", name="pk_network_finding_claims"),
    )
    op.create_index("ix_network_finding_claims_filing_id", "network_finding_claims", ["filing_id"])


def downgrade() -> None:
    """Back to the one before: the networks go."""
    for table in ("network_finding_claims", "network_findings", "network_providers", "network_links", "network_claims"):
        op.drop_table(table)
