"""Epochs of the linkage key: two are accepted for a while, books are filed again, and nothing is lost or doubled."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from repository.jobs.running import JobWorker
from repository.services import epochs
from repository.services.operator import accept_fingerprint, retire_fingerprint
from repository.storage.events import EVENTS
from repository.storage.filings import SUBJECTS
from repository.storage.index import KEY_INDEX, POOL_COUNTS
from repository.storage.screenings import SCREENINGS
from tests.integration.pool.conftest import Desk
from tests.support.clock import FakeClock
from tests.support.contents import index_faults
from tests.support.encodings import FINGERPRINT, SCHEMA, filing, question, subject

OLD, NEW = FINGERPRINT, "fedcba9876543210"
OVERLAP = timedelta(minutes=5)


def under_new(reference: str, who: str, **changes: Any) -> dict[str, Any]:
    """A filing about somebody under the new key, under which nobody has a key that it had before."""
    return filing(reference, subject(f"{who} in the new epoch"), fingerprint=NEW, **changes)


def asked_under_new(who: str, **changes: Any) -> dict[str, Any]:
    """A question about somebody under the new key."""
    return question(f"{who} in the new epoch", fingerprint=NEW, **changes)


def follow(desk: Desk) -> None:
    """The operator accepts the new key, and the old one for the overlap only."""
    now = desk.services.clock()
    with desk.services.database.write() as session:
        assert accept_fingerprint(session, SCHEMA.id, NEW, now=now, epoch=2)
        assert retire_fingerprint(session, SCHEMA.id, OLD, at=now + OVERLAP, now=now)


def hits_of(desk: Desk) -> list[tuple[str, str]]:
    """Id and own reference of the hits that a member sees."""
    return [(each["id"], each["own"]["reference"]) for each in desk.get("/v1/hits")["items"]]


def under(desk: Desk) -> dict[str, tuple[bool, int]]:
    """By key whether it is accepted, and how many own filings are under it."""
    found = desk.get("/v1/keys/epochs")["items"]
    return {each["fingerprint"]: (each["accepted"], each["filings"]) for each in found}


def rows(desk: Desk) -> tuple[int, int, int]:
    """Index rows, subjects with an encoding, and subjects that are counted."""
    with desk.services.database.read() as session:
        return (
            session.scalar(select(func.count()).select_from(KEY_INDEX)) or 0,
            session.scalar(select(func.count()).where(func.length(SUBJECTS.c.envelope) > 0)) or 0,
            session.scalar(select(func.coalesce(func.sum(POOL_COUNTS.c.subjects), 0))) or 0,
        )


def test_a_book_is_filed_again_and_every_hit_is_there_once(alpha: Desk, beta: Desk, clock: FakeClock) -> None:
    """A hit stands while only one side is under the new key, and is the same hit once both are."""
    for desk, reference in ((alpha, "A-1"), (beta, "B-1")):
        desk.file(filing(reference, subject("ann")))
    before = hits_of(alpha), hits_of(beta)
    assert len(before[0]) == len(before[1]) == 1
    follow(alpha)
    again = alpha.file(under_new("A-1", "ann"))
    assert (again["result"], again["version"]) == ("new_version", 2)
    assert (hits_of(alpha), hits_of(beta)) == before
    assert under(alpha) == {OLD: (True, 0), NEW: (True, 1)}
    assert under(beta) == {OLD: (True, 1), NEW: (True, 0)}
    beta.file(under_new("B-1", "ann"))
    assert (hits_of(alpha), hits_of(beta)) == before
    assert rows(alpha)[1:] == (2, 2)
    assert index_faults(alpha.services) == (0, 0)


def test_each_question_finds_what_is_under_its_key(alpha: Desk, beta: Desk) -> None:
    """During the overlap the old key finds what was not filed again, the new one what was."""
    alpha.file(filing("A-1"))
    beta.batch([filing("B-1", subject("ann")), filing("B-2", subject("bob"))])
    follow(alpha)
    beta.file(under_new("B-1", "ann"))
    answers = [
        alpha.screen(question("ann", reference="Q-1"))["answer"],
        alpha.screen(question("bob", reference="Q-2"))["answer"],
        alpha.screen(asked_under_new("ann", reference="Q-3"))["answer"],
        alpha.screen(asked_under_new("bob", reference="Q-4"))["answer"],
    ]
    assert answers == ["clear", "enquire", "enquire", "clear"]


def test_a_hit_of_a_screening_outlives_the_epoch(alpha: Desk, beta: Desk) -> None:
    """What a question found under the old key is there still when the record is under the new one."""
    alpha.file(filing("A-1"))
    beta.file(filing("B-1", subject("ann")))
    hit = alpha.screen(question("ann"))["hits"][0]["id"]
    follow(alpha)
    beta.file(under_new("B-1", "ann"))
    assert [each for each, _ in hits_of(alpha)] == [hit]
    assert alpha.get(f"/v1/hits/{hit}")["id"] == hit


def test_looking_again_leaves_hits_across_epochs(alpha: Desk, beta: Desk) -> None:
    """A rescreen takes no hit away of which no comparison says anything."""
    alpha.file(filing("A-1", subject("ann")))
    beta.file(filing("B-1", subject("ann")))
    follow(alpha)
    alpha.file(under_new("A-1", "ann"))
    before = hits_of(beta)
    answer = beta.client.post("/v1/rescreens", json={}, headers=beta.member.headers)
    assert answer.status_code == 202
    JobWorker(beta.services).run_pending()
    assert hits_of(beta) == before
    assert len(before) == 1


def test_after_the_overlap_the_old_key_is_refused(alpha: Desk, beta: Desk, clock: FakeClock) -> None:
    """Filings and questions under it are another key's then, one by one and in a batch; the new one's are taken."""
    alpha.file(filing("A-1", subject("ann")))
    follow(alpha)
    clock.advance(OVERLAP - timedelta(seconds=1))
    alpha.file(filing("A-2", subject("bob")))
    clock.advance(seconds=1)
    assert alpha.file(filing("A-3"), status=422)["type"].endswith("/another-key")
    assert alpha.screen(question("ann"), status=422)["type"].endswith("/another-key")
    done = alpha.batch([filing("A-4"), under_new("A-1", "ann")])
    assert (done["rows"]["rejected"], done["rows"]["new_version"]) == (1, 1)
    (known,) = alpha.client.get("/v1/scheme").get_json()["schemas"]
    assert known["fingerprints"] == [NEW]
    assert under(alpha) == {OLD: (False, 1), NEW: (True, 1)}


def test_what_is_under_a_key_that_is_over_is_erased_and_comes_back(
    alpha: Desk, beta: Desk, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Encodings go, filings stay; cut off it goes on; filed again they are found, and counted once."""
    monkeypatch.setattr(epochs, "AT_ONCE", 1)
    alpha.file(filing("A-1", subject("ann")))
    beta.batch([filing("B-1", subject("ann")), filing("B-2", subject("bob"))])
    alpha.screen(question("cut"))
    with_old = rows(alpha)
    hit = hits_of(alpha)
    follow(alpha)
    alpha.file(under_new("A-1", "ann"))
    with pytest.raises(epochs.StillAcceptedError):
        next(epochs.erase(alpha.services, (SCHEMA.id, OLD)))
    clock.advance(OVERLAP)
    cut_off = epochs.erase(alpha.services, (SCHEMA.id, OLD))
    assert next(cut_off) == {"subjects": 1, "screenings": 1}
    cut_off.close()
    assert [dict(each) for each in epochs.erase(alpha.services, (SCHEMA.id, OLD))] == [{"subjects": 1}]
    assert list(epochs.erase(alpha.services, (SCHEMA.id, OLD))) == []
    assert rows(alpha) == (with_old[0] // 3, 1, 1)
    with alpha.services.database.read() as session:
        assert not any(map(len, session.scalars(select(SCREENINGS.c.envelope))))
        told = select(EVENTS.c.member_id).where(EVENTS.c.kind == "key.encodings_erased")
        assert set(session.scalars(told)) == {beta.member.id}
    assert under(beta)[OLD] == (False, 2)
    beta.client.post("/v1/rescreens", json={}, headers=beta.member.headers)
    JobWorker(beta.services).run_pending()
    assert hits_of(alpha) == hit
    done = beta.batch([under_new("B-1", "ann"), under_new("B-2", "bob")], key="again")
    assert done["rows"]["new_version"] == 2
    assert hits_of(alpha) == hit
    assert rows(alpha) == with_old
    assert index_faults(alpha.services) == (0, 0)


def test_an_erased_book_comes_back_under_its_own_key_too(alpha: Desk, beta: Desk) -> None:
    """An operator that erased too early accepts the key again: the same content is then not taken for unchanged."""
    beta.file(filing("B-1", subject("ann")))
    now = alpha.services.clock()
    with alpha.services.database.write() as session:
        assert retire_fingerprint(session, SCHEMA.id, OLD, at=now, now=now)
    assert sum((each["subjects"] for each in epochs.erase(alpha.services, (SCHEMA.id, OLD))), 0) == 1
    with alpha.services.database.write() as session:
        assert accept_fingerprint(session, SCHEMA.id, OLD, now=now)
    assert beta.file(filing("B-1", subject("ann")))["result"] == "new_version"
    assert index_faults(alpha.services) == (0, 0)
    assert rows(alpha)[1:] == (1, 1)
