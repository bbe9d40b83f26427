"""The tables of the pool, for a test's template database."""

from __future__ import annotations

from repository.services import migration


def create_tables(url: str) -> None:
    """Create every table, by the migrations that an operator runs."""
    migration.upgrade(url)
