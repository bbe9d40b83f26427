"""The days from which the time of a filing counts.

Revises: 0031
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

_TABLES = ("filings", "filing_versions")


def upgrade() -> None:
    """Whether a customer is a quote or a policy, and the end of a policy, the closure of a claim, or a decision."""
    for table in _TABLES:
        op.add_column(table, sa.Column("customer_kind", sa.String(), nullable=True))
        op.add_column(table, sa.Column("basis_on", sa.Date(), nullable=True))
    op.add_column("filings", sa.Column("ended_on", sa.Date(), nullable=True))


def downgrade() -> None:
    """Back to one date a filing."""
    op.drop_column("filings", "ended_on")
    for table in _TABLES:
        op.drop_column(table, "basis_on")
        op.drop_column(table, "customer_kind")
