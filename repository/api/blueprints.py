"""The blueprints that make up /v1, in the order of the documentation."""

from __future__ import annotations

from repository.api import auth, health, scheme
from repository.api.base import Blueprint

BLUEPRINTS: tuple[Blueprint, ...] = (
    auth.blueprint,
    scheme.blueprint,
    health.blueprint,
)
