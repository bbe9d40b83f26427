"""Traces: a request by its route template, the parts of its work, and no value of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from repository import tracing
from repository.jobs.worker import IntakeWorker
from repository.services import Services
from tests.integration.frame.conftest import CANARY
from tests.support.encodings import FINGERPRINT, filing, ndjson, question, subject
from tests.support.members import Admissions

pytestmark = pytest.mark.parametrize("store", ["sqlite"], indirect=True)

ATTRIBUTES = {
    *("http.request.method", "http.route", "http.response.status_code", "error.type"),
    *("frankpledge.request_id", "frankpledge.batch", "frankpledge.rows"),
    *("frankpledge.subjects", "frankpledge.candidates", "frankpledge.capped_keys"),
}


@pytest.fixture
def exporter() -> Iterator[InMemorySpanExporter]:
    """What would be sent."""
    made = InMemorySpanExporter()
    tracing.begin(SimpleSpanProcessor(made))
    yield made
    tracing.end()


def _text(spans: tuple[ReadableSpan, ...]) -> str:
    return "\n".join(span.to_json() for span in spans)


def test_a_screenings_spans_hold_nothing_that_was_sent(
    client: FlaskClient, member: Admissions, exporter: InMemorySpanExporter
) -> None:
    """Route template, counts, and the parts under it; no reference, key, token, header, query, address or SQL."""
    alpha, beta = member("Alpha"), member("Beta")
    for who, name in ((alpha, "zoe"), (beta, "ann")):
        assert client.post("/v1/filings", json=filing("F-1", subject(name)), headers=who.headers).status_code == 201
    exporter.clear()
    asked = question("ann", reference="REF-ZEBEDEE")
    sent = alpha.headers | {
        "User-Agent": CANARY,
        "traceparent": f"00-{'ab' * 16}-{'cd' * 8}-01",
        "tracestate": f"z={CANARY}",
    }
    answer = client.post(f"/v1/screenings?who={CANARY}", json=asked, headers=sent)
    assert answer.get_json()["answer"] == "enquire"
    spans = exporter.get_finished_spans()
    assert [span.name for span in spans] == ["look up", "compare and weigh", "answer", "POST /v1/screenings"]
    whole = spans[-1]
    assert whole.parent is None
    assert whole.attributes is not None
    assert whole.attributes["http.response.status_code"] == 200
    assert {span.parent.span_id for span in spans[:-1] if span.parent} == {whole.context.span_id}
    text = _text(spans)
    secrets = ["REF-ZEBEDEE", CANARY, alpha.access_token, alpha.id, FINGERPRINT, asked["purpose"], "SELECT", "ab" * 16]
    secrets += [asked["subject"]["keys"][start : start + 16] for start in range(0, 64, 16)]
    secrets += [str(answer.get_json()["hits"][0]["id"]), "Beta"]
    assert [secret for secret in secrets if secret in text] == []
    assert {name for span in spans for name in span.attributes or {}} <= ATTRIBUTES


def test_an_object_is_named_by_its_route(
    client: FlaskClient, member: Admissions, exporter: InMemorySpanExporter
) -> None:
    """Neither an id in an address nor an address that is served by nothing."""
    alpha = member("Alpha")
    exporter.clear()
    client.get(f"/v1/hits/{CANARY}", headers=alpha.headers)
    client.open(f"/v1/{CANARY}", method="BREW")
    spans = exporter.get_finished_spans()
    assert [span.name for span in spans if span.parent is None] == ["GET /v1/hits/<string:hit_id>", "(none) (none)"]
    assert CANARY not in _text(spans)


def test_a_fault_is_known_by_its_status(client: FlaskClient, exporter: InMemorySpanExporter) -> None:
    """No event with the exception, whose message may hold a value."""
    client.get("/probe/fault")
    (span,) = exporter.get_finished_spans()
    assert span.attributes is not None
    assert span.attributes["http.response.status_code"] == 500
    assert span.events == ()
    assert CANARY not in span.to_json()


def test_a_batch_is_a_trace_of_its_own(
    client: FlaskClient, services: Services, member: Admissions, exporter: InMemorySpanExporter
) -> None:
    """The worker's part: the batch by its id, its chunks, and the look-ups in them."""
    alpha = member("Alpha")
    sent = alpha.headers | {"Content-Type": "application/x-ndjson", "Idempotency-Key": CANARY}
    batch = client.post("/v1/batches", data=ndjson([filing("REF-ZEBEDEE", subject("ann"))]), headers=sent).get_json()
    exporter.clear()
    IntakeWorker(services).run_pending()
    spans = exporter.get_finished_spans()
    assert [span.name for span in spans] == ["look up", "compare and weigh", "chunk", "batch"]
    assert dict(spans[-1].attributes or {}) == {"frankpledge.batch": batch["id"]}
    assert {span.context.trace_id for span in spans} == {spans[-1].context.trace_id}
    assert not {"REF-ZEBEDEE", CANARY} & set(_text(spans).split('"'))


def test_nothing_is_traced_where_no_endpoint_is_set(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra alone does nothing, and a span costs next to nothing then."""
    for name in tracing.STANDARD:
        monkeypatch.delenv(name, raising=False)
    tracing.configure(None)
    assert tracing.span("look up") is tracing.span("answer")
    assert client.get("/livez").status_code == 200
