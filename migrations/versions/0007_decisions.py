"""Decisions.

Revises: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Decisions. Those taken before name no standing: they cannot be taken again."""
    op.create_table(
        "standings",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("member_id", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name="fk_standings_member_id_members"),
        sa.PrimaryKeyConstraint("id", name="pk_standings"),
    )
    op.create_index("ix_standings_member_id", "standings", ["member_id"])
    op.execute("ALTER TABLE decisions RENAME COLUMN inputs TO request")
    op.add_column("decisions", sa.Column("standing_id", sa.String(), nullable=True))
    op.add_column("decisions", sa.Column("rulebook_digest", sa.String(), nullable=True))
    op.add_column("decisions", sa.Column("answer", sa.JSON(none_as_null=True), nullable=True))
    op.create_index("ix_decisions_at", "decisions", ["at"])
    op.create_index("ix_decisions_member_id_id", "decisions", ["member_id", "id"])
    op.drop_index("ix_decisions_member_id", "decisions")

    op.add_column("screenings", sa.Column("subject_digest", sa.LargeBinary(), nullable=True))
    op.add_column("screenings", sa.Column("release_checks", sa.JSON(none_as_null=True), nullable=True))
    op.drop_index("ix_screenings_member_id", "screenings")
    op.create_index("ix_screenings_member_id_reference", "screenings", ["member_id", "reference"])


def downgrade() -> None:
    """Back to 0006."""
    op.drop_index("ix_screenings_member_id_reference", "screenings")
    op.create_index("ix_screenings_member_id", "screenings", ["member_id"])
    op.drop_column("screenings", "release_checks")
    op.drop_column("screenings", "subject_digest")
    op.create_index("ix_decisions_member_id", "decisions", ["member_id"])
    op.drop_index("ix_decisions_member_id_id", "decisions")
    op.drop_index("ix_decisions_at", "decisions")
    for name in ("answer", "rulebook_digest", "standing_id"):
        op.drop_column("decisions", name)
    op.execute("ALTER TABLE decisions RENAME COLUMN request TO inputs")
    op.drop_table("standings")
