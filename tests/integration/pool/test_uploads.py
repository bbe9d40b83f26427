"""Uploads in pieces: what was sent counts once, a cut costs a piece at most, and the last piece queues the batch."""

from __future__ import annotations

import base64
import errno
import hashlib
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update

from repository.jobs import worker
from repository.jobs.worker import IntakeWorker
from repository.storage import batches
from repository.storage import uploads as stored_uploads
from repository.storage.batches import BATCHES
from repository.storage.spool import Spool
from repository.storage.uploads import UPLOADS
from tests.integration.pool.conftest import Counted, Desk
from tests.support.clock import FakeClock
from tests.support.columns import content
from tests.support.encodings import filing, ndjson, subject
from tests.support.expiring import expire

ROWS = [filing(f"P-{number}", subject(number, only=range(4))) for number in range(10)]
CONTENT = ndjson(ROWS)
HALF = len(CONTENT) // 2
PIECE = "application/offset+octet-stream"


def begin(desk: Desk, data: bytes = CONTENT, key: str = "big", *, status: int = 201, **changes: Any) -> Any:
    """Announce an upload."""
    body = {"length": len(data), "sha256": hashlib.sha256(data).hexdigest()} | changes
    answer = desk.client.post("/v1/uploads", json=body, headers=desk.member.headers | {"Idempotency-Key": key})
    assert answer.status_code == status, answer.get_json()
    return answer.get_json()


def send(desk: Desk, upload: Any, offset: int, data: bytes, *, status: int = 200, checksum: bytes | None = None) -> Any:
    """Send a piece; the answer."""
    digest = base64.b64encode(checksum or hashlib.sha256(data).digest()).decode()
    headers = {"Content-Type": PIECE, "Upload-Offset": str(offset), "Upload-Checksum": f"sha256 {digest}"}
    length = {"CONTENT_LENGTH": str(len(data))}
    path = f"/v1/uploads/{upload['id']}"
    answer = desk.client.patch(path, data=data, headers=desk.member.headers | headers, environ_overrides=length)
    assert answer.status_code == status, answer.get_json()
    return answer


def sealed(desk: Desk) -> list[Any]:
    """What lies in the spool."""
    return sorted((desk.services.settings.data_dir / "spool").glob("*.sealed"))


def test_pieces_become_one_batch(alpha: Desk, rows: Counted) -> None:
    """Two pieces; HEAD tells the offset; the last queues the batch, once, and every row lands."""
    upload = begin(alpha)
    assert send(alpha, upload, 0, CONTENT[:HALF]).get_json()["batch"] is None
    told = alpha.client.head(f"/v1/uploads/{upload['id']}", headers=alpha.member.headers)
    assert (told.headers["Upload-Offset"], told.headers["Upload-Length"]) == (str(HALF), str(len(CONTENT)))
    done = send(alpha, upload, HALF, CONTENT[HALF:]).get_json()
    assert send(alpha, upload, len(CONTENT), b"").get_json()["batch"] == done["batch"]
    assert begin(alpha, status=200)["batch"] == done["batch"]
    IntakeWorker(alpha.services).run_pending()
    assert alpha.get(f"/v1/batches/{done['batch']}")["rows"]["created"] == 10
    assert (rows("batches"), rows("filings"), sealed(alpha)) == (1, 10, [])


def test_parquet_comes_in_pieces_too(alpha: Desk) -> None:
    """Pieces that end anywhere."""
    data = content("parquet", ROWS)
    upload = begin(alpha, data, format="parquet")
    for start in range(0, len(data), 5000):
        answer = send(alpha, upload, start, data[start : start + 5000]).get_json()
    IntakeWorker(alpha.services).run_pending()
    done = alpha.get(f"/v1/batches/{answer['batch']}")
    assert (done["failure"], done["rows"]["created"]) == (None, 10)


def test_a_wrong_offset_is_told_the_right_one(alpha: Desk, beta: Desk) -> None:
    """409 with the offset; a piece sent twice is not there twice; another member's upload answers 404."""
    upload = begin(alpha)
    send(alpha, upload, 0, CONTENT[:HALF])
    for offset in (0, HALF + 1, len(CONTENT)):
        answer = send(alpha, upload, offset, CONTENT[HALF:], status=409)
        assert answer.headers["Upload-Offset"] == str(HALF)
    send(alpha, upload, HALF, CONTENT[HALF:] + b"x", status=413)
    send(beta, upload, HALF, CONTENT[HALF:], status=404)
    assert beta.get(f"/v1/uploads/{upload['id']}", status=404)
    assert send(alpha, upload, HALF, CONTENT[HALF:]).get_json()["batch"]


def test_a_checksum_that_does_not_match_keeps_nothing(alpha: Desk) -> None:
    """Of a piece: it is sent again. Of the whole: the upload is gone."""
    upload = begin(alpha)
    problem = send(alpha, upload, 0, CONTENT[:HALF], status=422, checksum=bytes(32)).get_json()
    assert problem["type"].endswith("/checksum")
    send(alpha, upload, 0, CONTENT[:HALF])
    send(alpha, upload, HALF, CONTENT[HALF:])
    other = begin(alpha, key="other", sha256="0" * 64)
    send(alpha, other, 0, CONTENT, status=422)
    assert alpha.get(f"/v1/uploads/{other['id']}", status=404)
    assert len(sealed(alpha)) == 1


def test_the_same_key_is_the_same_upload(alpha: Desk, rows: Counted) -> None:
    """Announced otherwise the key is refused; a batch of the same content under it is that batch."""
    first = begin(alpha)
    assert begin(alpha, status=200)["id"] == first["id"]
    begin(alpha, dry_run=True, status=422)
    known = alpha.upload(CONTENT, "big")
    assert send(alpha, first, 0, CONTENT).get_json()["batch"] == known["id"]
    assert (rows("batches"), len(sealed(alpha))) == (1, 1)


def test_a_full_disk_is_told_and_leaves_nothing_half(alpha: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """507; the batch is not there, the upload is as long as before, and goes on when there is room."""
    upload = begin(alpha)
    send(alpha, upload, 0, CONTENT[:HALF])
    before = [each.stat().st_size for each in sealed(alpha)]

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        assert send(alpha, upload, HALF, CONTENT[HALF:], status=507).headers["Retry-After"]
        assert alpha.upload(CONTENT, "small", status=507)["type"].endswith("/no-space")
    assert [each.stat().st_size for each in sealed(alpha)] == before
    assert alpha.get("/v1/batches")["items"] == []
    assert send(alpha, upload, HALF, CONTENT[HALF:]).get_json()["batch"]


def test_a_crash_before_a_piece_was_noted_costs_that_piece(alpha: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """What lies in the file behind the last piece that counts is written over."""
    upload = begin(alpha)
    send(alpha, upload, 0, CONTENT[:HALF])
    with sealed(alpha)[0].open("ab") as file:
        file.write(b"left behind by a crash")
    answer = send(alpha, upload, HALF, CONTENT[HALF:]).get_json()
    IntakeWorker(alpha.services).run_pending()
    assert alpha.get(f"/v1/batches/{answer['batch']}")["rows"]["created"] == 10


def test_unfinished_uploads_expire(alpha: Desk, clock: FakeClock, rows: Counted) -> None:
    """After their time they are gone with what came of them; until then no sweep takes them."""
    upload = begin(alpha)
    send(alpha, upload, 0, CONTENT[:HALF])
    os.utime(sealed(alpha)[0], (0, 0))
    IntakeWorker(alpha.services).run_pending()
    assert len(sealed(alpha)) == 1
    assert expire(alpha.services) == 0
    clock.advance(alpha.services.settings.upload_lifetime + timedelta(seconds=1))
    assert expire(alpha.services) == 1
    assert (sealed(alpha), rows("uploads")) == ([], 0)


@pytest.mark.parametrize("harm", ["lost", "cut off", "damaged"])
def test_an_upload_whose_content_is_not_whole_begins_anew(alpha: Desk, harm: str) -> None:
    """422 with the next piece or the last one; the same announcement is a new upload then."""
    upload = begin(alpha)
    send(alpha, upload, 0, CONTENT[:HALF])
    file = sealed(alpha)[0]
    content = file.read_bytes()
    if harm == "lost":
        file.unlink()
    else:
        file.write_bytes(content[:-1] if harm == "cut off" else content[:-1] + bytes([content[-1] ^ 1]))
    assert send(alpha, upload, HALF, CONTENT[HALF:], status=422).get_json()["type"].endswith("/checksum")
    alpha.get(f"/v1/uploads/{upload['id']}", status=404)
    assert sealed(alpha) == []
    assert send(alpha, begin(alpha), 0, CONTENT).get_json()["batch"]


def test_what_ran_out_is_not_there_though_nobody_swept(alpha: Desk, clock: FakeClock, rows: Counted) -> None:
    """404 for its pieces; the same announcement begins anew, and what came of it before is gone."""
    upload = begin(alpha)
    send(alpha, upload, 0, CONTENT[:HALF])
    with alpha.services.database.writing() as connection:
        connection.execute(update(UPLOADS).values(expires_at=clock()))
    send(alpha, upload, HALF, CONTENT[HALF:], status=404)
    anew = begin(alpha)
    assert (anew["offset"], rows("uploads"), sealed(alpha)) == (0, 1, [])
    assert send(alpha, anew, 0, CONTENT).get_json()["batch"]


def test_an_upload_that_is_removed_while_it_ends_queues_nothing(
    alpha: Desk, rows: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its sender is told that it is not there, and so it is."""
    upload = begin(alpha)
    add = batches.add

    def removed(connection: Any, row: Any) -> None:
        add(connection, row)
        stored_uploads.remove(connection, [upload["id"]])

    monkeypatch.setattr(batches, "add", removed)
    send(alpha, upload, 0, CONTENT, status=409)
    assert rows("batches") == 0


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_an_upload_that_ends_while_it_is_swept_keeps_its_content(alpha: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last piece comes between the look for what ran out and its end."""
    upload = begin(alpha)
    send(alpha, upload, 0, CONTENT[:HALF])
    later = replace(alpha.services, clock=lambda: alpha.services.clock() + timedelta(days=9))
    done, remove = [], stored_uploads.remove

    def last(*arguments: Any) -> Any:
        done.append(send(alpha, upload, HALF, CONTENT[HALF:]).get_json())
        return remove(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(stored_uploads, "remove", last)
        assert expire(later) == 1
    IntakeWorker(alpha.services).run_pending()
    assert alpha.get(f"/v1/batches/{done[0]['batch']}")["rows"]["created"] == 10


def failed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Any:
    """An upload whose batch failed by faults of the server; its content is kept."""
    done = send(desk, begin(desk), 0, CONTENT).get_json()
    with monkeypatch.context() as patch:
        patch.setattr(worker, "MAX_ATTEMPTS", 0)
        IntakeWorker(desk.services).run_pending()
    assert desk.get(f"/v1/batches/{done['batch']}")["failure"]["field"] == "(server)"
    return done


@pytest.mark.parametrize("again", ["announced", "asked"])
def test_a_failed_upload_goes_on_when_sent_again(
    alpha: Desk, again: str, rows: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where its content is kept it need not be sent: the same announcement, or an empty piece at the end, queues it."""
    done = failed(alpha, monkeypatch)
    for _ in range(2):
        if again == "announced":
            assert begin(alpha, status=200)["batch"] == done["batch"]
        else:
            send(alpha, done, len(CONTENT), b"")
    told = alpha.get(f"/v1/batches/{done['batch']}")
    assert (told["status"], told["failure"]) == ("queued", None)
    IntakeWorker(alpha.services).run_pending()
    assert alpha.get(f"/v1/batches/{done['batch']}")["rows"]["created"] == 10
    send(alpha, done, len(CONTENT), b"")
    assert (rows("batches"), sealed(alpha)) == (1, [])


def test_a_failed_upload_whose_content_is_gone_begins_anew(
    alpha: Desk, rows: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sent again under the same key it is the same batch, queued again; other content is not."""
    done = failed(alpha, monkeypatch)
    sealed(alpha)[0].unlink()
    send(alpha, done, len(CONTENT), b"")
    begin(alpha, CONTENT + b"\n", status=422)
    anew = begin(alpha)
    assert (anew["offset"], anew["batch"]) == (0, None)
    assert send(alpha, anew, 0, CONTENT).get_json()["batch"] == done["batch"]
    IntakeWorker(alpha.services).run_pending()
    assert alpha.get(f"/v1/batches/{done['batch']}")["rows"]["created"] == 10
    assert (rows("batches"), rows("uploads"), sealed(alpha)) == (1, 1, [])


def test_an_upload_may_be_given_up(alpha: Desk) -> None:
    """DELETE removes it and its content."""
    upload = begin(alpha)
    send(alpha, upload, 0, CONTENT[:HALF])
    answer = alpha.client.delete(f"/v1/uploads/{upload['id']}", headers=alpha.member.headers)
    assert (answer.status_code, sealed(alpha)) == (204, [])


def limited(desk: Desk, **limits: Any) -> Desk:
    """The desk under other limits."""
    object.__setattr__(desk.services, "settings", replace(desk.services.settings, **limits))
    return desk


def test_too_much_of_a_member_waits(alpha: Desk, beta: Desk) -> None:
    """429 with Retry-After, for batches and for bytes; the same key goes through; others are not held up."""
    limited(alpha, max_member_waiting_batches=1)
    alpha.upload(CONTENT)
    headers = alpha.member.headers | {"Content-Type": "application/x-ndjson", "Idempotency-Key": "key-2"}
    answer = alpha.client.post("/v1/batches", data=CONTENT, headers=headers)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "30")
    assert answer.get_json()["figures"] == {"batches_limit": 1, "batches": 1}
    alpha.upload(CONTENT)
    beta.upload(CONTENT)
    limited(alpha, max_member_waiting_batches=9, max_member_waiting_bytes=len(CONTENT) + 1)
    assert alpha.upload(CONTENT, "key-2", status=429)["figures"]["bytes_waiting"] == len(CONTENT)
    begin(alpha, status=429)
    IntakeWorker(alpha.services).run_pending()
    alpha.upload(CONTENT, "key-2")


def test_limits_bind_those_who_come_at_once(app: Flask, alpha: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three batches are looked at before any of them is there: one is taken, and of the others nothing stays."""
    limited(alpha, max_member_waiting_batches=1)
    together, write = threading.Barrier(3), Spool.write

    def at_once(self: Spool, *arguments: Any) -> Any:
        together.wait(30)
        return write(self, *arguments)

    def post(number: int) -> int:
        headers = alpha.member.headers | {"Content-Type": "application/x-ndjson", "Idempotency-Key": f"key-{number}"}
        return app.test_client().post("/v1/batches", data=CONTENT, headers=headers).status_code

    monkeypatch.setattr(Spool, "write", at_once)
    with ThreadPoolExecutor(3) as threads:
        assert sorted(threads.map(post, range(3))) == [202, 429, 429]
    assert len(sealed(alpha)) == 1


def test_uploads_count_as_the_batches_they_will_be(alpha: Desk, clock: FakeClock) -> None:
    """From their begin, to the batches and the bytes that wait and to the day; what ran out does not count."""
    limited(alpha, max_member_waiting_batches=2)
    begin(alpha, key="one")
    upload = begin(alpha, key="two")
    assert alpha.upload(CONTENT, status=429)["figures"] == {"batches_limit": 2, "batches": 2}
    begin(alpha, key="three", status=429)
    assert send(alpha, upload, 0, CONTENT).get_json()["batch"]
    limited(alpha, max_member_waiting_batches=9, max_member_daily_bytes=3 * len(CONTENT) - 1)
    assert begin(alpha, key="three", status=429)["figures"]["bytes_today"] == 2 * len(CONTENT)
    with alpha.services.database.writing() as connection:
        connection.execute(update(UPLOADS).values(expires_at=clock()))
    begin(alpha, key="three")


def test_an_upload_is_admitted_once_more_when_it_is_whole(alpha: Desk) -> None:
    """By then the day's rows may be used up: nothing of it is lost, and an empty piece asks again later."""
    limited(alpha, max_member_daily_rows=10)
    upload = begin(alpha)
    send(alpha, upload, 0, CONTENT[:HALF])
    alpha.batch(CONTENT)
    assert send(alpha, upload, HALF, CONTENT[HALF:], status=429).get_json()["type"].endswith("/daily-limit")
    assert alpha.get(f"/v1/uploads/{upload['id']}")["offset"] == len(CONTENT)
    limited(alpha, max_member_daily_rows=11)
    assert send(alpha, upload, len(CONTENT), b"").get_json()["batch"]


def test_a_failed_batch_is_queued_again_only_where_there_is_room(alpha: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """It waits like any other."""
    failed(alpha, monkeypatch)
    limited(alpha, max_member_waiting_batches=1)
    alpha.upload(CONTENT)
    begin(alpha, status=429)
    IntakeWorker(alpha.services).run_pending()
    begin(alpha, status=200)


def test_too_much_of_all_waits(alpha: Desk, beta: Desk) -> None:
    """503 for everyone, until some of it is taken in."""
    limited(alpha, max_waiting_batches=1)
    alpha.upload(CONTENT)
    assert beta.upload(CONTENT, status=503)["type"].endswith("/queue-full")
    IntakeWorker(alpha.services).run_pending()
    beta.upload(CONTENT)


def test_the_share_of_a_day_is_used_up(alpha: Desk, clock: FakeClock) -> None:
    """Bytes and rows a day, if the operator sets a limit; Retry-After is the next day's begin."""
    limited(alpha, max_member_daily_bytes=len(CONTENT))
    alpha.batch(CONTENT)
    assert alpha.upload(CONTENT, "key-2", status=429)["figures"]["bytes_today"] == len(CONTENT)
    limited(alpha, max_member_daily_bytes=0, max_member_daily_rows=10)
    assert alpha.upload(CONTENT, "key-2", status=429)["type"].endswith("/daily-limit")
    tomorrow = limited(alpha, max_member_daily_rows=11)
    assert tomorrow.batch(CONTENT, "key-2")["rows"]["unchanged"] == 10
    limited(alpha, max_member_daily_rows=20)
    with alpha.services.database.write() as session:
        session.execute(update(BATCHES).values(created_at=clock() - timedelta(days=1)))
    alpha.upload(CONTENT, "key-3")
