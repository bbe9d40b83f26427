"""Every endpoint, for every role, over own objects, those of others, and those of members that left.

One table says what each answers; another member's object is not told from one that was never there.
"""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
from argon2 import PasswordHasher
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from app import create_app
from matching.wire import subject_to_json
from repository.api.base import EXTENSION
from repository.domain import ids
from repository.domain.ids import Prefix
from repository.domain.members import MemberStatus
from repository.domain.rulebook import SubscriberClass
from repository.jobs.worker import IntakeWorker
from repository.services import Services, authentication, corrections, grants
from repository.services.lifecycle import Act
from repository.services.onboarding import change_status
from repository.services.operator import accept_fingerprint, remember_secret
from repository.services.signing import create_signing_key
from repository.settings import Settings, read_operator_secret, write_private_file
from repository.storage.decisions import DECISIONS
from repository.storage.members import MemberRow
from tests.integration.test_every_read_is_entitled import endpoints
from tests.support.clock import FakeClock
from tests.support.encodings import FINGERPRINT, filing, ndjson, question, subject
from tests.support.members import ALL_ROLES, PASSWORD, Admissions, TestMember
from tests.support.proofs import colleague, proof
from tests.support.stores import SqliteStores

ACTORS = (*ALL_ROLES, "operator", "auditor", "nobody", "suspended", "withdrawn", "subscriber")
"""The four roles of one member, who acts outside of members, who has no token, and all roles of three other members."""
MATRIX = """
                                                 scr con inv adm ope aud nob sus wit sub
GET /metrics                                     403 403 403 403 200 200 401 403 403 403
GET /v1/admin/hot-keys                           403 403 403 403 200 200 401 403 403 403
GET /v1/alerts                                   200 200 200 200 403 403 401 200 403 200
GET /v1/alerts/digest                            200 200 200 200 403 403 401 200 403 200
PUT /v1/alerts/digest                            403 403 403 200 403 403 401 200 403 200
DELETE /v1/alerts/digest                         403 403 403 404 403 403 401 404 403 404
POST /v1/alerts/read                             204 204 204 204 403 403 401 204 403 204
POST /v1/alerts/<alert_id>/acknowledgement       404 404 404 404 403 403 401 404 403 404
POST /v1/alerts/<alert_id>/snooze                404 404 404 404 403 403 401 404 403 404
GET /v1/appeals                                  403 403 403 200 200 403 401 200 403 200
POST /v1/appeals                                 403 403 403 201 404 403 401 201 403 201
GET /v1/appeals/<appeal_id>                      403 403 403 200 200 403 401 200 403 404
POST /v1/appeals/<appeal_id>/decision            403 403 403 403 200 403 401 403 403 403
GET /v1/applications                             403 403 403 403 200 403 401 403 403 403
POST /v1/applications                            403 403 403 403 201 403 401 403 403 403
GET /v1/applications/<application_id>            403 403 403 403 200 403 401 403 403 403
POST /v1/applications/<application_id>/decision  403 403 403 403 200 403 401 403 403 403
POST /v1/attestations                            403 403 403 201 403 403 401 201 403 201
POST /v1/auth/refresh                            401 401 401 401 401 401 401 401 401 401
POST /v1/auth/revoke                             204 204 204 204 204 204 401 204 204 204
POST /v1/back-book                               403 403 403 409 403 403 401 409 403 409
GET /v1/batches                                  403 200 403 200 403 403 401 200 403 200
POST /v1/batches                                 403 202 403 403 403 403 401 202 403 202
GET /v1/batches/<batch_id>                       403 200 403 200 403 403 401 200 403 404
POST /v1/batches/<batch_id>/cancel               403 200 403 403 403 403 401 200 403 404
GET /v1/cases                                    200 403 200 200 403 403 401 403 403 200
POST /v1/cases/search                            200 403 200 200 403 403 401 403 403 200
POST /v1/cases/next                              403 403 200 403 403 403 401 403 403 200
POST /v1/cases/assignments                       403 403 403 409 403 403 401 409 403 409
GET /v1/cases/<case_id>                          200 403 200 200 403 403 401 403 403 404
GET /v1/cases/<case_id>/networks                 403 403 200 200 403 403 401 403 403 404
GET /v1/networks                                 403 403 200 200 403 403 401 403 403 200
GET /v1/networks/<network_id>                    403 403 404 404 403 403 401 403 403 404
POST /v1/cases/<case_id>/moves                   403 403 200 409 403 403 401 200 403 404
POST /v1/cases/<case_id>/notes                   403 403 201 201 403 403 401 201 403 404
POST /v1/cases/<case_id>/finding                 403 403 409 409 403 403 401 409 403 404
POST /v1/cases/<case_id>/finding/decision        403 403 409 409 403 403 401 409 403 404
GET /v1/decisions                                403 403 200 200 403 403 401 200 403 200
GET /v1/decisions/<decision_id>                  403 403 200 200 403 403 401 200 403 200
POST /v1/declarations                            403 403 403 201 403 403 401 201 403 409
GET /v1/disclosures                              403 200 200 200 403 403 401 200 403 200
POST /v1/disclosures                             403 403 201 200 403 403 401 403 403 403
GET /v1/disclosures/response-times               403 200 200 200 403 403 401 200 403 200
GET /v1/disclosures/<disclosure_id>              403 200 200 200 403 403 401 200 403 404
POST /v1/disclosures/<disclosure_id>/approval    403 200 409 409 403 403 401 200 403 404
POST /v1/disclosures/<disclosure_id>/refusal     403 200 409 409 403 403 401 200 403 404
POST /v1/disclosures/<disclosure_id>/escalation  403 403 409 409 403 403 401 409 403 404
POST /v1/disclosures/<disclosure_id>/withdrawal  403 403 409 409 403 403 401 409 403 404
GET /v1/disclosures/<disclosure_id>/sealed       403 403 200 200 403 403 401 403 403 404
POST /v1/disclosures/<disclosure_id>/receipt     403 403 200 200 403 403 401 200 403 404
GET /v1/corrections                              200 200 200 200 403 403 401 200 403 200
GET /v1/corrections/<correction_id>              200 200 200 200 403 403 401 200 403 404
POST /v1/corrections/<correction_id>/acknowledgement 403 200 200 200 403 403 401 200 403 404
GET /v1/corrections/<correction_id>/trail        403 200 200 200 403 403 401 404 403 404
GET /v1/refutations                              200 200 200 200 403 403 401 200 403 200
POST /v1/refutations/<refutation_id>/answer      403 404 404 404 403 403 401 404 403 404
GET /v1/disputes                                 200 200 200 200 403 403 401 200 403 200
POST /v1/disputes                                403 403 200 200 403 403 401 200 403 201
GET /v1/disputes/<dispute_id>                    200 200 200 200 403 403 401 200 403 404
POST /v1/disputes/<dispute_id>/answer            403 200 200 200 403 403 401 200 403 404
POST /v1/filings                                 403 201 403 403 403 403 401 201 403 422
GET /v1/filings/<filing_id>                      403 200 200 200 403 403 401 200 403 404
POST /v1/filings/<filing_id>/withdrawal          403 200 403 200 403 403 401 200 403 404
GET /v1/deletions                                403 200 200 200 403 403 401 200 403 200
GET /v1/filings/<filing_id>/deletion             403 404 404 404 403 403 401 404 403 404
PUT /v1/filings/<filing_id>/notice               403 204 204 204 403 403 401 204 403 404
DELETE /v1/filings/<filing_id>/notice            403 204 204 204 403 403 401 204 403 404
POST /v1/filings/<filing_id>/renewal             403 409 409 409 403 403 401 409 403 404
POST /v1/filings/<filing_id>/holds               403 403 403 201 403 403 401 201 403 404
GET /v1/holds                                    403 200 200 200 403 403 401 200 403 200
POST /v1/holds/<hold_id>/release                 403 403 403 200 403 403 401 200 403 404
GET /v1/retention/expiring                       403 200 200 200 403 403 401 200 403 200
GET /v1/hits                                     200 200 200 200 403 403 401 403 403 200
GET /v1/hits/<hit_id>                            200 200 200 200 403 403 401 403 403 200
POST /v1/hits/<hit_id>/outcome                   200 403 200 403 403 403 401 200 403 200
DELETE /v1/hits/<hit_id>/outcome                 404 403 404 403 403 403 401 404 403 404
GET /v1/keys/epochs                              403 200 403 200 403 403 401 200 403 200
GET /v1/keys/recipients                          403 403 403 200 403 403 401 403 403 200
PUT /v1/keys/recipient                           403 403 403 200 403 403 401 403 403 200
DELETE /v1/keys/recipient                        403 403 403 204 403 403 401 403 403 404
POST /v1/keys/offers                             403 403 403 201 403 403 401 403 403 201
GET /v1/keys/offers                              403 403 403 200 403 403 401 403 403 200
GET /v1/keys/offers/<offer_id>                   403 403 403 200 403 403 401 403 403 404
DELETE /v1/keys/offers/<offer_id>                403 403 403 204 403 403 401 403 403 404
POST /v1/keys/offers/<offer_id>/acceptance       403 403 403 409 403 403 401 403 403 404
GET /v1/membership                               200 200 200 200 403 403 401 200 403 200
GET /v1/membership/history                       200 200 200 200 403 403 401 200 403 200
GET /v1/proofs                                   403 200 200 200 403 403 401 200 403 200
POST /v1/proofs                                  403 201 201 201 403 403 401 201 403 201
GET /v1/proofs/<proof_id>                        403 200 200 200 403 403 401 200 403 404
POST /v1/proofs/<proof_id>/approval              403 403 200 200 403 403 401 200 403 404
POST /v1/proofs/<proof_id>/withdrawal            403 403 200 200 403 403 401 200 403 404
GET /v1/rescreens                                403 403 200 200 403 403 401 200 403 200
POST /v1/rescreens                               403 403 202 409 403 403 401 403 403 202
GET /v1/rescreens/schedule                       403 403 200 200 403 403 401 200 403 200
PUT /v1/rescreens/schedule                       403 403 200 200 403 403 401 403 403 200
DELETE /v1/rescreens/schedule                    403 403 404 404 403 403 401 404 403 404
GET /v1/rescreens/<rescreen_id>                  403 403 200 200 403 403 401 200 403 404
POST /v1/rescreens/<rescreen_id>/cancel          403 403 200 200 403 403 401 200 403 404
POST /v1/screenings                              200 403 200 403 403 403 401 403 403 200
POST /v1/screenings/bulk                         200 403 200 403 403 403 401 403 403 200
GET /v1/standing                                 200 200 200 200 403 403 401 200 403 200
GET /v1/watches                                  200 403 200 200 403 403 401 200 403 200
POST /v1/watches/<watch_id>/end                  404 403 404 404 403 403 401 404 403 404
POST /v1/watches/<watch_id>/renewal              404 403 404 403 403 403 401 404 403 404
GET /v1/webhooks                                 403 403 403 200 403 403 401 200 403 200
GET /v1/subject-parts                            403 200 200 200 403 403 401 200 403 200
GET /v1/subject-parts/<part_id>                  403 200 200 200 403 403 401 200 403 404
POST /v1/subject-parts/<part_id>/deferral        403 403 200 200 403 403 401 200 403 404
POST /v1/subject-parts/<part_id>/decision        403 403 409 409 403 403 401 409 403 404
GET /v1/subject-requests                         403 403 200 200 403 403 401 200 403 200
POST /v1/subject-requests                        403 403 201 201 403 403 401 201 403 201
GET /v1/subject-requests/<request_id>            403 403 200 200 403 403 401 200 403 404
POST /v1/subject-requests/<request_id>/confirmation  403 403 409 409 403 403 401 409 403 404
POST /v1/subject-requests/<request_id>/withdrawal    403 403 200 409 403 403 401 200 403 404
POST /v1/subject-requests/<request_id>/end       403 403 409 409 403 403 401 409 403 404
GET /v1/subject-requests/<request_id>/report     403 403 409 409 403 403 401 409 403 404
GET /v1/subject-requests/<request_id>/report.pdf 403 403 409 409 403 403 401 409 403 404
GET /v1/webhooks                                 403 403 403 200 403 403 401 200 403 200
POST /v1/webhooks                                403 403 403 201 403 403 401 201 403 201
GET /v1/webhooks/<webhook_id>                    403 403 403 200 403 403 401 200 403 404
PATCH /v1/webhooks/<webhook_id>                  403 403 403 200 403 403 401 200 403 404
DELETE /v1/webhooks/<webhook_id>                 403 403 403 204 403 403 401 204 403 404
POST /v1/webhooks/<webhook_id>/secret            403 403 403 200 403 403 401 200 403 404
DELETE /v1/webhooks/<webhook_id>/secret/old      403 403 403 204 403 403 401 204 403 404
GET /v1/webhooks/<webhook_id>/deliveries         403 403 403 200 403 403 401 200 403 404
POST /v1/webhooks/<webhook_id>/deliveries/<delivery_id>/retry  403 403 403 202 403 403 401 202 403 404
POST /v1/withdrawal                              403 403 403 200 403 403 401 200 403 200

GET /.well-known/jwks.json                       200 200 200 200 200 200 200 200 200 200
GET /livez                                       200 200 200 200 200 200 200 200 200 200
GET /readyz                                      200 200 200 200 200 200 200 200 200 200
GET /rulebook                                    200 200 200 200 200 200 200 200 200 200
GET /rulebook/<version>                          200 200 200 200 200 200 200 200 200 200
POST /v1/auth/token                              200 200 200 200 200 200 200 200 200 200
GET /v1/docs                                     200 200 200 200 200 200 200 200 200 200
GET /v1/docs/<name>                              200 200 200 200 200 200 200 200 200 200
GET /v1/openapi.json                             200 200 200 200 200 200 200 200 200 200
GET /v1/problems/<slug>                          200 200 200 200 200 200 200 200 200 200
GET /v1/rulebook                                 200 200 200 200 200 200 200 200 200 200
GET /v1/rulebook.toml                            200 200 200 200 200 200 200 200 200 200
GET /v1/rulebook/<version>                       200 200 200 200 200 200 200 200 200 200
GET /v1/retention                                200 200 200 200 200 200 200 200 200 200
GET /v1/scheme                                   200 200 200 200 200 200 200 200 200 200
POST /v1/uploads                                 403 201 403 403 403 403 401 201 403 201
DELETE /v1/uploads/<upload_id>                   403 204 403 403 403 403 401 204 403 404
GET /v1/uploads/<upload_id>                      403 200 403 403 403 403 401 200 403 404
PATCH /v1/uploads/<upload_id>                    403 200 403 403 403 403 401 200 403 404
"""
"""What each actor is answered on objects of its own member; operators on applications and appeals. 4xx other than 401
and 403: the way in was open, and there is no such thing (404), or it does not fit (409, 422: who is under a grant
files and declares nothing)."""
Ids = dict[str, str]
"""Of one member's objects, by what they are."""
PREFIXES = get_args(Prefix)


@dataclass(frozen=True)
class World:
    """A pool with members, who have objects. `headers` are by actor, `own` the objects by actor or member."""

    app: Flask
    clock: FakeClock
    headers: dict[str, dict[str, str]]
    own: dict[str, Ids]

    @property
    def services(self) -> Services:
        """The composition."""
        made: Services = self.app.extensions[EXTENSION]
        return made

    def call(self, name: str, actor: str, objects: Ids) -> TestResponse:
        """Call an endpoint as an actor, on some member's objects."""
        method, _, rule = name.partition(" ")
        path = rule
        for placeholder, kind in PLACEHOLDERS.items():
            path = path.replace(placeholder, objects.get(kind, "") or _missing(kind))
        if name.endswith("/answer"):
            path = path.replace(objects.get("dispute", "-"), objects.get("received", "") or _missing("dispute"))
        if "/v1/disclosures/" in name and name.endswith(("/approval", "/refusal")):
            path = path.replace(objects.get("disclosure", "-"), objects.get("inbox", "") or _missing("disclosure"))
        if name.endswith("/trail"):
            path = path.replace(objects.get("correction", "-"), objects.get("made", "") or _missing("correction"))
        options = BODIES[name](objects) if name in BODIES else {}
        headers = self.headers[actor] | options.pop("headers", {})
        return self.app.test_client().open(path, method=method, headers=headers, **options)


PLACEHOLDERS = {
    "<alert_id>": "alert",
    "<hit_id>": "hit",
    "<filing_id>": "filing",
    "<batch_id>": "batch",
    "<upload_id>": "upload",
    "<proof_id>": "proof",
    "<hold_id>": "hold",
    "<rescreen_id>": "rescreen",
    "<watch_id>": "watch",
    "<webhook_id>": "webhook",
    "<delivery_id>": "delivery",
    "<offer_id>": "offer",
    "<dispute_id>": "dispute",
    "<correction_id>": "correction",
    "<case_id>": "case",
    "<network_id>": "network",
    "<disclosure_id>": "disclosure",
    "<request_id>": "subject_request",
    "<part_id>": "subject_part",
    "<appeal_id>": "appeal",
    "<decision_id>": "decision",
    "<application_id>": "application",
    "<version>": "rulebook",
    "<name>": "asset",
    "<slug>": "slug",
}
_SHAPES: dict[str, Prefix] = {
    "alert": "alt",
    "hit": "hit",
    "filing": "fil",
    "batch": "bat",
    "upload": "upl",
    "proof": "prf",
    "hold": "hld",
    "rescreen": "job",
    "watch": "wch",
    "webhook": "whk",
    "delivery": "job",
    "offer": "off",
    "dispute": "dsp",
    "correction": "cor",
    "case": "cas",
    "network": "net",
    "disclosure": "drq",
    "subject_request": "sbr",
    "subject_part": "sbp",
    "appeal": "apl",
    "application": "app",
    "decision": "dec",
    "addressee": "mem",
}


def _missing(kind: str) -> str:
    """An id of the right shape that nothing has."""
    if kind not in _SHAPES:
        return {"rulebook": "no-such", "asset": "no.such", "slug": "no-such"}[kind]
    return ids.make(_SHAPES[kind], FakeClock()(), b"0123456789")


def _asking(_: Ids) -> dict[str, Any]:
    return {"json": question("nobody-knows", purpose="investigation")}


def _bulk(_: Ids) -> dict[str, Any]:
    asked = question("nobody-knows", purpose="investigation")
    body = {name: asked[name] for name in ("schema", "fingerprint", "purpose", "line")}
    return {"json": body | {"screenings": [{"reference": "Q-1", "subject": asked["subject"]}]}}


def _upload(_: Ids) -> dict[str, Any]:
    sent = {"Content-Type": "application/x-ndjson", "Idempotency-Key": "again"}
    return {"data": ndjson([filing("N-2", subject("nobody-knows"))]), "headers": sent}


ANNOUNCED = {"length": 2, "sha256": "0" * 64}
SUSPECTED = {"record_class": "suspected"}
RECIPIENT = f"age1{'q' * 58}"
OFFER = {"recipient": RECIPIENT, "fingerprint": FINGERPRINT, "epoch": 1, "sealed": "AAAA"}
WEBHOOK = {"url": "https://receiver.example/", "kinds": ["rescreen.finished"]}
ASKING = {
    "purpose": "investigation",
    "legal_power": "legal_claims",
    "reference": "CASE-1",
    "items": ["statements"],
    "third_party": False,
    "asked": "what was said",
    "minimum": "nothing less tells it",
}
SEALED = base64.b64encode(b"age-encryption.org/v1\n-> X25519 one\n--- mac\n").decode()
GIVING = {"granted": ["statements"], "recipient": RECIPIENT, "sealed": SEALED}
HOLD = {"reason": "litigation", "ends_on": "2026-12-24"}
SUBJECT = {
    "kind": "access",
    "reference": "DSAR-1",
    "identity_reference": "ID-1",
    "received_on": "2026-03-02",
    "schema": "guarded/1",
    "fingerprint": FINGERPRINT,
}
BODIES: dict[str, Callable[[Ids], dict[str, Any]]] = {
    "POST /v1/auth/token": lambda _: {
        "json": {"grant_type": "password", "username": "olga", "password": PASSWORD},
    },
    "POST /v1/screenings": _asking,
    "PUT /v1/alerts/digest": lambda _: {"json": {"every": "daily", "at": "08:00"}},
    "PUT /v1/rescreens/schedule": lambda _: {"json": {"every": "daily", "at": "02:00"}},
    "POST /v1/alerts/read": lambda own: {"json": {"ids": [own.get("alert") or _missing("alert")]}},
    "POST /v1/alerts/<alert_id>/snooze": lambda _: {"json": {"until": "2026-04-20T00:00:00Z"}},
    "POST /v1/screenings/bulk": _bulk,
    "POST /v1/hits/<hit_id>/outcome": lambda _: {"json": {"outcome": "inconclusive"}},
    "POST /v1/filings": lambda _: {"json": filing("N-1", subject("nobody-knows"))},
    "POST /v1/batches": _upload,
    "POST /v1/uploads": lambda _: {"json": ANNOUNCED, "headers": {"Idempotency-Key": "large"}},
    "PATCH /v1/uploads/<upload_id>": lambda _: {
        "data": b"{",
        "headers": {"Content-Type": "application/offset+octet-stream", "Upload-Offset": "0"},
    },
    "POST /v1/watches/<watch_id>/renewal": lambda _: {"json": {}},
    "POST /v1/webhooks": lambda _: {"json": WEBHOOK},
    "PATCH /v1/webhooks/<webhook_id>": lambda _: {"json": {"enabled": True}},
    "POST /v1/webhooks/<webhook_id>/secret": lambda _: {"json": {"overlap_seconds": 60}},
    "PUT /v1/keys/recipient": lambda _: {"json": {"recipient": RECIPIENT}},
    "POST /v1/keys/offers": lambda own: {"json": OFFER | {"to": own.get("addressee") or _missing("addressee")}},
    "POST /v1/rescreens": lambda _: {"json": {}},
    "GET /v1/retention/expiring": lambda _: {"query_string": {"until": "2030-01-01"}},
    "POST /v1/filings/<filing_id>/renewal": lambda _: {"json": {"reason": "new_evidence"}},
    "PUT /v1/filings/<filing_id>/notice": lambda _: {"json": {"notice": "It was not I."}},
    "POST /v1/filings/<filing_id>/holds": lambda _: {"json": HOLD},
    "POST /v1/filings/<filing_id>/withdrawal": lambda _: {"json": {"reason": "duplicate"}},
    "POST /v1/cases/search": lambda _: {"json": {"q": "A-1"}},
    "POST /v1/cases/<case_id>/moves": lambda _: {"json": {"move": "claim", "version": 1}},
    "POST /v1/cases/<case_id>/notes": lambda _: {"json": {"text": "looked at"}},
    "POST /v1/cases/<case_id>/finding": lambda _: {"json": {"finding": "clear", "version": 1, "evidence": "none"}},
    "POST /v1/cases/<case_id>/finding/decision": lambda _: {"json": {"approve": True, "version": 1}},
    "POST /v1/cases/assignments": lambda _: {
        "json": {"assignee": ids.make("act", FakeClock()(), b"0123456789"), "cases": [{"id": "x", "version": 1}]},
    },
    "POST /v1/proofs": lambda _: {"json": proof("N-3")},
    "POST /v1/disclosures": lambda own: {"json": ASKING | {"hit": own.get("hit") or _missing("hit")}},
    "POST /v1/disclosures/<disclosure_id>/approval": lambda _: {"json": GIVING},
    "POST /v1/disclosures/<disclosure_id>/refusal": lambda _: {"json": {"withheld": "other", "reason": "no"}},
    "POST /v1/disclosures/<disclosure_id>/escalation": lambda _: {"json": {"reason": "late"}},
    "POST /v1/subject-requests": lambda _: {"json": SUBJECT | {"subjects": [subject_to_json(subject("nobody-knows"))]}},
    "POST /v1/subject-parts/<part_id>/deferral": lambda _: {
        "json": {"reason": "legal_proceedings", "until": "2026-03-20"}
    },
    "POST /v1/subject-parts/<part_id>/decision": lambda _: {"json": {"decision": "erase"}},
    "POST /v1/disputes": lambda own: {
        "json": {
            "hit": own.get("hit") or _missing("hit"),
            "ground": "out_of_date",
            "statement_reference": own.get("statement", "S-1"),
        }
    },
    "POST /v1/refutations/<refutation_id>/answer": lambda _: {"json": {"accepts": False}},
    "POST /v1/disputes/<dispute_id>/answer": lambda _: {"json": {"accepts": False}},
    "POST /v1/attestations": lambda _: {"json": {"volumes_true": True, "privacy_notice": True}},
    "POST /v1/declarations": lambda _: {
        "json": {"line": "motor", "class": "claim", "per_month": 2, "from": "2026-03"},
    },
    "POST /v1/withdrawal": lambda _: {"json": {"reason": "we merge", "for_good": True}},
    "POST /v1/appeals": lambda own: {
        "json": {"against": own.get("decision") or _missing("decision"), "grounds": "it is wrong"},
    },
    "POST /v1/appeals/<appeal_id>/decision": lambda _: {"json": {"uphold": False, "reason": "it is right"}},
    "POST /v1/applications": lambda _: {"json": {"name": "Newcomer", "lines": ["motor"]}},
    "POST /v1/applications/<application_id>/decision": lambda _: {"json": {"accept": False, "reason": "not yet"}},
}


class Furnisher:
    """Gives members their objects."""

    def __init__(self, app: Flask, clock: FakeClock) -> None:
        self.client = app.test_client()
        self.services: Services = app.extensions[EXTENSION]
        self.clock = clock

    def post(self, who: TestMember, path: str, body: object) -> dict[str, Any]:
        """Post something that succeeds."""
        self.clock.advance(seconds=1)
        answer = self.client.post(path, json=body, headers=who.headers)
        assert answer.status_code in (200, 201), (path, answer.get_json())
        made: dict[str, Any] = answer.get_json()
        return made

    def hit(self, who: TestMember) -> str:
        """The newest hit of a member."""
        answer = self.client.get("/v1/hits", headers=who.headers)
        newest: str = answer.get_json()["items"][0]["id"]
        return newest

    def rescreen(self, who: TestMember) -> str:
        """A rescreen that was cancelled."""
        asked = self.client.post("/v1/rescreens", json={}, headers=who.headers).get_json()
        self.client.post(f"/v1/rescreens/{asked['id']}/cancel", headers=who.headers)
        return str(asked["id"])

    def decisions(self, who: TestMember) -> list[str]:
        """The decisions taken on a member, oldest first."""
        decided = select(DECISIONS.c.id).where(DECISIONS.c.member_id == who.id).order_by(DECISIONS.c.id)
        with self.services.database.reading() as connection:
            return list(connection.scalars(decided))

    def disclosures(self, who: TestMember, peer: TestMember, hit: str) -> tuple[str, str]:
        """A request of the one that the other has answered, and one the other way that is open."""
        for each in (who, peer):
            self.post(each, "/v1/filings", filing(f"{who.name}/{each.name}", subject(hit + each.id), **SUSPECTED))
        asked, inbox = (self.post(each, "/v1/disclosures", ASKING | {"hit": hit}) for each in (who, peer))
        self.post(peer, f"/v1/disclosures/{asked['id']}/approval", GIVING)
        return str(asked["id"]), str(inbox["id"])

    def unflag(self, *members: TestMember) -> None:
        """Have records shown in full though they are disputed."""
        for who in members:
            received = self.client.get("/v1/disputes?side=received", headers=who.headers).get_json()["items"]
            with self.services.database.writing() as connection:
                for each in received:
                    act, cause = Act(self.services.clock()), each["id"]
                    corrections.flag(self.services, connection, act, each["filing"], None, cause=cause)

    def correction(self, who: TestMember, side: str) -> str:
        """The latest correction of a record that the member was shown, or of its own."""
        found = self.client.get(f"/v1/corrections?side={side}", headers=who.headers).get_json()["items"]
        return str(found[0]["id"])

    def subject(self, who: TestMember, peer: TestMember, person: str) -> tuple[str, str]:
        """A person's request entered by the one, and the part of the one's record in another that the peer entered."""
        for each in (peer, who):
            body = SUBJECT | {"subjects": [subject_to_json(subject(person))]}
            entered = self.post(each, "/v1/subject-requests", body)
            second = colleague(self.client, self.services, each)
            self.post(second, f"/v1/subject-requests/{entered['id']}/confirmation", {})
        parts = self.client.get("/v1/subject-parts", headers=who.headers).get_json()["items"]
        return str(entered["id"]), next(each["id"] for each in parts if each["member"] == peer.id)

    def furnish(self, who: TestMember, peer: TestMember) -> Ids:
        """A filing, a batch, a proof, a hit with a peer, disputes between the two, and an appeal."""
        person = f"{who.name}'s"
        self.post(peer, "/v1/filings", filing(f"{peer.name}/{who.name}", subject(person), record_class="claim"))
        filed = self.post(who, "/v1/filings", filing(f"{who.name}-1", subject(person), record_class="claim"))
        sent = {"Content-Type": "application/x-ndjson", "Idempotency-Key": "first"}
        rows = ndjson([filing(f"{who.name}-2", subject(f"{person} friend"))])
        batch = self.client.post("/v1/batches", data=rows, headers=who.headers | sent).get_json()
        IntakeWorker(self.services).run_pending()
        key = who.headers | {"Idempotency-Key": "second"}
        upload = self.client.post("/v1/uploads", json=ANNOUNCED, headers=key).get_json()
        entered = self.post(colleague(self.client, self.services, who), "/v1/proofs", proof(f"{who.name}-3"))
        held = self.post(who, f"/v1/filings/{filed['id']}/holds", HOLD)
        self.post(who, f"/v1/holds/{held['id']}/release", {})
        webhook = self.post(who, "/v1/webhooks", WEBHOOK)
        for each in (peer, who):
            assert (
                self.client.put("/v1/keys/recipient", json={"recipient": RECIPIENT}, headers=each.headers).status_code
                == 200
            )
        offer = self.post(who, "/v1/keys/offers", OFFER | {"to": peer.id})
        rescreen = self.rescreen(who)
        sent = self.client.get(f"/v1/webhooks/{webhook['id']}/deliveries", headers=who.headers).get_json()
        hit = self.hit(who)
        case = self.client.get("/v1/cases", headers=who.headers).get_json()["items"][0]
        assert self.hit(peer) == hit
        asked, inbox = self.disclosures(who, peer, hit)
        disputing = {"hit": hit, "ground": "out_of_date", "statement_reference": f"{who.name}-S"}
        raised = self.post(who, "/v1/disputes", disputing)
        received = self.post(peer, "/v1/disputes", disputing | {"statement_reference": f"{peer.name}-S"})
        self.unflag(who, peer)
        appealed, other = self.decisions(who)[:2]
        appeal = self.post(who, "/v1/appeals", {"against": appealed, "grounds": "it is wrong"})
        request, part = self.subject(who, peer, person)
        return {
            "subject_request": request,
            "subject_part": part,
            "filing": filed["id"],
            "batch": batch["id"],
            "upload": upload["id"],
            "proof": entered["id"],
            "hold": held["id"],
            "rescreen": rescreen,
            "webhook": webhook["id"],
            "offer": offer["id"],
            "addressee": peer.id,
            "delivery": sent["items"][0]["id"],
            "hit": hit,
            "case": case["id"],
            "statement": f"{who.name}-S",
            "dispute": raised["id"],
            "received": received["id"],
            "correction": self.correction(who, "received"),
            "made": self.correction(who, "made"),
            "disclosure": asked,
            "inbox": inbox,
            "decision": other,
            "appeal": appeal["id"],
        }


def _settings(directory: Path, url: str) -> Settings:
    lasting = timedelta(days=30)
    under = Settings.under(directory / "data")
    return replace(under, database_url=url, access_lifetime=lasting, log_level="error", max_member_daily_rescreens=0)


@pytest.fixture(scope="module")
def furnished(
    tmp_path_factory: pytest.TempPathFactory, sqlite_stores: SqliteStores
) -> Iterator[tuple[Path, dict[str, dict[str, str]], dict[str, Ids]]]:
    """A pool with a member in good order, a peer, one suspended, one that left, and an auditor under a grant."""
    directory = tmp_path_factory.mktemp("matrix")
    with pytest.MonkeyPatch.context() as patch, sqlite_stores.fresh(directory) as url:
        patch.setattr(authentication, "_HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        settings, clock = _settings(directory, url), FakeClock()
        settings.data_dir.mkdir()
        write_private_file(settings.operator_secret_file, b"0123456789abcdef" * 4)
        create_signing_key(settings.signing_keys_dir)
        app = create_app(settings, clock)
        services: Services = app.extensions[EXTENSION]
        with services.database.write() as session:
            remember_secret(session, read_operator_secret(settings.operator_secret_file))
            accept_fingerprint(session, "guarded/1", FINGERPRINT, now=clock())
        headers, own = _people(app, clock)
        services.database.close()
        yield directory, headers, own


def _people(app: Flask, clock: FakeClock) -> tuple[dict[str, dict[str, str]], dict[str, Ids]]:
    admit, furnisher = Admissions(app), Furnisher(app, clock)
    services: Services = app.extensions[EXTENSION]
    alpha, beta, gamma = admit("Alpha"), admit("Beta"), admit("Gamma")
    suspended, withdrawn = admit("Sigma"), admit("Omega")
    subscriber = admit("Theta", declared={})
    headers = {role: colleague(app.test_client(), services, alpha, (role,)).headers for role in ALL_ROLES}
    headers["everyone"] = alpha.headers
    headers["operator"] = admit.operator("olga").headers
    headers["auditor"] = admit.operator("audra", roles=("auditor",)).headers
    headers["nobody"] = {}
    own = {"alpha": furnisher.furnish(alpha, beta), "other": furnisher.furnish(beta, gamma)}
    for who in (suspended, withdrawn):
        own[{"Sigma": "suspended", "Omega": "withdrawn"}[who.name]] = furnisher.furnish(who, gamma)
    headers |= {"suspended": suspended.headers, "withdrawn": withdrawn.headers, "subscriber": subscriber.headers}
    rules = services.rulebook.subscribers[SubscriberClass.OMBUDSMAN]
    wanted = grants.within(rules, ("motor",), clock().date() + timedelta(days=20))
    oscar = admit.operator("oscar")
    applying = {"name": "Applicant", "lines": ["motor"]}
    entered = app.test_client().post("/v1/applications", json=applying, headers=oscar.headers).get_json()
    with services.database.write() as session:
        change_status(session, "Sigma", MemberStatus.SUSPENDED, now=clock(), reason="a test")
        change_status(session, "Omega", MemberStatus.WITHDRAWN, now=clock(), reason="a test")
        row = session.get_one(MemberRow, subscriber.id)
        grants.grant(session, row, Act(clock()), wanted, kind=SubscriberClass.OMBUDSMAN, rules=rules)
    asked = furnisher.post(subscriber, "/v1/screenings", question("Alpha's", purpose="investigation"))
    own["subscriber"] = {"hit": asked["hits"][0]["id"], "decision": furnisher.decisions(subscriber)[0]}
    own["subscriber"]["addressee"] = alpha.id
    public = {"application": entered["id"], "rulebook": services.rulebook.version, "asset": "start.js"}
    return headers, {actor: objects | public | {"slug": "not-found"} for actor, objects in own.items()}


@pytest.fixture
def world(
    tmp_path: Path, furnished: tuple[Path, dict[str, dict[str, str]], dict[str, Ids]], quick_hashing: None
) -> Iterator[World]:
    """A copy of the furnished pool."""
    directory, headers, own = furnished
    with _opened(directory, tmp_path) as (app, clock):
        yield World(app, clock, headers, own)


@contextmanager
def _opened(directory: Path, copy: Path) -> Iterator[tuple[Flask, FakeClock]]:
    shutil.copytree(directory, copy, dirs_exist_ok=True)
    clock = FakeClock()
    clock.advance(hours=1)
    app = create_app(_settings(copy, f"sqlite:///{copy / 'frankpledge.db'}"), clock)
    yield app, clock
    services: Services = app.extensions[EXTENSION]
    services.database.close()


def _objects(world: World, actor: str) -> Ids:
    return world.own.get(actor, world.own["alpha"])


def _rows() -> dict[str, dict[str, int]]:
    lines = [line.split() for line in MATRIX.splitlines()[2:] if line.strip()]
    return {f"{method} {rule}": dict(zip(ACTORS, map(int, codes), strict=True)) for method, rule, *codes in lines}


ROWS = _rows()
OF_MEMBERS = (
    "<hold_id>",
    "<hit_id>",
    "<filing_id>",
    "<batch_id>",
    "<upload_id>",
    "<proof_id>",
    "<rescreen_id>",
    "<webhook_id>",
    "<offer_id>",
    "<dispute_id>",
    "<correction_id>",
    "<case_id>",
    "<disclosure_id>",
    "<request_id>",
    "<part_id>",
    "<appeal_id>",
    "<decision_id>",
)
ON_OBJECTS = [
    *(name for name in ROWS if any(each in name for each in OF_MEMBERS) and not name.endswith("/decision")),
    "POST /v1/disputes",
    "POST /v1/disclosures",
    "POST /v1/appeals",
]
"""Endpoints of members that name an object of a member, the last ones in their body."""


def test_every_endpoint_is_in_the_table(world: World) -> None:
    """What is new has no row, and fails here."""
    assert endpoints(world.app) == ROWS.keys()


@pytest.mark.parametrize("name", ROWS)
def test_roles(world: World, name: str) -> None:
    """Each actor is answered as the table says: by its roles, by the state of its membership, on what is its own."""
    answers = {actor: world.call(name, actor, world.own.get(actor, world.own["alpha"])) for actor in ACTORS}
    assert {actor: answer.status_code for actor, answer in answers.items()} == ROWS[name]
    for answer in answers.values():
        if answer.status_code >= 400:
            assert answer.mimetype == "application/problem+json"


@pytest.mark.parametrize("name", ON_OBJECTS)
def test_objects_of_others(world: World, name: str) -> None:
    """What is another member's, or was of one that left, is answered just like what was never there: the same bytes."""
    allowed = [actor for actor in (*ALL_ROLES, "subscriber") if ROWS[name][actor] not in (401, 403)]
    assert allowed, "nobody may, so this shows nothing"
    nothing: Ids = {}
    for actor in allowed:
        missing = world.call(name, actor, nothing)
        assert missing.status_code == 404
        for member in ("other", "withdrawn", "suspended"):
            objects = world.own[member]
            answer = world.call(name, actor, objects)
            assert _masked(answer) == _masked(missing), (actor, member)
            assert sorted(dict(answer.headers)) == sorted(dict(missing.headers))


def test_the_withdrawn_get_nothing(world: World) -> None:
    """Who left is refused everything but what anyone may have, and ending its log-in: with the rule, by its token."""
    for name, row in ROWS.items():
        if row["nobody"] == 200 or name == "POST /v1/auth/revoke":
            continue
        answer = world.call(name, "withdrawn", world.own["withdrawn"])
        assert answer.status_code in (401, 403), name
        assert answer.status_code == 401 or answer.get_json()["title"] in (
            "The membership does not allow this",
            "The role does not allow this",
        )


def test_objects_of_the_own_member_are_its_own_whoever_asks(world: World) -> None:
    """The table's 200s are not empty: reading an own object gives its id."""
    for name in ON_OBJECTS:
        if name.startswith("GET") and name.endswith(">"):
            kind = next(PLACEHOLDERS[each] for each in OF_MEMBERS if each in name)
            answer = world.call(name, "everyone", world.own["alpha"])
            assert answer.get_json()["id"] == world.own["alpha"][kind]


def _masked(answer: TestResponse) -> tuple[int, dict[str, Any]]:
    """An answer without what is of the one request."""
    body = json.loads(answer.get_data())
    assert body.pop("instance")
    return answer.status_code, body
