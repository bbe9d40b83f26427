"""A pool that answers by the API's contract, in memory, and remembers what it was sent."""

from __future__ import annotations

import base64
import datetime as dt
import gzip
import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson

from frankpledge.credentials import Credentials
from frankpledge.keys import LinkageKey
from matching.types import EncodedSubject, Kind

KEY = LinkageKey(bytes(range(32)))
CREDENTIALS = Credentials("cli_1", "s3cret")
STANDING = {
    "member": {"id": "mem_1", "name": "Birch Insurance"},
    "membership": {"status": "active", "allowed": True},
    "lines": [
        {
            "line": "motor",
            "contributions": [{"class": "customer", "accepted_in_window": 1200, "last": "2026-03-01T00:00:00+00:00"}],
            "tiers": {"customer": 3, "claim": 2},
            "may_screen": True,
            "rule": "R2",
            "detail": "",
            "remedy": "",
        },
        {
            "line": "home",
            "contributions": [],
            "tiers": {"customer": 0},
            "may_screen": False,
            "rule": "R2",
            "detail": "No filing was accepted.",
            "remedy": "File home customers.",
        },
    ],
}
TIER_3 = {
    "id": "hit_1",
    "created_at": "2026-03-01T10:00:00+00:00",
    "band": "strong",
    "tier": 3,
    "class": "suspected",
    "count": 1,
    "age_band": "under a year",
    "own": {"screening": "scr_1", "reference": "Q-1", "subject": 0, "role": "policyholder", "kind": "person"},
    "probability": 0.998,
    "weight": 24.5,
    "contributor": "Alder Insurance",
    "theirs": {"filing": "fil_9", "line": "motor", "class": "suspected", "date": "2026-01-05", "role": "claimant"},
    "explanation": [
        {"field": "date of birth", "level": "same", "weight": 14.0},
        {"field": "family name", "level": "alike", "weight": 10.5},
    ],
}


TIER_2 = {
    "id": "hit_2",
    "tier": 2,
    "class": "victim",
    "count": {"fewer_than": 3},
    "age_band": "0-6m",
    "adverse": False,
    "attention": "protect",
    "labels": {"tlp": "amber_strict"},
    "seen_by": {"fewer_than": 3},
}
RESCREEN = {
    "id": "job_1",
    "status": "queued",
    "filings_total": 500,
    "filings_done": 0,
    "hits": 0,
    "error": None,
}
PROOF = {
    "id": "prf_1",
    "reference": "S-17",
    "state": "entered",
    "case_type": "claim_fraud",
    "product_action": "refused",
    "exception": None,
    "notified_on": None,
    "deferral_reason": "police ask so",
    "filings": 2,
}
DELETION = {
    "id": "del_1",
    "filing": "fil_1",
    "line": "motor",
    "class": "claim",
    "version": 2,
    "cause": "withdrawn",
    "reason": "duplicate",
    "kept_from": "2026-02-26",
    "removed_on": "2026-03-02",
    "removed_at": "2026-03-02T09:00:00+00:00",
    "rulebook": "2026.3",
    "salt": "00" * 32,
    "commitment": "ab" * 32,
}
EXPIRING = {
    "filing": "fil_1",
    "reference": "S-17",
    "line": "motor",
    "class": "suspected",
    "kept_from": "2026-03-02",
    "expires_on": "2027-03-02",
    "held_until": None,
}


class HashEncoder:
    """Stands for the real encoder: one key from all atoms, none when there are none. Fast, and deterministic."""

    def subjects(self, items: Sequence[tuple[Kind, str, Mapping[str, str]]]) -> list[EncodedSubject | None]:
        """Encode items."""
        return [
            EncodedSubject(kind, role, 1, hashlib.sha256(repr(sorted(atoms.items())).encode()).digest()[:16])
            if atoms
            else None
            for kind, role, atoms in items
        ]


@dataclass
class FakePool:
    """What the pool knows and was asked. `failures` are answered before anything else, first to last."""

    requests: list[httpx.Request] = field(default_factory=list)
    failures: list[httpx.Response | Exception] = field(default_factory=list)
    batches: dict[str, dict[str, Any]] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    tokens: int = 0
    valid: set[str] = field(default_factory=set)
    expires_in: float = 900
    time: dt.datetime | None = None
    fingerprints: list[str] = field(default_factory=lambda: [KEY.fingerprint])
    schema: str = "guarded/1"
    rejected: list[int] = field(default_factory=list)
    kept_errors: int = 1_000
    answer: str = "clear"
    looks: int = 0
    standing: dict[str, Any] = field(default_factory=lambda: dict(STANDING))
    refuse_batches: bool = False
    rescreen: dict[str, Any] = field(default_factory=lambda: dict(RESCREEN))

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer a request."""
        self.requests.append(request)
        if self.failures:
            failure = self.failures.pop(0)
            if isinstance(failure, Exception):
                raise failure
            return failure
        path = request.url.path
        if path == "/v1/scheme":
            return self._scheme()
        if path.startswith("/v1/auth/"):
            return self._token(request)
        if request.headers.get("Authorization", "").removeprefix("Bearer ") not in self.valid:
            return problem(401, title="The token is not valid")
        routes: list[tuple[str, str, Callable[[httpx.Request], httpx.Response]]] = [
            ("POST", "/v1/batches", self._take_batch),
            ("GET", "/v1/batches", self._batches),
            ("POST", "/v1/filings/fil_1/withdrawal", lambda _: ok(DELETION)),
            ("GET", "/v1/filings/fil_1/deletion", lambda _: ok(DELETION)),
            ("POST", "/v1/filings/fil_1/renewal", lambda _: ok({"filing": "fil_1", "expires_on": "2027-03-02"})),
            ("GET", "/v1/retention/expiring", lambda _: ok({"items": [EXPIRING], "next_cursor": None})),
            ("GET", "/v1/deletions", lambda _: ok({"items": [DELETION], "next_cursor": None})),
            ("POST", "/v1/filings", lambda _: ok({**RECEIPT}, 201)),
            ("POST", "/v1/screenings/bulk", self._bulk),
            ("POST", "/v1/screenings", lambda _: ok(self._screening())),
            ("GET", "/v1/hits", self._hits),
            ("POST", "/v1/rescreens", self._rescreen),
            ("GET", "/v1/rescreens", self._rescreen),
            ("POST", "/v1/proofs", self._proof),
            ("GET", "/v1/proofs", lambda _: ok({"items": [PROOF], "next_cursor": None})),
            ("GET", "/v1/standing", lambda _: ok(self.standing)),
        ]
        for method, prefix, handle in routes:
            if request.method == method and path.startswith(prefix):
                return handle(request)
        return problem(404, title="There is no such thing")

    def sent(self, path: str) -> list[httpx.Request]:
        """Give the requests to one path."""
        return [request for request in self.requests if request.url.path == path]

    def lines(self) -> list[bytes]:
        """Give the lines of all uploads."""
        uploads = [request for request in self.sent("/v1/batches") if request.method == "POST"]
        return [line for request in uploads for line in gzip.decompress(request.content).splitlines()]

    def _scheme(self) -> httpx.Response:
        now = self.time or dt.datetime.now(dt.UTC)
        schemas = [{"id": self.schema, "fingerprints": self.fingerprints}]
        return ok(
            {
                "name": "Test pool",
                "schema": self.schema,
                "schemas": schemas,
                "purposes": ["new_business"],
                "lines": ["motor"],
                "time": now.isoformat(),
            }
        )

    def _token(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/auth/token":
            document = orjson.loads(request.content)
            if document.get("client_secret", document.get("password")) != CREDENTIALS.client_secret:
                return problem(401, title="The log-in failed")
        elif request.headers["Authorization"].removeprefix("Bearer ") not in self.valid:
            return problem(401, title="The refresh token was used before")
        self.tokens += 1
        self.valid = {f"access{self.tokens}", f"refresh{self.tokens}"}
        return ok(
            {
                "access_token": f"access{self.tokens}",
                "refresh_token": f"refresh{self.tokens}",
                "token_type": "Bearer",
                "expires_in": self.expires_in,
            }
        )

    def _take_batch(self, request: httpx.Request) -> httpx.Response:
        key = request.headers["Idempotency-Key"]
        if key not in self.keys:
            rows = len(gzip.decompress(request.content).splitlines())
            refused = [row for row in self.rejected if row <= rows]
            batch_id = f"bat_{len(self.batches) + 1}"
            self.keys[key] = batch_id
            self.batches[batch_id] = {
                "id": batch_id,
                "status": "queued",
                "dry_run": request.url.params.get("dry_run") == "true",
                "created_at": "2026-03-01T10:00:00+00:00",
                "finished_at": None,
                "bytes_total": len(request.content),
                "bytes_done": 0,
                "rows": {
                    "read": rows,
                    "created": rows - len(refused),
                    "new_version": 0,
                    "unchanged": 0,
                    "rejected": len(refused),
                },
                "hits": 1,
                "capped_keys": 2,
                "failure": None,
                "errors": [{"row": r, "ref": None, "field": "line", "expected": "a line"} for r in refused][
                    : self.kept_errors
                ],
                "next_cursor": None,
            }
        return ok({**self.batches[self.keys[key]], "errors": [], "next_cursor": None}, 202)

    def _batches(self, request: httpx.Request) -> httpx.Response:
        name = request.url.path.removeprefix("/v1/batches").strip("/")
        if self.refuse_batches:
            return problem(403, title="The role does not allow this")
        if not name:
            return ok({"items": list(self.batches.values()), "next_cursor": None})
        if name not in self.batches:
            return problem(404, title="There is no such thing")
        self.looks += 1
        batch = self.batches[name]
        if self.looks % 2 == 0:
            batch |= {"status": "done", "bytes_done": batch["bytes_total"]}
        return self._errors_page(batch, request.url.params.get("cursor"))

    def _errors_page(self, batch: dict[str, Any], cursor: str | None) -> httpx.Response:
        start = int(cursor or 0)
        errors = batch["errors"]
        after = str(start + 2) if start + 2 < len(errors) else None
        return ok({**batch, "errors": errors[start : start + 2], "next_cursor": after})

    def _screening(self) -> dict[str, Any]:
        hits = [] if self.answer == "clear" else [TIER_3]
        return {
            "id": "scr_1",
            "answer": self.answer,
            "hits": hits,
            "capped_keys": 2 if hits else 0,
            "model": "m/1",
            "rulebook": "r/1",
        }

    def _bulk(self, request: httpx.Request) -> httpx.Response:
        asked = orjson.loads(request.content)["screenings"]
        refused = {"status": 422, "title": "Not so", "errors": [{"field": "subject", "expected": "more"}]}
        return ok({"results": [refused if q["reference"] == "bad" else self._screening() for q in asked]})

    def _rescreen(self, request: httpx.Request) -> httpx.Response:
        """Three looks, and it is done."""
        if request.url.path.endswith("/cancel"):
            self.rescreen |= {"status": "cancelled"}
        elif request.method == "GET" and self.rescreen["status"] in ("queued", "running"):
            done = min(self.rescreen["filings_done"] + 200, 500)
            self.rescreen |= {"filings_done": done, "hits": done // 100, "status": "done" if done == 500 else "running"}
        return ok(self.rescreen, 202)

    def _proof(self, request: httpx.Request) -> httpx.Response:
        action = request.url.path.removeprefix("/v1/proofs").removeprefix("/prf_1")
        states = {"": "entered", "/approval": "approved", "/withdrawal": "withdrawn"}
        if action not in states:
            return problem(404, title="There is no such thing")
        return ok({**PROOF, "state": states[action]}, 200 if action else 201)

    def _hits(self, request: httpx.Request) -> httpx.Response:
        if request.url.path != "/v1/hits":
            return ok(TIER_3) if request.url.path.endswith("/hit_1") else problem(404, title="There is no such thing")
        first = "cursor" not in request.url.params
        shared = {name: TIER_3[name] for name in ("created_at", "band", "own")}
        tier_1 = shared | {"id": "hit_0", "tier": 1, "seen_by": {"members": 4}}
        return ok({"items": [TIER_3] if first else [shared | TIER_2, tier_1], "next_cursor": "next" if first else None})


RECEIPT = {"id": "fil_1", "reference": "P-1", "version": 1, "result": "created", "hits": 0}


def ok(document: object, status: int = 200) -> httpx.Response:
    """Answer with JSON."""
    return httpx.Response(status, content=orjson.dumps(document), headers={"Content-Type": "application/json"})


def problem(status: int, headers: Mapping[str, str] | None = None, **members: object) -> httpx.Response:
    """Answer with a problem."""
    kind = {"Content-Type": "application/problem+json"} | dict(headers or {})
    return httpx.Response(status, content=orjson.dumps({"status": status, **members}), headers=kind)


def encoded_line(reference: str, size: int = 100, **changes: object) -> bytes:
    """Write a line as `frankpledge encode` does, with random keys of `size` bytes."""
    subject = {
        "kind": "person",
        "role": "policyholder",
        "mask": "1",
        "keys": base64.b64encode(os.urandom(size)).decode(),
    }
    filing = {
        "schema": "guarded/1",
        "fingerprint": KEY.fingerprint,
        "ref": reference,
        "class": "customer",
        "line": "motor",
        "date": "2026-03-01",
        "subjects": [subject],
    }
    return orjson.dumps({**filing, **changes}) + b"\n"
