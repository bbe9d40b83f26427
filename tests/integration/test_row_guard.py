"""A query on members' rows that forgets the member fails in tests, whichever way it is run."""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import and_, bindparam, delete, func, insert, not_, or_, select, text, true, update

from repository.services import Services
from repository.storage import batches
from repository.storage.base import Base
from repository.storage.dialect import Prepared
from repository.storage.filings import FILINGS
from tests.support.binding import OF_MEMBERS, SCOPES
from tests.support.members import Admissions
from tests.support.scope import Guard, UnscopedError
from tests.support.unscoped import ALLOWED


@pytest.fixture
def scoped() -> None:
    """Not the guard of every other test: these have guards of their own, and plant what it would stop."""


_MINE = FILINGS.c.member_id == bindparam("member")
_ALIAS = FILINGS.alias()
_BATCHES = Base.metadata.tables["batches"]
_SUBJECTS = Base.metadata.tables["subjects"]
_DISPUTES = Base.metadata.tables["disputes"]
_OWN_BATCH = _BATCHES.c.member_id == bindparam("member")
FORGOTTEN: dict[str, Any] = {
    "select": select(FILINGS.c.id),
    "select by id": select(FILINGS.c.id).where(FILINGS.c.id == "fil_1"),
    "alias": select(_ALIAS.c.id).where(_ALIAS.c.reference == "A-1"),
    "in a subquery": select(text("1")).where(select(FILINGS.c.id).exists()),
    "part of a filing": select(Base.metadata.tables["subjects"].c.id),
    "compared with itself": select(FILINGS.c.id).where(FILINGS.c.member_id == _ALIAS.c.member_id),
    "update": update(FILINGS).values(line="home"),
    "delete": delete(FILINGS),
    "text": text("SELECT id FROM filings"),
    "or another": select(FILINGS.c.id).where(or_(_MINE, FILINGS.c.line == "home")),
    "all but mine": select(FILINGS.c.id).where(FILINGS.c.member_id != bindparam("member")),
    "not mine": select(FILINGS.c.id).where(not_(_MINE)),
    "beside one's own": select(FILINGS.c.id).join(_BATCHES, true()).where(_OWN_BATCH),
    "joined by what is no key": select(FILINGS.c.id)
    .join(_BATCHES, _BATCHES.c.status == FILINGS.c.line)
    .where(_OWN_BATCH),
    "left of one's own": select(FILINGS.c.id)
    .outerjoin(_BATCHES, FILINGS.c.last_batch_id == _BATCHES.c.id)
    .where(or_(_OWN_BATCH, _BATCHES.c.id.is_(None))),
    "bound on one side only": select(FILINGS.c.id).outerjoin(_BATCHES, _MINE),
    "in the select list": select(FILINGS.c.id, _MINE.label("own")),
    "a subquery in the select list": select(select(func.count(FILINGS.c.id)).scalar_subquery()),
    "in a subquery that is joined": select(select(FILINGS).subquery().c.id),
    "in a named subquery": select(select(FILINGS).cte("all_filings").c.id),
    "in a union": select(FILINGS.c.id).where(_MINE).union_all(select(FILINGS.c.id)),
    "copied": insert(_DISPUTES).from_select(["filing_id"], select(FILINGS.c.id)),
    "update from another": update(_BATCHES)
    .where(_OWN_BATCH)
    .values(status=select(FILINGS.c.line).limit(1).scalar_subquery()),
    "text with or": text("SELECT id FROM filings WHERE member_id = :member OR line = 'home'"),
}
KEPT = {
    "select": select(FILINGS.c.id).where(_MINE),
    "alias": select(_ALIAS.c.id).where(_ALIAS.c.member_id == "mem_1"),
    "one of some": select(FILINGS.c.id).where(FILINGS.c.member_id.in_(["mem_1"])),
    "in a subquery": select(text("1")).where(select(FILINGS.c.id).where(_MINE).exists()),
    "update": update(FILINGS).where(_MINE).values(line="home"),
    "text": text("SELECT id FROM filings WHERE member_id = :member"),
    "and": select(FILINGS.c.id).where(and_(or_(FILINGS.c.line == "home", FILINGS.c.line == "pet"), _MINE)),
    "one of two parties": select(_DISPUTES.c.id).where(
        or_(_DISPUTES.c.raiser_id == bindparam("member"), _DISPUTES.c.contributor_id == bindparam("member"))
    ),
    "by its key": select(_SUBJECTS.c.id).join(FILINGS, _SUBJECTS.c.filing_id == FILINGS.c.id).where(_MINE),
    "of what is selected": select(_SUBJECTS.c.id).where(_SUBJECTS.c.filing_id.in_(select(FILINGS.c.id).where(_MINE))),
    "of what stands around": select(FILINGS.c.id).where(
        _MINE, select(_SUBJECTS.c.id).where(_SUBJECTS.c.filing_id == FILINGS.c.id).exists()
    ),
    "of a subquery": select(select(FILINGS).where(_MINE).subquery().c.id),
    "copied": insert(_DISPUTES).from_select(["filing_id"], select(FILINGS.c.id).where(_MINE)),
    "a table of nobody's": select(Base.metadata.tables["hot_keys"]),
}


def _planted(body: str) -> Any:
    """A function of a module of the service, which has some statement run."""
    space: dict[str, Any] = {"__name__": "repository.storage.planted"}
    exec(f"def read(connection, statement):\n    return {body}\n", space)  # noqa: S102 - the planted query
    return space["read"]


@pytest.mark.parametrize("name", FORGOTTEN)
def test_a_forgotten_member_fails(name: str, services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    """A statement without a member is stopped, and the guard says which function sent it."""
    guard, read = Guard(ALLOWED), _planted("connection.execute(statement, {'member': 'mem_1'})")
    with guard.watching(monkeypatch), services.database.reading() as connection, pytest.raises(UnscopedError):
        read(connection, FORGOTTEN[name])
    assert guard.faults[0].startswith("storage.planted.read asks ")


@pytest.mark.parametrize("name", KEPT)
def test_a_statement_of_a_member_passes(name: str, services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    """A member that is bound is enough, and other tables need none."""
    guard, read = Guard(ALLOWED), _planted("connection.execute(statement, {'member': 'mem_1'})")
    with guard.watching(monkeypatch), services.database.reading() as connection:
        read(connection, KEPT[name])
    assert guard.faults == []


@pytest.mark.parametrize("name", ["select", "alias"])
def test_what_the_driver_runs_is_looked_at_too(name: str, services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    """A prepared statement never meets SQLAlchemy's execution, and is stopped all the same, each time."""
    read, guard = _planted("statement.rows(connection, {})"), Guard(ALLOWED)
    prepared = Prepared(lambda _: FORGOTTEN[name])
    for _ in range(2):
        with guard.watching(monkeypatch), services.database.reading() as connection, pytest.raises(UnscopedError):
            read(connection, prepared)


def test_a_where_that_is_lost_fails_through_the_interface(
    client: FlaskClient, member: Admissions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list of batches without its member, as a change might leave it: no test that calls it can pass."""
    alpha = member()
    space = dict(vars(batches))
    exec(  # noqa: S102 - the function as it is, but for its where
        inspect.getsource(batches.page).replace(".where(BATCHES.c.member_id == member_id)", ""), space
    )
    guard = Guard(ALLOWED)
    with guard.watching(monkeypatch):
        assert client.get("/v1/batches", headers=alpha.headers).status_code == 200
        assert guard.faults == []
        monkeypatch.setattr(batches, "page", space["page"])
        assert client.get("/v1/batches", headers=alpha.headers).status_code == 500
    assert guard.faults == ["storage.batches.page asks batches for no member"]


def test_a_test_may_look_at_everything(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    """The guard is for the service: what a test itself asks is its own affair."""
    with Guard(ALLOWED).watching(monkeypatch), services.database.reading() as connection:
        connection.execute(select(FILINGS)).all()


def test_members_tables_are_known() -> None:
    """Every table with a member in it, and what is part of one."""
    named = {name for name, table in Base.metadata.tables.items() if SCOPES & set(table.columns.keys())}
    assert named - {"actors"} <= OF_MEMBERS
    assert {"filings", "subjects", "filing_versions", "hits", "screenings", "batches"} <= OF_MEMBERS


@pytest.mark.parametrize("name", sorted({part for each in ALLOWED for part in each.partition(" of ")[0].split(" by ")}))
def test_the_list_names_functions_that_are_there(name: str) -> None:
    """A function that is gone or renamed leaves the list."""
    module, _, function = name.rpartition(".")
    while True:
        try:
            found: Any = import_module(f"repository.{module}")
        except ModuleNotFoundError:
            module, _, owner = module.rpartition(".")
            function = f"{owner}.{function}"
        else:
            break
    for each in function.split("."):
        found = getattr(found, each)
    assert callable(found)


def test_the_list_has_reasons_and_tables() -> None:
    """Each excuse has a reason, and where it is for one table, there is such a one."""
    assert all(ALLOWED.values())
    assert {each.partition(" of ")[2] for each in ALLOWED if " of " in each} <= OF_MEMBERS
