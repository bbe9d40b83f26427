"""Which members' tables a statement asks without binding a member: each has to be bound, on every way through."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import reduce
from typing import Any

from sqlalchemy import Column, Delete, Insert, Select, Table, Update
from sqlalchemy.sql import operators
from sqlalchemy.sql.elements import BinaryExpression, BindParameter, BooleanClauseList, Cast, Grouping, UnaryExpression
from sqlalchemy.sql.selectable import CTE, AliasedReturnsRows, CompoundSelect, Join

from repository.storage.base import Base

SCOPES = {"member_id", "raiser_id", "requester_id", "contributor_id"}
OF_MEMBERS = frozenset(
    {name for name, table in Base.metadata.tables.items() if SCOPES & set(table.columns.keys())}
    | {"filing_versions", "subjects", "hits", "batch_errors", "dry_run_filings", "upheld_versions"}
) - {"actors"}
"""Tables whose rows belong to a member, or to what does. Actors log in before one is known."""

_Names = frozenset[str]
_NONE: _Names = frozenset()


def unbound(statement: Any) -> _Names:
    """The members' tables of which a statement reads, changes or copies rows of members that it does not name.

    A table is bound by `member_id = :parameter` (or IN some) that no OR lets pass by, or by the key that it has in
    common with one that is bound: `subjects.filing_id = filings.id`.
    """
    return _Look().at(statement, _NONE, _NONE)


class _Look:
    """One statement, with its common table expressions, which are looked at once."""

    def __init__(self) -> None:
        self._named: dict[str, _Names] = {}

    def at(self, statement: Any, around: _Names, bound: _Names) -> _Names:
        """What is unbound in a statement or a subquery; `around` is what stands around it, and `bound` of that."""
        if isinstance(statement, CompoundSelect):
            return _all(self.at(each, around, bound) for each in statement.selects)
        if isinstance(statement, Grouping) or not isinstance(statement, Select | Update | Delete | Insert):
            return _all(self.at(each, around, bound) for each in _subqueries(statement))
        for each in getattr(statement, "_independent_ctes", ()):
            self._of_derived(each)
        if isinstance(statement, Insert):
            return _all(self.at(each, around, bound) for each in _subqueries(statement))
        sources = list(_sources(statement))
        own = {_name(each): each for each in sources if _name(each) not in around}
        names = frozenset(own) | around
        conditions: list[tuple[Any, _Names]] = [(each, names) for each in statement._where_criteria]
        conditions += [(each.onclause, _chosen_by(each, names)) for each in _joins(statement)]
        unsure = {
            each: self._of_derived(source) for each, source in own.items() if not isinstance(_table(source), Table)
        }
        found = bound | {each for each, faults in unsure.items() if not faults and _members_in(own[each])}
        while True:
            more = found | _all(self._bound_by(each, names, found) & chosen for each, chosen in conditions)
            if more == found:
                break
            found = more
        missing = {_table(each).name for name, each in own.items() if name not in found and _is_members(each)}
        nested = (self.at(each, names, found) for each in _subqueries(statement))
        return _all([frozenset(missing), *unsure.values(), *nested])

    def _of_derived(self, source: Any) -> _Names:
        """What is unbound in a subquery that rows are taken from."""
        name = _name(source)
        if name not in self._named:
            self._named[name] = _NONE  # while it is looked at: it may name itself
            self._named[name] = self.at(getattr(source, "element", source), _NONE, _NONE)
        return self._named[name]

    def _bound_by(self, condition: Any, names: _Names, bound: _Names) -> _Names:
        """The sources that are bound where a condition holds, when some are already."""
        if isinstance(condition, Grouping):
            return self._bound_by(condition.element, names, bound)
        if isinstance(condition, BooleanClauseList):
            parts = [self._bound_by(each, names, bound) for each in condition.clauses]
            return _all(parts) if condition.operator is operators.and_ else reduce(_Names.intersection, parts)
        if isinstance(condition, BinaryExpression) and condition.operator in (operators.eq, operators.in_op):
            one, two = _bare(condition.left), _bare(condition.right)
            return self._by_equality(one, two, names, bound) | self._by_equality(two, one, names, bound)
        return _NONE

    def _by_equality(self, column: Any, other: Any, names: _Names, bound: _Names) -> _Names:
        if not isinstance(column, Column) or column.table is None:
            return _NONE
        owner = frozenset({_name(column.table)})
        if isinstance(other, BindParameter):
            return owner if _is_member(column) else _NONE
        if isinstance(other, Column) and other.table is not None:
            return owner if _name(other.table) in bound and _are_keys(column, other) else _NONE
        selects = [other] if isinstance(other, Select | CompoundSelect) else list(_subqueries(other))
        chosen = [each for each in selects if _members_in(each)]
        return owner if chosen and not _all(self.at(each, names, bound) for each in chosen) else _NONE


def _all(parts: Iterable[_Names]) -> _Names:
    return frozenset().union(*parts)


def _name(source: Any) -> str:
    return str(getattr(source, "name", source))


def _table(source: Any) -> Any:
    """What an alias is of."""
    while isinstance(source, AliasedReturnsRows) and not isinstance(source, CTE):
        source = source.element
    return source


def _is_members(source: Any) -> bool:
    return isinstance(_table(source), Table) and _table(source).name in OF_MEMBERS


def _is_member(column: Any) -> bool:
    return column.name in SCOPES or (column.name == "id" and _name(_table(column.table)) == "members")


def _are_keys(one: Any, two: Any) -> bool:
    """Whether two columns name the same thing, and not only have the same value by chance."""
    return all(each.name == "id" or each.name.endswith("_id") for each in (one, two))


def _sources(statement: Any) -> Iterator[Any]:
    """The tables and subqueries that a statement takes rows from or changes, joins taken apart."""
    return _leaves(statement.get_final_froms() if isinstance(statement, Select) else [statement.table])


def _leaves(sources: Iterable[Any]) -> Iterator[Any]:
    stack = list(sources)
    while stack:
        each = stack.pop()
        if isinstance(each, Join):
            stack += (each.left, each.right)
        elif isinstance(each, Table | AliasedReturnsRows):
            yield each


def _joins(statement: Any) -> Iterator[Join]:
    stack = list(statement.get_final_froms()) if isinstance(statement, Select) else []
    while stack:
        each = stack.pop()
        if isinstance(each, Join):
            yield each
            stack += (each.left, each.right)


def _chosen_by(join: Join, names: _Names) -> _Names:
    """The sources of which a join takes only what its condition holds for: of an outer one, not what is on its left."""
    if not join.isouter and not join.full:
        return names
    return _NONE if join.full else frozenset(_name(each) for each in _leaves([join.right]))


def _members_in(statement: Any) -> bool:
    """Whether members' rows are in it anywhere."""
    stack = [statement]
    while stack:
        each = stack.pop()
        if isinstance(each, Table):
            if each.name in OF_MEMBERS:
                return True
        else:
            stack += each.get_children()
    return False


def _subqueries(element: Any) -> Iterator[Any]:
    """The selects within expressions, not those that rows are taken from."""
    stack = list(element.get_children()) if element is not None else []
    while stack:
        each = stack.pop()
        if isinstance(each, Select | CompoundSelect):
            yield each
        elif isinstance(each, Join):
            stack.append(each.onclause)
        elif not isinstance(each, Table | AliasedReturnsRows):
            stack += each.get_children()


def _bare(element: Any) -> Any:
    while isinstance(element, Grouping | Cast | UnaryExpression):
        element = element.clause if isinstance(element, Cast) else element.element
    return element
