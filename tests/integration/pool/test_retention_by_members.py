"""What members do about the time of their filings: see what expires, renew a suspicion, hold a record."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from repository.domain.retention import LONGEST
from repository.storage.events import EVENTS
from repository.storage.filings import FILINGS
from repository.storage.retention import RENEWALS
from tests.integration.pool.conftest import Counted, Desk
from tests.support.clock import FakeClock
from tests.support.encodings import claim, filing, subject


def post(desk: Desk, path: str, body: object, *, status: int = 200) -> dict[str, Any]:
    """Post something."""
    answer = desk.client.post(path, json=body, headers=desk.member.headers)
    assert answer.status_code == status, answer.get_json()
    told: dict[str, Any] = answer.get_json()
    return told


def first_filed(desk: Desk, filing_id: str, days: int) -> None:
    """Have a filing be so many days old."""
    with desk.services.database.writing() as connection:
        at = desk.services.clock() - timedelta(days=days)
        connection.execute(update(FILINGS).where(FILINGS.c.id == filing_id).values(created_at=at, filed_at=at))


def test_the_schedule_is_public(alpha: Desk) -> None:
    """Without a token: every class with its months, its cap, and the day it counts from."""
    told = alpha.client.get("/v1/retention").get_json()
    rulebook = alpha.services.rulebook
    assert told["rulebook"] == rulebook.version
    assert [(each["class"], each["customer_kind"], each["keep"]) for each in told["classes"]][:4] == [
        *(("customer", "quote", "90 days"), ("customer", "policy", "24 months")),
        *(("customer", None, "12 months"), ("claim", None, "72 months")),
    ]
    assert {each["customer_kind"] or each["class"]: (each["basis"], each["cap"]) for each in told["classes"]} == {
        kind: (rulebook.retention[kind].basis, str(rulebook.retention[kind].cap)) for kind in LONGEST
    }
    assert told["screenings"] == {"keep_days": 365, "cap_months": 12}
    others = {each["what"]: each["keep"] for each in told["others"]}
    assert (others["viewings"], others["alerts"], others["subject_reports"]) == ("365 days", "12 months", "30 days")


def test_a_member_sees_what_of_its_own_expires_when(alpha: Desk, beta: Desk, clock: FakeClock) -> None:
    """By a day, page by page, held ones too; nothing of others. Each filing tells its day as well."""
    filed = [alpha.file(filing(f"V-{place}", record_class="victim"))["id"] for place in range(2)]
    alpha.file(filing("C-1", record_class="claim"))
    beta.file(filing("B-1", record_class="victim"))
    post(alpha, f"/v1/filings/{filed[0]}/holds", {"reason": "audit", "ends_on": "2026-12-01"}, status=201)
    assert alpha.get(f"/v1/filings/{filed[0]}")["expires_on"] == "2027-04-02"
    assert alpha.get("/v1/retention/expiring?until=2027-04-01")["items"] == []
    first = alpha.get("/v1/retention/expiring?until=2027-04-02&limit=1")
    rest = alpha.get(f"/v1/retention/expiring?until=2027-04-02&limit=1&cursor={first['next_cursor']}")
    found = {each["filing"]: (each["reference"], each["held_until"]) for each in (*first["items"], *rest["items"])}
    assert found == {filed[0]: ("V-0", "2026-12-01"), filed[1]: ("V-1", None)}
    assert rest["next_cursor"] is None


def test_a_suspicion_is_renewed_with_a_reason_up_to_its_cap(alpha: Desk, beta: Desk, rows: Counted) -> None:
    """Once a day; no other class is, nor the filing of another, nor what has its cap for its end already."""
    filed = alpha.file(filing("S-1", record_class="suspected"))["id"]
    body = {"reason": "investigation_open", "note_reference": "CASE-7"}
    path = f"/v1/filings/{filed}/renewal"
    first_filed(alpha, filed, 300)
    told = post(alpha, path, body)
    assert (told["kept_from"], told["expires_on"]) == ("2025-05-06", "2027-03-02")
    assert post(alpha, path, body) == told
    post(beta, path, body, status=404)
    post(alpha, path, {"reason": "we like it"}, status=422)
    victim = alpha.file(filing("V-1", record_class="victim"))["id"]
    post(alpha, f"/v1/filings/{victim}/renewal", body, status=409)
    with alpha.services.database.reading() as connection:
        [figures] = connection.execute(select(EVENTS.c.figures).where(EVENTS.c.kind == "filing.renewed")).scalars()
    assert figures["expires_on"] == "2027-03-02"
    assert "CASE-7" not in str(figures)
    first_filed(alpha, filed, 1000)
    assert alpha.get(f"/v1/filings/{filed}")["expires_on"] == "2026-06-06"
    assert rows("renewals") == 1


def test_what_is_kept_up_to_its_cap_is_not_renewed_again(alpha: Desk, clock: FakeClock, rows: Counted) -> None:
    """It would change nothing, and is not stored."""
    filed = alpha.file(filing("S-1", record_class="suspected"))["id"]
    first_filed(alpha, filed, 900)
    body, path = {"reason": "proceedings_pending"}, f"/v1/filings/{filed}/renewal"
    assert post(alpha, path, body)["expires_on"] == "2026-09-14"
    with alpha.services.database.writing() as connection:
        connection.execute(update(RENEWALS).values(renewed_on=clock().date() - timedelta(days=1)))
    post(alpha, path, body, status=409)
    assert rows("renewals") == 1


@pytest.mark.parametrize("ends_on", ["2026-03-02", "2026-03-01", "2028-03-03"])
def test_a_hold_ends_on_a_day_to_come(alpha: Desk, ends_on: str) -> None:
    """Not today, and not years from now."""
    filed = alpha.file(filing("H-1", record_class="claim"))["id"]
    post(alpha, f"/v1/filings/{filed}/holds", {"reason": "litigation", "ends_on": ends_on}, status=422)


def test_a_member_holds_its_own_and_lets_go(alpha: Desk, beta: Desk) -> None:
    """Meanwhile it is not withdrawn; others neither place, see nor release it, and every step is told."""
    filed = alpha.file(filing("H-1", record_class="claim"))["id"]
    body = {"reason": "litigation", "ends_on": date(2026, 6, 1).isoformat(), "note_reference": "LEGAL-1"}
    post(beta, f"/v1/filings/{filed}/holds", body, status=404)
    placed = post(alpha, f"/v1/filings/{filed}/holds", body, status=201)
    assert (placed["by"], placed["note_reference"], placed["released_at"]) == ("member", "LEGAL-1", None)
    assert alpha.get("/v1/holds")["items"] == [placed]
    assert beta.get("/v1/holds")["items"] == []
    post(alpha, f"/v1/filings/{filed}/withdrawal", {"reason": "duplicate"}, status=409)
    post(beta, f"/v1/holds/{placed['id']}/release", {}, status=404)
    released = post(alpha, f"/v1/holds/{placed['id']}/release", {})
    assert released["released_at"] is not None
    assert post(alpha, f"/v1/holds/{placed['id']}/release", {}) == released
    assert alpha.get("/v1/holds")["items"] == []
    post(alpha, f"/v1/filings/{filed}/withdrawal", {"reason": "duplicate"})
    with alpha.services.database.reading() as connection:
        told = connection.execute(select(EVENTS.c.kind).where(EVENTS.c.subject_id == filed).order_by(EVENTS.c.id))
        assert set(told.scalars()) == {"filing.created", "hold.placed", "hold.released", "filing.withdrawn"}


def test_a_filing_says_from_when_it_is_kept(alpha: Desk, beta: Desk, rows: Counted) -> None:
    """The version filed last counts; what says nothing of it is unchanged; its member sees it, and nobody else."""
    body = filing("C-1", record_class="customer")
    first = alpha.file(body)
    assert alpha.get(f"/v1/filings/{first['id']}")["basis"] is None
    assert alpha.file(body | {"basis": {}}, status=200)["result"] == "unchanged"
    told = [("2027-03-02", "2026-03-02")]
    for said in ({"customer_kind": "quote"}, {"customer_kind": "policy"}, {"policy_end": "2024-02-29"}):
        assert alpha.file(body | {"basis": said})["result"] == "new_version"
        assert alpha.file(body | {"basis": said}, status=200)["result"] == "unchanged"
        found = alpha.get(f"/v1/filings/{first['id']}")
        told.append((found["expires_on"], found["kept_from"]))
    assert found["basis"] == {"customer_kind": "policy", "policy_end": "2024-02-29"}
    assert told[1:] == [("2026-05-30", "2026-03-01"), ("2028-03-02", "2026-03-02"), ("2026-02-28", "2024-02-29")]
    [entry] = alpha.get("/v1/retention/expiring?until=2026-02-28")["items"]
    assert (entry["basis"], entry["kept_from"]) == ("policy_end", "2024-02-29")
    assert alpha.get("/v1/retention/expiring?until=2026-02-27")["items"] == []
    assert alpha.file(body)["result"] == "new_version"
    assert alpha.get(f"/v1/filings/{first['id']}")["expires_on"] == "2027-03-02"
    assert (rows("filings"), rows("filing_versions")) == (1, 5)
    beta.file(filing("B-1", subject("C-1"), record_class="suspected"))
    assert not {"basis", "policy_end"} & {name for hit in beta.hits() for name in (*hit, *hit.get("theirs", {}))}


def test_an_end_that_was_said_is_not_moved_on(alpha: Desk) -> None:
    """But of a claim that was opened again, and of a policy that is in force still; back it goes at any time."""
    closed = filing("C-1", record_class="claim", claim=claim(status="closed"))
    opened = filing("C-1", record_class="claim", claim=claim(status="open"))
    policy = filing("P-1")

    def counted(body: dict[str, Any], **said: str) -> str:
        return str(alpha.get(f"/v1/filings/{alpha.file(body | {'basis': said})['id']}")["kept_from"])

    assert counted(closed, closed_on="2026-02-28") == "2026-02-28"
    assert counted(closed, closed_on="2026-03-01") == "2026-02-28"
    assert counted(closed, closed_on="2026-02-27") == "2026-02-27"
    assert counted(closed) == "2026-02-27"
    assert counted(closed, closed_on="2026-03-02") == "2026-02-27"
    assert counted(opened) == "2026-03-01"
    assert counted(closed, closed_on="2026-03-02") == "2026-03-02"
    assert counted(policy, policy_end="2026-01-31") == "2026-01-31"
    assert counted(policy, policy_end="2026-02-27") == "2026-01-31"
    assert counted(policy, policy_end="2070-01-01") == "2026-03-02"
    assert counted(policy, policy_end="2026-02-27") == "2026-02-27"
