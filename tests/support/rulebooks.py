"""Rulebooks for tests."""

from __future__ import annotations

import itertools
import json
import tomllib
from collections.abc import Iterator, Mapping
from copy import deepcopy
from datetime import date
from functools import lru_cache
from typing import Any

from repository.domain.rulebook import Rulebook
from repository.services import Services, rulebook_file
from repository.services.rulebooks import BEGINNING, OPERATOR
from repository.storage import rulebooks as storage

DEFAULT_RULEBOOK = rulebook_file.default()
"""The shipped one."""

Changes = Mapping[str, Mapping[str, Any]]
_numbers = itertools.count(1)


def use_rules(services: Services, table: str, **entries: Any) -> Rulebook:
    """Have a rulebook hold from today on that differs from the present one in some entries of a table.

    `table` may lie deeper: `tiers.claims`. Entries are as in the file: lists, and the words of bands.
    """
    return load_rules(services, {table: entries})


def load_rules(services: Services, changes: Changes, effective_from: date | None = None) -> Rulebook:
    """Load a rulebook as an operator would, by default for today; it differs from the present one in `changes`."""
    now = services.clock()
    present = services.rulebooks.on(now.date()).text
    text = changed_text(present, changes) if effective_from else _changed_once(present, json.dumps(changes))
    return services.rulebooks.load(text, effective_from or now.date(), now=now).rulebook


def rules_from_the_start(services: Services, changes: Changes) -> Rulebook:
    """Have a rulebook hold from before anything happened, which nobody could load: the shipped one, with `changes`."""
    text = _changed_once(rulebook_file.default_text(), json.dumps(changes))
    rulebook = rulebook_file.read(text)
    with services.database.writing() as connection:
        facts = {"effective_from": BEGINNING, "loaded_at": services.clock(), "loaded_by": OPERATOR}
        storage.put(connection, rulebook.digest, rulebook.version, text, **facts)
    services.rulebooks.refresh()
    return rulebook


def changed_text(text: str, changes: Changes, version: str | None = None) -> str:
    """A rulebook file with other entries by table ("" for those on top), and by default a version of its own."""
    raw = deepcopy(tomllib.loads(text))
    for name, entries in changes.items():
        table = raw
        for part in name.split(".") if name else ():
            table = table[part]
        table.update(entries)
    if "version" not in changes.get("", {}):
        raw["version"] = version or f"test.{next(_numbers)}"
    return "\n".join(_toml(raw)) + "\n"


@lru_cache(maxsize=256)
def _changed_once(text: str, changes: str) -> str:
    """The same change of the same file is the same file, in another test's pool, too: it is written and read once."""
    return changed_text(text, json.loads(changes))


def _toml(table: Mapping[str, Any], path: str = "") -> Iterator[str]:
    yield from (f"{name} = {_value(each)}" for name, each in table.items() if not isinstance(each, Mapping))
    for name, each in table.items():
        if isinstance(each, Mapping):
            below = f"{path}.{name}" if path else name
            yield f"[{below}]"
            yield from _toml(each, below)


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{name} = {_value(each)}" for name, each in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(each) for each in value) + "]"
    return json.dumps(value)
