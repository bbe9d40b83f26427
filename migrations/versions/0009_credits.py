"""Where filings stand in the ledger, and for which subjects.

Revises: 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Credits. What was filed before stands in the line of its first version; its subjects are not compared."""
    op.add_column("filings", sa.Column("subjects_digest", sa.BigInteger(), nullable=True))
    op.add_column("filings", sa.Column("credited_line", sa.String(), nullable=True))
    op.create_index("ix_filings_subjects_digest", "filings", ["subjects_digest"])
    op.execute(
        "UPDATE filings SET credited_line = (SELECT line FROM filing_versions"
        " WHERE filing_versions.filing_id = filings.id AND filing_versions.version = 1)"
    )


def downgrade() -> None:
    """Back to 0008."""
    op.drop_index("ix_filings_subjects_digest", "filings")
    op.drop_column("filings", "credited_line")
    op.drop_column("filings", "subjects_digest")
