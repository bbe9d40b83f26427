"""Not the same: the pair is not shown again, under whatever hit it comes back, until that is taken back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from matching.types import Band
from matching.wire import subject_to_json
from repository.storage.events import EVENTS
from repository.storage.suppressed import SUPPRESSED_PAIRS
from tests.integration.pool.conftest import Counted, Desk
from tests.integration.pool.test_casework import both
from tests.integration.pool.test_outcomes import say
from tests.support.encodings import SCHEMA, filing, question, subject

SPELT_OTHERWISE = range(2, len(SCHEMA.kinds["person"].keys))
"""Places of keys that a person has with another spelling of something, too."""


def take_back(desk: Desk, hit: str, *, status: int = 204) -> None:
    """Take an outcome back."""
    answer = desk.client.delete(f"/v1/hits/{hit}/outcome", headers=desk.member.headers)
    assert answer.status_code == status, answer.get_json()


def told(desk: Desk, kind: str) -> list[dict[str, Any]]:
    """The events of a kind, in order."""
    statement = select(EVENTS).where(EVENTS.c.kind == kind).order_by(EVENTS.c.id)
    with desk.services.database.reading() as connection:
        return [dict(row) for row in connection.execute(statement).mappings()]


def test_a_screening_does_not_show_the_pair_again(alpha: Desk, beta: Desk) -> None:
    """The same person asked anew is clear, under another reference too; another person is not; taken back, it is."""
    alpha.file(filing("A-1", record_class="claim"))
    beta.file(filing("B-1", subject("ann"), record_class="claim"))
    first = alpha.screen(question("ann"))
    (hit,) = first["hits"]
    say(alpha, hit["id"], "not_same")
    again = alpha.screen(question("ann", reference="Q-2"))
    assert (again["answer"], again["hits"]) == ("clear", [])
    assert alpha.hits() == []
    take_back(alpha, hit["id"])
    assert [each["id"] for each in alpha.hits()] == [hit["id"]]
    assert len(alpha.screen(question("ann", reference="Q-3"))["hits"]) == 1
    take_back(alpha, hit["id"], status=404)
    (event,) = told(alpha, "hit.outcome_withdrawn")
    assert (event["subject_id"], event["figures"]) == (hit["id"], {"before": "not_same", "hits": 1, "rule": "R8"})


def test_a_pair_is_one_member_s_own(alpha: Desk, beta: Desk, rows: Counted) -> None:
    """What one member rules out stays a hit for the other, and another record of the same person is shown."""
    alpha.file(filing("A-1", subject("ann"), record_class="claim"))
    beta.file(filing("B-1", subject("ann"), record_class="claim"))
    (hit,) = alpha.hits()
    say(alpha, hit["id"], "not_same")
    assert (alpha.hits(), [each["id"] for each in beta.hits()]) == ([], [hit["id"]])
    assert len(beta.screen(question("ann"))["hits"]) == 1
    beta.file(filing("B-2", subject("ann"), record_class="claim"))
    assert [each["theirs"]["filing"] != hit["theirs"]["filing"] for each in alpha.hits()] == [True]
    assert rows("suppressed_pairs") == 1


def test_another_place_is_the_same_pair(alpha: Desk, beta: Desk) -> None:
    """Either side is filed anew with its subjects in another order: another hit, not shown, and known by the first."""
    alpha.file(filing("A-1", subject("ann"), subject("x"), record_class="claim"))
    beta.file(filing("B-1", subject("ann"), subject("y"), record_class="claim"))
    (hit,) = alpha.hits()
    say(alpha, hit["id"], "not_same", note_reference="CASE-7")
    beta.file(filing("B-1", subject("y"), subject("ann"), record_class="claim"))
    alpha.file(filing("A-1", subject("x"), subject("ann"), record_class="claim"))
    assert alpha.hits() == []
    (carried,) = alpha.hits("?outcome=not_same")
    assert carried["outcome"]["carried_from"] == hit["id"] != carried["id"]
    assert carried["outcome"]["note_reference"] == "CASE-7"
    assert {event["figures"]["as"] for event in told(alpha, "hit.suppressed")} == {hit["id"]}
    assert len(beta.hits()) == 1
    take_back(alpha, carried["id"])
    assert [each["id"] for each in alpha.hits()] == [carried["id"]]


def test_said_again_it_stays_so(alpha: Desk, beta: Desk) -> None:
    """Another note of the hit it was said of, or of a carried one, shows none of the pair; taken back, all of it."""
    alpha.file(filing("A-1", subject("ann"), record_class="claim"))
    beta.file(filing("B-1", subject("ann"), record_class="claim"))
    (hit,) = alpha.hits()
    say(alpha, hit["id"], "not_same")
    alpha.file(filing("A-2", subject("ann"), record_class="claim"))
    (carried,) = [each for each in alpha.hits("?outcome=not_same") if each["id"] != hit["id"]]
    for said_of in (hit, carried):
        say(alpha, said_of["id"], "not_same", note_reference="CASE-8")
        assert (alpha.hits(), len(alpha.hits("?outcome=not_same"))) == ([], 2)
    take_back(alpha, carried["id"])
    assert len(alpha.hits()) == 2


def test_who_is_nearer_in_the_same_place_is_shown(alpha: Desk, beta: Desk) -> None:
    """A spelling that brings the pair nearer than it was is for a person to judge anew; one no nearer is not."""
    alpha.file(filing("A-1", record_class="claim"))
    beta.file(filing("B-1", subject("ann", only=range(8)), record_class="claim"))
    (hit,) = alpha.screen(question("ann"))["hits"]
    say(alpha, hit["id"], "not_same")
    with alpha.services.database.writing() as connection:
        connection.execute(SUPPRESSED_PAIRS.update().values(band=int(Band.POSSIBLE)))
    assert alpha.screen(question("ann", reference="Q-2"))["hits"] == []
    beta.file(filing("B-1", subject("ann"), record_class="claim"))
    assert len(alpha.screen(question("ann", reference="Q-3"))["hits"]) == 1


@pytest.mark.parametrize("refiled", ["their", "own"])
def test_a_stranger_in_the_place_of_who_was_ruled_out_is_shown(alpha: Desk, beta: Desk, refiled: str) -> None:
    """Whoever is filed in the place of either side instead, and matches as well, was judged by nobody."""
    desk, other = (beta, alpha) if refiled == "their" else (alpha, beta)
    other.file(filing("O-1", both("ann", "bob"), record_class="claim"))
    desk.file(filing("D-1", subject("ann"), record_class="claim"))
    (hit,) = alpha.hits()
    say(alpha, hit["id"], "not_same")
    desk.file(filing("D-1", subject("ann", role="witness"), record_class="claim"))
    assert alpha.hits() == []
    desk.file(filing("D-1", subject("bob"), record_class="claim"))
    (shown,) = alpha.hits()
    assert (shown["id"], "outcome" in shown) == (hit["id"], False)
    (event,) = told(alpha, "hit.outcome_withdrawn")
    assert (event["actor_id"], event["figures"]["rule"]) == (None, "another subject")
    desk.file(filing("D-2", subject("ann"), record_class="claim"))
    assert len(alpha.hits()) == 2


def test_a_screening_is_the_same_as_a_filing(alpha: Desk, beta: Desk) -> None:
    """Who was asked after and ruled out is ruled out when filed, and another outcome lifts that, too."""
    alpha.file(filing("A-1", record_class="claim"))
    beta.file(filing("B-1", subject("ann"), record_class="claim"))
    (hit,) = alpha.screen(question("ann"))["hits"]
    say(alpha, hit["id"], "not_same")
    alpha.file(filing("A-2", subject("ann"), record_class="claim"))
    assert alpha.hits() == []
    say(alpha, hit["id"], "inconclusive")
    assert len(alpha.hits()) == 2


def test_another_spelling_is_the_same_while_it_weighs_no_more(alpha: Desk, beta: Desk) -> None:
    """The own side in other words is ruled out, too; without what it was, only the very same is."""
    alpha.file(filing("A-1", record_class="claim"))
    beta.file(filing("B-1", subject("ann"), record_class="claim"))
    (hit,) = alpha.screen(question("ann"))["hits"]
    say(alpha, hit["id"], "not_same")
    otherwise = question("ann", reference="Q-2", subject=_spelt(SPELT_OTHERWISE))
    assert alpha.screen(otherwise)["hits"] == []
    with alpha.services.database.writing() as connection:
        connection.execute(SUPPRESSED_PAIRS.update().values(own_screening_id=None))
    assert len(alpha.screen(otherwise | {"reference": "Q-3"})["hits"]) == 1
    assert alpha.screen(question("ann", reference="Q-4"))["hits"] == []


def _spelt(places: range) -> dict[str, Any]:

    return subject_to_json(replace(subject("ann", only=places), role="claimant"))
