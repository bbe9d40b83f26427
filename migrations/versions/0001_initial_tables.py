"""Initial tables.

Revises: nothing
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Initial tables."""
    op.create_table(
        "events",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("actor_id", sa.String(), nullable=True),
        sa.Column("member_id", sa.String(), nullable=True),
        sa.Column("subject_id", sa.String(), nullable=True),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_events"),
    )
    op.create_index("ix_events_member_id", "events", ["member_id"])

    op.create_table(
        "fingerprints",
        sa.Column("schema_id", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("schema_id", "fingerprint", name="pk_fingerprints"),
    )
    op.create_table(
        "hot_keys",
        sa.Column("key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("records", sa.Integer(), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_hot_keys"),
    )
    op.create_table(
        "idempotent_replies",
        sa.Column("actor_id", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("actor_id", "key", name="pk_idempotent_replies"),
    )
    op.create_index("ix_idempotent_replies_created_at", "idempotent_replies", ["created_at"])

    op.create_table(
        "installation_facts",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_installation_facts"),
    )
    op.create_table(
        "key_index",
        sa.Column("key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("pointer", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("key", "pointer", name="pk_key_index"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "login_failures",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_login_failures"),
    )
    op.create_index("ix_login_failures_last_at", "login_failures", ["last_at"])

    op.create_table(
        "members",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("lines", sa.JSON(), nullable=False),
        sa.Column("agreement_signed_on", sa.Date(), nullable=True),
        sa.Column("attested_on", sa.Date(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status_changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_members"),
        sa.UniqueConstraint("name", name="uq_members_name"),
        sa.UniqueConstraint("number", name="uq_members_number"),
    )
    op.create_table(
        "pool_counts",
        sa.Column("member_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subjects", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("member_id", "kind", name="pk_pool_counts"),
    )
    op.create_table(
        "revoked_tokens",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_revoked_tokens"),
    )
    op.create_index("ix_revoked_tokens_expires_at", "revoked_tokens", ["expires_at"])

    op.create_table(
        "actors",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("member_id", sa.String(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("login", sa.String(), nullable=False),
        sa.Column("secret_hash", sa.String(), nullable=False),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_login_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name="fk_actors_member_id_members"),
        sa.PrimaryKeyConstraint("id", name="pk_actors"),
        sa.UniqueConstraint("login", name="uq_actors_login"),
    )
    op.create_index("ix_actors_member_id", "actors", ["member_id"])

    op.create_table(
        "contributions",
        sa.Column("member_id", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("line", sa.String(), nullable=False),
        sa.Column("record_class", sa.String(), nullable=False),
        sa.Column("accepted", sa.Integer(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name="fk_contributions_member_id_members"),
        sa.PrimaryKeyConstraint("member_id", "day", "line", "record_class", name="pk_contributions"),
    )
    op.create_table(
        "filings",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("member_id", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("record_class", sa.String(), nullable=False),
        sa.Column("line", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("schema_id", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("triggered_on", sa.Date(), nullable=False),
        sa.Column("claim", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("match_digest", sa.LargeBinary(), nullable=False),
        sa.Column("content_digest", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("filed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_batch_id", sa.String(), nullable=True),
        sa.Column("last_batch_row", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name="fk_filings_member_id_members"),
        sa.PrimaryKeyConstraint("id", name="pk_filings"),
        sa.UniqueConstraint(
            "member_id", "reference", "record_class", name="uq_filings_member_id_reference_record_class"
        ),
    )
    op.create_table(
        "batches",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("member_id", sa.String(), nullable=False),
        sa.Column("actor_id", sa.String(), nullable=False),
        sa.Column("idempotency_key", sa.String(), nullable=False),
        sa.Column("content_digest", sa.LargeBinary(), nullable=False),
        sa.Column("spool", sa.String(), nullable=False),
        sa.Column("gzipped", sa.Boolean(), nullable=False),
        sa.Column("dry_run", sa.Boolean(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("bytes_total", sa.BigInteger(), nullable=False),
        sa.Column("bytes_done", sa.BigInteger(), nullable=False),
        sa.Column("lines_done", sa.Integer(), nullable=False),
        sa.Column("rows_read", sa.Integer(), nullable=False),
        sa.Column("rows_created", sa.Integer(), nullable=False),
        sa.Column("rows_new_version", sa.Integer(), nullable=False),
        sa.Column("rows_unchanged", sa.Integer(), nullable=False),
        sa.Column("rows_rejected", sa.Integer(), nullable=False),
        sa.Column("hits", sa.Integer(), nullable=False),
        sa.Column("failure_field", sa.String(), nullable=True),
        sa.Column("failure_expected", sa.String(), nullable=True),
        sa.Column("lease_owner", sa.String(), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["actors.id"], name="fk_batches_actor_id_actors"),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name="fk_batches_member_id_members"),
        sa.PrimaryKeyConstraint("id", name="pk_batches"),
        sa.UniqueConstraint("member_id", "idempotency_key", name="uq_batches_member_id_idempotency_key"),
    )
    op.create_index("ix_batches_status", "batches", ["status"])

    op.create_table(
        "decisions",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("member_id", sa.String(), nullable=False),
        sa.Column("actor_id", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("allowed", sa.Boolean(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("rulebook", sa.String(), nullable=False),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.Column("inputs", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["actors.id"], name="fk_decisions_actor_id_actors"),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name="fk_decisions_member_id_members"),
        sa.PrimaryKeyConstraint("id", name="pk_decisions"),
    )
    op.create_index("ix_decisions_member_id", "decisions", ["member_id"])

    op.create_table(
        "filing_versions",
        sa.Column("filing_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("filed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.String(), nullable=False),
        sa.Column("batch_id", sa.String(), nullable=True),
        sa.Column("line", sa.String(), nullable=False),
        sa.Column("schema_id", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("triggered_on", sa.Date(), nullable=False),
        sa.Column("claim", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.Column("matched", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["actors.id"], name="fk_filing_versions_actor_id_actors"),
        sa.ForeignKeyConstraint(["filing_id"], ["filings.id"], name="fk_filing_versions_filing_id_filings"),
        sa.PrimaryKeyConstraint("filing_id", "version", name="pk_filing_versions"),
    )
    op.create_table(
        "subjects",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("filing_id", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("envelope", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["filing_id"], ["filings.id"], name="fk_subjects_filing_id_filings"),
        sa.PrimaryKeyConstraint("id", name="pk_subjects"),
        sa.UniqueConstraint("filing_id", "position", name="uq_subjects_filing_id_position"),
    )
    op.create_table(
        "token_families",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("actor_id", sa.String(), nullable=False),
        sa.Column("refresh_id", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_because", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["actors.id"], name="fk_token_families_actor_id_actors", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_token_families"),
    )
    op.create_index("ix_token_families_actor_id", "token_families", ["actor_id"])
    op.create_index("ix_token_families_expires_at", "token_families", ["expires_at"])

    op.create_table(
        "batch_errors",
        sa.Column("batch_id", sa.String(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("reference", sa.String(), nullable=True),
        sa.Column("field", sa.String(), nullable=False),
        sa.Column("expected", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name="fk_batch_errors_batch_id_batches"),
        sa.PrimaryKeyConstraint("batch_id", "row", name="pk_batch_errors"),
    )
    op.create_table(
        "dry_run_filings",
        sa.Column("batch_id", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("record_class", sa.String(), nullable=False),
        sa.Column("content_digest", sa.LargeBinary(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name="fk_dry_run_filings_batch_id_batches"),
        sa.PrimaryKeyConstraint("batch_id", "reference", "record_class", name="pk_dry_run_filings"),
    )
    op.create_table(
        "screenings",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("member_id", sa.String(), nullable=False),
        sa.Column("actor_id", sa.String(), nullable=False),
        sa.Column("decision_id", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("lawful_basis", sa.String(), nullable=True),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("line", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("schema_id", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("answer", sa.String(), nullable=False),
        sa.Column("hits", sa.Integer(), nullable=False),
        sa.Column("capped_keys", sa.Integer(), nullable=False),
        sa.Column("pool_size", sa.Integer(), nullable=False),
        sa.Column("model_id", sa.String(), nullable=False),
        sa.Column("envelope", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["actors.id"], name="fk_screenings_actor_id_actors"),
        sa.ForeignKeyConstraint(["decision_id"], ["decisions.id"], name="fk_screenings_decision_id_decisions"),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name="fk_screenings_member_id_members"),
        sa.PrimaryKeyConstraint("id", name="pk_screenings"),
    )
    op.create_index("ix_screenings_expires_at", "screenings", ["expires_at"])
    op.create_index("ix_screenings_member_id", "screenings", ["member_id"])

    op.create_table(
        "hits",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("low_filing_id", sa.String(), nullable=True),
        sa.Column("low_position", sa.Integer(), nullable=True),
        sa.Column("screening_id", sa.String(), nullable=True),
        sa.Column("high_filing_id", sa.String(), nullable=False),
        sa.Column("high_position", sa.Integer(), nullable=False),
        sa.Column("band", sa.Integer(), nullable=False),
        sa.Column("evidence", sa.LargeBinary(), nullable=False),
        sa.Column("model_id", sa.String(), nullable=False),
        sa.Column("pool_size", sa.Integer(), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["high_filing_id"], ["filings.id"], name="fk_hits_high_filing_id_filings"),
        sa.ForeignKeyConstraint(["low_filing_id"], ["filings.id"], name="fk_hits_low_filing_id_filings"),
        sa.ForeignKeyConstraint(["screening_id"], ["screenings.id"], name="fk_hits_screening_id_screenings"),
        sa.PrimaryKeyConstraint("id", name="pk_hits"),
        sa.UniqueConstraint("low_filing_id", "high_filing_id", "low_position", "high_position", name="uq_hits_pair"),
    )
    op.create_index("ix_hits_high_filing_id", "hits", ["high_filing_id"])
    op.create_index("ix_hits_screening_id", "hits", ["screening_id"])

    op.create_table(
        "hit_sides",
        sa.Column("member_id", sa.String(), nullable=False),
        sa.Column("hit_id", sa.String(), nullable=False),
        sa.Column("own_filing_id", sa.String(), nullable=True),
        sa.Column("own_screening_id", sa.String(), nullable=True),
        sa.Column("own_position", sa.Integer(), nullable=False),
        sa.Column("their_filing_id", sa.String(), nullable=False),
        sa.Column("their_position", sa.Integer(), nullable=False),
        sa.Column("shown_tier", sa.Integer(), nullable=False),
        sa.Column("shown_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["hit_id"], ["hits.id"], name="fk_hit_sides_hit_id_hits"),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name="fk_hit_sides_member_id_members"),
        sa.ForeignKeyConstraint(["own_filing_id"], ["filings.id"], name="fk_hit_sides_own_filing_id_filings"),
        sa.ForeignKeyConstraint(
            ["own_screening_id"], ["screenings.id"], name="fk_hit_sides_own_screening_id_screenings"
        ),
        sa.ForeignKeyConstraint(["their_filing_id"], ["filings.id"], name="fk_hit_sides_their_filing_id_filings"),
        sa.PrimaryKeyConstraint("member_id", "hit_id", name="pk_hit_sides"),
    )
    op.create_index("ix_hit_sides_hit_id", "hit_sides", ["hit_id"])
    op.create_index("ix_hit_sides_own", "hit_sides", ["own_filing_id", "own_position"])
    op.create_index("ix_hit_sides_own_screening_id", "hit_sides", ["own_screening_id"])


def downgrade() -> None:
    """Undo it."""
    op.drop_table("hit_sides")
    op.drop_table("hits")
    op.drop_table("screenings")
    op.drop_table("dry_run_filings")
    op.drop_table("batch_errors")
    op.drop_table("token_families")
    op.drop_table("subjects")
    op.drop_table("filing_versions")
    op.drop_table("decisions")
    op.drop_table("batches")
    op.drop_table("filings")
    op.drop_table("contributions")
    op.drop_table("actors")
    op.drop_table("revoked_tokens")
    op.drop_table("pool_counts")
    op.drop_table("members")
    op.drop_table("login_failures")
    op.drop_table("key_index")
    op.drop_table("installation_facts")
    op.drop_table("idempotent_replies")
    op.drop_table("hot_keys")
    op.drop_table("fingerprints")
    op.drop_table("events")
