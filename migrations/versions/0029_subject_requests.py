"""Requests of the persons whom records are about.

Revises: 0028
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The requests, and the records that each is about."""
    op.create_table(
        "subject_requests",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("member_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("identity_reference", sa.String(), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("entered_by", sa.String(), nullable=False),
        sa.Column("decision_id", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("ground", sa.String(), nullable=True),
        sa.Column("line", sa.String(), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("confirmed_by", sa.String(), nullable=True),
        sa.Column("ready_on", sa.Date(), nullable=True),
        sa.Column("ready_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ready_told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("report_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("told", sa.Integer(), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("filing_id", sa.String(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("keep_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("schema_id", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("envelope", sa.LargeBinary(), nullable=False),
        sa.Column("report", sa.LargeBinary(), nullable=True),
        sa.Column("report_sha256", sa.String(), nullable=True),
        sa.Column("report_state", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name="fk_subject_requests_member_id_members"),
        sa.ForeignKeyConstraint(["entered_by"], ["actors.id"], name="fk_subject_requests_entered_by_actors"),
        sa.PrimaryKeyConstraint("id", name="pk_subject_requests"),
    )
    op.create_index("ix_subject_requests_member_id_id", "subject_requests", ["member_id", "id"])
    op.create_index("ix_subject_requests_ready_at", "subject_requests", ["ready_at"])
    op.create_index("ix_subject_requests_keep_until", "subject_requests", ["keep_until"])
    op.create_table(
        "subject_parts",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("request_id", sa.String(), nullable=False),
        sa.Column("contributor_id", sa.String(), nullable=False),
        sa.Column("filing_id", sa.String(), nullable=False),
        sa.Column("filing_version", sa.Integer(), nullable=False),
        sa.Column("line", sa.String(), nullable=False),
        sa.Column("record_class", sa.String(), nullable=False),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decision", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("note_reference", sa.String(), nullable=True),
        sa.Column("deferred_until", sa.Date(), nullable=True),
        sa.Column("deferred_end", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deferral_reason", sa.String(), nullable=True),
        sa.Column("deferred_by", sa.String(), nullable=True),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("restricted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("dispute_id", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["request_id"], ["subject_requests.id"], name="fk_subject_parts_request_id_subject_requests"
        ),
        sa.ForeignKeyConstraint(["contributor_id"], ["members.id"], name="fk_subject_parts_contributor_id_members"),
        sa.PrimaryKeyConstraint("id", name="pk_subject_parts"),
        sa.UniqueConstraint("request_id", "filing_id", name="uq_subject_parts_request_id_filing_id"),
    )
    op.create_index("ix_subject_parts_contributor_id_id", "subject_parts", ["contributor_id", "id"])
    op.create_index("ix_subject_parts_filing_id", "subject_parts", ["filing_id"])
    op.create_index("ix_subject_parts_deferred_end", "subject_parts", ["deferred_end"])


def downgrade() -> None:
    """Back to the one before: what was filed stays, the requests go."""
    op.drop_table("subject_parts")
    op.drop_table("subject_requests")
