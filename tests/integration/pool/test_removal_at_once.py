"""What others do at the very moment at which a record is removed: on PostgreSQL, where more than one writes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text, update

from repository.domain.jobs import JobKind
from repository.domain.removal import Cause
from repository.jobs.running import JobWorker
from repository.services import Services, removal, retention
from repository.services.removal import Why
from repository.storage import casework as cases
from repository.storage import dialect
from repository.storage.casework import CASES
from repository.storage.filings import FILINGS
from repository.storage.hits import HITS
from repository.storage.retention import RENEWALS
from tests.integration.pool.conftest import Counted, Desk
from tests.support.encodings import filing, question, subject
from tests.support.proofs import colleague

pytestmark = pytest.mark.parametrize("store", ["postgresql"], indirect=True)


@contextmanager
def meanwhile(services: Services, act: Callable[[], Any]) -> Iterator[Future[Any]]:
    """Something that another begins now, given once it waits for a lock, or is done."""
    with ThreadPoolExecutor(1) as thread:
        future = thread.submit(act)
        waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
        for _ in range(200):
            with services.database.reading() as connection:
                if future.done() or connection.execute(waiting).scalar_one():
                    break
            time.sleep(0.02)
        yield future


def suspect(alpha: Desk, beta: Desk, who: str) -> tuple[str, str]:
    """A suspect of beta's whom alpha has found: the filing, and alpha's hit."""
    filed = beta.file(filing(f"B-{who}", subject(who), record_class="suspected"))["id"]
    return filed, alpha.screen(question(who, reference=f"Q-{who}"))["hits"][0]["id"]


def posted(desk: Desk, path: str, body: dict[str, Any]) -> int:
    """The status of a request that another makes."""
    client = desk.client.application.test_client()
    return client.post(path, json=body, headers=desk.member.headers).status_code


def test_work_on_what_is_removed_at_that_moment_is_a_conflict(alpha: Desk, beta: Desk) -> None:
    """Answering a hit; who notes on its case, or renews the suspicion, waits and finds none. Nobody is at fault."""
    alpha.file(filing("A-1"))
    for what in ("answer", "note", "renew"):
        filed, hit = suspect(alpha, beta, what)
        [case] = alpha.get("/v1/cases")["items"]
        path, body = {
            "answer": (f"/v1/hits/{hit}/outcome", {"outcome": "same_subject"}),
            "note": (f"/v1/cases/{case['id']}/notes", {"text": "Seen before."}),
            "renew": (f"/v1/filings/{filed}/renewal", {"reason": "new_evidence"}),
        }[what]
        desk, services = (beta if what == "renew" else alpha), alpha.services

        def act(desk: Desk = desk, path: str = path, body: dict[str, Any] = body) -> int:
            return posted(desk, path, body)

        with services.database.writing() as connection:
            removal.remove(services, connection, [filed], Why(Cause.EXPIRED, services.clock()))
            with meanwhile(services, act) as future:
                assert not future.done(), what
                connection.commit()
                assert future.result() == (409 if what == "answer" else 404), what
        assert posted(desk, path, body) == 404, what


def test_what_is_renewed_at_that_moment_is_not_over(alpha: Desk, rows: Counted) -> None:
    """Nor what is filed anew or named: the job looks once they are through who it waits for."""
    services = alpha.services
    filed = alpha.file(filing("S-1", record_class="suspected"))["id"]
    at = services.clock() - timedelta(days=370)
    with services.database.writing() as connection:
        connection.execute(update(FILINGS).where(FILINGS.c.id == filed).values(created_at=at, filed_at=at))

    def act() -> int:
        over = retention.queue(services)
        JobWorker(services, [JobKind.RETENTION]).run_pending()
        return over

    with services.database.writing() as connection:
        dialect.lock_pool(connection)
        row = {"filing_id": filed, "renewed_on": services.clock().date(), "reason": "new_evidence"}
        row |= {"note_reference": None, "at": services.clock(), "actor_id": alpha.member.client_id}
        connection.execute(RENEWALS.insert(), [row])
        with meanwhile(services, act) as future:
            connection.commit()
            assert future.result() == 1
    assert (rows("filings"), rows("deletions")) == (1, 0)


def test_assigning_many_waits_for_who_puts_hits_into_cases(alpha: Desk, beta: Desk) -> None:
    """Who does that changes cases in an order of its own: neither waits for the other's rows."""
    alpha.file(filing("A-1"))
    for who in ("ann", "bob"):
        suspect(alpha, beta, who)
    found = sorted((each["id"], each["version"]) for each in alpha.get("/v1/cases")["items"])
    person = colleague(alpha.client, alpha.services, alpha.member)
    body = {"assignee": person.client_id, "cases": [{"id": each, "version": version} for each, version in found]}
    with alpha.services.database.writing() as connection:
        cases.lock(connection, alpha.member.id)
        changed = [update(CASES).where(CASES.c.id == each).values(version=version + 1) for each, version in found]
        connection.execute(changed[1])
        with meanwhile(alpha.services, lambda: posted(alpha, "/v1/cases/assignments", body)) as future:
            connection.execute(changed[0])
            connection.commit()
            assert future.result() == 200


def test_removing_waits_for_who_puts_hits_into_cases(alpha: Desk, beta: Desk) -> None:
    """The case first, and then the hit: whoever removes both takes neither before."""
    alpha.file(filing("A-1"))
    filed, hit = suspect(alpha, beta, "ann")
    alpha.get("/v1/cases")
    services = alpha.services

    def act() -> int:
        with services.database.writing() as connection:
            return len(removal.remove(services, connection, [filed], Why(Cause.EXPIRED, services.clock())))

    with services.database.writing() as connection:
        cases.lock(connection, alpha.member.id)
        connection.execute(update(CASES).values(version=CASES.c.version + 1))
        with meanwhile(services, act) as future:
            of_hit = select(HITS.c.id).where(HITS.c.id == hit).with_for_update(read=True, key_share=True)
            assert connection.execute(of_hit).scalar_one() == hit
            connection.commit()
            assert future.result() == 1
    with services.database.reading() as connection:
        assert connection.execute(select(func.count()).select_from(CASES)).scalar_one() == 0
