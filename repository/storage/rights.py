"""What a role of PostgreSQL may really do with the pool's tables: by grants, by PUBLIC, and by the roles it is in."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, text

Right = tuple[str, str, str]
"""Table, column (empty for the whole table), and what may be done with it."""

_HELD = """
WITH being AS (SELECT oid, rolname FROM pg_roles WHERE pg_has_role(CAST(:role AS name), oid, 'MEMBER')),
     here AS (SELECT oid FROM pg_namespace WHERE nspname = current_schema()),
     pool AS (
        SELECT c.oid, c.relname FROM pg_class c, here
        WHERE c.relnamespace = here.oid AND c.relkind IN ('r', 'p') AND c.relname = ANY(CAST(:names AS text[]))
     )
SELECT b.rolname, t.relname, '', p FROM being b, pool t, unnest(ARRAY['DELETE', 'TRUNCATE', 'TRIGGER']) p
WHERE has_table_privilege(b.oid, t.oid, p)
UNION ALL
SELECT b.rolname, t.relname, a.attname, p
FROM being b, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'REFERENCES']) p,
     pool t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE has_column_privilege(b.oid, t.oid, a.attnum, p)
UNION ALL
SELECT b.rolname, 'the schema', '', 'CREATE' FROM being b, here WHERE has_schema_privilege(b.oid, here.oid, 'CREATE')
"""
_BEYOND = """
SELECT rolname, CASE WHEN rolcreaterole THEN 'making roles' WHEN rolreplication THEN 'replication'
                     ELSE 'the files and programs of the server' END
FROM pg_roles WHERE pg_has_role(CAST(:role AS name), oid, 'MEMBER')
AND (rolcreaterole OR rolreplication OR rolname IN
     ('pg_read_server_files', 'pg_write_server_files', 'pg_execute_server_program'))
"""


def excess(connection: Connection, role: str, names: list[str], allowed: frozenset[Right]) -> list[str]:
    """What a role may do beyond some rights on the pool's tables, each with the role that it may do it by.

    A role counts as every one that it is in, whether it inherits their rights or has to ask for them by SET ROLE.
    """
    held = connection.execute(text(_HELD), {"role": role, "names": names}).all()
    told: dict[str, set[str]] = {}
    for by, table, column, what in held:
        if (table, column, what) not in allowed:
            told.setdefault(f"{what} of {table}" if table in names else f"{what} in {table}", set()).add(by)
    for by, what in connection.execute(text(_BEYOND), {"role": role}):
        told.setdefault(what, set()).add(by)
    return list(_named(role, told))


def _named(role: str, told: dict[str, set[str]]) -> Iterator[str]:
    for what in sorted(told):
        others = sorted(told[what] - {role})
        yield f"{what} (by {', '.join(others) if others else 'PUBLIC, by itself or by a grant of another role'})"
