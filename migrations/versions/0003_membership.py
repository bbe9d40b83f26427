"""Membership.

Revises: 0002
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

COVENANT_MONTHS = 12
NEW_COLUMNS = ("admitted_on", "ramp", "covenant_until", "back_book_on", "agreement_version", "subscriber")


def upgrade() -> None:
    """Membership."""
    # Columns are added in place: to copy the table, as a batch does, would fall foul of the keys that point to it.
    op.add_column("members", sa.Column("admitted_on", sa.Date(), nullable=False, server_default="1970-01-01"))
    op.add_column("members", sa.Column("ramp", sa.String(), nullable=False, server_default="covenant"))
    for name in ("covenant_until", "back_book_on"):
        op.add_column("members", sa.Column(name, sa.Date(), nullable=True))
    for name in ("agreement_version", "subscriber"):
        op.add_column("members", sa.Column(name, sa.String(), nullable=True))
    _start_covenants()
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("members", "admitted_on", server_default=None)
        op.alter_column("members", "ramp", server_default=None)

    op.create_table(
        "declarations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.String(), nullable=False),
        sa.Column("line", sa.String(), nullable=False),
        sa.Column("record_class", sa.String(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("per_month", sa.Integer(), nullable=False),
        sa.Column("declared_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name="fk_declarations_member_id_members"),
        sa.PrimaryKeyConstraint("id", name="pk_declarations"),
    )
    op.create_index("ix_declarations_member_id", "declarations", ["member_id"])
    op.create_table(
        "grants",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("member_id", sa.String(), nullable=False),
        sa.Column("subscriber", sa.String(), nullable=False),
        sa.Column("lines", sa.JSON(), nullable=False),
        sa.Column("classes", sa.JSON(), nullable=False),
        sa.Column("purposes", sa.JSON(), nullable=False),
        sa.Column("tier", sa.Integer(), nullable=False),
        sa.Column("quota_per_day", sa.Integer(), nullable=False),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("granted_by", sa.String(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name="fk_grants_member_id_members"),
        sa.PrimaryKeyConstraint("id", name="pk_grants"),
    )
    op.create_index("ix_grants_member_id", "grants", ["member_id"])
    op.create_table(
        "member_steps",
        sa.Column("member_id", sa.String(), nullable=False),
        sa.Column("line", sa.String(), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("below_since", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name="fk_member_steps_member_id_members"),
        sa.PrimaryKeyConstraint("member_id", "line", name="pk_member_steps"),
    )
    op.create_table(
        "applications",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("lines", sa.JSON(), nullable=False),
        sa.Column("declared", sa.JSON(), nullable=False),
        sa.Column("ramp", sa.String(), nullable=False),
        sa.Column("covenant_until", sa.Date(), nullable=True),
        sa.Column("agreement_version", sa.String(), nullable=True),
        sa.Column("agreement_signed_on", sa.Date(), nullable=True),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("entered_by", sa.String(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("rule", sa.String(), nullable=True),
        sa.Column("member_id", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name="fk_applications_member_id_members"),
        sa.PrimaryKeyConstraint("id", name="pk_applications"),
    )
    op.create_index("ix_applications_status", "applications", ["status"])
    op.create_table(
        "appeals",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("member_id", sa.String(), nullable=True),
        sa.Column("against", sa.String(), nullable=False),
        sa.Column("taken_by", sa.String(), nullable=False),
        sa.Column("grounds", sa.String(), nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("entered_by", sa.String(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name="fk_appeals_member_id_members"),
        sa.PrimaryKeyConstraint("id", name="pk_appeals"),
    )
    op.create_index("ix_appeals_member_id", "appeals", ["member_id"])
    op.create_index("ix_appeals_status", "appeals", ["status"])


def downgrade() -> None:
    """Back to 0002."""
    for table in ("appeals", "applications", "member_steps", "grants", "declarations"):
        op.drop_table(table)
    for name in reversed(NEW_COLUMNS):
        op.drop_column("members", name)


def _start_covenants() -> None:
    """Whoever is a member already keeps its access, under the covenant of a member admitted when it was."""
    members = sa.table(
        "members",
        sa.column("id", sa.String()),
        sa.column("created_at", sa.DateTime(timezone=True)),
        sa.column("admitted_on", sa.Date()),
        sa.column("covenant_until", sa.Date()),
    )
    connection = op.get_bind()
    for member_id, created_at in connection.execute(sa.select(members.c.id, members.c.created_at)).all():
        admitted_on = created_at.date()
        connection.execute(
            sa.update(members)
            .where(members.c.id == member_id)
            .values(admitted_on=admitted_on, covenant_until=_months_later(admitted_on, COVENANT_MONTHS))
        )


def _months_later(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
