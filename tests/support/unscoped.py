"""Functions that ask members' tables for no member, and why they may."""

from __future__ import annotations

_FOUND = "of something that was found by its member in the same request"
_WORKER = "the worker's own: of a batch or an upload whose lease or spool it holds"
_SWEEP = "the worker's own: of everyone's rows whose time is over"
_OPERATOR = "the operator's, who sees every member's"

ALLOWED = {
    "services.migration.create_tables": "migrations are about everyone's rows",
    "services.appeals.decide": _OPERATOR,
    "services.appeals.enter": _FOUND,
    "services.appeals.find": "by its id, and told to the operator or its own member only",
    "services.appeals.listed": _OPERATOR,
    "services.applications.decide": _OPERATOR,
    "services.applications.enter": "of an applicant, who is no member yet",
    "services.applications.find": _OPERATOR,
    "services.applications.listed": _OPERATOR,
    "services.operations.queue": _OPERATOR,
    "storage.batches.errors": _FOUND,
    "storage.batches.forget_dry_run": _WORKER,
    "storage.batches.needed_in": _WORKER,
    "storage.batches.waiting": "how much waits, of all members, against the limit for all",
    "storage.credited.same_subjects": "by digests that each member's id goes into",
    "storage.decisions.find": _OPERATOR,
    "storage.disputes.one": "by its id, and told to who raised it, whom it is against, and the operator only",
    "storage.disputes.references": "of filings whose dispute was found by one of its two members",
    "storage.disputes.save": "of a dispute that was found in the same transaction",
    "storage.expiry.in_cases": _SWEEP,
    "storage.expiry.remove": _SWEEP,
    "storage.filings.kinds_and_roles": _FOUND,
    "storage.filings.on_proof": "of a proof that was found by its member",
    "storage.filings.sealed": "the pool: what others filed, told by tier only",
    "storage.filings.versions": "of filings that a screening has seen: whether they are still as seen, told to nobody",
    "storage.ledger.corroborated": "everyone's sums, of which the medians of others are told",
    "storage.leases.advance": _WORKER,
    "storage.leases.cancel": _FOUND,
    "storage.leases.claim": _WORKER,
    "storage.leases.let_go": _WORKER,
    "storage.leases.release": _WORKER,
    "storage.membership._cases": _OPERATOR,
    "storage.proofs.approve": _FOUND,
    "storage.proofs.withdraw": _FOUND,
    "storage.screenings.erase": _SWEEP,
    "storage.screenings.expired": _SWEEP,
    "storage.standings.bodies": _OPERATOR,
    "storage.uploads.advance": _FOUND,
    "storage.uploads.expired": _SWEEP,
    "storage.uploads.remove": _FOUND,
    "storage.uploads.unfinished": _WORKER,
    "storage.uploads.waiting": "how much is announced, of all members, against the limit for all",
}
"""By module and function, from `repository.` on."""
