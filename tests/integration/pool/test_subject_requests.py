"""What persons ask through a member: the same answer for every member, nothing of what is deferred, and the clocks."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select, update

from matching.wire import subject_to_json
from repository.domain.flags import Flag
from repository.domain.members import MemberStatus
from repository.jobs.running import JobWorker
from repository.services import Services, subject_parts
from repository.services.corrections import flag as flag_it
from repository.services.lifecycle import Act
from repository.services.onboarding import change_status
from repository.services.replay import Replay
from repository.settings import Settings
from repository.storage import subject_requests as stored
from repository.storage.decisions import DECISIONS, Chosen
from repository.storage.dump import lines, tables
from repository.storage.events import EVENTS
from repository.storage.filings import FILINGS
from repository.storage.members import MemberRow
from repository.storage.subject_requests import REQUESTS
from tests.integration.pool.conftest import Counted, Desk
from tests.support.clock import FakeClock
from tests.support.encodings import FINGERPRINT, SCHEMA, filing, question, subject
from tests.support.expiring import expire
from tests.support.members import Admissions
from tests.support.proofs import colleague
from tests.support.rulebooks import use_rules

ON_SQLITE = pytest.mark.parametrize("store", ["sqlite"], indirect=True)
READY, DUE = datetime(2026, 3, 17, tzinfo=UTC), datetime(2026, 4, 1, 23, tzinfo=UTC)
"""Ten working days after Monday, 2 March, and a month after it, each day over in London: by April an hour earlier."""
_PART_OF = "/v1/subject-parts"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """A log-in lasts."""
    return replace(settings, access_lifetime=timedelta(days=700))


class Counter:
    """A member at whose counter persons ask: two people of it, of whom one enters and one confirms."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.second = self.log_in()

    def log_in(self) -> Desk:
        """Another person of the member."""
        desk = self.desk
        return Desk(desk.client, desk.services, colleague(desk.client, desk.services, desk.member))

    def enter(self, who: str = "ann", *, status: int = 201, **changes: Any) -> dict[str, Any]:
        """Enter a request."""
        body = {
            "kind": "access",
            "reference": "DSAR-1",
            "identity_reference": "ID-1",
            "received_on": "2026-03-02",
            "schema": SCHEMA.id,
            "fingerprint": FINGERPRINT,
            "subjects": [subject_to_json(subject(who))],
        } | changes
        return post(self.desk, "/v1/subject-requests", body, status=status)

    def ask(self, who: str = "ann", **changes: Any) -> dict[str, Any]:
        """Enter a request, and have it confirmed."""
        made = self.enter(who, **changes)
        return post(self.second, f"/v1/subject-requests/{made['id']}/confirmation", None)

    def report(self, made: dict[str, Any], *, status: int = 200) -> dict[str, Any]:
        """What the person is told."""
        return self.desk.get(f"/v1/subject-requests/{made['id']}/report", status=status)


def post(desk: Desk, path: str, body: object, *, status: int = 200) -> dict[str, Any]:
    """Send something, and give the JSON that came back."""
    answer = desk.client.post(path, json=body, headers=desk.member.headers)
    assert answer.status_code == status, answer.get_json()
    parsed: dict[str, Any] = answer.get_json()
    return parsed


def inbox(desk: Desk) -> list[dict[str, Any]]:
    """What persons ask about a member's own records."""
    items: list[dict[str, Any]] = desk.get(_PART_OF)["items"]
    return items


def defer(desk: Desk, until: str, *, status: int = 200) -> dict[str, Any]:
    """Put off the only part there is."""
    (part,) = inbox(desk)
    return post(
        desk, f"{_PART_OF}/{part['id']}/deferral", {"reason": "crime_prevention", "until": until}, status=status
    )


@pytest.fixture
def counter(client: FlaskClient, services: Services, member: Admissions) -> Counter:
    """A member that has contributed nothing at all, and may see nothing of anybody's."""
    return Counter(Desk(client, services, member("Gamma")))


def alerts(desk: Desk) -> list[tuple[str, dict[str, Any]]]:
    """What a member is told in its inbox of persons' requests, oldest first."""
    items = desk.get("/v1/alerts")["items"]
    return [(each["kind"], each["about"]) for each in reversed(items) if each["kind"].startswith("subject.")]


def same(report: dict[str, Any]) -> dict[str, Any]:
    """A report without what names the request, the member that asks, and how they speak about a record."""
    facts = {name: value for name, value in report.items() if name not in ("request", "member", "reference")}
    facts["records"] = [{**each, "record": None, "looked_at": []} for each in report["records"]]
    return facts


def test_who_gives_nothing_obtains_the_same_as_who_gives_all(
    alpha: Desk, beta: Desk, counter: Counter, clock: FakeClock, rows: Counted
) -> None:
    """All records of the person are told, the asker's own too, whatever its standing; and it gains no hit by it."""
    beta.file(filing("B-1", subject("ann"), record_class="suspected"))
    alpha.file(filing("A-1", subject("ann", role="driver"), record_class="claim"))
    alpha.file(filing("A-2", subject("zoe")))
    with alpha.services.database.write() as session:
        change_status(session, counter.desk.member.id, MemberStatus.SUSPENDED, now=clock(), reason="below target")
    clock.advance(seconds=1)
    counter, giving = Counter(counter.log_in()), Counter(alpha)
    before = rows("hit_sides")
    of_alpha, of_gamma = giving.ask(), counter.ask()
    clock.time = READY
    told, other = giving.report(of_alpha), counter.report(of_gamma)
    assert same(told) == same(other)
    assert [(each["class"], each["held_by"], each["roles"]) for each in told["records"]] == [
        ("claim", "Alpha", ["driver"]),
        ("suspected", "Beta", ["policyholder"]),
    ]
    claim, suspected = told["records"]
    assert (claim["claim"]["kind"], suspected["expires_on"]) == ("collision", "2027-03-02")
    assert rows("hit_sides") == before
    assert rows("screenings") == 0
    assert counter.desk.client.get("/v1/hits", headers=counter.desk.member.headers).status_code == 403


def test_contributors_are_told_which_member_asks_and_nothing_of_each_other(
    alpha: Desk, beta: Desk, counter: Counter
) -> None:
    """Each contributor finds its own record in its inbox, by an alert; a part of another is not found."""
    alpha.file(filing("A-1", subject("ann")))
    beta.file(filing("B-1", subject("ann")))
    made = counter.ask()
    (mine,), (theirs,) = inbox(alpha), inbox(beta)
    assert (mine["reference"], mine["member"], mine["request"]) == ("A-1", counter.desk.member.id, made["id"])
    assert (mine["decide_by"], theirs["reference"]) == ("2026-03-16", "B-1")
    assert alerts(alpha) == [("subject.received", {"part": mine["id"]})]
    for path in (f"{_PART_OF}/{theirs['id']}", f"/v1/subject-requests/{made['id']}"):
        alpha.get(path, status=404)
    assert inbox(counter.desk) == []


def test_who_entered_a_request_does_not_confirm_it(counter: Counter, alpha: Desk, rows: Counted) -> None:
    """Nothing is looked up before a second person vouched for it; then the encodings are gone. Others find nothing."""
    alpha.file(filing("A-1", subject("ann")))
    made = counter.enter()
    path = f"/v1/subject-requests/{made['id']}/confirmation"
    refused = post(counter.desk, path, None, status=409)
    assert "second person" in refused["detail"]
    assert rows("subject_parts") == 0
    post(alpha, path, None, status=404)
    with alpha.services.database.reading() as connection:
        assert connection.execute(select(func.length(REQUESTS.c.envelope))).scalar_one() > 0
    done = post(counter.second, path, None)
    assert (done["status"], done["ready_on"], done["due_on"]) == ("confirmed", "2026-03-16", "2026-04-02")
    with alpha.services.database.reading() as connection:
        assert connection.execute(select(func.length(REQUESTS.c.envelope))).scalar_one() == 0
    post(counter.second, path, None, status=409)


def test_what_is_deferred_cannot_be_told_from_what_is_not_there(
    alpha: Desk, beta: Desk, counter: Counter, clock: FakeClock
) -> None:
    """Of a person with one record that is deferred all is as of one with none: request, report, list, PDF, alerts."""
    beta.file(filing("B-1", subject("ann"), record_class="suspected"))
    held, none = counter.ask("ann", reference="R"), counter.ask("nobody", reference="R")
    defer(beta, "2026-04-20")
    for at in (clock(), READY - timedelta(seconds=1), READY, DUE):
        clock.time = at
        expire(alpha.services)
        seen = []
        for made in (held, none):
            path = f"/v1/subject-requests/{made['id']}"
            request = counter.desk.get(path)
            answer = counter.desk.client.get(f"{path}/report", headers=counter.desk.member.headers)
            pages = counter.desk.client.get(f"{path}/report.pdf", headers=counter.desk.member.headers)
            told = [each for each in alerts(counter.desk) if each[1] == {"request": made["id"]}]
            body = {name: value for name, value in answer.get_json().items() if name != "instance"}
            texts = [str(request), str(body), str(told)]
            assert pages.status_code == answer.status_code
            seen.append([each.replace(made["id"], "") for each in texts])
        assert seen[0] == seen[1]
    clock.time = datetime(2026, 4, 20, 23, tzinfo=UTC)
    expire(alpha.services)
    assert alerts(counter.desk)[-1] == ("subject.completed", {"request": held["id"]})
    (record,) = counter.report(held)["records"]
    assert (record["class"], record["deferred"]) == (
        "suspected",
        {"until": "2026-04-20", "reason": "crime_prevention"},
    )
    counter.report(none, status=409)


@ON_SQLITE
def test_a_report_is_read_from_its_day_on_and_stays_the_same(
    alpha: Desk, beta: Desk, counter: Counter, clock: FakeClock
) -> None:
    """Not a second before the day is over in the scheme's zone; then byte for byte the same, with who looked."""
    beta.file(filing("B-1", subject("ann")))
    alpha.file(filing("A-1", subject("ann")))
    alpha.screen(question("ann"))
    made = counter.ask()
    clock.time = READY - timedelta(seconds=1)
    assert "16" in counter.report(made, status=409)["detail"]
    clock.time = READY
    path = f"/v1/subject-requests/{made['id']}/report"
    first = counter.desk.client.get(path, headers=counter.desk.member.headers)
    pages = counter.desk.client.get(f"{path}.pdf", headers=counter.desk.member.headers)
    assert pages.data.startswith(b"%PDF")
    looked = next(each["looked_at"] for each in first.get_json()["records"] if each["held_by"] == "Beta")
    assert {"on": "2026-03-02", "by": "Alpha", "purpose": "new_business", "via": "screening"} in looked
    clock.time = READY + timedelta(days=30, seconds=-1)
    beta.file(filing("B-2", subject("ann")))
    again = counter.desk.client.get(path, headers=counter.desk.member.headers)
    assert (again.data, again.headers["Content-Digest"]) == (first.data, first.headers["Content-Digest"])
    assert counter.desk.client.get(f"{path}.pdf", headers=counter.desk.member.headers).data == pages.data
    clock.time = READY + timedelta(days=30)
    expire(alpha.services)
    counter.report(made, status=409)
    with alpha.services.database.reading() as connection:
        assert connection.execute(select(REQUESTS.c.report)).scalar_one() is None


@ON_SQLITE
def test_looks_for_untold_purposes_are_in_no_report(
    alpha: Desk, beta: Desk, counter: Counter, clock: FakeClock
) -> None:
    """Which they are is said to everybody; and members are not named where the scheme does not."""
    changes = {"untold_purposes": ["new_business"], "name_members": False}
    use_rules(alpha.services, "subject_access", **changes)
    beta.file(filing("B-1", subject("ann")))
    alpha.file(filing("A-1", subject("zoe")))
    alpha.screen(question("ann"))
    made = counter.ask()
    clock.time = READY
    told = counter.report(made)
    (record,) = told["records"]
    assert (told["untold_purposes"], record["looked_at"], record["held_by"]) == (["new_business"], [], "a member")


@ON_SQLITE
def test_a_deferral_has_an_end_within_the_scheme_days(beta: Desk, counter: Counter, clock: FakeClock) -> None:
    """Ninety days from the confirmation, renewed or not; none once it may have been read; the operator's too."""
    beta.file(filing("B-1", subject("ann")))
    counter.ask()
    defer(beta, "2026-06-01", status=422)
    assert defer(beta, "2026-05-31")["deferred_until"] == "2026-05-31"
    (part,) = inbox(beta)
    body = {"reason": "authority_request", "until": "2026-03-20"}
    assert subject_parts.defer_for_pool(beta.services, part["id"], body, Act(clock()))
    assert inbox(beta)[0]["deferred_by"] == "operator"
    clock.time = datetime(2026, 3, 20, 23, 59, tzinfo=UTC)
    defer(beta, "2026-04-01")
    clock.time = datetime(2026, 4, 1, 23, 0, tzinfo=UTC)
    defer(beta, "2026-04-02", status=409)


def test_what_a_contributor_erases_leaves_proof_and_receipt(
    alpha: Desk, beta: Desk, counter: Counter, clock: FakeClock, rows: Counted
) -> None:
    """Erased at once; refused with a reason; the person reads each, with its proof. Nobody else decides."""
    alpha.file(filing("A-1", subject("ann")))
    beta.file(filing("B-1", subject("ann"), record_class="claim"))
    made = counter.ask(kind="erasure")
    (erased,), (refused,) = inbox(alpha), inbox(beta)
    path = f"{_PART_OF}/{erased['id']}/decision"
    post(beta, path, {"decision": "erase"}, status=404)
    assert post(alpha, path, {"decision": "erase", "note_reference": "N-1"})["decision"] == "erase"
    post(alpha, path, {"decision": "refuse", "reason": "legal_claims"}, status=409)
    body = {"decision": "refuse", "reason": "legal_claims"}
    assert post(beta, f"{_PART_OF}/{refused['id']}/decision", body)["reason"] == "legal_claims"
    assert rows("filings") == 1
    clock.time = READY
    claim, customer = counter.report(made)["records"]
    assert claim["decision"] == {
        "decision": "refuse",
        "reason": "legal_claims",
        "on": "2026-03-02",
        "restricted_meanwhile": False,
    }
    proof = alpha.get(f"/v1/filings/{erased['filing']}/deletion")
    assert (customer["erased"]["commitment"], proof["reason"]) == (proof["commitment"], "subject_asked")
    assert customer["decision"]["decision"] == "erase"


@ON_SQLITE
def test_a_registration_ends_at_the_persons_wish(counter: Counter, beta: Desk, rows: Counted, clock: FakeClock) -> None:
    """It is filed under a victim's class once confirmed, with a receipt; ended, it is gone, and the receipt says so."""
    made = counter.ask(kind="victim", line="motor")
    assert rows("filings") == 1
    receipt = counter.report(made)["registration"]
    assert (receipt["class"], receipt["expires_on"], receipt["erased"]) == ("victim", "2027-04-02", None)
    post(beta, f"/v1/subject-requests/{made['id']}/end", None, status=404)
    clock.advance(days=1)
    for _ in range(2):
        assert post(counter.desk, f"/v1/subject-requests/{made['id']}/end", None)["ended_at"].startswith("2026-03-03")
    assert rows("filings") == 0
    assert counter.report(made)["registration"]["erased"]["removed_on"] == "2026-03-03"


@ON_SQLITE
def test_what_is_registered_is_erased_through_any_member(alpha: Desk, counter: Counter) -> None:
    """A member that keeps a person's own registration may not refuse to erase it."""
    alpha.file(filing("A-1", subject("ann"), record_class="victim"))
    counter.ask(kind="erasure")
    (part,) = inbox(alpha)
    path = f"{_PART_OF}/{part['id']}/decision"
    post(alpha, path, {"decision": "refuse", "reason": "legal_claims"}, status=409)
    assert post(alpha, path, {"decision": "erase"})["decision"] == "erase"


@ON_SQLITE
@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"kind": "portability"}, "kind"),
        ({"received_on": "2026-03-03"}, "received_on"),
        ({"received_on": "2026-01-29"}, "received_on"),
        ({"identity_reference": ""}, "identity_reference"),
        ({"kind": "dispute"}, "ground"),
        ({"kind": "victim"}, "line"),
        ({"kind": "victim", "line": "pet"}, "line"),
        ({"subjects": []}, "subjects"),
        ({"subjects": [subject_to_json(subject("x", kind="vehicle", role="insured_vehicle"))]}, "subjects[0].kind"),
        ({"fingerprint": "f" * 16}, "fingerprint"),
    ],
)
def test_a_request_that_says_too_little_is_refused(counter: Counter, changes: dict[str, Any], field: str) -> None:
    """The field is named, and what was expected in it."""
    refused = counter.enter(status=422, **changes)
    assert [each["field"] for each in refused["errors"]] == [field]


@ON_SQLITE
def test_a_member_enters_so_many_requests_a_day(counter: Counter, clock: FakeClock) -> None:
    """The next waits until the day is over in the scheme's zone, and not before."""
    use_rules(counter.desk.services, "subject_access", per_day=1)
    counter.enter()
    assert counter.enter(status=429)["figures"] == {"per_day": 1}
    clock.time = datetime(2026, 3, 3, tzinfo=UTC)
    counter.enter()


@ON_SQLITE
def test_nothing_is_left_after_its_time(beta: Desk, counter: Counter, clock: FakeClock, rows: Counted) -> None:
    """What nobody confirmed lapses, without its encodings; after a year neither requests nor parts are there."""
    beta.file(filing("B-1", subject("ann")))
    counter.ask()
    left = counter.enter()
    clock.time = DUE + timedelta(days=1, seconds=-1)
    expire(beta.services)
    assert counter.desk.get(f"/v1/subject-requests/{left['id']}")["status"] == "entered"
    clock.time = DUE + timedelta(days=1)
    expire(beta.services)
    assert counter.desk.get(f"/v1/subject-requests/{left['id']}")["status"] == "lapsed"
    with beta.services.database.reading() as connection:
        assert set(connection.scalars(select(func.length(REQUESTS.c.envelope)))) == {0}
    clock.time = datetime(2027, 3, 2, 8, 59, 59, tzinfo=UTC)
    expire(beta.services)
    assert rows("subject_requests") == 2
    clock.time = datetime(2027, 3, 2, 9, tzinfo=UTC)
    expire(beta.services)
    assert (rows("subject_requests"), rows("subject_parts")) == (0, 0)


@ON_SQLITE
def test_what_nobody_decides_is_restricted_until_somebody_does(
    alpha: Desk, beta: Desk, counter: Counter, clock: FakeClock
) -> None:
    """Not before the contributor's days are over in the scheme's zone; a refusal lifts it, and who asked reads both."""
    beta.file(filing("B-1", subject("ann")))
    made = counter.ask(kind="restriction")

    def flag() -> str | None:
        with beta.services.database.reading() as connection:
            found: str | None = connection.execute(select(FILINGS.c.flag)).scalar_one()
        return found

    clock.time = READY - timedelta(seconds=1)
    expire(beta.services)
    assert flag() is None
    clock.time = READY
    expire(beta.services)
    assert (flag(), inbox(beta)[0]["overdue"]) == ("restricted", True)
    clock.time = datetime(2027, 3, 2, 9, tzinfo=UTC)
    expire(beta.services)
    assert flag() == "restricted", "who waits until the request is forgotten is rid of the restriction"
    clock.time = READY
    (record,) = counter.report(made)["records"]
    assert (record["flag"], record["decision"]["restricted_meanwhile"]) == ("restricted", True)
    (part,) = inbox(beta)
    post(beta, f"{_PART_OF}/{part['id']}/decision", {"decision": "refuse", "reason": "accurate_and_needed"})
    assert (flag(), inbox(beta)[0]["overdue"]) == (None, False)
    told = counter.report(made)
    assert (told["version"], told["records"][0]["decision"]["decision"]) == (2, "refuse")


@ON_SQLITE
def test_an_objection_opens_a_dispute_that_only_the_report_tells_of(
    alpha: Desk, beta: Desk, counter: Counter, clock: FakeClock
) -> None:
    """The member needs no hit, and its list of disputes has none; its own record is flagged, and decided by itself."""
    beta.file(filing("B-1", subject("ann")))
    counter.desk.file(filing("G-1", subject("ann")))
    made = counter.ask(kind="dispute", ground="wrong_facts", notice="I was never there.")
    (received,) = beta.get("/v1/disputes?side=received")["items"]
    assert counter.desk.get("/v1/disputes?side=raised")["items"] == []
    (part,), (own,) = inbox(beta), inbox(counter.desk)
    assert (part["dispute"], own["dispute"]) == (received["id"], None)
    with beta.services.database.reading() as connection:
        assert set(connection.scalars(select(FILINGS.c.flag))) == {"disputed"}
        assert None not in set(connection.scalars(select(FILINGS.c.notice)))
    post(beta, f"{_PART_OF}/{part['id']}/decision", {"decision": "erase"}, status=409)
    path = f"{_PART_OF}/{own['id']}/decision"
    post(counter.desk, path, {"decision": "correct"}, status=409)
    counter.desk.file(filing("G-1", subject("ann"), date="2026-02-01"))
    post(counter.desk, path, {"decision": "correct"})
    post(beta, f"/v1/disputes/{received['id']}/answer", {"accepts": True})
    clock.time = READY
    states = [
        (each["held_by"], each["dispute"] and each["dispute"]["status"]) for each in counter.report(made)["records"]
    ]
    assert sorted(states) == [("Beta", "upheld"), ("Gamma", None)]


@ON_SQLITE
def test_who_has_many_records_is_told_of_all(alpha: Desk, counter: Counter, clock: FakeClock, rows: Counted) -> None:
    """Keys that a screening leaves out, as too many records share them, are looked up for a person."""
    use_rules(alpha.services, "matching", hot_key_rows=2, candidates_per_subject=1)
    for number in range(3):
        alpha.file(filing(f"A-{number}", subject("ann"), date=f"2026-02-0{number + 1}"))
    counter.ask()
    assert rows("subject_parts") == 3


@ON_SQLITE
def test_no_detail_of_what_was_told_lies_open(beta: Desk, counter: Counter, clock: FakeClock) -> None:
    """The encodings and the report are sealed, and no event says how much was found."""
    beta.file(filing("B-1", subject("ann")))
    made = counter.enter()
    with beta.services.database.reading() as connection:
        stored = b"".join(b"".join(lines(connection, each)) for each in tables())
    assert subject("ann").keys[:16] not in stored
    post(counter.second, f"/v1/subject-requests/{made['id']}/confirmation", None)
    clock.time = READY
    counter.report(made)
    with beta.services.database.reading() as connection:
        row = connection.execute(select(REQUESTS.c.report)).scalar_one()
        figures = connection.execute(select(EVENTS.c.figures).where(EVENTS.c.subject_id == made["id"])).scalars()
        assert not any(isinstance(value, int) and name != "version" for each in figures for name, value in each.items())
    assert b"customer" not in row


@ON_SQLITE
def test_what_nobody_else_is_shown_is_told_to_the_person(beta: Desk, counter: Counter, clock: FakeClock) -> None:
    """A record that is suppressed is in no index; it is held all the same, and the report says how it is flagged."""
    filed = beta.file(filing("B-1", subject("ann")))
    with beta.services.database.writing() as connection:
        flag_it(beta.services, connection, Act(clock()), filed["id"], Flag.SUPPRESSED, cause="dsp_1")
    made = counter.ask()
    clock.time = READY
    assert [each["flag"] for each in counter.report(made)["records"]] == ["suppressed"]


@ON_SQLITE
def test_taken_back_it_flags_nothing_any_more(alpha: Desk, counter: Counter) -> None:
    """An own record that was flagged for the person is as it was; the request has no answer."""
    counter.desk.file(filing("G-1", subject("ann")))
    made = counter.ask(kind="dispute", ground="wrong_facts")
    assert post(counter.desk, f"/v1/subject-requests/{made['id']}/withdrawal", None)["status"] == "withdrawn"
    with alpha.services.database.reading() as connection:
        assert connection.execute(select(FILINGS.c.flag)).scalar_one() is None
    counter.report(made, status=409)


@ON_SQLITE
def test_whether_a_member_acts_for_persons_is_decided_and_can_be_taken_again(
    counter: Counter, clock: FakeClock
) -> None:
    """By the purpose alone: not by an attestation that is too old; the decision gives no tier of anything."""
    services = counter.desk.services
    with services.database.write() as session:
        session.execute(update(MemberRow).values(attested_on=clock().date() - timedelta(days=900)))
    counter.enter()
    own = ["new_business", "claim_validation", "investigation"]
    use_rules(services, "purposes", own=own)
    assert counter.enter(status=403)["rule"] == "PURPOSE"
    with services.database.reading() as connection:
        answers = list(connection.scalars(select(DECISIONS.c.answer).where(DECISIONS.c.action == "subject")))
    assert len(answers) == 2
    assert {tier for each in answers for tier in each["tiers"]} == {"0"}
    pages = list(Replay().pages(services.database, Chosen()))
    assert (sum(page.taken for page in pages), [each for page in pages for each in page.deviations]) == (2, [])


@ON_SQLITE
def test_a_report_is_made_anew_once_a_record_of_it_is_gone(
    beta: Desk, counter: Counter, clock: FakeClock, rows: Counted
) -> None:
    """What was withdrawn is told as gone, no sealed copy of it stays, and the correction names the request."""
    filed = beta.file(filing("B-1", subject("ann"), record_class="claim"))["id"]
    made = counter.ask()
    clock.time = READY
    assert counter.report(made)["version"] == 1
    clock.advance(days=1)
    assert counter.report(made)["version"] == 1
    assert rows("viewings") == 2, "each day on which it is read"
    post(beta, f"/v1/filings/{filed}/withdrawal", {"reason": "not_the_person"})
    with beta.services.database.reading() as connection:
        assert connection.execute(select(REQUESTS.c.report)).scalar_one() is None
    told = counter.report(made)
    (record,) = told["records"]
    assert (told["version"], record["claim"], record["erased"]["cause"]) == (2, None, "withdrawn")
    JobWorker(beta.services).run_pending()
    (correction,) = counter.desk.get("/v1/corrections")["items"]
    assert correction["subject_requests"] == [made["id"]]


@ON_SQLITE
def test_the_asker_is_corrected_when_it_may_be_told(beta: Desk, counter: Counter, clock: FakeClock) -> None:
    """Who was shown a record is told what its own request did to it once, when no deferral holds; taken back, too."""
    beta.file(filing("B-1", subject("ann"), record_class="claim"))
    counter.desk.file(filing("G-1", subject("zoe"), record_class="claim"))
    assert counter.desk.screen(question("ann"))["hits"]
    made = counter.ask(kind="dispute", ground="wrong_facts", notice="I was never there.")
    defer(beta, "2026-03-20")
    post(counter.desk, f"/v1/subject-requests/{made['id']}/withdrawal", None)
    told: list[list[str]] = []
    for at in (READY, datetime(2026, 3, 21, tzinfo=UTC), datetime(2026, 3, 23, tzinfo=UTC)):
        clock.time = at
        expire(beta.services)
        JobWorker(beta.services).run_pending()
        told.append([each["kind"] for each in counter.desk.get("/v1/corrections")["items"]])
    assert told == [[], ["disputed"], ["disputed"]]
    assert "subject.completed" not in [kind for kind, _ in alerts(counter.desk)]


@ON_SQLITE
def test_a_time_that_is_noted_overwrites_no_decision(beta: Desk, counter: Counter, clock: FakeClock) -> None:
    """Of a part that was read before its contributor decided only the time changes; it is not restricted then."""
    beta.file(filing("B-1", subject("ann")))
    counter.ask(kind="erasure")
    (part,) = inbox(beta)
    post(beta, f"{_PART_OF}/{part['id']}/decision", {"decision": "refuse", "reason": "legal_claims"})
    with beta.services.database.writing() as connection:
        assert stored.note_part(connection, part["id"], "told_at", clock())
        assert not stored.note_part(connection, part["id"], "told_at", clock())
        assert not stored.note_part(connection, part["id"], "restricted_at", clock())
    assert inbox(beta)[0]["decision"] == "refuse"
