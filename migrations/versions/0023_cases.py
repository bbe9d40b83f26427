"""Cases of members, with their hits, notes, findings and moves.

Revises: 0022
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The tables of casework."""
    op.create_table(
        "cases",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("member_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("assignee_id", sa.String(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("snoozed_until", sa.Date(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("proposed_by", sa.String(), nullable=True),
        sa.Column("finding", sa.String(), nullable=True),
        sa.Column("merged_into", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name="fk_cases_member_id_members"),
        sa.ForeignKeyConstraint(["assignee_id"], ["actors.id"], name="fk_cases_assignee_id_actors"),
        sa.ForeignKeyConstraint(["proposed_by"], ["actors.id"], name="fk_cases_proposed_by_actors"),
        sa.ForeignKeyConstraint(["merged_into"], ["cases.id"], name="fk_cases_merged_into_cases"),
        sa.PrimaryKeyConstraint("id", name="pk_cases"),
    )
    op.create_index("ix_cases_queue", "cases", ["member_id", "status", "due_on"])
    op.create_table(
        "case_hits",
        sa.Column("member_id", sa.String(), nullable=False),
        sa.Column("hit_id", sa.String(), nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name="fk_case_hits_member_id_members"),
        sa.ForeignKeyConstraint(["hit_id"], ["hits.id"], name="fk_case_hits_hit_id_hits"),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_case_hits_case_id_cases"),
        sa.PrimaryKeyConstraint("member_id", "hit_id", name="pk_case_hits"),
    )
    op.create_index("ix_case_hits_case_id", "case_hits", ["case_id"])
    op.create_index("ix_case_hits_hit_id", "case_hits", ["hit_id"])
    op.create_table(
        "case_moves",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("member_id", sa.String(), nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.String(), nullable=True),
        sa.Column("move", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("reason", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name="fk_case_moves_member_id_members"),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_case_moves_case_id_cases"),
        sa.ForeignKeyConstraint(["actor_id"], ["actors.id"], name="fk_case_moves_actor_id_actors"),
        sa.PrimaryKeyConstraint("id", name="pk_case_moves"),
        sa.UniqueConstraint("case_id", "version", name="uq_case_moves_case_id_version"),
    )
    op.create_table(
        "case_notes",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("member_id", sa.String(), nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.String(), nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.Column("attachment_reference", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name="fk_case_notes_member_id_members"),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_case_notes_case_id_cases"),
        sa.ForeignKeyConstraint(["actor_id"], ["actors.id"], name="fk_case_notes_actor_id_actors"),
        sa.PrimaryKeyConstraint("id", name="pk_case_notes"),
    )
    op.create_index("ix_case_notes_case_id", "case_notes", ["case_id"])
    op.create_table(
        "findings",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("member_id", sa.String(), nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("finding", sa.String(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("proposed_by", sa.String(), nullable=False),
        sa.Column("words", sa.LargeBinary(), nullable=False),
        sa.Column("evidence_reference", sa.String(), nullable=True),
        sa.Column("subject_could_speak", sa.Boolean(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("approved", sa.Boolean(), nullable=True),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name="fk_findings_member_id_members"),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_findings_case_id_cases"),
        sa.ForeignKeyConstraint(["proposed_by"], ["actors.id"], name="fk_findings_proposed_by_actors"),
        sa.ForeignKeyConstraint(["decided_by"], ["actors.id"], name="fk_findings_decided_by_actors"),
        sa.PrimaryKeyConstraint("id", name="pk_findings"),
    )
    op.create_index("ix_findings_case_id", "findings", ["case_id"])


def downgrade() -> None:
    """Back to the one before: the hits stay, the work on them goes."""
    for table in ("findings", "case_notes", "case_moves", "case_hits", "cases"):
        op.drop_table(table)
