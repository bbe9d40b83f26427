"""Traces by OpenTelemetry, where the extra `otel` is installed and an endpoint is set; otherwise nothing (decision 12).

Spans are of requests, by route template, and of the parts of long work. They have the names, words and numbers that
are given here, and nothing else: no address, no header, no parameter, no message of an exception.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib import import_module
from typing import TYPE_CHECKING, Literal

import structlog

from repository import __version__

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
    from opentelemetry.trace import Span

STANDARD = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
"""The variables by which OpenTelemetry itself says where to; FRANKPLEDGE_OTEL_ENDPOINT comes before them."""
Attribute = Literal[
    "http.request.method",
    "http.route",
    "http.response.status_code",
    "error.type",
    "frankpledge.request_id",
    "frankpledge.batch",
    "frankpledge.job",
    "frankpledge.subjects",
    "frankpledge.candidates",
    "frankpledge.capped_keys",
    "frankpledge.rows",
]
Attributes = dict[Attribute, str | int]

_NOTHING: AbstractContextManager[None] = nullcontext()
_log = structlog.get_logger("frankpledge.tracing")


class _Traced:
    """What this process traces with; None: it does not."""

    provider: TracerProvider | None = None


def is_installed() -> bool:
    """Whether the extra `otel` is there."""
    try:
        for name in ("opentelemetry.exporter.otlp.proto.http.trace_exporter", "opentelemetry.sdk.trace.export"):
            import_module(name)
    except ModuleNotFoundError:
        return False
    return True


def configure(endpoint: str | None) -> None:
    """Trace from now on in this process, where an endpoint is set, here or by a variable of OpenTelemetry's own.

    After a fork: the thread that sends would not live through it.
    """
    if _Traced.provider is not None or not (endpoint or any(os.environ.get(name) for name in STANDARD)):
        return
    if not is_installed():
        _log.warning("traces are asked for, and the extra otel is not installed")
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 - an extra
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415 - an extra

    begin(BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{endpoint}/v1/traces") if endpoint else OTLPSpanExporter()))


def begin(processor: SpanProcessor) -> None:
    """Trace to a processor. The provider is not made the global one: what other libraries would trace stays out."""
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 - an extra
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 - an extra

    resource = Resource.create({"service.name": "frankpledge", "service.version": __version__})
    _Traced.provider = TracerProvider(resource=resource)
    _Traced.provider.add_span_processor(processor)


def end() -> None:
    """Send what is there, and trace no more."""
    if _Traced.provider is not None:
        _Traced.provider.shutdown()
        _Traced.provider = None


def span(name: str, attributes: Attributes | None = None, *, request: bool = False) -> AbstractContextManager[None]:
    """A part of the work, under that which is under way in this thread; `request`: as the server of one, at the top.

    `name` is a word of ours or a route template, never what was sent.
    """
    return _NOTHING if _Traced.provider is None else _span(_Traced.provider, name, attributes or {}, request=request)


def note(attribute: Attribute, value: str | int) -> None:
    """Add to the span that is under way."""
    if _Traced.provider is not None:
        from opentelemetry.trace import get_current_span  # noqa: PLC0415 - an extra

        get_current_span().set_attribute(attribute, value)


@contextmanager
def _span(provider: TracerProvider, name: str, attributes: Attributes, *, request: bool) -> Iterator[None]:
    from opentelemetry.context import Context  # noqa: PLC0415 - an extra
    from opentelemetry.trace import SpanKind, StatusCode  # noqa: PLC0415 - an extra

    found: Span
    with provider.get_tracer("frankpledge").start_as_current_span(
        name,
        context=Context() if request else None,
        kind=SpanKind.SERVER if request else SpanKind.INTERNAL,
        attributes={str(each): value for each, value in attributes.items()},
        record_exception=False,  # its message may hold a value
        set_status_on_exception=False,
    ) as found:
        try:
            yield
        except BaseException as error:
            found.set_status(StatusCode.ERROR)
            found.set_attribute("error.type", type(error).__qualname__)
            raise
