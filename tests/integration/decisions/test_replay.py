"""Replay: a decision taken again from what is stored with it comes out the same, and what was changed is found."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from sqlalchemy import Table, select, update

from repository.services import Services
from repository.services.replay import Deviation, Replay
from repository.storage.decisions import DECISIONS, Chosen
from repository.storage.rulebooks import RULEBOOKS
from repository.storage.standings import STANDINGS
from tests.integration.pool.conftest import Desk

Change = Callable[[dict[str, Any]], dict[str, Any]]


def replayed(services: Services, chosen: Chosen | None = None) -> tuple[int, list[Deviation]]:
    """How many decisions were taken again, and those that deviate."""
    pages = list(Replay().pages(services.database, chosen or Chosen()))
    return sum(page.taken for page in pages), [each for page in pages for each in page.deviations]


def one(services: Services, **wanted: Any) -> dict[str, Any]:
    """The first decision whose columns are so."""
    chosen = select(DECISIONS).where(*(DECISIONS.c[name] == value for name, value in wanted.items()))
    with services.database.reading() as connection:
        return dict(connection.execute(chosen.order_by(DECISIONS.c.id)).mappings().first() or {})


def tamper(services: Services, table: Table, row_key: str, row_id: str, **values: Any) -> None:
    """Change a row behind the service's back."""
    with services.database.writing() as connection:
        connection.execute(update(table).where(table.c[row_key] == row_id).values(**values))


def test_a_clean_history_replays_identically(history: Desk, services: Services) -> None:
    """Allows and denies of four rules, lists, single hits and screenings, under two rulebooks: none differs."""
    with services.database.reading() as connection:
        rows = connection.execute(select(DECISIONS)).mappings().all()
    assert {(row["action"], row["allowed"], row["rule"]) for row in rows} >= {
        ("screening", False, "R2"),
        ("screening", True, "R2"),
        ("screening", False, "R10"),
        ("screening", False, "PURPOSE"),
        ("hits", True, "R1"),
    }
    assert len({row["rulebook_digest"] for row in rows}) == 2
    assert replayed(services) == (len(rows), [])


_CHANGES: list[tuple[dict[str, Any], dict[str, Any], Any]] = [
    ({"rule": "R10"}, {"allowed": True}, {"allowed": (True, False)}),
    ({"rule": "R10"}, {"rule": "R6"}, {"rule": ("R6", "R10")}),
    ({"rule": "R10"}, {"rulebook": "2020.1"}, {"rulebook"}),
    ({"rule": "R10"}, {"action": "export"}, {"action": ("export", "screening")}),
    ({"rule": "R10"}, {"figures": {"line": "motor", "asked": 1, "per_minute": 2}}, {"figures.used_this_minute"}),
    (
        {"allowed": True, "action": "screening"},
        {"answer": {"tiers": "4" * 48, "per_day": 500, "per_minute": 600}},
        {"answer.tiers"},
    ),
    ({"allowed": True, "action": "screening"}, {"answer": None}, {"answer"}),
]


def test_a_changed_decision_is_found(history: Desk, services: Services) -> None:
    """What was changed is named, with what is stored and what comes out; every other decision is identical."""
    for wanted, values, differs in _CHANGES:
        row = one(services, **wanted)
        tamper(services, DECISIONS, "id", row["id"], **values)
        count, found = replayed(services)
        assert count > 8
        assert [each.decision_id for each in found] == [row["id"]], values
        assert found[0].missing == ""
        if isinstance(differs, dict):
            assert found[0].differs == differs
        else:
            assert found[0].differs.keys() == differs
        tamper(services, DECISIONS, "id", row["id"], **{name: row[name] for name in values})


def test_a_changed_request_is_found(history: Desk, services: Services) -> None:
    """Less used than was: the quota would not have refused. Facts of the member that no longer read are told apart."""
    row = one(services, rule="R10")
    tamper(services, DECISIONS, "id", row["id"], request=row["request"] | {"used_this_minute": 0})
    (found,) = replayed(services)[1]
    assert found.differs["allowed"] == (False, True)
    tamper(services, DECISIONS, "id", row["id"], request={"action": "screening"})
    (found,) = replayed(services)[1]
    assert found.missing == "what was asked, or the member's facts, cannot be read"


def test_a_changed_standing_is_found(history: Desk, services: Services) -> None:
    """Its text no longer has the digest it is stored under; all decisions on it are reported."""
    row = one(services, allowed=True, action="screening")
    with services.database.reading() as connection:
        body = connection.execute(select(STANDINGS.c.body).where(STANDINGS.c.id == row["standing_id"])).scalar_one()
    tamper(services, STANDINGS, "id", row["standing_id"], body=body.replace('"good"', '"plan"'))
    found = replayed(services)[1]
    assert row["id"] in {each.decision_id for each in found}
    assert {each.missing for each in found} == {
        "the standing it names was changed: its text does not have the SHA-256 it is stored under"
    }


def test_a_standing_put_in_place_of_another_is_found(history: Desk, services: Services) -> None:
    """One that was made up has a digest of its own, but comes out otherwise; one of another day or member is told."""
    row = one(services, allowed=True, action="screening")
    with services.database.reading() as connection:
        body = connection.execute(select(STANDINGS.c.body).where(STANDINGS.c.id == row["standing_id"])).scalar_one()
        others = connection.execute(select(STANDINGS.c.id, STANDINGS.c.member_id, STANDINGS.c.body)).all()
    made_up = orjson.loads(body)
    made_up["lines"][0]["pairs"][0]["accepted"] += 1000
    text = orjson.dumps(made_up).decode()
    standing_id = hashlib.sha256(text.encode()).hexdigest()
    with services.database.writing() as connection:
        facts = {"id": standing_id, "member_id": row["member_id"], "at": row["at"], "body": text}
        connection.execute(STANDINGS.insert().values(**facts))
    tamper(services, DECISIONS, "id", row["id"], standing_id=standing_id)
    (found,) = replayed(services)[1]
    assert {"answer.per_day", "figures.accepted_in_window"} <= found.differs.keys()
    for other in others:
        if other.member_id != row["member_id"] or orjson.loads(other.body)["on"] != str(row["at"].date()):
            tamper(services, DECISIONS, "id", row["id"], standing_id=other.id)
            (found,) = replayed(services)[1]
            assert found.missing == "the standing it names is of another member or another day"


def test_a_changed_rulebook_is_found(history: Desk, services: Services) -> None:
    """A number changed in the stored text: every decision under it is reported, and those under the other are not."""
    digest = one(services, rule="R10")["rulebook_digest"]
    with services.database.reading() as connection:
        text = connection.execute(select(RULEBOOKS.c.text).where(RULEBOOKS.c.digest == digest)).scalar_one()
        under = connection.execute(select(DECISIONS.c.id).where(DECISIONS.c.rulebook_digest == digest)).scalars().all()
    tamper(services, RULEBOOKS, "digest", digest, text=text.replace("burst_per_minute = 2", "burst_per_minute = 9"))
    found = replayed(services)[1]
    assert sorted(each.decision_id for each in found) == sorted(under)
    assert {each.missing for each in found} == {
        "the rulebook it names was changed: its text does not have the SHA-256 it is stored under"
    }


_MISSING: list[tuple[dict[str, Any], str]] = [
    ({"standing_id": "0" * 64}, "the standing it names is not there"),
    ({"rulebook_digest": "0" * 64}, "the rulebook it names is not there"),
    ({"standing_id": None}, "it names no standing: it was taken before standings were kept"),
]


def test_what_is_missing_is_told(history: Desk, services: Services) -> None:
    """A decision without its standing or rulebook cannot be taken again, and that is reported."""
    row = one(services, rule="R10")
    for values, missing in _MISSING:
        tamper(services, DECISIONS, "id", row["id"], **values)
        (found,) = replayed(services)[1]
        assert (found.decision_id, found.missing, dict(found.differs)) == (row["id"], missing, {})
        tamper(services, DECISIONS, "id", row["id"], **{name: row[name] for name in values})


def test_days_and_members_are_chosen(history: Desk, services: Services) -> None:
    """Only what was decided in the days given, of the member given; in pages of any size, each decision once."""
    everything = replayed(services)[0]
    first, second = datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 3, tzinfo=UTC)
    counts = [
        replayed(services, Chosen(first + timedelta(days=day), second + timedelta(days=day)))[0] for day in range(5)
    ]
    assert sum(counts) == everything
    assert all(counts[:4])
    assert counts[4] == 0
    assert replayed(services, Chosen(since=second))[0] == everything - counts[0]
    screened = [replayed(services, Chosen(action="screening", refused=refused))[0] for refused in (False, True)]
    assert screened == [8, 4]
    own = replayed(services, Chosen(member_id=history.member.id))[0]
    assert 0 < own < everything
    small = [page.taken for page in Replay().pages(services.database, Chosen(), size=2)]
    assert sum(small) == everything
    assert set(small[:-1]) == {2}


def test_little_is_kept_in_memory(history: Desk, services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    """Standings are forgotten and read again, a page at a time, without a difference."""
    monkeypatch.setattr("repository.services.replay._STANDINGS_KEPT", 1)
    replay, most = Replay(), 0
    for page in replay.pages(services.database, Chosen(), size=2):
        assert page.deviations == []
        most = max(most, len(replay._standings))
    assert 2 <= most <= 3
