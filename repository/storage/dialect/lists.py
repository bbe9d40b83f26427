"""Lists of any length as one parameter, so that a statement stays the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Function,
    Join,
    String,
    bindparam,
    cast,
    column,
    func,
    select,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.selectable import TableValuedAlias


def wanted_integers(dialect: str) -> TableValuedAlias:
    """A list bound as the one parameter `wanted` (see `wanted`), as a table with the column `value`."""
    if dialect == "sqlite":
        return func.json_each(bindparam("wanted", type_=String)).table_valued(column("value", BigInteger))
    return _unnested(postgresql.ARRAY(BigInteger)).table_valued(column("value", BigInteger)).render_derived()


def wanted_texts(dialect: str) -> TableValuedAlias:
    """The same for text."""
    if dialect == "sqlite":
        return func.json_each(bindparam("wanted", type_=String)).table_valued(column("value", String))
    return _unnested(postgresql.ARRAY(String)).table_valued(column("value", String)).render_derived()


class _LeftFirst(Join):
    """What is on the left, joined with a table that is looked up by it."""

    inherit_cache = True


def looked_up(left: FromClause, table: FromClause, condition: ColumnElement[bool]) -> Join:
    """A list, or what was looked up by one, joined with the table to look up next.

    For where the member is a part of the condition, too: SQLite, which keeps no figures, would rather read all that a
    member has, and the whole list again for each row of it.
    """
    return _LeftFirst(left, table, condition)


@compiles(_LeftFirst, "sqlite")
def _crossed(joined: _LeftFirst, compiler: SQLCompiler, **how: Any) -> str:
    """SQLite reads the left of a CROSS JOIN first, and is free to choose with any other."""
    left = compiler.process(joined.left, **{**how, "asfrom": True})
    whole: str = compiler.visit_join(joined, **how)  # type: ignore[no-untyped-call]
    return left + whole.removeprefix(left).replace(" JOIN ", " CROSS JOIN ", 1)


def _unnested(array: postgresql.ARRAY[Any]) -> Function[Any]:
    """The elements, for a plan that is the same for any of them: PostgreSQL does not look into the list to make it.

    Else it would find a plan for this very list the cheaper one each time, and so make one each time.
    """
    return func.unnest(select(cast(bindparam("wanted", type_=String), array)).scalar_subquery())


def wanted(dialect: str, values: Sequence[int] | Sequence[str]) -> dict[str, Any]:
    """The parameter for `wanted_integers` and `wanted_texts`: a statement stays the same however long the list."""
    if dialect == "sqlite":
        return {"wanted": orjson.dumps(values).decode()}
    # An array as PostgreSQL writes it: its driver would look at every element by itself, which costs more than to look
    # the elements up.
    if values and isinstance(values[0], int):
        return {"wanted": "{" + orjson.dumps(values)[1:-1].decode() + "}"}
    return {"wanted": "{" + ",".join([_quoted(str(each)) for each in values]) + "}"}


def _quoted(element: str) -> str:
    return '"' + element.replace("\\", r"\\").replace('"', r"\"") + '"'
