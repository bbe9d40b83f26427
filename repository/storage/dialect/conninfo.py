"""How PostgreSQL's own library would connect: by the URL, its variables, its service file and its password file."""

from __future__ import annotations

from dataclasses import dataclass

from psycopg import Error, pq
from psycopg.conninfo import make_conninfo
from sqlalchemy.engine import make_url


@dataclass(frozen=True, slots=True)
class Way:
    """What a connection is made with; empty where there is none."""

    user: str
    database: str
    hosts: tuple[str, ...]
    password: str
    password_file: str
    encryption: str


def way(url: str) -> Way | None:
    """The parameters that are used in the end; None where the library takes none of it."""
    parsed = make_url(url)
    arguments, options = parsed.get_dialect()().create_connect_args(parsed)
    try:
        # Begun only: the parameters are read then, and the server is not waited for.
        begun = pq.PGconn.connect_start(make_conninfo(*arguments, **options).encode())
    except Error:
        return None
    try:
        used = {each.keyword.decode(): (each.val or b"").decode(errors="replace") for each in begun.info}
        if not used.get("dbname"):
            return None
        return Way(
            used["user"],
            used["dbname"],
            tuple(filter(None, f"{used['host']},{used['hostaddr']}".split(","))),
            (begun.password or b"").decode(errors="replace"),
            used["passfile"],
            used["sslmode"],
        )
    finally:
        begun.finish()
