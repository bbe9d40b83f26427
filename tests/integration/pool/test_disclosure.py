"""What labels hold back is in no answer: checked on the bytes of every way in which another's record is read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from repository.storage.hits import HIT_SIDES
from tests.integration.pool.conftest import Counted, Desk
from tests.support.encodings import claim, filing, ndjson, question, subject
from tests.support.members import Admissions
from tests.support.rulebooks import DEFAULT_RULEBOOK

DAY, INCIDENT = "2026-01-17", "2026-01-16"
CLAIM = claim(incident_date=INCIDENT, notification_date=DAY, kind="theft")
CAPS = [
    *((("tlp", word), tier) for word, tier in DEFAULT_RULEBOOK.handling.tlp.items()),
    *((("source", word), tier) for word, tier in DEFAULT_RULEBOOK.handling.source.items()),
    *((("information", word), tier) for word, tier in DEFAULT_RULEBOOK.handling.information.items()),
    *((("code", word), tier) for word, tier in DEFAULT_RULEBOOK.handling.code.items()),
]


@pytest.fixture
def gives_all(alpha: Desk) -> Desk:
    """Alpha gives claims, and is entitled to tier 3 of every class in motor."""
    alpha.file(filing("A-0", subject("zoe"), record_class="claim"))
    return alpha


def every_answer(desk: Desk, who: str) -> list[bytes]:
    """The bytes of a screening, a bulk, the list of hits, and every single hit: the ways to another's record."""
    body = question(who)
    bulk = {name: body[name] for name in ("schema", "fingerprint", "purpose", "line")}
    bulk["screenings"] = [{"reference": "Q-2", "subject": body["subject"]}]
    headers = desk.member.headers
    answers = [
        desk.client.post("/v1/screenings", json=body, headers=headers),
        desk.client.post("/v1/screenings/bulk", json=bulk, headers=headers),
        desk.client.get("/v1/hits", headers=headers),
    ]
    ids = [hit["id"] for hit in answers[-1].get_json()["items"]]
    answers += [desk.client.get(f"/v1/hits/{each}", headers=headers) for each in ids]
    assert {answer.status_code for answer in answers} == {200}
    return [answer.get_data() for answer in answers]


def holds(answers: Sequence[bytes], *texts: str) -> list[bool]:
    """Whether each text is in any of the answers."""
    return [any(text.encode() in answer for answer in answers) for text in texts]


@pytest.mark.parametrize(("label", "highest"), CAPS)
def test_a_label_caps_every_read(gives_all: Desk, beta: Desk, label: tuple[str, str], highest: int) -> None:
    """Below a tier neither contributor, ids, dates, facts nor class are anywhere in the bytes."""
    name, word = label
    body = filing("B-1", subject("ann"), record_class="claim", date=DAY, claim=CLAIM, labels={name: word})
    filed = beta.file(body)
    gives_all.file(filing("A-1", subject("ann"), date="2026-02-02"))
    tier = min(3, highest)
    answers = every_answer(gives_all, "ann")
    assert len(answers) == 3 + 3
    assert holds(answers, "Beta", filed["id"], DAY, INCIDENT, "theft", beta.member.id, "B-1") == [
        *[tier >= 3] * 5,
        False,
        False,
    ]
    assert holds(answers, '"class"', '"claim"', '"age_band"', f'"{name}":"{word}"') == [tier >= 2] * 4
    assert holds(answers, '"probability"', '"weight"', '"explanation"', "seen_by") == [*[tier >= 3] * 3, tier < 3]
    assert {hit["tier"] for hit in gives_all.hits()} == {tier}
    with gives_all.services.database.reading() as connection:
        sides = connection.execute(HIT_SIDES.select().where(HIT_SIDES.c.member_id == gives_all.member.id)).all()
    assert {side.shown_tier for side in sides} == {tier}


@pytest.mark.parametrize("word", ["red", "green"])
def test_a_filter_does_not_find_what_a_label_hides(gives_all: Desk, beta: Desk, word: str) -> None:
    """By class, the hit is there just when its class may be told; by band and line it is one of the list's."""
    beta.file(filing("B-1", subject("ann"), record_class="suspected", labels={"tlp": word}))
    gives_all.file(filing("A-1", subject("ann")))
    assert len(gives_all.hits("?class=suspected")) == (word == "green")
    assert gives_all.hits("?class=claim") == []
    assert len(gives_all.hits("?band=strong&line=motor")) == 1


def test_of_what_labels_put_at_tier_one_only_the_best_is_told(gives_all: Desk, beta: Desk) -> None:
    """How many there are is not told at tier 1: not in an answer, a list, by id, nor in the figures of a filing."""
    for number in range(3):
        beta.file(filing(f"B-{number}", subject("ann"), record_class="claim", labels={"tlp": "red"}))
    beta.file(filing("B-9", subject("ann"), record_class="claim"))
    assert gives_all.file(filing("A-1", subject("ann")))["hits"] == 2
    assert sorted(hit["tier"] for hit in gives_all.hits()) == [1, 3]
    told = gives_all.screen(question("ann"))["hits"]
    assert sorted(hit["tier"] for hit in told) == [1, 3]
    shown = [hit["id"] for hit in gives_all.hits()]
    for hit in beta.hits():
        gives_all.get(f"/v1/hits/{hit['id']}", status=200 if hit["id"] in shown else 404)
    assert {hit["count"] for hit in gives_all.hits() if hit["tier"] == 3} == {1}


def test_a_label_applies_from_the_next_read_on(gives_all: Desk, beta: Desk, rows: Counted) -> None:
    """A new label is a new version that needs no new matching; the hit shows less at once, and more when it goes."""
    gives_all.file(filing("A-1", subject("ann")))
    first = beta.file(filing("B-1", subject("ann")))
    (hit,) = gives_all.hits()
    indexed = rows("key_index")
    marked = beta.file(filing("B-1", subject("ann"), labels={"tlp": "red"}))
    assert (marked["version"], marked["result"], marked["id"]) == (2, "new_version", first["id"])
    (less,) = gives_all.hits()
    assert (less["id"], less["tier"], "contributor" in less) == (hit["id"], 1, False)
    assert beta.file(filing("B-1", subject("ann"), labels={"tlp": "red"}), status=200)["version"] == 2
    assert beta.file(filing("B-1", subject("ann"), labels={}))["version"] == 3
    assert gives_all.hits() == [hit]
    assert rows("key_index") == indexed


def test_labels_are_the_contributors_to_see(beta: Desk, rows: Counted) -> None:
    """On the own filing and in each of its versions; a filing without any has none."""
    labels = {"tlp": "amber", "source": "reliable", "information": "B", "code": "C"}
    plain = beta.file(filing("B-0"))
    assert beta.get(f"/v1/filings/{plain['id']}")["labels"] is None
    filed = beta.file(filing("B-1", labels=labels))
    assert beta.get(f"/v1/filings/{filed['id']}")["labels"] == labels
    beta.file(filing("B-1", labels=labels | {"tlp": "red"}))
    assert beta.get(f"/v1/filings/{filed['id']}")["labels"]["tlp"] == "red"
    assert rows("filing_versions") == 3


def test_bad_labels_are_refused_by_field(beta: Desk) -> None:
    """One by one and in a batch; the value is not repeated."""
    body = filing("B-1", labels={"tlp": "secret mauve"})
    problem = beta.file(body, status=422)
    assert [error["field"] for error in problem["errors"]] == ["labels.tlp"]
    assert "mauve" not in str(problem)
    batch = beta.batch(ndjson([body, filing("B-2", labels={"tlp": "red"})]))
    assert [(error["row"], error["field"]) for error in batch["errors"]] == [(1, "labels.tlp")]
    assert batch["rows"]["created"] == 1


def test_how_many_others_hold_a_match_is_told_to_who_may_not_know_them(
    alpha: Desk, beta: Desk, member: Admissions
) -> None:
    """Members are counted, not records; few are only few; what is seen at tier 0 is not counted."""
    alpha.file(filing("A-1", subject("ann")))
    others = [Desk(alpha.client, alpha.services, member(name, lines=("motor", "home"))) for name in ("Gamma", "Delta")]
    for number, desk in enumerate((beta, beta, others[0])):
        desk.file(filing(f"X-{number}", subject("ann"), record_class="claim"))
    for each in (*alpha.hits(), *alpha.screen(question("ann"))["hits"]):
        assert (each["tier"], each["seen_by"]) == (2, {"fewer_than": 3})
    others[1].file(filing("X-1", subject("ann"), record_class="claim", line="home"))
    assert {str(hit["seen_by"]) for hit in alpha.hits()} == {"{'fewer_than': 3}"}
    others[1].file(filing("X-2", subject("ann"), record_class="suspected"))
    of_filing = [hit for hit in alpha.hits() if hit["own"]["reference"] == "A-1"]
    for each in (*of_filing, *alpha.screen(question("ann"))["hits"]):
        assert (each["tier"] < 3, each["seen_by"]) == (True, {"members": 3})


@pytest.mark.parametrize("record_class", ["victim", "protective"])
def test_a_victim_is_never_adverse(alpha: Desk, beta: Desk, record_class: str) -> None:
    """Answer and hit say so where the class is told; at tier 1 they say nothing that would tell it."""
    beta.file(filing("B-1", subject("ann"), record_class=record_class))
    beta.file(filing("B-2", subject("bob"), record_class=record_class, labels={"tlp": "red"}))
    alpha.file(filing("A-1", subject("zoe")))
    answer = alpha.screen(question("ann"))
    assert (answer["answer"], answer["adverse"], answer["attention"]) == ("enquire", False, "protect")
    (hit,) = answer["hits"]
    assert (hit["tier"], hit["adverse"], hit["attention"]) == (2, False, "protect")
    hidden = alpha.screen(question("bob"))
    assert not {"adverse", "attention"} & (hidden.keys() | hidden["hits"][0].keys())


def test_beside_a_case_of_fraud_nothing_is_called_harmless(gives_all: Desk, beta: Desk) -> None:
    """The victim's hit is not adverse; the answer, which has a suspicion in it too, does not say so of itself."""
    beta.file(filing("B-1", subject("ann"), record_class="victim"))
    beta.file(filing("B-2", subject("ann"), record_class="suspected"))
    answer = gives_all.screen(question("ann"))
    assert ("adverse" in answer, answer["attention"]) == (False, "protect")
    notes: dict[str, Any] = {hit["class"]: hit.get("adverse") for hit in answer["hits"]}
    assert notes == {"victim": False, "suspected": None}
