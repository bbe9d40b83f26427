"""The tables of the pool, for a test's template database."""

from __future__ import annotations

import pkgutil
from importlib import import_module

import repository.storage
from repository.storage.base import Base
from repository.storage.engine import create_engine


def create_tables(url: str) -> None:
    """Create every table of repository.storage."""
    for module in pkgutil.iter_modules(repository.storage.__path__):
        import_module(f"repository.storage.{module.name}")
    engine = create_engine(url)
    Base.metadata.create_all(engine)
    engine.dispose()
