"""A filing that is taken out of the pool leaves ids in events, decisions and sums, and nothing it could be found by."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select

from matching.wire import subject_to_json
from repository.domain.removal import Cause
from repository.jobs.running import JobWorker
from repository.services import removal
from repository.services.removal import Why
from repository.storage import deletions, index
from repository.storage.batches import DRY_RUN_FILINGS
from repository.storage.dump import tables
from repository.storage.events import EVENTS
from repository.storage.filings import FILINGS
from repository.storage.index import HOT_KEYS, POOL_COUNTS
from repository.storage.ledger import LEDGER
from tests.integration.pool.conftest import Counted, Desk
from tests.support.clock import FakeClock
from tests.support.encodings import FINGERPRINT, SCHEMA, filing, question, subject
from tests.support.expiring import expire
from tests.support.leftovers import Traces, naming
from tests.support.proofs import colleague


def remove(desk: Desk, *filing_ids: str) -> int:
    """Take filings out; how many there were."""
    with desk.services.database.writing() as connection:
        why = Why(Cause.EXPIRED, desk.services.clock())
        return len(removal.remove(desk.services, connection, filing_ids, why))


def everything(desk: Desk) -> list[str]:
    """All filings there are: the same person has the same keys in each."""
    with desk.services.database.reading() as connection:
        return list(connection.execute(select(FILINGS.c.id)).scalars())


@pytest.fixture
def cases(alpha: Desk, beta: Desk) -> list[str]:
    """Two records of beta's, proven, that alpha met: it asked, answered a hit, disputed it, and owes an answer."""
    beta.prove("B-proven-1")
    filed = beta.file(filing("B-proven-1", subject("ann"), record_class="proven"), key="kept")["id"]
    beta.file(filing("B-proven-1", subject("ann"), record_class="proven", date="2026-02-28"))
    other = beta.file(filing("B-other-1", subject("bob"), record_class="claim"))["id"]
    alpha.file(filing("A-own-1", subject("ann"), record_class="suspected"))
    alpha.file(filing("A-own-2", subject("bob"), record_class="claim"))
    headers = alpha.member.headers | {"Idempotency-Key": "asked"}
    asked = alpha.client.post("/v1/screenings", json=question("ann"), headers=headers)
    assert asked.status_code == 200, asked.get_json()
    first, *_ = alpha.hits()
    own = alpha.get("/v1/cases")["items"]
    for path, body in (
        *((f"/v1/cases/{each['id']}/notes", {"text": "she said so"}) for each in own),
        (f"/v1/hits/{first['id']}/outcome", {"outcome": "same_subject"}),
        ("/v1/disputes", {"hit": first["id"], "ground": "wrong_facts", "statement_reference": "S-1"}),
    ):
        answer = alpha.client.post(path, json=body, headers=alpha.member.headers)
        assert answer.status_code in (200, 201), answer.get_json()
    return [filed, other]


def test_nothing_is_left_in_any_table(alpha: Desk, beta: Desk, cases: list[str], rows: Counted) -> None:
    """Nor as a hot key, or in an answer kept for a request sent again; the disputes stay, by their ids."""
    traces = Traces(beta.services, everything(beta))
    with beta.services.database.writing() as connection:
        hot = {"found_at": beta.services.clock(), "screenings": 0, "records": 99}
        connection.execute(HOT_KEYS.insert(), [{"key": traces.keys[0], **hot}])
    assert {"filings", "key_index", "idempotent_replies", "hot_keys"} <= traces.in_tables()
    assert rows("cases") == rows("case_notes") > 0
    assert remove(beta, *cases) == 2
    assert (rows("filings"), rows("subjects"), rows("proofs"), rows("disputes")) == (2, 2, 0, 1)
    assert [rows(name) for name in ("hits", "hit_sides", "duties", "outcomes", "suppressed_pairs")] == [0] * 5
    assert [rows(name) for name in ("cases", "case_hits", "case_moves", "case_notes", "findings")] == [0] * 5
    assert alpha.hits() == []
    assert remove(beta, *everything(beta)) == 2
    assert traces.in_tables() == set()
    assert (rows("filings"), rows("disputes"), rows("deletions")) == (0, 1, 4)
    assert remove(beta, *cases) == 0


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_what_names_it_still_does_so_for_a_year_at_most(
    alpha: Desk, beta: Desk, cases: list[str], clock: FakeClock
) -> None:
    """Who saw it, what was told of it, and what a person asked; then events, proofs of deletion and disputes only."""
    services, second = alpha.services, colleague(alpha.client, alpha.services, alpha.member)
    alpha.screen(question("bob", reference="Q-2", stands={"as": "quote"}))
    filed = [*cases, beta.file(filing("B-later-1", subject("bob"), record_class="suspected"))["id"]]
    asked: dict[str, Any] = {
        "kind": "access",
        "reference": "DSAR-1",
        "identity_reference": "ID-1",
        "received_on": "2026-03-02",
    }
    asked |= {"schema": SCHEMA.id, "fingerprint": FINGERPRINT, "subjects": [subject_to_json(subject("ann"))]}
    entered = alpha.client.post("/v1/subject-requests", json=asked, headers=alpha.member.headers)
    path = f"/v1/subject-requests/{entered.get_json()['id']}/confirmation"
    assert alpha.client.post(path, headers=second.headers).status_code == 200
    JobWorker(services).run_pending()
    clock.advance(days=20)
    expire(services)
    told = {"viewings", "corrections", "subject_parts"}
    assert {"network_claims", "network_links", "hit_sides", "subjects", *told} <= naming(services, filed)
    assert remove(beta, *filed) == len(filed)
    JobWorker(services).run_pending()  # what is left of networks is linked anew
    assert naming(services, filed) <= {"events", "deletions", "disputes", *told}
    clock.advance(days=366)
    expire(services)
    assert naming(services, filed) == {"events", "deletions", "disputes", "corrections"}  # nobody acknowledged these


def test_counts_follow_and_sums_stay(alpha: Desk, beta: Desk, cases: list[str], rows: Counted) -> None:
    """The pool is smaller for who asks; what was filed stays so in the ledger, and nobody owes an answer."""

    def counted(column: str) -> int:
        with beta.services.database.reading() as connection:
            return int(connection.execute(select(func.sum(LEDGER.c[column]))).scalar_one())

    accepted, decided = counted("accepted"), rows("decisions")
    assert counted("due") > counted("answered")
    remove(beta, *cases)
    with beta.services.database.reading() as connection:
        assert index.pool_sizes(connection, other_than=alpha.member.id) == {"person": 0}
        assert connection.execute(select(func.sum(POOL_COUNTS.c.subjects))).scalar_one() == 2
    assert (counted("accepted"), rows("decisions")) == (accepted, decided)
    assert counted("due") == counted("answered")


def test_a_proof_of_the_deletion_stays(beta: Desk, cases: list[str]) -> None:
    """By the filing's id, with a commitment that the event has, too; another salt each time."""
    remove(beta, *cases)
    with beta.services.database.reading() as connection:
        proofs = [deletions.of_filing(connection, beta.member.id, each) for each in cases]
        told = connection.execute(select(EVENTS).where(EVENTS.c.kind == "filing.removed")).mappings().all()
    assert all(proofs)
    found: list[Any] = [dict(each) for each in proofs if each]
    assert {each["cause"] for each in found} == {"expired"}
    assert found[0]["salt"] != found[1]["salt"]
    commitments = {each["filing_id"]: each["commitment"] for each in found}
    assert {each["subject_id"]: each["figures"]["commitment"] for each in told} == commitments


def test_who_files_it_again_files_a_new_one(alpha: Desk, beta: Desk, cases: list[str]) -> None:
    """Under another id, found by who holds it against the pool, with a hit of its own."""
    remove(beta, *cases)
    again = beta.file(filing("B-other-1", subject("bob"), record_class="claim"))
    assert (again["result"], again["hits"]) == ("created", 1)
    assert again["id"] not in cases
    assert len(alpha.hits()) == 1


def test_a_dry_run_under_way_forgets_it(beta: Desk, cases: list[str], rows: Counted) -> None:
    """What a batch that is only tried has met of it goes, too; of other records it stays."""
    batch = beta.upload(b"{}\n", query="?dry_run=true")["id"]
    with beta.services.database.writing() as connection:
        row = {"batch_id": batch, "content_digest": b"d", "row": 1}
        names = [("B-proven-1", "proven"), ("B-proven-1", "claim"), ("B-other-1", "claim")]
        tried = [row | {"reference": ref, "record_class": of, "row": place} for place, (ref, of) in enumerate(names)]
        connection.execute(DRY_RUN_FILINGS.insert(), tried)
    remove(beta, *cases)
    assert rows("dry_run_filings") == 1


def test_every_reference_to_what_is_removed_is_followed() -> None:
    """Rows that refer to a filing, a hit or a screening do so by its id alone."""
    roots = {"filings", "hits", "screenings"}
    for table in tables():
        for key in table.foreign_keys:
            if key.column.table.name in roots:
                assert key.column.name == "id"
                assert len(key.constraint.columns) == 1 if key.constraint is not None else True


def test_a_member_that_has_left_lost_nothing_of_others(alpha: Desk, beta: Desk, cases: list[str]) -> None:
    """Only what is of these filings goes: an own hit with a third record stays as it was."""
    alpha.file(filing("A-own-3", subject("cut"), record_class="claim"))
    beta.file(filing("B-third-1", subject("cut"), record_class="claim"))
    before = [each["id"] for each in alpha.hits() if each["own"]["reference"] == "A-own-3"]
    remove(beta, *cases)
    assert [each["id"] for each in alpha.hits()] == before


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_the_file_of_sqlite_has_no_byte_of_it(beta: Desk, alpha: Desk, cases: list[str]) -> None:
    """Free pages are overwritten, and the log is emptied: neither keys nor reference are in the files."""
    traces = Traces(beta.services, everything(beta))
    assert traces.in_files()
    remove(beta, *everything(beta))
    beta.services.database.settle()
    assert traces.in_files() == set()
