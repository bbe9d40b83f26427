"""Cases: one for a subject and all that was found of it, moved by one at a time, decided by two."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import Any

import pytest
from sqlalchemy import select, update

from matching.types import KEY_BYTES, EncodedSubject
from repository.storage.casework import CASE_NOTES, CASES, FINDINGS
from repository.storage.events import EVENTS
from repository.storage.hits import HIT_SIDES
from repository.storage.idempotency import IdempotentReplyRow
from tests.integration.pool.conftest import Counted, Desk
from tests.integration.pool.test_outcomes import log_in, say
from tests.support.clock import FakeClock
from tests.support.encodings import filing, question, subject
from tests.support.members import Admissions
from tests.support.proofs import colleague
from tests.support.rulebooks import use_rules

EVIDENCE = "Two invoices with one number, of the same garage."


def post(desk: Desk, path: str, body: dict[str, Any] | None = None, *, status: int = 200) -> dict[str, Any]:
    """Post something about cases."""
    answer = desk.client.post(f"/v1/cases/{path}", json=body, headers=desk.member.headers)
    assert answer.status_code == status, answer.get_json()
    parsed: dict[str, Any] = answer.get_json() if status != 204 else {}
    return parsed


def move(desk: Desk, case: dict[str, Any], what: str, *, status: int = 200, **more: object) -> dict[str, Any]:
    """Move a case as it was read."""
    body = {"move": what, "version": case["version"], **more}
    return post(desk, f"{case['id']}/moves", body, status=status)


def find(desk: Desk, case: dict[str, Any], finding: str, *, status: int = 200, **more: object) -> dict[str, Any]:
    """Put a finding."""
    body = {"finding": finding, "version": case["version"], "evidence": EVIDENCE, **more}
    return post(desk, f"{case['id']}/finding", body, status=status)


def decide(desk: Desk, case: dict[str, Any], *, status: int = 200, approve: bool = True, **more: object) -> Any:
    """Decide a finding."""
    body = {"approve": approve, "version": case["version"], **more}
    return post(desk, f"{case['id']}/finding/decision", body, status=status)


def both(one: str, other: str) -> EncodedSubject:
    """Somebody who has half of the keys of each of two people."""
    keys = [
        each.keys[at * KEY_BYTES : (at + 1) * KEY_BYTES]
        for at, each in enumerate([subject(one), subject(other)] * (len(subject(one).keys) // KEY_BYTES))
        if at < len(subject(one).keys) // KEY_BYTES
    ]
    return replace(subject(one), keys=b"".join(keys))


def cases(desk: Desk, query: str = "") -> list[dict[str, Any]]:
    """The first page of the queue."""
    items: list[dict[str, Any]] = desk.get(f"/v1/cases{query}")["items"]
    return items


def like(desk: Desk, words: str, **more: object) -> dict[str, Any]:
    """A page of a search for words."""
    return post(desk, "search", {"q": words, **more})


@pytest.fixture
def second(alpha: Desk) -> Desk:
    """A colleague at alpha."""
    return Desk(alpha.client, alpha.services, colleague(alpha.client, alpha.services, alpha.member))


@pytest.fixture
def case(alpha: Desk, beta: Desk) -> dict[str, Any]:
    """Ann was filed by both; alpha's case."""
    beta.file(filing("B-1", subject("ann"), record_class="claim"))
    alpha.file(filing("A-1", subject("ann"), record_class="claim"))
    (found,) = cases(alpha)
    return found


def test_one_case_for_a_subject(alpha: Desk, beta: Desk) -> None:
    """However many records hit it, and however often it was filed or asked after; another subject has another."""
    beta.file(filing("B-1", subject("ann"), record_class="claim"))
    beta.file(filing("B-2", subject("ann"), record_class="claim"))
    beta.file(filing("B-3", subject("bob"), record_class="claim"))
    alpha.file(filing("A-1", subject("ann"), record_class="claim"))
    alpha.file(filing("A-2", subject("bob"), record_class="claim"))
    bobs, anns = sorted(cases(alpha), key=lambda each: each["hit_count"])
    assert (anns["references"], anns["hit_count"], anns["members"], anns["status"]) == (["A-1"], 2, 1, "new")
    assert (bobs["references"], bobs["band"], bobs["classes"]) == (["A-2"], "strong", ["claim"])
    alpha.screen(question("ann", reference="Q-7"))
    grown = next(each for each in cases(alpha) if each["id"] == anns["id"])
    assert (grown["references"], grown["hit_count"], grown["version"]) == (["A-1", "Q-7"], 4, 2)
    assert len(cases(beta)) == 2


@pytest.mark.parametrize("words", [None, "A-1"])
def test_what_the_queue_tells_is_noted_as_shown(alpha: Desk, beta: Desk, words: str | None) -> None:
    """The class of another's record in it or in a search counts as shown at tier 2; nothing more does."""
    beta.file(filing("B-1", subject("ann"), record_class="claim"))
    alpha.file(filing("A-1", subject("ann"), record_class="claim"))
    (case,) = cases(alpha) if words is None else like(alpha, words)["items"]
    assert case["classes"] == ["claim"]
    with alpha.services.database.reading() as connection:
        tiers = connection.execute(select(HIT_SIDES.c.member_id, HIT_SIDES.c.shown_tier)).all()
    assert {(each[0], each[1]) for each in tiers} == {(alpha.member.id, 2), (beta.member.id, 0)}


def test_cases_that_meet_are_merged(alpha: Desk, beta: Desk, case: dict[str, Any], clock: FakeClock) -> None:
    """A record that is like two subjects makes their cases the older one by id, with the hits and notes of both."""
    clock.advance(seconds=1)
    beta.file(filing("B-9", subject("eve"), record_class="claim"))
    alpha.file(filing("A-9", subject("eve"), record_class="claim"))
    younger = next(each for each in cases(alpha) if each["id"] != case["id"])
    post(alpha, f"{younger['id']}/notes", {"text": "of the younger"}, status=201)
    before = clock() - timedelta(days=1)  # the clocks of two servers may be apart
    with alpha.services.database.writing() as connection:
        connection.execute(update(CASES).where(CASES.c.id == younger["id"]).values(opened_at=before))
    alpha.file(filing("A-3", both("ann", "eve"), record_class="claim"))
    (one,) = cases(alpha)
    assert (one["id"], one["references"], one["hit_count"]) == (case["id"], ["A-1", "A-3", "A-9"], 4)
    assert alpha.get(f"/v1/cases/{case['id']}")["notes"][0]["text"] == "of the younger"
    gone = alpha.get(f"/v1/cases/{younger['id']}")
    assert (gone["status"], gone["merged_into"], gone["hits"]) == ("merged", case["id"], [])
    assert move(alpha, gone, "claim", status=409)["type"] == "/v1/problems/conflict"
    assert case["id"] in post(alpha, f"{gone['id']}/notes", {"text": "too late"}, status=409)["detail"]


def test_each_move_is_made_on_what_was_read(alpha: Desk, second: Desk, case: dict[str, Any]) -> None:
    """Who was slower is told the version there is now and changes nothing; every move is an event, and told."""
    mine = move(alpha, case, "claim")
    assert (mine["status"], mine["version"], mine["assignee"]) == (
        "open",
        2,
        alpha.get(f"/v1/cases/{case['id']}")["assignee"],
    )
    problem = move(second, case, "claim", status=409)
    assert (problem["type"], problem["version"]) == ("/v1/problems/stale", 2)
    assert move(second, mine, "claim", status=409)["type"] == "/v1/problems/conflict"
    waiting = move(alpha, move(alpha, mine, "due", day="2026-03-09"), "wait")
    assert (waiting["status"], waiting["due_on"]) == ("waiting", "2026-03-09")
    history = alpha.get(f"/v1/cases/{case['id']}")["history"]
    assert [each["move"] for each in history] == ["grew", "claim", "due", "wait"]
    with alpha.services.database.reading() as connection:
        kinds = list(connection.scalars(select(EVENTS.c.kind).where(EVENTS.c.subject_id == case["id"])))
    assert kinds == ["case.opened", "case.moved", "case.moved", "case.moved"]
    assert move(second, waiting | {"id": f"cas_{'0' * 26}"}, "resume", status=404)["type"] == "/v1/problems/not-found"


def test_the_queue_is_narrowed(alpha: Desk, beta: Desk, case: dict[str, Any], clock: FakeClock) -> None:
    """By band, line, class, members, status, assignee, due day and age; none of it finds what is not so."""
    move(alpha, case, "claim")
    there = ("band=strong", "line=motor", "class=claim", "members=1", "status=open", "assignee=me", "due_by=2026-03-22")
    gone = (
        "band=possible",
        "line=home",
        "class=proven",
        "members=2",
        "status=new",
        "assignee=none",
        "due_by=2026-03-01",
    )
    for query in (*there, "younger_than=1", "&".join(there)):
        assert [each["id"] for each in cases(alpha, f"?{query}")] == [case["id"]], query
    for query in (*gone, "older_than=1"):
        assert cases(alpha, f"?{query}") == [], query
    clock.advance(days=2)
    log_in(alpha, beta)
    assert len(cases(alpha, "?older_than=1")) == 1
    assert cases(alpha, "?younger_than=1") == []


def test_words_find_own_references_and_organisations(alpha: Desk, beta: Desk) -> None:
    """With a typing error, too; nothing is found by words that are like nothing."""
    garage = replace(subject("garage", kind="organisation", role="garage"), name="Hartmann Karosserie")
    beta.file(filing("B-1", subject("ann"), garage, record_class="claim"))
    alpha.file(filing("CLM-2026-0815", subject("ann"), record_class="claim"))
    alpha.file(filing("Z-77", replace(garage, name=None), record_class="claim"))
    assert like(alpha, "CLM-2026-0851")["items"][0]["references"] == ["CLM-2026-0815"]
    (found,) = like(alpha, "Hartman Karosserei")["items"]
    assert found["references"] == ["Z-77"]
    assert like(alpha, "Wintergarten") == {"items": [], "next_cursor": None}


def test_words_are_sent_in_no_address(alpha: Desk, beta: Desk) -> None:
    """A search has its words in the body, goes on page by page, and is narrowed as the queue is, which takes none."""
    for name in "abc":
        beta.file(filing(f"B-{name}", subject(name), record_class="claim"))
        alpha.file(filing(f"CLM-{name}", subject(name), record_class="claim"))
    alpha.get("/v1/cases?q=CLM-a", status=422)
    first = like(alpha, "CLM-a", limit=1)
    rest = like(alpha, "CLM-a", limit=2, cursor=first["next_cursor"])
    found = [*first["items"], *rest["items"]]
    assert found[0]["references"] == ["CLM-a"]
    assert (len({each["id"] for each in found}), rest["next_cursor"]) == (3, None)
    assert like(alpha, "CLM-a", status="closed")["items"] == []
    post(alpha, "search", {"q": "CLM-b", "cursor": first["next_cursor"]}, status=422)


def test_snoozed_cases_wake(alpha: Desk, beta: Desk, case: dict[str, Any], clock: FakeClock) -> None:
    """On the day they were put off to, in the scheme's zone, by the pool itself; not for longer than may be."""
    use_rules(alpha.services, "calendar", zone="Pacific/Kiritimati")
    mine = move(alpha, case, "claim")
    move(alpha, mine, "snooze", day="2026-06-02", status=409)
    snoozed = move(alpha, mine, "snooze", day="2026-03-04")
    assert cases(alpha, "?status=snoozed")[0]["snoozed_until"] == "2026-03-04"
    clock.time = datetime(2026, 3, 3, 9, 59, 59, tzinfo=UTC)
    log_in(alpha, beta)
    assert cases(alpha)[0]["status"] == "snoozed"
    clock.advance(seconds=1)
    (awake,) = cases(alpha)
    assert (awake["status"], awake["version"]) == ("open", snoozed["version"] + 1)
    assert awake["due_on"] == "2026-03-22"
    beta.file(filing("B-2", subject("eve"), record_class="claim"))
    alpha.file(filing("A-2", subject("eve"), record_class="claim"))
    assert cases(alpha)[0]["due_on"] == "2026-03-24"


def test_nobody_gets_the_same_next_case(alpha: Desk, beta: Desk, rows: Counted) -> None:
    """Four at once claim five cases: each has its own; then there is none."""
    for name in "abcde":
        beta.file(filing(f"B-{name}", subject(name), record_class="claim"))
        alpha.file(filing(f"A-{name}", subject(name), record_class="claim"))
    assert len(cases(alpha)) == 5

    def take(_: int) -> str:
        own = Desk(alpha.client.application.test_client(), alpha.services, alpha.member)
        return str(post(own, "next")["id"])

    with ThreadPoolExecutor(4) as threads:
        taken = list(threads.map(take, range(5)))
    assert len(set(taken)) == 5
    post(alpha, "next", status=204)
    assert rows("case_moves") == 10


def test_many_are_assigned_each_by_itself(alpha: Desk, second: Desk, case: dict[str, Any]) -> None:
    """One that has changed since is left as it is, and so is another member's; only an investigator gets any."""
    me = move(second, case, "claim")["assignee"]
    sent = [{"id": case["id"], "version": 1}, {"id": f"cas_{'0' * 26}", "version": 1}]
    results = post(alpha, "assignments", {"assignee": me, "cases": sent})["results"]
    assert {each["result"] for each in results} == {"stale", "not_found"}
    (done,) = post(alpha, "assignments", {"assignee": me, "cases": [{"id": case["id"], "version": 2}]})["results"]
    assert done == {"case": case["id"], "result": "assigned", "version": 3}
    post(alpha, "assignments", {"assignee": f"act_{'0' * 26}", "cases": sent}, status=409)


def test_notes_are_sealed(alpha: Desk, case: dict[str, Any]) -> None:
    """What is written is read by the member, and is in no column as it is; attachments are references."""
    words = {"text": "Called the garage", "attachment_reference": "DMS-4711"}
    made = post(alpha, f"{case['id']}/notes", words, status=201)
    (note,) = alpha.get(f"/v1/cases/{case['id']}")["notes"]
    assert note == made
    assert (note["text"], note["attachment_reference"]) == ("Called the garage", "DMS-4711")
    with alpha.services.database.reading() as connection:
        assert b"garage" not in connection.execute(select(CASE_NOTES.c.text)).scalar_one()
    post(alpha, f"{case['id']}/notes", {"text": " \x07"}, status=422)


def test_a_note_is_added_once_under_a_key(alpha: Desk, case: dict[str, Any]) -> None:
    """Sent again with the same key it is the same note, and its words are not kept with the answer."""
    path, words = f"/v1/cases/{case['id']}/notes", {"text": "Called the garage"}
    headers = alpha.member.headers | {"Idempotency-Key": "n-1"}
    first, again = (alpha.client.post(path, json=words, headers=headers) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.get_json() == first.get_json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(alpha.get(f"/v1/cases/{case['id']}")["notes"]) == 1
    with alpha.services.database.reading() as connection:
        bodies = connection.scalars(select(IdempotentReplyRow.body)).all()
    assert bodies
    assert all(b"garage" not in body for body in bodies)
    assert alpha.client.post(path, json={"text": "Other"}, headers=headers).status_code == 422


def test_an_adverse_finding_takes_two(alpha: Desk, second: Desk, case: dict[str, Any], clock: FakeClock) -> None:
    """With a hit of the same subject, evidence in words and whether the subject could speak; returned, then upheld."""
    mine = move(alpha, case, "claim")
    spoken: dict[str, Any] = {"subject_could_speak": True, "subject_words": "by letter of March"}
    assert find(alpha, mine, "proven", status=409, **spoken)["detail"].startswith("No hit")
    (hit,) = alpha.get(f"/v1/cases/{case['id']}")["hits"]
    say(alpha, hit["id"], "same_subject")
    find(alpha, mine, "proven", status=422)
    find(alpha, mine, "proven", status=422, evidence="thin", **spoken)
    proposed = find(alpha, mine, "proven", evidence_reference="F-1", **spoken)
    assert (proposed["status"], proposed["finding"], proposed["closed_at"]) == ("proposed", "proven", None)
    assert decide(alpha, proposed, status=403)["type"] == "/v1/problems/second-person"
    decide(second, proposed, approve=False, status=422)
    back = decide(second, proposed, approve=False, reason="Which invoice?")
    clock.advance(seconds=1)
    again = find(alpha, back, "suspicion_upheld", **spoken)
    done = decide(second, again)
    assert (done["status"], done["finding"]) == ("closed", "suspicion_upheld")
    whole = alpha.get(f"/v1/cases/{case['id']}")
    assert [each["approved"] for each in whole["findings"]] == [False, True]
    assert whole["findings"][0]["evidence"] == EVIDENCE
    assert whole["history"][3]["reason"] == "Which invoice?"
    assert len({each["by"] for each in whole["history"][1:]}) == 2
    with alpha.services.database.reading() as connection:
        assert all(b"invoice" not in words for words in connection.scalars(select(FINDINGS.c.words)))
    move(alpha, done, "reopen", status=422)
    assert move(alpha, done, "reopen", reason="A new invoice")["finding"] is None


def test_who_asked_is_no_second_person(alpha: Desk, beta: Desk, second: Desk) -> None:
    """The actor whose screening found it does not approve; a third may."""
    alpha.file(filing("A-1", record_class="claim"))
    beta.file(filing("B-1", subject("ann"), record_class="claim"))
    (hit,) = second.screen(question("ann"))["hits"]
    say(alpha, hit["id"], "same_subject")
    (case,) = cases(alpha)
    proposed = find(
        alpha, move(alpha, case, "claim"), "proven", subject_could_speak=False, subject_words="moved abroad, no address"
    )
    assert decide(second, proposed, status=403)["type"] == "/v1/problems/second-person"
    third = Desk(alpha.client, alpha.services, colleague(alpha.client, alpha.services, alpha.member))
    assert decide(third, proposed)["status"] == "closed"


def test_who_asked_meanwhile_is_no_second_person(alpha: Desk, second: Desk, case: dict[str, Any]) -> None:
    """A hit found after the proposal is to be read first; put into no case, it tells all the same who asked."""
    proposed = _proposed(alpha, case)
    (hit,) = second.screen(question("ann"))["hits"]
    assert decide(second, proposed, status=409)["type"] == "/v1/problems/stale"
    say(alpha, hit["id"], "not_same")
    assert decide(second, proposed, status=403)["type"] == "/v1/problems/second-person"


def test_what_a_finding_stands_on_is_there_when_it_is_approved(alpha: Desk, second: Desk, case: dict[str, Any]) -> None:
    """Not approved once the one hit of the same subject was answered otherwise; returned, it may be."""
    proposed = _proposed(alpha, case)
    (hit,) = alpha.hits()
    say(alpha, hit["id"], "not_same")
    assert decide(second, proposed, status=409)["detail"].startswith("No hit")
    assert decide(second, proposed, approve=False, reason="Not the same")["status"] == "open"


def test_a_proposal_is_withdrawn_by_who_made_it(alpha: Desk, second: Desk, case: dict[str, Any]) -> None:
    """It does not return its own, which is the second person's; nor does a second person withdraw it."""
    proposed = _proposed(alpha, case)
    own = decide(alpha, proposed, approve=False, reason="Mine", status=403)
    assert own["type"] == "/v1/problems/second-person"
    move(second, proposed, "withdraw", status=409)
    back = move(alpha, proposed, "withdraw")
    assert (back["status"], back["finding"], back["proposed_by"]) == ("open", None, None)
    whole = alpha.get(f"/v1/cases/{case['id']}")
    (finding,) = whole["findings"]
    assert (finding["approved"], finding["decided_by"]) == (None, finding["proposed_by"])
    assert finding["decided_at"] is not None
    assert whole["history"][-1]["move"] == "withdraw"


def test_a_finding_of_a_merged_case_was_decided_by_nobody(alpha: Desk, beta: Desk) -> None:
    """A waiting finding of the younger case is neither approved nor returned when the two meet."""
    for name in ("ann", "bob"):
        beta.file(filing(f"B-{name}", subject(name), record_class="claim"))
        alpha.file(filing(f"A-{name}", subject(name), record_class="claim"))
    older, younger = sorted(cases(alpha), key=itemgetter("id"))
    _proposed(alpha, younger)
    beta.file(filing("B-3", both("ann", "bob"), record_class="claim"))
    assert [each["id"] for each in cases(alpha)] == [older["id"]]
    (finding,) = alpha.get(f"/v1/cases/{older['id']}")["findings"]
    assert (finding["approved"], finding["decided_by"], finding["decided_at"] is None) == (None, None, False)


def test_that_a_case_is_clear_is_confirmed_by_another(alpha: Desk, second: Desk, case: dict[str, Any]) -> None:
    """A second person may confirm a clear finding, once; not who found it."""
    closed = find(alpha, move(alpha, case, "claim"), "clear")
    assert decide(alpha, closed, status=403)["type"] == "/v1/problems/second-person"
    confirmed = decide(second, closed)
    assert (confirmed["status"], confirmed["finding"], confirmed["version"]) == ("closed", "clear", 4)
    (finding,) = alpha.get(f"/v1/cases/{case['id']}")["findings"]
    assert (finding["approved"], finding["decided_by"] != finding["proposed_by"]) == (True, True)
    assert decide(second, confirmed, status=409)["detail"].startswith("That the case is clear was")


def _proposed(desk: Desk, case: dict[str, Any]) -> dict[str, Any]:
    (hit,) = desk.get(f"/v1/cases/{case['id']}")["hits"]
    say(desk, hit["id"], "same_subject")
    return find(desk, move(desk, case, "claim"), "proven", subject_could_speak=True, subject_words="by letter of March")


def test_a_new_hit_opens_a_closed_case(alpha: Desk, beta: Desk, case: dict[str, Any]) -> None:
    """And one that waits for a decision is at another version, so that it is read anew."""
    closed = find(alpha, move(alpha, case, "claim"), "clear")
    assert (closed["status"], closed["finding"]) == ("closed", "clear")
    beta.file(filing("B-2", subject("ann"), record_class="claim"))
    (again,) = cases(alpha)
    assert (again["status"], again["finding"], again["version"]) == ("open", None, 4)
    assert alpha.get(f"/v1/cases/{case['id']}")["history"][-1]["move"] == "came_back"
    move(alpha, again, "snooze", day="2026-03-04")
    beta.file(filing("B-3", subject("ann"), record_class="claim"))
    (awake,) = cases(alpha)
    assert (awake["status"], awake["snoozed_until"]) == ("open", None)


def test_why_not_is_told_where_why_is(alpha: Desk, beta: Desk, member: Admissions) -> None:
    """What differs, what nobody compared and what it lacks to the next band; the model; others' sightings by tier."""
    beta.file(filing("B-1", subject("ann", only=range(8)), record_class="claim"))
    alpha.file(filing("A-1", subject("ann"), record_class="claim"))
    (case,) = cases(alpha)
    whole = alpha.get(f"/v1/cases/{case['id']}")
    (hit,) = whole["hits"]
    why = hit["why_not"]
    assert hit["model"] == alpha.services.linker.model_id
    assert set(why["not_observed"]).isdisjoint(row["field"] for row in hit["explanation"])
    assert why["not_observed"]
    assert whole["sightings"] == {
        "members": 1,
        "named": [{"member": "Beta", "records": {"claim": 1}}],
        "classes": {},
    }
    gamma = Desk(alpha.client, alpha.services, member("Gamma", lines=("motor",)))
    gamma.file(filing("G-1", subject("ann")))
    (theirs,) = cases(gamma)
    told = gamma.get(f"/v1/cases/{theirs['id']}")
    assert (theirs["members"], told["sightings"]["named"]) == (0, [])
    assert "Beta" not in str(told)
    assert all("why_not" not in each for each in told["hits"])


def test_a_record_that_is_taken_out_takes_the_work_with_it(
    alpha: Desk, beta: Desk, case: dict[str, Any], rows: Counted
) -> None:
    """The case goes with its last hit, with what was written in it, and that the pair was not the same."""
    (hit,) = alpha.get(f"/v1/cases/{case['id']}")["hits"]
    post(alpha, f"{case['id']}/notes", {"text": "looked at"}, status=201)
    say(alpha, hit["id"], "not_same")
    theirs = hit["theirs"]["filing"]
    gone = beta.client.post(
        f"/v1/filings/{theirs}/withdrawal", json={"reason": "duplicate"}, headers=beta.member.headers
    )
    assert gone.status_code == 200, gone.get_json()
    tables = ("cases", "case_hits", "case_notes", "suppressed_pairs", "outcomes")
    assert {rows(table) for table in tables} == {0}
    alpha.get(f"/v1/cases/{case['id']}", status=404)
