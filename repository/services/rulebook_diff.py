"""What changes from one rulebook to another: the entries, by their path in the file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Change:
    """An entry that two rulebooks have different values for; None where one of them has no such entry."""

    entry: str
    old: Any
    new: Any

    def as_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {"entry": self.entry, "old": self.old, "new": self.new}


def changed_entries(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """Every entry that differs, in the order of the file. The version is left out: it always differs."""
    before, after = dict(flat(old)), dict(flat(new))
    paths = [*before, *(path for path in after if path not in before)]
    return [
        Change(path, before.get(path), after.get(path))
        for path in paths
        if path != "version" and before.get(path) != after.get(path)
    ]


def flat(entries: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """Entries by path, such as ("tiers.claims.proven", 3); a list is one entry."""
    for name, value in entries.items():
        where = f"{path}.{name}" if path else name
        if isinstance(value, Mapping):
            yield from flat(value, where)
        else:
            yield where, value
