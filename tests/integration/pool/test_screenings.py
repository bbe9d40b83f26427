"""Asking the pool: only who contributes may, for a purpose, and sees as far as it gives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, func, select

from matching.vocabulary import LINES
from repository.domain.members import MemberStatus
from repository.services import pool, screening
from repository.services.onboarding import change_status
from repository.services.replay import Replay, differences
from repository.storage import decisions, dialect
from repository.storage.decisions import DECISIONS
from repository.storage.screenings import SCREENINGS
from tests.integration.pool.conftest import Counted, Desk
from tests.support.clock import FakeClock
from tests.support.encodings import filing, question, subject
from tests.support.members import Admissions
from tests.support.rulebooks import use_rules


def test_who_does_not_contribute_is_refused(alpha: Desk, beta: Desk, rows: Counted) -> None:
    """403 with the rule, the figures and the remedy; after a filing in that line it is answered."""
    beta.file(filing("B-1", subject("ann")))
    problem = alpha.screen(question("ann"), status=403)
    assert problem["type"].endswith("reciprocity")
    assert problem["rule"] == "R2"
    assert problem["figures"] == {"accepted_in_window": 0, "needed": 1, "window_days": 90, "line": "motor"}
    assert "motor" in problem["remedy"]
    assert rows("screenings") == 0
    alpha.file(filing("A-1", subject("zoe"), line="home"))
    assert alpha.screen(question("ann"), status=403)["figures"]["accepted_in_window"] == 0
    alpha.file(filing("A-2", subject("zoe")))
    assert alpha.screen(question("ann"))["answer"] == "enquire"


def test_contributions_count_for_ninety_days(alpha: Desk, clock: FakeClock, client: Any) -> None:
    """On the ninety-first day the right to ask is gone, until something is filed again."""
    alpha.file(filing("A-1"))
    clock.advance(timedelta(days=91))
    log_in(alpha)
    assert alpha.screen(question("ann"), status=403)["rule"] == "R2"
    alpha.file(filing("A-1"), status=200)  # unchanged: no contribution
    assert alpha.screen(question("ann"), status=403)["rule"] == "R2"
    alpha.file(filing("A-2"))
    assert alpha.screen(question("ann"))["answer"] == "clear"


def log_in(desk: Desk) -> None:
    """Log the member's client in again: its token has run out."""
    body = {
        "grant_type": "client_credentials",
        "client_id": desk.member.client_id,
        "client_secret": desk.member.client_secret,
    }
    token = desk.client.post("/v1/auth/token", json=body).get_json()["access_token"]
    object.__setattr__(desk.member, "access_token", token)


def test_an_answer_says_what_it_rests_on(alpha: Desk, beta: Desk) -> None:
    """Id, answer, hits, capped keys, model and rulebook; a stranger is clear."""
    alpha.file(filing("A-1", subject("zoe")))
    clear = alpha.screen(question("ann", reference="Q-9"))
    assert clear == {
        "id": clear["id"],
        "reference": "Q-9",
        "answer": "clear",
        "hits": [],
        "more_hits": False,
        "capped_keys": None,
        "model": alpha.services.linker.model_id,
        "rulebook": alpha.services.rulebook.version,
    }


def test_own_records_are_no_hit(alpha: Desk) -> None:
    """A member asks the pool of the others."""
    alpha.file(filing("A-1", subject("ann")))
    assert alpha.screen(question("ann"))["answer"] == "clear"


def test_many_own_records_hide_nothing(alpha: Desk, beta: Desk) -> None:
    """A member with more policies of a person than there are places for candidates still meets the others' record."""
    use_rules(alpha.services, "matching", candidates_per_subject=2)
    beta.file(filing("B-1", subject("ann", only=range(50))))
    for number in range(4):
        alpha.file(filing(f"A-{number}", subject("ann")))
    assert alpha.screen(question("ann"))["answer"] == "enquire"


def test_a_kind_crowds_out_no_other(alpha: Desk, beta: Desk) -> None:
    """Vehicles filed under a person's key bytes do not take the places of the person's records."""
    use_rules(alpha.services, "matching", candidates_per_subject=2)
    beta.file(filing("B-1", subject("ann", only=[0, 1])))
    ann, vehicle = subject("ann"), subject("car", kind="vehicle", role="insured_vehicle")
    disguised = replace(vehicle, keys=ann.keys[: len(vehicle.keys)])
    for number in range(4):
        beta.file(filing(f"B-V{number}", disguised))
    alpha.file(filing("A-1", subject("zoe")))
    assert alpha.screen(question("ann"))["answer"] == "enquire"


@pytest.mark.parametrize(
    ("own", "theirs", "tier"),
    [
        ("customer", "customer", 3),
        ("customer", "claim", 2),
        ("customer", "suspected", 1),
        ("customer", "proven", 1),
        ("customer", "victim", 2),
        ("claim", "proven", 3),
        ("claim", "customer", 3),
    ],
)
def test_tiers_follow_what_is_contributed(alpha: Desk, beta: Desk, own: str, theirs: str, tier: int) -> None:
    """R2 through HTTP: a hit shows what its tier allows and nothing else."""
    beta.prove("B-1")
    beta.file(filing("B-1", subject("ann"), record_class=theirs))
    alpha.file(filing("A-1", subject("zoe"), record_class=own))
    answer = alpha.screen(question("ann"))
    assert answer["answer"] == "enquire"
    (hit,) = answer["hits"]
    assert hit["tier"] == tier
    assert ("class" in hit, "contributor" in hit, "theirs" in hit, "weight" in hit) == (tier > 1, *[tier > 2] * 3)
    if tier < 3:
        assert "Beta" not in str(answer)
    (listed,) = alpha.hits()
    assert listed == hit


def test_what_may_not_be_seen_does_not_move_the_answer(alpha: Desk, beta: Desk) -> None:
    """A record in a line where nothing is contributed (tier 0) leaves the answer clear: no oracle."""
    beta.file(filing("B-1", subject("ann"), line="home", record_class="claim"))
    alpha.file(filing("A-1", subject("zoe")))
    assert alpha.screen(question("ann"))["answer"] == "clear"
    assert alpha.hits() == []
    alpha.file(filing("A-2", subject("zoe"), line="home"))
    assert alpha.screen(question("ann"))["answer"] == "enquire"


def test_count_tells_how_many_of_a_class(alpha: Desk, beta: Desk, client: Any, member: Admissions) -> None:
    """At tier 2 a number from three on, and that there are fewer below that; at tier 3 the number."""
    gamma = Desk(client, alpha.services, member("Gamma"))
    for desk in (beta, gamma):
        desk.file(filing("X-1", subject("ann"), record_class="claim"))
    alpha.file(filing("A-1", subject("zoe")))
    few = ("claim", {"fewer_than": 3})
    assert [(hit["class"], hit["count"]) for hit in alpha.screen(question("ann"))["hits"]] == [few] * 2
    assert [hit["count"] for hit in alpha.hits()] == [{"fewer_than": 3}] * 2
    beta.file(filing("X-2", subject("ann"), record_class="claim"))
    assert [hit["count"] for hit in alpha.screen(question("ann"))["hits"]] == [3] * 3
    gamma.file(filing("G-1", subject("ann")))
    gamma.file(filing("G-2", subject("zoe"), record_class="claim"))
    assert [
        (hit["tier"], hit["count"]) for hit in gamma.screen(question("ann"))["hits"] if hit["class"] == "claim"
    ] == [(3, 2)] * 2


def test_every_decision_is_stored_and_can_be_replayed(alpha: Desk, clock: FakeClock) -> None:
    """The deny and the allow, each with the inputs that give it again."""
    alpha.screen(question("ann"), status=403)
    clock.advance(seconds=1)
    alpha.file(filing("A-1"))
    alpha.screen(question("ann"))
    with alpha.services.database.read() as session:
        connection = session.connection()
        stored = decisions.of_member(connection, alpha.member.id, action="screening")
        assert [(each["allowed"], each["rule"]) for each in stored] == [(False, "R2"), (True, "R2")]
        for each in stored:
            again = Replay().case(connection, each)
            assert differences(each, again) == {}
            assert differences(each | {"rule": "R6"}, again) == {"rule": ("R6", "R2")}


def test_a_suspended_member_is_refused_and_the_refusal_is_stored(alpha: Desk) -> None:
    """R1 denies, with its own remedy."""
    alpha.file(filing("A-1"))
    with alpha.services.database.write() as session:
        change_status(session, alpha.member.id, MemberStatus.SUSPENDED, now=alpha.services.clock())
    problem = alpha.screen(question("ann"), status=403)
    assert (problem["rule"], problem["type"].endswith("membership")) == ("R1", True)
    with alpha.services.database.read() as session:
        stored = decisions.of_member(session.connection(), alpha.member.id, action="screening")
    assert [each["allowed"] for each in stored] == [False]


@pytest.mark.parametrize(
    ("changes", "slug", "field"),
    [
        ({"purpose": "curiosity"}, "invalid", "purpose"),
        ({"purpose": None}, "invalid", "purpose"),
        ({"reference": ""}, "invalid", "reference"),
        ({"reference": None}, "invalid", "reference"),
        ({"line": "space"}, "invalid", "line"),
        ({"fingerprint": "fedcba9876543210"}, "another-key", "fingerprint"),
        ({"schema": "guarded/9"}, "unknown-schema", "schema"),
        ({"lawful_basis": "legitimate\x00interest"}, "invalid", "lawful_basis"),
        ({"subject": None}, "invalid", "subject"),
        ({"subject": {"kind": "ghost"}}, "invalid", "subject.kind"),
        ({"name": "Ann Smith"}, "invalid", "(record)"),
    ],
)
def test_bad_questions_are_refused_by_field(alpha: Desk, changes: dict[str, Any], slug: str, field: str) -> None:
    """Without purpose and reference nothing is asked; no value is repeated."""
    alpha.file(filing("A-1"))
    problem = alpha.screen(question("ann") | changes, status=422)
    assert problem["type"].endswith(slug)
    assert [error["field"] for error in problem["errors"]] == [field]
    assert "Ann" not in str(problem)


def test_a_screening_is_kept_sealed_for_its_retention(alpha: Desk, clock: FakeClock) -> None:
    """Who asked, why, and until when; the encoding is re-keyed and sealed."""
    alpha.file(filing("A-1"))
    asked = alpha.screen(question("ann", lawful_basis="legitimate interest"))
    with alpha.services.database.read() as session:
        row = session.execute(SCREENINGS.select()).mappings().one()
    assert (row["id"], row["purpose"], row["lawful_basis"]) == (asked["id"], "new_business", "legitimate interest")
    assert row["expires_at"] - row["at"] == timedelta(days=365)
    keys = subject("ann").keys
    for clear in (keys, alpha.services.sealer.rekey(keys, "person")):
        assert clear[:16] not in row["envelope"]


def test_many_at_once_are_answered_in_order(alpha: Desk, beta: Desk, rows: Counted) -> None:
    """A question at fault has a problem in its place; the others are answered under one decision."""
    beta.file(filing("B-1", subject("ann")))
    alpha.file(filing("A-1", subject("zoe")))
    decided = rows("decisions")
    whole = question("x")
    asked = [{"reference": who, "subject": question(who)["subject"]} for who in ("bob", "ann", "cat")]
    body = {name: whole[name] for name in ("schema", "fingerprint", "purpose", "line")}
    body["screenings"] = [asked[0], {"reference": "", "subject": {}}, asked[1], asked[2]]
    answer = alpha.client.post("/v1/screenings/bulk", json=body, headers=alpha.member.headers)
    assert answer.status_code == 200
    results = answer.get_json()["results"]
    assert [each.get("answer", each.get("status")) for each in results] == ["clear", 422, "enquire", "clear"]
    assert results[1]["errors"][0]["field"] == "screenings[1].reference"
    assert results[2]["reference"] == "ann"
    assert (rows("screenings"), rows("decisions")) == (3, decided + 1)


def test_the_best_hits_are_told_and_kept(alpha: Desk, beta: Desk, rows: Counted) -> None:
    """So many per subject; the answer says that there are more."""
    use_rules(alpha.services, "disclosure", hits_per_subject=2)
    for number in range(2):
        beta.file(filing(f"B-{number}", subject("ann", only=range(10))))
    beta.file(filing("B-9", subject("ann")))
    beta.file(filing("B-10", subject("bob")))
    alpha.file(filing("A-1", subject("zoe")))
    answer = alpha.screen(question("ann"))
    assert (len(answer["hits"]), answer["more_hits"], rows("hits")) == (2, True, 2)
    assert answer["hits"][0]["weight"] > answer["hits"][1]["weight"]
    assert not alpha.screen(question("bob"))["more_hits"]


def test_the_same_subject_is_looked_for_once(alpha: Desk, beta: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand times the same question costs one look-up, and is answered a thousand times."""
    beta.file(filing("B-1", subject("ann")))
    alpha.file(filing("A-1", subject("zoe")))
    looked_for, find = [], pool.find

    def counting(*arguments: Any, **options: Any) -> pool.Found:
        looked_for.append(len(arguments[3]))
        return find(*arguments, **options)

    monkeypatch.setattr(pool, "find", counting)
    body = {name: question("x")[name] for name in ("schema", "fingerprint", "purpose", "line")}
    asked = [{"reference": f"Q-{n}", "subject": question(who)["subject"]} for n, who in enumerate(["ann", "bob"] * 5)]
    sent = alpha.client.post("/v1/screenings/bulk", json=body | {"screenings": asked}, headers=alpha.member.headers)
    assert [each["answer"] for each in sent.get_json()["results"]] == ["enquire", "clear"] * 5
    assert looked_for == [2]


def test_tier_one_does_not_tell_how_many(alpha: Desk, beta: Desk) -> None:
    """The best of the hits seen at tier 1 stands for all of them; at a higher tier each is told."""
    beta.prove("B-1")
    for number, kind in enumerate(("suspected", "proven")):
        beta.file(filing(f"B-{number}", subject("ann"), record_class=kind))
    alpha.file(filing("A-1", subject("zoe")))
    (hit,) = alpha.screen(question("ann"))["hits"]
    assert hit["tier"] == 1
    alpha.file(filing("A-2", subject("zoe"), record_class="claim"))
    assert len(alpha.screen(question("ann"))["hits"]) == 2


def test_what_changes_while_it_is_asked_is_no_hit(
    alpha: Desk, beta: Desk, monkeypatch: pytest.MonkeyPatch, rows: Counted
) -> None:
    """A record filed anew between the look-up and the writing of its hit has another encoding: the hit is left out."""
    beta.file(filing("B-1", subject("ann")))
    beta.file(filing("B-2", subject("ann")))
    alpha.file(filing("A-1", subject("zoe")))
    find = pool.find

    def changing(*arguments: Any, **options: Any) -> pool.Found:
        found = find(*arguments, **options)
        monkeypatch.setattr(pool, "find", find)
        beta.file(filing("B-1", subject("bob")))
        return found

    monkeypatch.setattr(pool, "find", changing)
    answer = alpha.screen(question("ann"))
    assert (len(answer["hits"]), answer["hits"][0]["count"], rows("hits")) == (1, 1, 1)


@pytest.mark.parametrize("listed", [[], None, "x", [{}] * 1001])
def test_a_bulk_has_one_to_a_thousand_questions(alpha: Desk, listed: object) -> None:
    """None, no list, or too many are refused as a whole."""
    alpha.file(filing("A-1"))
    body = {name: question("x")[name] for name in ("schema", "fingerprint", "purpose", "line")}
    sent = alpha.client.post("/v1/screenings/bulk", json=body | {"screenings": listed}, headers=alpha.member.headers)
    assert sent.status_code == 422
    assert sent.get_json()["errors"][0]["field"] == "screenings"


def test_a_bulk_without_the_right_is_refused_as_a_whole(alpha: Desk) -> None:
    """403, as for one."""
    body = {name: question("x")[name] for name in ("schema", "fingerprint", "purpose", "line")}
    body["screenings"] = [{"reference": "Q", "subject": question("x")["subject"]}]
    sent = alpha.client.post("/v1/screenings/bulk", json=body, headers=alpha.member.headers)
    assert (sent.status_code, sent.get_json()["rule"]) == (403, "R2")


def test_a_contributor_may_not_ask(alpha: Desk, member: Admissions) -> None:
    """Asking takes the role screener or investigator."""
    contributor = Desk(alpha.client, alpha.services, member("Gamma", roles=("contributor",)))
    assert contributor.screen(question("ann"), status=403)["type"].endswith("wrong-role")


def test_hot_keys_are_reported(beta: Desk, member: Admissions, clock: FakeClock, rows: Counted) -> None:
    """A key that too many records of several share is skipped, remembered, and told to who sees classes everywhere.

    In which line the records are is not known: who contributes to some lines only is not told.
    """
    use_rules(beta.services, "matching", hot_key_rows=2)
    for desk in (beta, *(Desk(beta.client, beta.services, member(name)) for name in ("Gamma", "Delta"))):
        desk.file(filing("X-1", subject("ann", only=[3])))
    asking = Desk(beta.client, beta.services, member("Epsilon", lines=LINES))
    for line in LINES[1:]:
        asking.file(filing(f"A-{line}", subject("zoe"), record_class="claim", line=line))
    answer = asking.screen(question("ann", line=LINES[1]))
    assert (answer["answer"], answer["capped_keys"], rows("hot_keys")) == ("clear", None, 1)
    asking.file(filing("A-1", subject("zoe"), record_class="claim", line=LINES[0]))
    assert asking.screen(question("ann", line=LINES[1]))["capped_keys"] == 1
    beta.file(filing("X-1", subject("bob")))
    clock.advance(hours=25)
    log_in(asking)
    assert asking.screen(question("ann"))["answer"] == "enquire"
    assert rows("hot_keys") == 0


def test_a_list_of_questions_is_kept_whole(alpha: Desk, beta: Desk, rows: Counted) -> None:
    """However many there are: of some things many rows, of others few, each of which refers to another."""
    for desk in (alpha, beta):
        desk.file(filing("F-1", subject("ann")))
    body = {name: value for name, value in question("ann").items() if name not in ("reference", "subject")}
    asked = [{"reference": f"Q-{n}", "subject": question("ann" if n < 5 else f"p{n}")["subject"]} for n in range(30)]
    answer = alpha.client.post("/v1/screenings/bulk", json={**body, "screenings": asked}, headers=alpha.member.headers)
    assert [len(each["hits"]) for each in answer.get_json()["results"]] == [1] * 5 + [0] * 25
    assert (rows("screenings"), rows("hit_sides") - rows("hits")) == (30, 1)


def test_questions_that_wait_are_answered_together_and_as_if_alone(alpha: Desk, beta: Desk, rows: Counted) -> None:
    """Asked at the same time, they share decisions; what each is told is what it is told alone."""
    for who in range(12):
        beta.file(filing(f"B-{who}", subject(who)))
    alpha.file(filing("A-1", subject("zoe")))

    def told(answer: dict[str, Any]) -> Any:
        hits = [{name: value for name, value in hit.items() if name not in ("id", "own")} for hit in answer["hits"]]
        return answer["reference"], answer["answer"], answer["more_hits"], hits

    def body(who: int) -> dict[str, Any]:
        return question(who, reference=f"Q-{who}")

    alone = [told(alpha.screen(body(who))) for who in range(24)]
    before = rows("decisions")

    def ask(who: int) -> Any:
        client = alpha.client.application.test_client()
        return told(client.post("/v1/screenings", json=body(who), headers=alpha.member.headers).get_json())

    with ThreadPoolExecutor(12) as threads:
        together = list(threads.map(ask, range(24)))
    assert [each[1] for each in alone] == ["enquire"] * 12 + ["clear"] * 12
    assert together == alone
    assert rows("screenings") == 48
    assert rows("decisions") < before + 24


def test_together_no_more_is_asked_than_alone(alpha: Desk, rows: Counted) -> None:
    """Of those who ask at the same time as many are answered as the quota is for; each of the others is refused."""
    use_rules(alpha.services, "quota", floor_per_day=10, per_accepted=0)
    alpha.file(filing("A-1"))

    def ask(who: int) -> int:
        client = alpha.client.application.test_client()
        body = question(who, reference=f"Q-{who}")
        return client.post("/v1/screenings", json=body, headers=alpha.member.headers).status_code

    with ThreadPoolExecutor(12) as threads:
        statuses = Counter(threads.map(ask, range(30)))
    assert statuses == {200: 10, 429: 20}
    assert rows("screenings") == 10
    with alpha.services.database.reading() as connection:
        denied = connection.execute(select(func.count()).where(~DECISIONS.c.allowed)).scalar_one()
    assert denied == 20


def test_one_question_costs_few_messages(alpha: Desk, beta: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asks; what is known before; the keys; the candidates; what is counted with what may be told; what is kept."""
    beta.file(filing("B-1", subject("ann")))
    alpha.file(filing("A-1", subject("zoe")))
    alpha.screen(question("ann"))
    sent: list[str] = []
    awaits, at_once = dialect.Prepared.rows, dialect.at_once

    def asking(self: dialect.Prepared, *arguments: Any) -> Any:
        sent.append("asked")
        return awaits(self, *arguments)

    @contextmanager
    def together(connection: Connection) -> Iterator[None]:
        sent.append("together")
        with at_once(connection):
            yield

    monkeypatch.setattr(dialect.Prepared, "rows", asking)
    monkeypatch.setattr(screening, "at_once", together)
    assert alpha.screen(question("ann", reference="Q-2"))["answer"] == "enquire"
    assert sent == ["asked"] * 4 + ["together"]
