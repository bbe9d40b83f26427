"""Corrections: whoever was shown a record is told what became of it, once, and says that it has taken that in."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from sqlalchemy import select, update

from repository.domain.entitlement import Entitlement
from repository.domain.flags import Flag
from repository.domain.jobs import JobKind
from repository.domain.rulebook import Rulebook
from repository.jobs.running import JobWorker
from repository.services import Services, correcting, correction_job, corrections, delivery, rulebooks
from repository.services import hits as hit_service
from repository.services.batches import spool_of
from repository.services.lifecycle import Act
from repository.settings import Settings
from repository.storage import flags, jobs
from repository.storage.alerts import ALERTS
from repository.storage.corrections import CORRECTIONS, RECEIPTS
from repository.storage.disputes import DISPUTES
from repository.storage.events import EVENTS
from repository.storage.filings import FILINGS
from repository.storage.hits import HIT_SIDES
from repository.storage.viewings import VIEWINGS
from tests.integration.pool.conftest import Counted, Desk
from tests.integration.pool.test_disputes import answer, decide, dispute
from tests.integration.pool.test_webhooks import Receiver, receiver  # noqa: F401 - a fixture
from tests.support.clock import FakeClock
from tests.support.contents import index_faults
from tests.support.encodings import claim, filing, question, subject
from tests.support.exchange import waiting
from tests.support.members import Admissions


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """A log-in lasts."""
    return replace(settings, access_lifetime=timedelta(days=1000))


def work(services: Services, *kinds: JobKind) -> None:
    """Have what is due done."""
    JobWorker(services, kinds or [JobKind.CORRECTION]).run_pending()


def call(desk: Desk, method: str, path: str, status: int = 200, **options: Any) -> Any:
    """A request of a member, and its answer's JSON."""
    sent = desk.client.open(path, method=method, headers=desk.member.headers, **options)
    assert sent.status_code == status, sent.get_json()
    return sent.get_json()


def received(desk: Desk, query: str = "") -> list[dict[str, Any]]:
    """The corrections that a member is told of, the first first."""
    items: list[dict[str, Any]] = desk.get(f"/v1/corrections{query}")["items"]
    return items[::-1]


def kinds(desk: Desk) -> list[str]:
    """What they are."""
    return sorted(each["kind"] for each in received(desk))


def flagged(desk: Desk, filing_id: str) -> str | None:
    """The flag of a filing, whoever may read it."""
    with desk.services.database.reading() as connection:
        found: str | None = connection.execute(select(FILINGS.c.flag).where(FILINGS.c.id == filing_id)).scalar_one()
        return found


def told(desk: Desk, kind: str = "correction.made") -> list[str]:
    """What a member was alerted of, in order."""
    statement = select(ALERTS.c.about).where(ALERTS.c.member_id == desk.member.id, ALERTS.c.kind == kind)
    with desk.services.database.reading() as connection:
        return [next(iter(about.values())) for about in connection.scalars(statement.order_by(ALERTS.c.id))]


def flag(desk: Desk, filing_id: str, word: Flag | None, cause: str = "sbr_1") -> Flag | None:
    """Flag a filing for a cause."""
    with desk.services.database.writing() as connection:
        act = Act(desk.services.clock())
        return corrections.flag(desk.services, connection, act, filing_id, word, cause=cause)


def hits(desk: Desk) -> list[tuple[int, str | None]]:
    """The hits that a member sees: tier and flag of each."""
    return [(each["tier"], each.get("flag")) for each in desk.hits()]


@pytest.fixture
def theirs(alpha: Desk, beta: Desk) -> str:
    """Ann is a claimant with both; Alpha was shown Beta's record in full. Beta was shown nothing."""
    filed = beta.file(filing("B-1", subject("ann"), record_class="claim"))["id"]
    alpha.file(filing("A-1", subject("ann"), record_class="claim"))
    assert hits(alpha) == [(3, None)]
    return str(filed)


# Flags


@pytest.mark.parametrize(("word", "tier"), [(Flag.DISPUTED, 2), (Flag.RESTRICTED, 1)])
def test_a_flag_restricts_what_is_shown(alpha: Desk, beta: Desk, theirs: str, word: Flag, tier: int) -> None:
    """On the list, the hit, in the case and a screening; it is there for who may see the record; the own stays."""
    (hit,) = alpha.hits()
    assert flag(alpha, theirs, word) is word
    assert hits(alpha) == [(tier, word.value)]
    assert alpha.get(f"/v1/hits/{hit['id']}")["tier"] == tier
    (case,) = alpha.get("/v1/cases")["items"]
    assert [each["tier"] for each in alpha.get(f"/v1/cases/{case['id']}")["hits"]] == [tier]
    (screened,) = alpha.screen(question("ann"))["hits"]
    assert (screened["tier"], screened["flag"], "theirs" in screened) == (tier, word.value, False)
    assert beta.get(f"/v1/filings/{theirs}")["version"] == 1
    assert flag(alpha, theirs, None) is None
    assert hits(alpha)[0] == (3, None)


def test_a_superseded_hit_says_nothing_of_who_is_there_now(alpha: Desk, beta: Desk, theirs: str) -> None:
    """Neither that the record is flagged, which is another person's by now, nor to that one that it was looked at."""
    (hit,) = alpha.hits()
    beta.file(filing("B-1", subject("eve"), record_class="claim"))
    before = alpha.get(f"/v1/hits/{hit['id']}")
    flag(alpha, theirs, Flag.DISPUTED)
    assert alpha.get(f"/v1/hits/{hit['id']}") == before
    with alpha.services.database.reading() as connection:
        assert set(connection.scalars(select(VIEWINGS.c.version))) == {1}


def test_what_is_suppressed_is_as_if_it_were_not_there(alpha: Desk, beta: Desk, theirs: str) -> None:
    """No hit, no count, no key in the index; a record filed meanwhile finds it once it is back."""
    (hit,) = alpha.hits()
    flag(alpha, theirs, Flag.SUPPRESSED)
    assert hits(alpha) == []
    alpha.get(f"/v1/hits/{hit['id']}", status=404)
    assert alpha.screen(question("ann"))["answer"] == "clear"
    assert alpha.get("/v1/cases")["items"] == []
    assert index_faults(alpha.services)[0] > 0
    assert alpha.file(filing("A-2", subject("ann"), record_class="claim"))["hits"] == 0
    flag(alpha, theirs, None)
    assert index_faults(alpha.services) == (0, 0)
    assert hits(alpha) == [(3, None), (3, None)]
    assert alpha.screen(question("ann"))["answer"] == "enquire"


def test_the_strictest_cause_counts_and_is_told_once(alpha: Desk, theirs: str) -> None:
    """Two causes: lifting one leaves the other. Who saw the record is told each change, and none twice."""
    flag(alpha, theirs, Flag.DISPUTED, "dsp_1")
    flag(alpha, theirs, Flag.SUPPRESSED, "sbr_1")
    flag(alpha, theirs, Flag.SUPPRESSED, "sbr_1")
    assert flag(alpha, theirs, None, "sbr_1") is Flag.DISPUTED
    assert hits(alpha) == [(2, "disputed")]
    assert flag(alpha, theirs, None, "dsp_1") is None
    assert kinds(alpha) == ["disputed", "restored", "restored", "suppressed"]


def test_a_flag_outlives_a_new_version(alpha: Desk, beta: Desk, theirs: str) -> None:
    """Filing a suppressed record anew, with other people too, neither shows it nor puts its keys back."""
    flag(alpha, theirs, Flag.SUPPRESSED)
    beta.file(filing("B-1", subject("ann"), subject("bob"), record_class="claim"))
    assert hits(alpha) == []
    assert alpha.screen(question("bob"))["answer"] == "clear"
    flag(alpha, theirs, None)
    assert index_faults(alpha.services) == (0, 0)
    assert alpha.screen(question("bob"))["answer"] == "enquire"


# Disputes


def test_a_dispute_flags_at_once_and_its_end_lifts_that(alpha: Desk, beta: Desk, theirs: str) -> None:
    """Disputed while it is open; dismissed, it is shown as before. The contributor is alerted, with its day."""
    (hit,) = alpha.hits()
    raised = dispute(alpha, hit["id"], notice="I was abroad.")
    assert raised["answer_by"] == "2026-03-30"
    assert hits(alpha) == [(2, "disputed")]
    assert alpha.hits()[0]["notice"] == "I was abroad."
    assert told(beta, "dispute.raised") == [raised["id"]]
    answer(beta, raised["id"], False)
    decide(alpha, raised["id"], upheld=False)
    assert hits(alpha) == [(3, None)]
    assert kinds(alpha) == ["disputed", "notice", "restored"]


def test_nobody_replaces_or_removes_the_words_that_another_put_there(alpha: Desk, beta: Desk, theirs: str) -> None:
    """The contributor's own are its to change, until a dispute's are put to them: each is kept, and none is twice."""
    own = f"/v1/filings/{theirs}/notice"
    for words in ("So I said.", "So they said."):
        call(beta, "PUT", own, 204, json={"notice": words})
    (hit,) = alpha.hits()
    dispute(alpha, hit["id"], notice="I was abroad.")
    with alpha.services.database.writing() as connection:
        for words in ("I was not.", "I was abroad."):
            act = Act(alpha.services.clock())
            assert corrections.attach_notice(alpha.services, connection, act, theirs, words, cause="sbr_1")
    call(beta, "DELETE", own, 409)
    assert call(beta, "PUT", own, 409, json={"notice": "He lies."})["type"].endswith("conflict")
    assert alpha.hits()[0]["notice"] == "So they said.\n\nI was abroad.\n\nI was not."


def test_upheld_it_is_shown_again_once_it_is_corrected(alpha: Desk, beta: Desk, theirs: str) -> None:
    """Nobody sees what is wrong until it says something else; the same again, or another label, is no correction."""
    (hit,) = alpha.hits()
    answer(beta, dispute(alpha, hit["id"])["id"], True)
    assert hits(alpha) == []
    beta.file(filing("B-1", subject("ann"), record_class="claim"), status=200)
    beta.file(filing("B-1", subject("ann"), record_class="claim", labels={"tlp": "green"}))
    assert hits(alpha) == []
    beta.file(filing("B-1", subject("ann"), record_class="claim", claim=claim(status="closed")))
    assert hits(alpha) == [(3, None)]
    assert index_faults(alpha.services) == (0, 0)
    assert kinds(alpha) == ["amended", "amended", "disputed", "restored", "suppressed"]


def test_what_is_corrected_before_it_is_accepted_is_not_suppressed(alpha: Desk, beta: Desk, theirs: str) -> None:
    """Mended first, answered then, with other versions after; what was only mended and put back again is."""
    (hit,) = alpha.hits()
    raised = dispute(alpha, hit["id"])["id"]
    mended = {"record_class": "claim", "claim": claim(status="closed")}
    beta.file(filing("B-1", subject("ann"), **mended))
    beta.file(filing("B-1", subject("ann"), labels={"tlp": "green"}, **mended))
    answer(beta, raised, True)
    assert (flagged(alpha, theirs), hits(alpha)) == (None, [(3, None)])
    (hit,) = alpha.hits()
    raised = dispute(alpha, hit["id"])["id"]
    beta.file(filing("B-1", subject("ann"), record_class="claim", date="2026-02-02"))
    beta.file(filing("B-1", subject("ann"), **mended))
    answer(beta, raised, True)
    assert flagged(alpha, theirs) == "suppressed"


@pytest.mark.parametrize(
    ("zone", "raised", "until"),
    [
        ("Europe/London", datetime(2026, 3, 2, 23, 30, tzinfo=UTC), datetime(2026, 3, 30, 23, tzinfo=UTC)),
        ("Pacific/Kiritimati", datetime(2026, 3, 2, 11, tzinfo=UTC), datetime(2026, 3, 31, 10, tzinfo=UTC)),
        ("Europe/London", datetime(2028, 2, 1, 9, tzinfo=UTC), datetime(2028, 3, 1, tzinfo=UTC)),
    ],
)
@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_a_dispute_that_nobody_answers_suppresses(  # noqa: PLR0917 - what pytest gives, by name
    alpha: Desk,
    beta: Desk,
    theirs: str,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
    zone: str,
    raised: datetime,
    until: datetime,
) -> None:
    """At the end of the 28th day in the scheme's zone, across its change of clocks and a leap day, and not before."""
    set_zone(alpha.services, monkeypatch, zone)
    (hit,) = alpha.hits()
    made = dispute(alpha, hit["id"])["id"]
    put_raised(alpha, made, raised)
    clock.time = until - timedelta(seconds=1)
    correction_job.queue(alpha.services)
    work(alpha.services)
    assert flagged(alpha, theirs) == "disputed"
    clock.advance(seconds=1)
    assert correction_job.queue(alpha.services)
    work(alpha.services)
    assert flagged(alpha, theirs) == "suppressed"
    assert told(beta, "dispute.overdue") == [made]
    assert not correction_job.queue(alpha.services)
    answer(beta, made, False)
    decide(alpha, made, upheld=False)
    assert flagged(alpha, theirs) is None


def set_zone(services: Services, monkeypatch: pytest.MonkeyPatch, zone: str) -> None:
    """Have the scheme in another zone."""
    rulebook = services.rulebook
    moved = replace(rulebook, calendar=replace(rulebook.calendar, zone=zone))
    monkeypatch.setattr(rulebooks.Rulebooks, "at", lambda *_: moved)


def put_raised(desk: Desk, dispute_id: str, at: datetime) -> None:
    """Have a dispute be raised at another time."""
    from repository.domain.corrections import answer_until

    rulebook: Rulebook = desk.services.rulebooks.at(at)
    day, until = answer_until(at, rulebook)
    with desk.services.database.writing() as connection:
        this = update(DISPUTES).where(DISPUTES.c.id == dispute_id)
        connection.execute(this.values(raised_at=at, answer_by=day, answer_until=until))


# Corrections


def test_an_amendment_is_told_to_who_saw_it(alpha: Desk, beta: Desk, theirs: str, rows: Counted) -> None:
    """What others were shown and says something else: told with the version. A filing that nobody saw tells nobody."""
    beta.file(filing("B-2", subject("eve"), record_class="claim"))
    for reference in ("B-1", "B-2"):
        beta.file(
            filing(reference, subject("ann" if reference == "B-1" else "eve"), record_class="claim", date="2026-02-02")
        )
    work(alpha.services)
    (made,) = received(alpha)
    assert (made["kind"], made["filing"], made["version"], made["seen_version"]) == ("amended", theirs, 2, 1)
    assert told(alpha) == [made["id"]]
    assert received(beta) == []
    assert made["line"] == "motor"
    (own,) = beta.get("/v1/corrections?side=made")["items"]
    assert (own["state"], own["members"], own["on"]) == ("told", {"fewer_than": 3}, "2026-03-02")
    assert not any(name.endswith("_at") or name == "at" for name in own)
    beta.file(filing("B-1", subject("ann"), record_class="claim", date="2026-02-02"), status=200)
    assert rows("corrections") == 1


def test_another_key_is_no_amendment(alpha: Desk, beta: Desk, theirs: str, rows: Counted) -> None:
    """The same facts under another fingerprint: what is encoded anew says nothing of the person."""
    with alpha.services.database.writing() as connection:
        connection.execute(update(FILINGS).values(match_digest=b"", content_digest=b""))
        versions = FILINGS.metadata.tables["filing_versions"]
        connection.execute(update(versions).values(fingerprint="f" * 64))
    assert beta.file(filing("B-1", subject("ann"), record_class="claim"))["result"] == "new_version"
    assert rows("corrections") == 0


def test_a_withdrawal_reaches_who_saw_it_though_the_record_is_gone(alpha: Desk, beta: Desk, theirs: str) -> None:
    """By the footprint and by old hits; with the ids of the member's own hits. A person's erasure is told as one."""
    (hit,) = alpha.hits()
    with alpha.services.database.writing() as connection:
        connection.execute(VIEWINGS.delete())  # its time is over; the hit is there still
    call(beta, "POST", f"/v1/filings/{theirs}/withdrawal", json={"reason": "subject_asked"})
    work(alpha.services)
    (made,) = received(alpha)
    assert (made["kind"], made["hits"], made["filing"]) == ("erased", [hit["id"]], theirs)
    assert alpha.hits() == []
    with alpha.services.database.writing() as connection:
        assert connection.execute(select(HIT_SIDES.c.hit_id)).all() == []


def test_requests_and_cases_that_go_with_a_record_are_told(alpha: Desk, beta: Desk, theirs: str) -> None:
    """Who waits for an answer, or has not opened it, is alerted, and whose case is at work; each is an event."""
    request = waiting(alpha.services, alpha.member.id)
    (case,) = alpha.get("/v1/cases")["items"]
    call(alpha, "POST", f"/v1/cases/{case['id']}/moves", json={"move": "claim", "version": case["version"]})
    call(beta, "POST", f"/v1/filings/{theirs}/withdrawal", json={"reason": "duplicate"})
    assert told(alpha, "disclosure.removed") == [request]
    assert told(alpha, "case.removed") == [case["id"]]
    with alpha.services.database.reading() as connection:
        kinds = connection.execute(select(EVENTS.c.kind, EVENTS.c.subject_id)).all()
    assert {("disclosure.removed", request), ("case.removed", case["id"])} <= {tuple(each) for each in kinds}


@pytest.mark.parametrize("change", ["flag", "amend", "withdraw"])
def test_what_changes_between_reading_and_telling_is_read_again(
    alpha: Desk, beta: Desk, theirs: str, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    """Nobody is told what somebody else just corrected, without a viewing that the correction would have found."""
    show, calls = hit_service.show, []

    def changed(*given: Any) -> Any:
        calls.append(change)
        if len(calls) == 1 and change == "flag":
            flag(alpha, theirs, Flag.RESTRICTED)
        elif len(calls) == 1 and change == "amend":
            beta.file(filing("B-1", subject("ann"), record_class="claim", date="2026-02-02"))
        elif len(calls) == 1:
            call(beta, "POST", f"/v1/filings/{theirs}/withdrawal", json={"reason": "duplicate"})
        return show(*given)

    monkeypatch.setattr(hit_service, "show", changed)
    found = alpha.hits()
    assert len(calls) == 2
    told_of = [(each["tier"], each.get("theirs", {}).get("date")) for each in found]
    assert told_of == {"flag": [(1, None)], "amend": [(3, "2026-02-02")], "withdraw": []}[change]


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_what_changes_at_every_attempt_is_read_later(alpha: Desk, theirs: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is told that could not be noted: the answer is that it is worth another try, and no fault of ours."""
    monkeypatch.setattr(flags, "state", lambda *_: {})
    answered = alpha.client.get("/v1/hits", headers=alpha.member.headers)
    assert (answered.status_code, answered.headers["Retry-After"]) == (503, "2")


def test_at_tier_1_no_more_is_told_than_was_shown(alpha: Desk, beta: Desk, theirs: str) -> None:
    """The hit, and what became of it: neither class nor filing."""
    with alpha.services.database.writing() as connection:
        connection.execute(update(VIEWINGS).values(tier=1))
        connection.execute(update(HIT_SIDES).values(shown_tier=1))
    call(beta, "POST", f"/v1/filings/{theirs}/withdrawal", json={"reason": "duplicate"})
    (made,) = received(alpha)
    assert made.keys() & {"class", "line", "filing", "version"} == set()
    assert (made["kind"], made["tier"]) == ("withdrawn", 1)
    assert theirs not in orjson.dumps(made).decode()


def test_who_sees_a_hit_in_the_queue_alone_is_told(alpha: Desk, beta: Desk, rows: Counted) -> None:
    """At tier 1 the queue of cases tells that there is a hit: what becomes of the record is told, and no more of it."""
    filed = beta.file(filing("B-1", subject("ann"), record_class="claim"))["id"]
    flag(alpha, filed, Flag.RESTRICTED)
    alpha.file(filing("A-1", subject("ann"), record_class="claim"))
    (case,) = alpha.get("/v1/cases")["items"]
    assert (case["hit_count"], case["classes"]) == (1, [])
    call(beta, "POST", f"/v1/filings/{filed}/withdrawal", json={"reason": "duplicate"})
    assert [(each["kind"], each["tier"]) for each in received(alpha)] == [("withdrawn", 1)]


@pytest.mark.parametrize("zone", ["Europe/London", "Pacific/Kiritimati"])
@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_who_does_not_acknowledge_is_reminded(  # noqa: PLR0917 - what pytest gives, by name
    alpha: Desk, beta: Desk, theirs: str, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, zone: str
) -> None:
    """After five working days, at the end of that day in the zone, and again; acknowledged, never. Over a leap day."""
    set_zone(alpha.services, monkeypatch, zone)
    offset = {"Europe/London": 0, "Pacific/Kiritimati": 14}[zone]
    clock.time = datetime(2028, 2, 25, 1, tzinfo=UTC)  # a Friday
    call(beta, "POST", f"/v1/filings/{theirs}/withdrawal", json={"reason": "duplicate"})
    work(alpha.services)
    (made,) = received(alpha)
    assert made["acknowledge_by"] == "2028-03-03"
    clock.time = datetime(2028, 3, 4, tzinfo=UTC) - timedelta(hours=offset, seconds=1)
    assert not correction_job.queue(alpha.services)
    clock.advance(seconds=1)
    assert correction_job.queue(alpha.services)
    work(alpha.services)
    assert told(alpha, "correction.overdue") == [made["id"]]
    assert not correction_job.queue(alpha.services)
    clock.advance(days=8)
    correction_job.queue(alpha.services)
    work(alpha.services)
    assert told(alpha, "correction.overdue") == [made["id"]] * 2
    call(alpha, "POST", f"/v1/corrections/{made['id']}/acknowledgement")
    clock.advance(days=30)
    assert not correction_job.queue(alpha.services)


def test_it_is_acknowledged_once_and_the_trail_says_so(alpha: Desk, beta: Desk, theirs: str, clock: FakeClock) -> None:
    """The first acknowledgement counts; the contributor reads that all have, and the operator who, when and by what."""
    beta.file(filing("B-2", subject("eve"), record_class="claim"))  # it contributes, and so may know that others ask
    call(beta, "POST", f"/v1/filings/{theirs}/withdrawal", json={"reason": "duplicate"})
    work(alpha.services)
    (made,) = received(alpha, "?outstanding=true")
    said = call(alpha, "POST", f"/v1/corrections/{made['id']}/acknowledgement")
    clock.advance(hours=1)
    assert call(alpha, "POST", f"/v1/corrections/{made['id']}/acknowledgement") == said
    assert received(alpha, "?outstanding=true") == []
    trail = beta.get(f"/v1/corrections/{made['id']}/trail")
    assert (trail["state"], trail["members"], trail["receipts"]) == ("acknowledged", {"fewer_than": 3}, [])
    assert not any(word in orjson.dumps(trail).decode() for word in ("Alpha", alpha.member.id, alpha.member.client_id))
    alpha.get(f"/v1/corrections/{made['id']}/trail", status=404)
    with alpha.services.database.reading() as connection:
        seen = corrections.trail_for_operator(connection, made["id"])
    assert seen is not None
    (receipt,) = seen["receipts"]
    assert (receipt["member"], receipt["acknowledged_at"]) == ("Alpha", said["acknowledged_at"])
    assert receipt["role"] == "member_admin"


def test_who_may_not_see_who_asks_learns_of_no_correction(
    alpha: Desk, beta: Desk, theirs: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To a contributor at tier 0 for customers of the line it is as if nobody had looked."""
    beta.file(filing("B-1", subject("ann"), record_class="claim", date="2026-02-02"))
    (own,) = beta.get("/v1/corrections?side=made")["items"]
    monkeypatch.setattr(Entitlement, "tier", lambda *_: 0)
    assert beta.get("/v1/corrections?side=made")["items"] == []
    for path in (f"/v1/corrections/{own['id']}", f"/v1/corrections/{own['id']}/trail"):
        beta.get(path, status=404)


def test_expiry_tells_nobody_and_loses_nothing(alpha: Desk, beta: Desk, theirs: str, clock: FakeClock) -> None:
    """A record whose time is over tells nobody; a correction of it that is not acknowledged stays."""
    from repository.domain.removal import Cause
    from repository.services import removal
    from repository.services.removal import Why

    beta.file(filing("B-1", subject("ann"), record_class="claim", date="2026-02-02"))
    with alpha.services.database.writing() as connection:
        removal.remove(alpha.services, connection, [theirs], Why(Cause.EXPIRED, clock.time))
    work(alpha.services)
    assert [(each["kind"], each["filing"]) for each in received(alpha)] == [("amended", theirs)]
    assert len(told(alpha)) == 1


# The bar


def test_a_correction_reaches_every_past_viewer_exactly_once(  # noqa: PLR0917 - what pytest gives, by name
    alpha: Desk,
    beta: Desk,
    member: Admissions,
    clock: FakeClock,
    receiver: Receiver,  # noqa: F811 - the fixture
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With their webhooks down for two days, and the worker killed while telling, and between sending and noting it.

    One receipt, one alert, one id at every attempt, at least one that got through, one acknowledgement.
    """
    services = alpha.services
    theirs = beta.file(filing("B-1", subject("ann"), record_class="claim"))["id"]
    viewers = [alpha, *(Desk(alpha.client, services, member(f"Viewer {n}", lines=("motor",))) for n in range(5))]
    for each in viewers:
        hook = {"url": f"https://{each.member.id[4:]}.example/in", "kinds": ["correction.made"]}
        call(each, "POST", "/v1/webhooks", 201, json=hook)
        each.file(filing("V-1", subject("ann"), record_class="claim"))
        assert any(hit.get("theirs", {}).get("filing") == theirs for hit in each.hits())
    beta.file(filing("B-2", subject("eve"), record_class="claim"))  # it contributes still, and may read the trail
    call(beta, "POST", f"/v1/filings/{theirs}/withdrawal", json={"reason": "not_the_person"})
    receiver.answer = 503
    monkeypatch.setattr(correcting, "AT_ONCE", 2)
    kill(services, monkeypatch, correcting, "alert", after=3)  # within the second chunk of telling
    work(services)
    until = clock.time + timedelta(days=2)
    while clock.time < until:
        work(services, JobKind.WEBHOOK)
        clock.advance(hours=3)
    assert all(receiver.got)
    receiver.answer = 204
    kill(services, monkeypatch, delivery, "_note_shown", after=2, advance=lambda: clock.advance(days=1))
    for _ in range(12):
        work(services, JobKind.WEBHOOK)
        clock.advance(hours=12)
    ids_of: dict[str, set[str]] = {}
    for url, headers, body in receiver.got:
        assert orjson.loads(body)["type"] == "correction.made"
        ids_of.setdefault(url, set()).add(headers["webhook-id"])
    assert sorted(map(len, ids_of.values())) == [1] * len(viewers)
    for each in viewers:
        (made,) = received(each)
        assert told(each) == [made["id"]]
        assert made["delivered_at"] is not None
        call(each, "POST", f"/v1/corrections/{made['id']}/acknowledgement")
        call(each, "POST", f"/v1/corrections/{made['id']}/acknowledgement")
    with services.database.reading() as connection:
        (correction,) = connection.scalars(select(CORRECTIONS.c.id))
        found = connection.execute(select(RECEIPTS.c.member_id)).scalars().all()
        said = connection.scalars(select(EVENTS.c.member_id).where(EVENTS.c.kind == "correction.acknowledged")).all()
    assert sorted(found) == sorted(said) == sorted(each.member.id for each in viewers)
    trail = beta.get(f"/v1/corrections/{correction}/trail")
    assert (trail["state"], trail["members"], trail["acknowledged"]) == ("acknowledged", len(viewers), len(viewers))
    assert {each["role"] for each in trail["receipts"]} == {"member_admin"}
    assert [len(each["acknowledged_on"]) for each in trail["receipts"]] == [len("2026-03-02")] * len(viewers)


def kill(
    services: Services,
    monkeypatch: pytest.MonkeyPatch,
    where: Any,
    name: str,
    *,
    after: int,
    advance: Any = lambda: None,
) -> None:
    """Have the worker killed at the call of a function, after so many; the next process takes its work over."""
    real, calls = getattr(where, name), []

    def dies(*given: Any, **named: Any) -> Any:
        calls.append(name)
        if len(calls) > after:
            raise KeyboardInterrupt
        return real(*given, **named)

    kinds = [JobKind.CORRECTION, JobKind.WEBHOOK]
    with monkeypatch.context() as patch:
        patch.setattr(where, name, dies)
        with pytest.raises(KeyboardInterrupt):
            _until_killed(services, kinds, advance)
    with services.database.writing() as connection:
        jobs.release_all(connection, spool_of(services).name)


def _until_killed(services: Services, kinds: list[JobKind], advance: Any) -> None:
    for _ in range(6):
        JobWorker(services, kinds).run_pending()
        advance()


def test_a_disabled_webhook_gets_what_it_missed_once_it_is_enabled(
    alpha: Desk,
    beta: Desk,
    clock: FakeClock,
    receiver: Receiver,  # noqa: F811 - the fixture
    theirs: str,
) -> None:
    """What it failed to get, under the id that it had, and what came while it was disabled; again, nothing."""
    hook = call(alpha, "POST", "/v1/webhooks", 201, json={"url": "https://a.example/in", "kinds": ["correction.made"]})
    beta.file(filing("B-1", subject("ann"), record_class="claim", date="2026-02-02"))
    receiver.answer = 503
    for _ in range(12):
        work(alpha.services, JobKind.CORRECTION, JobKind.WEBHOOK)
        clock.advance(hours=12)
    assert not alpha.get(f"/v1/webhooks/{hook['id']}")["enabled"]
    tried = {headers["webhook-id"] for _, headers, _ in receiver.got}
    beta.file(filing("B-1", subject("ann"), record_class="claim", date="2026-02-03"))
    work(alpha.services)
    assert len(tried) == 1
    receiver.got.clear()
    receiver.answer = 204
    call(alpha, "PATCH", f"/v1/webhooks/{hook['id']}", json={"enabled": True})
    work(alpha.services, JobKind.WEBHOOK)
    sent = [orjson.loads(body)["data"]["correction"] for *_, body in receiver.got]
    assert sorted(sent) == sorted(each["id"] for each in received(alpha))
    assert tried < {headers["webhook-id"] for _, headers, _ in receiver.got}
    receiver.got.clear()
    call(alpha, "PATCH", f"/v1/webhooks/{hook['id']}", json={"enabled": True})
    work(alpha.services, JobKind.WEBHOOK)
    assert receiver.got == []


def test_what_got_through_is_not_sent_again_when_its_job_is_forgotten(
    alpha: Desk,
    beta: Desk,
    clock: FakeClock,
    receiver: Receiver,  # noqa: F811 - the fixture
    theirs: str,
) -> None:
    """A month later enabling sends nothing that was delivered, and what was not under the id that it had."""
    hook = call(alpha, "POST", "/v1/webhooks", 201, json={"url": "https://a.example/in", "kinds": ["correction.made"]})
    for day, answered in ((2, 204), (3, 503)):
        beta.file(filing("B-1", subject("ann"), record_class="claim", date=f"2026-02-0{day}"))
        receiver.answer = answered
        work(alpha.services, JobKind.CORRECTION, JobKind.WEBHOOK)
        clock.advance(seconds=1)
    ids = [headers["webhook-id"] for _, headers, _ in receiver.got]
    receiver.got.clear()
    call(alpha, "PATCH", f"/v1/webhooks/{hook['id']}", json={"enabled": False})
    clock.advance(days=31)
    with alpha.services.database.writing() as connection:
        connection.execute(jobs.JOBS.delete())
    receiver.answer = 204
    for enabled in (True, True, False, True):
        call(alpha, "PATCH", f"/v1/webhooks/{hook['id']}", json={"enabled": enabled})
        work(alpha.services, JobKind.WEBHOOK)
    assert [headers["webhook-id"] for _, headers, _ in receiver.got] == ids[1:]
