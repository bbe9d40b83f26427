"""Where traces go, and what is known of work that breaks off."""

from __future__ import annotations

import json
import sys

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from repository import logs, tracing

CANARY = "Zebedee-Quartermaine-1961"


def test_what_breaks_off_in_the_work_is_known_by_its_kind() -> None:
    """The type of the exception, and not its message."""
    exporter = InMemorySpanExporter()
    tracing.begin(SimpleSpanProcessor(exporter))
    with pytest.raises(KeyError), tracing.span("chunk"):
        raise KeyError(CANARY)
    tracing.end()
    (span,) = exporter.get_finished_spans()
    assert dict(span.attributes or {}) == {"error.type": "KeyError"}
    assert span.events == ()
    assert CANARY not in span.to_json()


def test_an_endpoint_without_the_extra_is_said(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The service runs, and its log says why there are no traces."""
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace.export", None)
    logs.configure()
    tracing.configure("http://127.0.0.1:4318")
    line = json.loads(capsys.readouterr().err.splitlines()[-1])
    assert (line["level"], line["event"]) == ("warning", "traces are asked for, and the extra otel is not installed")
    assert tracing.span("look up") is tracing.span("answer")


def test_the_endpoint_is_that_of_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the path of the protocol; the standard variable alone does as well."""
    from opentelemetry.exporter.otlp.proto.http import trace_exporter

    asked: list[str | None] = []

    class Exporter(InMemorySpanExporter):
        def __init__(self, endpoint: str | None = None) -> None:
            super().__init__()
            asked.append(endpoint)

    monkeypatch.setattr(trace_exporter, "OTLPSpanExporter", Exporter)
    try:
        tracing.configure("http://127.0.0.1:4318")
        tracing.end()
        monkeypatch.setenv(tracing.STANDARD[1], "http://127.0.0.1:4319")
        tracing.configure(None)
    finally:
        tracing.end()
    assert asked == ["http://127.0.0.1:4318/v1/traces", None]
