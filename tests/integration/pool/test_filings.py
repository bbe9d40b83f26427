"""Filing one record through HTTP."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from repository.domain.members import MemberStatus
from repository.domain.rulebook import SubscriberClass
from repository.services import Services, grants
from repository.services.lifecycle import Act
from repository.services.onboarding import change_status
from repository.storage.members import MemberRow
from tests.integration.pool.conftest import Counted, Desk
from tests.support.encodings import SCHEMA, claim, filing, subject
from tests.support.members import Admissions

KEYS = len(SCHEMA.kinds["person"].index_bits)
NONE = {"hits": 0, "capped_keys": None}


def errors(problem: dict[str, Any]) -> list[str]:
    """The fields a problem names."""
    return [error["field"] for error in problem["errors"]]


def test_a_filing_lands_with_its_index_rows(alpha: Desk, rows: Counted) -> None:
    """Filing, version, subjects and one index row a key, and an address to look at it."""
    body = filing("P-1", subject("ann"), subject("car", kind="vehicle", role="insured_vehicle"))
    answer = alpha.client.post("/v1/filings", json=body, headers=alpha.member.headers)
    assert answer.status_code == 201
    filed = answer.get_json()
    assert filed == {"id": filed["id"], "reference": "P-1", "version": 1, "result": "created"} | NONE
    assert (rows("filings"), rows("filing_versions"), rows("subjects")) == (1, 1, 2)
    assert rows("key_index") == KEYS + len(SCHEMA.keys("vehicle"))
    seen = alpha.get(answer.headers["Location"])
    assert (seen["reference"], seen["class"], seen["date"], seen["claim"]) == ("P-1", "customer", "2026-03-01", None)
    assert [each["kind"] for each in seen["subjects"]] == ["person", "vehicle"]


def test_the_same_again_lands_once(alpha: Desk, rows: Counted) -> None:
    """The second time it is unchanged, with status 200, and nothing is added."""
    first = alpha.file(filing("P-1"))
    again = alpha.file(filing("P-1"), status=200)
    assert again == first | {"result": "unchanged"}
    assert (rows("filings"), rows("filing_versions"), rows("key_index")) == (1, 1, KEYS)


def test_an_idempotency_key_gives_the_first_answer_again(alpha: Desk) -> None:
    """With the key, a repeated request is answered as it was; with other content it is a conflict."""
    assert alpha.file(filing("P-1"), key="once") == alpha.file(filing("P-1"), key="once")
    assert alpha.file(filing("P-2"), status=422, key="once")["type"].endswith("idempotency-conflict")


def test_the_same_reference_in_another_class_is_another_filing(alpha: Desk, rows: Counted) -> None:
    """(member, reference, class) is the identity."""
    alpha.file(filing("X-1", subject("ann")))
    assert alpha.file(filing("X-1", subject("ann"), record_class="claim"))["result"] == "created"
    assert rows("filings") == 2


def test_other_facts_are_a_new_version_without_rescreening(alpha: Desk, beta: Desk, rows: Counted) -> None:
    """The claim's status, the line or a role may change: subjects, index rows and hits stay as they are."""
    alpha.file(filing("A-0", record_class="claim"))  # what changes its line and back again counts nowhere
    beta.file(filing("B-1", subject("ann"), record_class="claim"))
    alpha.file(filing("A-1", subject("ann"), record_class="claim"))
    (hit,) = alpha.hits()
    indexed = rows("key_index")
    closed: dict[str, Any] = {"claim": claim(status="closed")}
    for version, change in enumerate((closed, closed | {"line": "home"}), start=2):
        changed = alpha.file(filing("A-1", subject("ann"), record_class="claim", **change))
        assert (changed["result"], changed["version"]) == ("new_version", version)
    changed = alpha.file(filing("A-1", subject("ann", role="driver"), record_class="claim"))
    assert changed["version"] == 4
    assert (rows("subjects"), rows("key_index"), rows("hits")) == (3, indexed, 1)
    (again,) = alpha.hits()
    assert again["id"] == hit["id"]
    assert again["own"]["role"] == "driver"
    assert beta.hits()[0]["theirs"]["role"] == "driver"


def test_another_encoding_is_matched_anew(alpha: Desk, beta: Desk, rows: Counted) -> None:
    """A corrected subject leaves the index, its hits are superseded, and the new one is checked against the pool."""
    beta.file(filing("B-1", subject("ann"), record_class="claim"))
    beta.file(filing("B-2", subject("bob"), record_class="claim"))
    alpha.file(filing("A-1", subject("ann"), record_class="claim"))
    (wrong,) = alpha.hits()
    corrected = alpha.file(filing("A-1", subject("bob"), record_class="claim"))
    assert (corrected["version"], corrected["result"], corrected["hits"]) == (2, "new_version", 1)
    (right,) = alpha.hits()
    assert (right["theirs"]["filing"] == wrong["theirs"]["filing"], right["id"] == wrong["id"]) == (False, False)
    assert "superseded_at" in alpha.get(f"/v1/hits/{wrong['id']}")
    assert [hit["id"] for hit in beta.hits()] == [right["id"]]
    assert (rows("subjects"), rows("key_index")) == (3, 3 * KEYS)


def test_a_hit_that_is_found_again_keeps_its_id(alpha: Desk, beta: Desk, rows: Counted) -> None:
    """Back to the first encoding: the hit is live again and there is no second one."""
    beta.file(filing("B-1", subject("ann"), record_class="claim"))
    for who in ("ann", "bob", "ann"):
        alpha.file(filing("A-1", subject(who), record_class="claim"))
    (hit,) = alpha.hits()
    assert "superseded_at" not in hit
    assert rows("hits") == 1


def test_no_hits_within_a_member(alpha: Desk, rows: Counted) -> None:
    """A member's own records are not matched with each other."""
    alpha.file(filing("P-1", subject("ann")))
    assert alpha.file(filing("P-2", subject("ann")))["hits"] == 0
    assert rows("hits") == 0


def test_only_subjects_of_one_kind_are_matched(alpha: Desk, beta: Desk) -> None:
    """A person and a vehicle are never the same, whatever their keys."""
    alpha.file(filing("A-1", subject("ann"), subject("car", kind="vehicle", role="insured_vehicle")))
    beta.file(filing("B-1", subject("car", kind="vehicle", role="insured_vehicle")))
    (hit,) = beta.hits()
    assert hit["own"]["kind"] == "vehicle"


@pytest.mark.parametrize(
    ("changes", "slug", "field"),
    [
        ({"fingerprint": "fedcba9876543210"}, "another-key", "fingerprint"),
        ({"schema": "guarded/9"}, "unknown-schema", "schema"),
        ({"subjects": []}, "invalid", "subjects"),
        ({"subjects": [{}] * 51}, "invalid", "subjects"),
        ({"subjects": ["Ann"]}, "invalid", "subjects[0]"),
        ({"line": "pet"}, "invalid", "line"),
        ({"date": "2026-02-30"}, "invalid", "date"),
        ({"claim": claim()}, "invalid", "claim"),
    ],
)
def test_bad_filings_are_refused_by_field(alpha: Desk, changes: dict[str, Any], slug: str, field: str) -> None:
    """Another key's fingerprint, another schema version, and every other fault: a problem that names the field."""
    problem = alpha.file(filing("P-1") | changes, status=422)
    assert problem["type"].endswith(slug)
    assert errors(problem) == [field]


def test_a_fault_in_a_subject_has_its_path(alpha: Desk) -> None:
    """Which subject, and which part of it; the value is not repeated."""
    body = filing("P-1", subject("ann"), subject("bob"))
    body["subjects"][1]["keys"] = "not base64 of Bob"
    problem = alpha.file(body, status=422)
    assert errors(problem) == ["subjects[1].keys"]
    assert "Bob" not in str(problem)


def test_a_body_that_is_no_object_is_refused(alpha: Desk) -> None:
    """A list, a string, a number."""
    bodies: tuple[object, ...] = ([], "text", 7)
    for body in bodies:
        assert alpha.file(body, status=422)["status"] == 422


def test_anothers_filing_is_not_found(alpha: Desk, beta: Desk) -> None:
    """Not forbidden: not found, as if it were not there."""
    filed = alpha.file(filing("P-1"))
    theirs, nobodys = (beta.get(f"/v1/filings/{each}", status=404) for each in (filed["id"], "fil_x"))
    assert theirs["type"].endswith("not-found")
    assert theirs | {"instance": ""} == nobodys | {"instance": ""}


def test_a_suspended_member_may_file_but_learns_nothing(alpha: Desk, beta: Desk) -> None:
    """R6: it may still file; the number of hits it is told is zero, as it may not ask."""
    beta.file(filing("B-1", subject("ann")))
    alpha.file(filing("A-0", subject("zoe")))
    with alpha.services.database.write() as session:
        change_status(session, alpha.member.id, MemberStatus.SUSPENDED, now=alpha.services.clock())
    assert alpha.file(filing("A-1", subject("ann")))["hits"] == 0
    assert len(beta.hits()) == 1


def test_two_members_filing_at_once_still_meet(alpha: Desk, beta: Desk, rows: Counted) -> None:
    """Neither looks before the other's rows are there: each pair is a hit, once."""
    barrier = threading.Barrier(2)

    def work(desk: Desk) -> None:
        own = Desk(desk.client.application.test_client(), desk.services, desk.member)
        for number in range(10):
            barrier.wait(30)
            own.file(filing(f"P-{number}", subject(f"shared {number}")))

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(work, (alpha, beta)))
    assert rows("hits") == 10
    assert len(alpha.hits()) == len(beta.hits()) == 10


def test_a_screener_may_not_file(alpha: Desk, member: Any) -> None:
    """Filing takes the role contributor."""
    screener = Desk(alpha.client, alpha.services, member("Gamma", roles=("screener",)))
    assert screener.file(filing("P-1"), status=403)["type"].endswith("wrong-role")


def test_an_operator_has_nothing_to_file(alpha: Desk, operator: Any) -> None:
    """It is no member."""
    answer = alpha.client.post("/v1/filings", json=filing("P-1"), headers=operator.headers)
    assert answer.status_code == 403


def test_a_subscriber_files_nothing(client: FlaskClient, services: Services, member: Admissions, rows: Counted) -> None:
    """Who asks under a grant has no line to file in (R7): what was never earned by filing is not earned so either."""
    auditor = Desk(client, services, member("Auditor", declared={}))
    rules = services.rulebook.subscribers[SubscriberClass.AUDITOR]
    with services.database.write() as session:
        row = session.get_one(MemberRow, auditor.member.id)
        wanted = grants.within(rules, ["motor"], services.clock().date() + timedelta(days=rules.grant_days))
        grants.grant(session, row, Act(services.clock()), wanted, kind=SubscriberClass.AUDITOR, rules=rules)
    assert errors(auditor.file(filing("P-1"), status=422)) == ["line"]
    assert rows("filings") == 0
