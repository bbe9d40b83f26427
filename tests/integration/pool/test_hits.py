"""Reading hits: one's own only, page by page, and never more than the tier allows, filters included."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from repository.domain.members import MemberStatus
from repository.services.onboarding import change_status
from repository.storage.hits import HIT_SIDES, HITS
from tests.integration.pool.conftest import Counted, Desk
from tests.support.clock import FakeClock
from tests.support.encodings import filing, question, subject
from tests.support.members import Admissions


@pytest.fixture
def shared(alpha: Desk, beta: Desk, clock: FakeClock) -> None:
    """Five people whom both members know: Beta's classes differ, Alpha has claims in motor."""
    beta.prove("B-4")
    for number, kind in enumerate(("customer", "claim", "suspected", "victim", "proven")):
        beta.file(filing(f"B-{number}", subject(number), record_class=kind))
        alpha.file(filing(f"A-{number}", subject(number), record_class="claim"))
        clock.advance(seconds=1)


def test_both_sides_see_a_hit_by_their_own_tier(alpha: Desk, beta: Desk) -> None:
    """Who contributes customers only sees class and age of the claim; who has claims sees all of the customer."""
    alpha.file(filing("A-1", subject("ann")))
    beta.file(filing("B-1", subject("ann"), record_class="claim"))
    (mine,), (theirs,) = alpha.hits(), beta.hits()
    assert mine["id"] == theirs["id"]
    assert (mine["tier"], theirs["tier"]) == (2, 3)
    assert (mine["own"]["reference"], theirs["own"]["reference"]) == ("A-1", "B-1")
    assert theirs["contributor"] == "Alpha"
    assert "A-1" not in str({name: value for name, value in theirs.items() if name != "own"})


def test_pages_follow_each_other(alpha: Desk, shared: None) -> None:
    """Latest first, each once; a cursor fits no other list."""
    found, cursor = [], ""
    while True:
        page = alpha.get("/v1/hits?limit=2" + (f"&cursor={cursor}" if cursor else ""))
        found += [hit["own"]["reference"] for hit in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = page["next_cursor"]
    assert found == ["A-4", "A-3", "A-2", "A-1", "A-0"]
    problem = alpha.get(f"/v1/hits?limit=2&band=strong&cursor={cursor}", status=422)
    assert problem["type"].endswith("invalid-cursor")
    alpha.get("/v1/hits?cursor=rubbish", status=422)


def test_filters_narrow_the_list(alpha: Desk, beta: Desk, shared: None) -> None:
    """By class of the other side, by band, by the line of the own side."""
    assert [hit["own"]["reference"] for hit in alpha.hits("?class=suspected")] == ["A-2"]
    assert len(alpha.hits("?band=strong")) == 5
    assert alpha.hits("?band=possible") == []
    assert len(alpha.hits("?line=motor")) == 5
    assert alpha.hits("?line=home") == []
    for query in ("?band=none", "?class=friend", "?line=space", "?limit=0", "?limit=201", "?owner=x"):
        alpha.get(f"/v1/hits{query}", status=422)


def test_tier_one_does_not_tell_how_many(alpha: Desk, beta: Desk) -> None:
    """Of the hits of one own subject seen at tier 1 there is the best: in lists, by id, and in the figures."""
    beta.prove("B-0")
    beta.file(filing("B-0", subject("ann"), record_class="proven"))
    beta.file(filing("B-1", subject("ann"), record_class="suspected"))
    assert alpha.file(filing("A-1", subject("ann"), subject("bob")))["hits"] == 1
    (told,) = alpha.screen(question("ann"))["hits"]
    assert sorted(hit["own"]["reference"] for hit in alpha.hits()) == ["A-1", "Q-1"]
    assert told in alpha.hits()
    assert len(beta.hits()) == 2
    for hit in beta.hits():
        alpha.get(f"/v1/hits/{hit['id']}", status=200 if hit["id"] in [each["id"] for each in alpha.hits()] else 404)
    beta.file(filing("B-2", subject("bob"), record_class="suspected"))
    assert len(alpha.hits()) == 3
    alpha.file(filing("A-2", subject("zoe"), record_class="claim"))
    assert len(alpha.hits()) == 5


def test_a_filter_is_no_oracle(alpha: Desk, beta: Desk) -> None:
    """At tier 1 the class is not shown, and asking for the class does not find the hit either."""
    beta.file(filing("B-1", subject("ann"), record_class="suspected"))
    alpha.file(filing("A-1", subject("ann")))
    (hit,) = alpha.hits()
    assert hit["tier"] == 1
    assert alpha.hits("?class=suspected") == []


def test_hits_of_others_are_not_found(alpha: Desk, beta: Desk, member: Admissions) -> None:
    """404, the same as for an id that was never given."""
    beta.file(filing("B-1", subject("ann")))
    alpha.file(filing("A-1", subject("ann")))
    hit_id = alpha.hits()[0]["id"]
    gamma = Desk(alpha.client, alpha.services, member("Gamma"))
    gamma.file(filing("G-1", subject("zoe")))
    assert gamma.hits() == []
    assert gamma.get(f"/v1/hits/{hit_id}", status=404)["type"].endswith("not-found")
    gamma.get("/v1/hits/hit_x", status=404)
    assert beta.get(f"/v1/hits/{hit_id}")["id"] == hit_id


@pytest.mark.parametrize("path", ["/v1/hits/hit_%00", "/v1/hits/hit_x", "/v1/filings/%00", "/v1/filings/fil_%0A"])
def test_what_is_no_id_is_not_found(alpha: Desk, path: str, rows: Counted) -> None:
    """404 before anything is asked or decided: PostgreSQL would not even take a NUL."""
    assert alpha.get(path, status=404)["type"].endswith("not-found")
    assert rows("decisions") == 0


def test_a_hit_above_the_tier_is_not_found(alpha: Desk, beta: Desk) -> None:
    """A screening's hit whose line is not contributed to any more is not there for the member."""
    beta.file(filing("B-1", subject("ann"), line="home"))
    alpha.file(filing("A-1", subject("zoe")))
    alpha.file(filing("A-2", subject("ann"), line="motor"))
    with alpha.services.database.read() as session:
        (hit_id,) = session.execute(select(HITS.c.id)).scalars()
    assert alpha.hits() == []
    alpha.get(f"/v1/hits/{hit_id}", status=404)
    assert [hit["id"] for hit in beta.hits()] == []


def test_what_was_shown_is_remembered(alpha: Desk, beta: Desk, clock: FakeClock) -> None:
    """The highest tier a member saw a hit at, and when, for corrections that must reach it."""
    beta.file(filing("B-1", subject("ann"), record_class="claim"))
    alpha.file(filing("A-1", subject("ann")))
    assert sides(alpha) == {alpha.member.id: 0, beta.member.id: 0}
    alpha.hits()
    assert sides(alpha) == {alpha.member.id: 2, beta.member.id: 0}
    alpha.file(filing("A-2", subject("zoe"), record_class="claim"))
    alpha.hits()
    assert sides(alpha)[alpha.member.id] == 3


def sides(desk: Desk) -> dict[str, int]:
    """The tier each member was shown."""
    with desk.services.database.read() as session:
        return {row.member_id: row.shown_tier for row in session.execute(HIT_SIDES.select())}


def test_a_screenings_hit_is_the_askers_only(alpha: Desk, beta: Desk) -> None:
    """Who asked is not told to the other side."""
    beta.file(filing("B-1", subject("ann")))
    alpha.file(filing("A-1", subject("zoe")))
    (hit,) = alpha.screen(question("ann"))["hits"]
    assert beta.hits() == []
    assert alpha.get(f"/v1/hits/{hit['id']}") == hit
    assert len(alpha.hits("?line=motor")) == 1


def test_a_screenings_hit_outlives_a_new_version(alpha: Desk, beta: Desk) -> None:
    """The same id while the record filed anew still matches what was asked; superseded when not, and back again."""
    beta.file(filing("B-1", subject("ann")))
    alpha.file(filing("A-1", subject("zoe")))
    (hit,) = alpha.screen(question("ann"))["hits"]
    beta.file(filing("B-1", subject("ann", only=range(20))))
    (again,) = alpha.hits()
    assert again["id"] == hit["id"]
    assert again["weight"] < hit["weight"]
    beta.file(filing("B-1", subject("bob")))
    assert alpha.hits() == []
    beta.file(filing("B-1", subject("car", kind="vehicle", role="insured_vehicle")))
    assert alpha.hits() == []
    beta.file(filing("B-1", subject("ann")))
    assert alpha.hits() == [hit]


def test_a_screenings_hit_follows_its_subject(alpha: Desk, beta: Desk) -> None:
    """Filed anew with another person before it, the record is hit still, under the same id."""
    beta.file(filing("B-1", subject("ann", role="policyholder")))
    alpha.file(filing("A-1", subject("zoe")))
    (hit,) = alpha.screen(question("ann"))["hits"]
    beta.file(filing("B-1", subject("bob"), subject("ann", role="driver")))
    (again,) = alpha.hits()
    assert (again["id"], again["theirs"]["role"]) == (hit["id"], "driver")


def test_a_superseded_hit_shows_nothing_of_the_other_side(alpha: Desk, beta: Desk) -> None:
    """Not what the other filing says now: it is somebody else, whom the member never matched."""
    beta.file(filing("B-1", subject("ann")))
    alpha.file(filing("A-1", subject("ann")))
    (hit,) = alpha.hits()
    assert hit["tier"] == 3
    beta.file(filing("B-1", subject("bob"), date="2025-01-01"))
    shown = alpha.get(f"/v1/hits/{hit['id']}")
    assert shown.keys() == {"id", "created_at", "band", "tier", "own", "superseded_at"}
    assert shown["tier"] == 1


def test_a_suspended_member_reads_nothing(alpha: Desk, beta: Desk) -> None:
    """R1: the refusal names the rule."""
    beta.file(filing("B-1", subject("ann")))
    alpha.file(filing("A-1", subject("ann")))
    hit_id = alpha.hits()[0]["id"]
    with alpha.services.database.write() as session:
        change_status(session, alpha.member.id, MemberStatus.SUSPENDED, now=alpha.services.clock())
    for path in ("/v1/hits", f"/v1/hits/{hit_id}"):
        assert alpha.get(path, status=403)["rule"] == "R1"


def test_the_evidence_is_sealed(alpha: Desk, beta: Desk) -> None:
    """Weights and levels are not to be read off the table."""
    beta.file(filing("B-1", subject("ann")))
    alpha.file(filing("A-1", subject("ann")))
    with alpha.services.database.read() as session:
        evidence = session.execute(select(HITS.c.evidence)).scalar_one()
    assert b"prior" not in evidence
