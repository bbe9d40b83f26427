"""Nothing that is sent gets into the log: every endpoint, every place a value can be put, and the errors."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError

from repository import logs
from repository.jobs import worker as working
from repository.jobs.worker import IntakeWorker
from repository.services import Services, filing, screening
from tests.integration.test_matrix import BODIES
from tests.support.encodings import filing as make_filing
from tests.support.encodings import ndjson, question, subject
from tests.support.members import PASSWORD, Admissions, TestMember

pytestmark = pytest.mark.parametrize("store", ["sqlite"], indirect=True)

MARK = "Zq7Mark"
"""Part of every value sent."""


@pytest.fixture(autouse=True)
def loudly(app: Flask) -> Iterator[None]:
    """With the level debug."""
    logs.configure("debug")
    yield
    logs.configure("info")


def _marked(value: Any) -> Any:
    """The same shape with a mark in every text, which makes most of them wrong."""
    if isinstance(value, dict):
        return {name: _marked(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_marked(each) for each in value]
    return f"{MARK}-{value}" if isinstance(value, str) else value


def _requests(app: Flask) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every method of every address, with marks in address, query, headers and body: good and bad ones."""
    headers = {
        name: f"{MARK}-{name}" for name in ("User-Agent", "X-Request-ID", "Referer", "Cookie", "Idempotency-Key")
    }
    ends = ("/v1/auth/revoke", "/v1/withdrawal")  # after which an actor is refused everything
    for rule in sorted(app.url_map.iter_rules(), key=lambda each: each.rule in ends):
        path = rule.rule
        for argument in rule.arguments:
            path = path.replace(f"<string:{argument}>", f"{MARK}-{argument}").replace(
                f"<{argument}>", f"{MARK}-{argument}"
            )
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            name = f"{method} {rule.rule.replace('<string:', '<')}"
            good = BODIES[name]({}).get("json") if name in BODIES else None
            query = f"?cursor={MARK}&limit=5&status={MARK}&{MARK}={MARK}"
            bodies: list[dict[str, Any]] = [{"json": _marked(good or {"name": "x"})}, {"data": f'{{"{MARK}": '}]
            if good:
                bodies.append({"json": good | {"reference": f"{MARK}-ref", MARK: MARK}})
            for body in bodies:
                yield method, path + query, {"headers": headers} | body
            yield method, f"{path}/{MARK}", {"headers": headers}
    yield "BREW", f"/{MARK}", {"headers": headers}
    yield "GET", f"/v1/screenings/{MARK}%00", {"headers": headers}


def test_no_endpoint_logs_what_it_was_sent(
    app: Flask, client: FlaskClient, member: Admissions, capfd: pytest.CaptureFixture[str]
) -> None:
    """As a member, as an operator and as nobody; each line is JSON with the id of its request."""
    alpha, operator = member("Alpha"), member.operator()
    actors: list[dict[str, str]] = [alpha.headers, operator.headers, {}, {"Authorization": f"Bearer {MARK}.a.b"}]
    capfd.readouterr()
    statuses = set()
    for method, path, options in _requests(app):
        for headers in actors:
            sent = options | {"headers": options["headers"] | headers}
            statuses.add(client.open(path, method=method, **sent).status_code)
    out, err = capfd.readouterr()
    assert {200, 401, 403, 404, 405, 422} <= statuses
    assert MARK.lower() not in (out + err).lower()
    lines = [json.loads(line) for line in err.splitlines()]
    assert len(lines) > 500
    assert all(line["request_id"] for line in lines)


def test_what_is_taken_in_is_not_logged(
    client: FlaskClient, services: Services, member: Admissions, capfd: pytest.CaptureFixture[str]
) -> None:
    """Log-ins, filings, hits, batches with good and bad rows: all that goes well, and what members are called."""
    capfd.readouterr()
    alpha, beta = member(f"{MARK} Mutual"), member(f"{MARK} Assurance")
    client.post("/v1/auth/token", json={"grant_type": "password", "username": f"{MARK}", "password": PASSWORD})
    for who in (alpha, beta):
        assert client.post("/v1/filings", json=_filing(), headers=who.headers).status_code == 201
    asked = client.post("/v1/screenings", json=question("ann", reference=f"{MARK}-Q"), headers=alpha.headers)
    assert asked.get_json()["answer"] == "enquire"
    batch = _upload(client, alpha)
    assert IntakeWorker(services).run_pending() == 1
    out, err = capfd.readouterr()
    assert MARK.lower() not in (out + err).lower()
    assert _filing()["subjects"][0]["keys"][:16] not in err
    lines = [json.loads(line) for line in err.splitlines()]
    (done,) = [line for line in lines if line["event"] == "batch"]
    assert (done["batch"], done["rows"]) == (batch, 3)


def test_a_worker_that_fails_names_the_batch_and_the_kind_of_error(
    client: FlaskClient,
    services: Services,
    member: Admissions,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each line of the worker carries the id of the batch it is at, and no message of an exception."""
    batch = _upload(client, member("Alpha"))

    def fails(*_: object) -> None:
        raise OperationalError(f"INSERT {MARK}", {"x": MARK}, RuntimeError(MARK))

    monkeypatch.setattr(working, "work_through", fails)
    capfd.readouterr()
    IntakeWorker(services).run_pending()
    out, err = capfd.readouterr()
    assert MARK not in out + err
    (line,) = [json.loads(line) for line in err.splitlines()]
    assert (line["event"], line["batch"], line["error"]) == ("attempt failed", batch, "OperationalError")


@pytest.mark.parametrize("place", ["filing", "screening"])
def test_a_fault_of_the_database_shows_no_value(
    place: str,
    client: FlaskClient,
    member: Admissions,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A failing statement is answered with 5xx, and its parameters are nowhere."""
    alpha = member("Alpha")

    def fails(*_: object, **__: object) -> None:
        raise OperationalError(f"INSERT {MARK}", {"x": MARK}, RuntimeError(MARK))

    monkeypatch.setattr(
        filing if place == "filing" else screening, "file_one" if place == "filing" else "screen", fails
    )
    capfd.readouterr()
    body = _filing() if place == "filing" else question("ann", reference=f"{MARK}-Q")
    answer = client.post(f"/v1/{place}s", json=body, headers=alpha.headers)
    assert answer.status_code >= 500
    out, err = capfd.readouterr()
    assert MARK not in out + err + answer.get_data(as_text=True)


def test_what_libraries_log_comes_without_its_values(capfd: pytest.CaptureFixture[str]) -> None:
    """The template, where, and the type of the error; of a message put together before, not even that."""
    capfd.readouterr()
    try:
        raise ValueError(MARK)
    except ValueError:
        logging.getLogger("some.library").exception("could not take %s", MARK)
    logging.getLogger("some.library").warning(f"could not take {MARK}")  # as libraries do
    logging.getLogger("some.library").info("%s", MARK)
    out, err = capfd.readouterr()
    assert MARK not in out + err
    first, second = [json.loads(line) for line in err.splitlines()]
    assert (first["level"], first["logger"], first["error"]) == ("error", "some.library", "ValueError")
    assert first["template"] == "could not take %s"
    assert "template" not in second


def _filing() -> dict[str, Any]:
    body: dict[str, Any] = make_filing(f"{MARK}-1", subject("ann"))
    return body


def _upload(client: FlaskClient, who: TestMember) -> str:
    rows = ndjson([make_filing(f"{MARK}-2", subject("ann")), {"ref": f"{MARK}-3", MARK: MARK}]) + f"{MARK}\n".encode()
    sent = who.headers | {"Content-Type": "application/x-ndjson", "Idempotency-Key": f"{MARK}-key"}
    answer = client.post("/v1/batches", data=rows, headers=sent)
    assert answer.status_code == 202, answer.get_json()
    batch: str = answer.get_json()["id"]
    return batch
