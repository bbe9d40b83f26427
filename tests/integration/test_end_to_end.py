"""The pool through HTTP, from an empty database to an explained hit."""

from __future__ import annotations

from flask.testing import FlaskClient

from repository.jobs.worker import IntakeWorker
from repository.services import Services
from tests.support.encodings import filing, ndjson, question, subject
from tests.support.members import Admissions


def test_file_batch_screen_and_hits(client: FlaskClient, services: Services, member: Admissions) -> None:
    """One member files a claim, another a batch with the same person: both see the hit, and a screening finds it."""
    alpha, beta = member("Alpha"), member("Beta")
    sent = client.post("/v1/filings", json=filing("A-1", subject("ann"), record_class="claim"), headers=alpha.headers)
    assert sent.status_code == 201, sent.get_json()
    assert sent.get_json()["result"] == "created"
    headers = beta.headers | {"Content-Type": "application/x-ndjson", "Idempotency-Key": "k-1"}
    rows = [filing("B-1", subject("ann"), record_class="claim"), filing("B-2", subject("bob"))]
    sent = client.post("/v1/batches", data=ndjson(rows), headers=headers)
    assert sent.status_code == 202, sent.get_json()
    assert IntakeWorker(services).run_pending() == 1
    batch = client.get(sent.headers["Location"], headers=beta.headers).get_json()
    assert batch["status"] == "done"
    assert batch["rows"] == {"read": 2, "created": 2, "new_version": 0, "unchanged": 0, "rejected": 0}
    assert batch["hits"] == 1
    for one, other in ((alpha, beta), (beta, alpha)):
        (hit,) = client.get("/v1/hits", headers=one.headers).get_json()["items"]
        assert (hit["tier"], hit["band"], hit["class"]) == (3, "strong", "claim")
        assert hit["contributor"] == other.name
        assert round(sum(row["weight"] for row in hit["explanation"]), 1) == hit["weight"]
    asked = client.post("/v1/screenings", json=question("ann"), headers=beta.headers)
    assert asked.status_code == 200, asked.get_json()
    answer = asked.get_json()
    assert answer["answer"] == "enquire"
    assert [hit["contributor"] for hit in answer["hits"]] == ["Alpha"]
    standing = client.get("/v1/standing", headers=beta.headers).get_json()
    assert [line["may_screen"] for line in standing["lines"]] == [True]
