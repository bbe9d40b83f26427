"""What two roles of PostgreSQL may do besides the one that owns the tables: an auditor's, and the service's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, text

from repository.storage.base import Base
from repository.storage.rights import Right, excess

_ALL: frozenset[str] = frozenset()

AUDITED: Mapping[str, frozenset[str]] = {
    "actors": frozenset({"secret_hash"}),
    "aftermath": _ALL,
    "alerts": _ALL,
    "appeals": _ALL,
    "applications": _ALL,
    "batch_errors": _ALL,
    "batches": frozenset({"idempotency_key", "content_digest", "spool", "lease_owner"}),
    "case_hits": _ALL,
    "case_moves": frozenset({"reason"}),
    "case_notes": frozenset({"text"}),
    "cases": _ALL,
    "corroboration": _ALL,
    "decisions": _ALL,
    "correction_receipts": _ALL,
    "corrections": _ALL,
    "declarations": _ALL,
    "deletions": frozenset({"salt"}),
    "disclosure_requests": frozenset({"sealed", "words"}),
    "disputes": _ALL,
    "duties": _ALL,
    "events": _ALL,
    "filing_flags": _ALL,
    "filing_versions": _ALL,
    "filings": frozenset({"match_digest", "content_digest", "subjects_digest", "notice"}),
    "findings": frozenset({"words"}),
    "fingerprints": _ALL,
    "grants": _ALL,
    "hit_sides": _ALL,
    "holds": _ALL,
    "hits": frozenset({"evidence"}),
    "jobs": frozenset({"cursor", "slot", "lease_owner"}),
    "key_offers": frozenset({"sealed"}),
    "ledger": _ALL,
    "member_steps": _ALL,
    "members": _ALL,
    "models": _ALL,
    "network_claims": _ALL,
    "network_finding_claims": _ALL,
    "network_findings": _ALL,
    "network_links": _ALL,
    "outcomes": _ALL,
    "pool_counts": _ALL,
    "proofs": _ALL,
    "recipients": _ALL,
    "refutations": _ALL,
    "renewals": _ALL,
    "rulebooks": _ALL,
    "schedules": _ALL,
    "screenings": frozenset({"envelope", "subject_digest"}),
    "standings": _ALL,
    "subject_parts": _ALL,
    "subject_requests": frozenset({"envelope", "report"}),
    "suppressed_pairs": frozenset({"ends"}),
    "subjects": frozenset({"envelope"}),
    "upheld_versions": _ALL,
    "uploads": frozenset({"idempotency_key", "sha256", "spool"}),
    "usage": _ALL,
    "viewings": _ALL,
    "watches": _ALL,
    "webhooks": frozenset({"url", "secret", "old_secret"}),
}
"""Tables that an auditor reads, each with the columns withheld: envelopes, evidence, digests, hashes of secrets."""
WITHHELD = frozenset(
    {
        "dry_run_filings",  # digests
        "hot_keys",
        "idempotent_replies",  # whole answers
        "installation_facts",  # what the operator secret is known by
        "key_index",
        "network_providers",  # keys
        "login_failures",
        "revoked_tokens",
        "token_families",
        "watch_index",
    }
)
"""Tables of which an auditor reads nothing."""
APPENDED = frozenset({"decisions", "events"})
"""Tables in which the service never changes or deletes a row, and may not."""
_VERSION = "alembic_version"
_VERSION_READ = {(_VERSION, "version_num", "SELECT")}
_SHOWN = 3
"""How many rights too many are named."""
_READ_ONLY = """DO $only$ BEGIN
    ALTER ROLE {} SET default_transaction_read_only = on;
EXCEPTION WHEN insufficient_privilege THEN
    RAISE NOTICE 'only an administrator sets default_transaction_read_only for this role';
END $only$"""
"""A second bar: the owner of the tables may be no administrator of roles, and the grants hold without it."""


class RoleError(RuntimeError):
    """A role cannot be given these rights; the message says why."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The statements that give a role its rights, and the rights that it has afterwards."""

    role: str
    statements: list[str]
    allowed: frozenset[Right]


def auditor(connection: Connection, role: str) -> Plan:
    """How a role comes to read what an auditor may, and nothing else. Raises RoleError."""
    name, schema = _checked(connection, role)
    allowed = {(table, each, "SELECT") for table in AUDITED for each in _read(table)}
    statements = [*_nothing(name, schema), *_each_column(connection, name), _READ_ONLY.format(name)]
    return Plan(role, statements, frozenset(allowed | _VERSION_READ))


def service(connection: Connection, role: str) -> Plan:
    """How a role comes to do the service's work and no DDL. Raises RoleError."""
    name, schema = _checked(connection, role)
    allowed = {(each, "", "DELETE") for each in Base.metadata.tables if each not in APPENDED}
    for table in Base.metadata.tables.values():
        kinds = ("SELECT", "INSERT") if table.name in APPENDED else ("SELECT", "INSERT", "UPDATE")
        allowed |= {(table.name, column.name, kind) for column in table.columns for kind in kinds}
    return Plan(role, [*_nothing(name, schema), *_work(connection, name, schema)], frozenset(allowed | _VERSION_READ))


def run(connection: Connection, plan: Plan) -> None:
    """Give a role its rights, in the transaction at hand. Raises RoleError where it has others besides."""
    for each in plan.statements:
        connection.exec_driver_sql(each.replace("%", "%%"))
    found = excess(connection, plan.role, [*Base.metadata.tables, _VERSION], plan.allowed)
    if found:
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        raise RoleError(
            f"that role has rights that this command did not give it: {'; '.join(found[:_SHOWN])}{more}."
            " Revoke them, or take another role: nothing was changed"
        )


def _checked(connection: Connection, role: str) -> tuple[str, str]:
    """Role and schema, quoted."""
    if connection.dialect.name != "postgresql":
        raise RoleError("this pool is on SQLite, which has no roles: whoever reads the file reads all of it")
    found = connection.execute(text("SELECT rolsuper FROM pg_roles WHERE rolname = :role"), {"role": role}).scalar()
    if found is None:
        raise RoleError("there is no such role: the administrator of the database makes it with CREATE ROLE ... LOGIN")
    owns = text(
        "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()"
        " AND pg_has_role(:role, tableowner, 'MEMBER')"
    )
    if found or connection.execute(owns, {"role": role}).scalar_one():
        raise RoleError("that role is a superuser or owns tables of the pool, so that no grant limits it: take another")
    quote = connection.dialect.identifier_preparer.quote_identifier
    return quote(role), quote(connection.execute(text("SELECT current_schema()")).scalar_one())


def _nothing(role: str, schema: str) -> Iterator[str]:
    """Begin with no rights: what an earlier version granted does not stay."""
    yield f"REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {role}"
    yield f"REVOKE ALL ON ALL SEQUENCES IN SCHEMA {schema} FROM {role}"
    yield f"REVOKE ALL ON SCHEMA {schema} FROM {role}"
    yield f"GRANT USAGE ON SCHEMA {schema} TO {role}"


def _each_column(connection: Connection, role: str) -> Iterator[str]:
    # By column: one that a later version adds is not read before someone has decided that it may be.
    quote = connection.dialect.identifier_preparer.quote
    for name in sorted(AUDITED):
        yield f"GRANT SELECT ({', '.join(quote(each) for each in _read(name))}) ON {quote(name)} TO {role}"
    yield f"GRANT SELECT ON {_VERSION} TO {role}"


def _read(table: str) -> list[str]:
    return [each.name for each in Base.metadata.tables[table].columns if each.name not in AUDITED[table]]


def _work(connection: Connection, role: str, schema: str) -> Iterator[str]:
    quote = connection.dialect.identifier_preparer.quote
    for name in sorted(Base.metadata.tables):
        rights = "SELECT, INSERT" if name in APPENDED else "SELECT, INSERT, UPDATE, DELETE"
        yield f"GRANT {rights} ON {quote(name)} TO {role}"
    yield f"GRANT SELECT ON {_VERSION} TO {role}"
    yield f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {role}"
