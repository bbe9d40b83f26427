"""The blueprints that make up /v1, in the order of the documentation."""

from __future__ import annotations

from repository.api import auth, batches, filings, health, hits, scheme, screenings, standing
from repository.api.base import Blueprint

BLUEPRINTS: tuple[Blueprint, ...] = (
    auth.blueprint,
    scheme.blueprint,
    filings.blueprint,
    batches.blueprint,
    screenings.blueprint,
    hits.blueprint,
    standing.blueprint,
    health.blueprint,
)
