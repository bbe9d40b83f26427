"""Requests for the detail of a record, and the sealed answers to them.

Revises: 0021
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_TABLE = "disclosure_requests"


def upgrade() -> None:
    """The one table of the exchange."""
    time = sa.DateTime(timezone=True)
    op.create_table(
        _TABLE,
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("requester_id", sa.String(), nullable=False),
        sa.Column("contributor_id", sa.String(), nullable=False),
        sa.Column("actor_id", sa.String(), nullable=False),
        sa.Column("decision_id", sa.String(), nullable=False),
        sa.Column("hit_id", sa.String(), nullable=False),
        sa.Column("filing_id", sa.String(), nullable=False),
        sa.Column("filing_version", sa.Integer(), nullable=False),
        sa.Column("line", sa.String(), nullable=False),
        sa.Column("record_class", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("legal_power", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("items", sa.JSON(), nullable=False),
        sa.Column("third_party", sa.Boolean(), nullable=False),
        sa.Column("words", sa.LargeBinary(), nullable=False),
        sa.Column("asked_at", time, nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("due_at", time, nullable=False),
        sa.Column("keep_until", time, nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("granted", sa.JSON(), nullable=False),
        sa.Column("withheld", sa.String(), nullable=True),
        sa.Column("note_reference", sa.String(), nullable=True),
        sa.Column("answered_at", time, nullable=True),
        sa.Column("answered_by", sa.String(), nullable=True),
        sa.Column("took", sa.Integer(), nullable=True),
        sa.Column("escalated_at", time, nullable=True),
        sa.Column("withdrawn_at", time, nullable=True),
        sa.Column("recipient", sa.String(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("sealed_bytes", sa.Integer(), nullable=True),
        sa.Column("sealed_sha256", sa.String(), nullable=True),
        sa.Column("sealed_until", time, nullable=True),
        sa.Column("opened_at", time, nullable=True),
        sa.ForeignKeyConstraint(["requester_id"], ["members.id"], name="fk_disclosure_requests_requester_id_members"),
        sa.ForeignKeyConstraint(
            ["contributor_id"], ["members.id"], name="fk_disclosure_requests_contributor_id_members"
        ),
        sa.ForeignKeyConstraint(["filing_id"], ["filings.id"], name="fk_disclosure_requests_filing_id_filings"),
        sa.PrimaryKeyConstraint("id", name="pk_disclosure_requests"),
    )
    is_open = sa.text("status = 'open'")
    op.create_index(
        "uq_disclosure_requests_open",
        _TABLE,
        ["requester_id", "filing_id"],
        unique=True,
        sqlite_where=is_open,
        postgresql_where=is_open,
    )
    op.create_index("ix_disclosure_requests_requester_id", _TABLE, ["requester_id", "id"])
    op.create_index("ix_disclosure_requests_contributor_id", _TABLE, ["contributor_id", "id"])
    for name in ("filing_id", "keep_until", "sealed_until"):
        op.create_index(f"ix_disclosure_requests_{name}", _TABLE, [name])


def downgrade() -> None:
    """Back to the one before."""
    op.drop_table(_TABLE)
