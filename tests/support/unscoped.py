"""Functions that ask members' tables for no member, and why they may."""

from __future__ import annotations

ALLOWED = {
    "services.migration.create_tables": "migrations are about everyone's rows",
    "storage.batches.errors": "of a batch that was found by its member",
    "storage.batches.forget_dry_run": "of a batch whose lease the worker holds",
    "storage.filings.sealed": "the pool: what others filed, told by tier only",
}
"""By module and function, from `repository.` on."""
