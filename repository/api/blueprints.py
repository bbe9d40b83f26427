"""The blueprints that make up /v1, in the order of the documentation."""

from __future__ import annotations

from repository.api import (
    appeals,
    applications,
    auth,
    batches,
    decisions,
    disputes,
    filings,
    health,
    hits,
    hot_keys,
    keys,
    membership,
    outcomes,
    proofs,
    rescreens,
    rulebook,
    scheme,
    screenings,
    standing,
    uploads,
    webhooks,
)
from repository.api.base import Blueprint

BLUEPRINTS: tuple[Blueprint, ...] = (
    auth.blueprint,
    scheme.blueprint,
    rulebook.blueprint,
    filings.blueprint,
    proofs.blueprint,
    batches.blueprint,
    uploads.blueprint,
    screenings.blueprint,
    rescreens.blueprint,
    hits.blueprint,
    outcomes.blueprint,
    disputes.blueprint,
    webhooks.blueprint,
    keys.blueprint,
    standing.blueprint,
    decisions.blueprint,
    membership.blueprint,
    appeals.blueprint,
    applications.blueprint,
    hot_keys.blueprint,
    health.blueprint,
)
