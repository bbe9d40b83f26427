"""Logs as JSON lines on standard error. Callers log names, counts and ids, never what was sent.

What libraries log comes in the same form, from the level warning on: who logs, where, the template of the message and
the type of an error. The rest of the message stays out: it may hold anything.
"""

from __future__ import annotations

import logging
import sys

import orjson
import structlog

_libraries = structlog.get_logger("frankpledge.library")


def configure(level: str = "info") -> None:
    """Set up structlog, and have what other libraries log go through it."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(orjson.dumps, option=orjson.OPT_SORT_KEYS, default=str),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=lambda *_: structlog.BytesLogger(sys.stderr.buffer),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    if not any(isinstance(each, _Bridge) for each in root.handlers):
        root.addHandler(_Bridge(logging.WARNING))


class _Bridge(logging.Handler):
    """Passes records of the standard library's logging on, without the values in them."""

    def emit(self, record: logging.LogRecord) -> None:
        """One line. A message without arguments may have been put together before, and is left out."""
        told = {"logger": record.name, "at": f"{record.module}:{record.lineno}"}
        if record.args:
            told["template"] = str(record.msg)
        if record.exc_info and record.exc_info[0]:
            told["error"] = record.exc_info[0].__qualname__
        _libraries.log(min(record.levelno, logging.ERROR), "library", **told)
