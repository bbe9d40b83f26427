"""Rulebooks for tests."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from repository.services import Services, rulebook_file

DEFAULT_RULEBOOK = rulebook_file.default()
"""The shipped one."""


def use_rules(services: Services, table: str, **entries: Any) -> None:
    """Make a rulebook current that differs from the present one in some entries of a table."""
    changed = replace(services.rulebook, **{table: replace(getattr(services.rulebook, table), **entries)})
    object.__setattr__(services, "rulebook", changed)
