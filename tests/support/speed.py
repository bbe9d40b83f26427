"""What a process of the service does once, and a run of the tests would do thousands of times: done once here, too."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from sqlalchemy import Engine
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.util import LRUCache
from werkzeug.routing import Rule

from repository.services import rulebook_file
from repository.storage import engine

PRAGMAS = engine._PRAGMAS
"""As the service has them."""
_TESTS = Path(__file__).parent.parent
_STORES = _TESTS / "integration" / "storage"
_ELSEWHERE = _TESTS / "property", _TESTS / "e2e"
_DURABLE, _QUICK = "PRAGMA synchronous = FULL", "PRAGMA synchronous = OFF"


def hurry(patch: pytest.MonkeyPatch) -> None:
    """Compile addresses and statements once, read a rulebook once, and wait for no disk: nothing is worth keeping."""
    patch.setattr(Rule, "_compile_builder", _compiled_once(Rule._compile_builder))
    for name in ("read", "read_stored"):
        patch.setattr(rulebook_file, name, lru_cache(maxsize=64)(getattr(rulebook_file, name)))
    _share_statements(patch)
    assert _DURABLE in PRAGMAS
    patch.setattr(engine, "_PRAGMAS", tuple(_QUICK if each == _DURABLE else each for each in PRAGMAS))


def _compiled_once(compile_builder: Callable[..., Any]) -> Callable[..., Any]:
    """What builds the address of a rule: one code for all rules of the same parts, which is else made for each."""
    known: dict[Any, Any] = {}

    def builder(rule: Rule, append_unknown: bool = True) -> Any:
        if rule.defaults:
            return compile_builder(rule, append_unknown)
        parts = (tuple(rule._trace), append_unknown)
        if parts not in known:
            known[parts] = compile_builder(rule, append_unknown)
        return known[parts]

    return builder


def _share_statements(patch: pytest.MonkeyPatch) -> None:
    """Have all engines of a kind know each other's compiled statements: each test has an engine, a service one."""
    made = sqlalchemy.create_engine
    known: LRUCache[Any, Any] = LRUCache(4000)

    def create(*arguments: Any, **options: Any) -> Engine:
        engine = made(*arguments, **options)
        engine._compiled_cache = known
        return engine

    patch.setattr(sqlalchemy, "create_engine", create)
    patch.setattr(DefaultDialect, "__eq__", lambda one, other: _kind(one) == _kind(other))
    patch.setattr(DefaultDialect, "__hash__", lambda one: hash(_kind(one)))


def _kind(dialect: Any) -> tuple[Any, ...]:
    """What a statement is compiled for: the store, its driver and how it writes JSON."""
    written = getattr(dialect, "_json_serializer", None), getattr(dialect, "_json_deserializer", None)
    return type(dialect), dialect.paramstyle, *written


@contextmanager
def traced(item: pytest.Item) -> Iterator[None]:
    """Have lines counted, unless other tests run the same: counting takes a third of a test's time.

    That are those of tests that run on SQLite too (but for storage's own), of Hypothesis, and of other processes.
    """
    parameters = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
    again = parameters.get("store") == "postgresql" and not item.path.is_relative_to(_STORES)
    again = again or any(item.path.is_relative_to(each) for each in _ELSEWHERE)
    counting = getattr(item.config.pluginmanager.getplugin("_cov"), "cov_controller", None)
    if counting is None or not again or item.get_closest_marker("no_cover"):
        yield
        return
    counting.pause()
    try:
        yield
    finally:
        counting.resume()
