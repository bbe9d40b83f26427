"""The custodian itself: evaluates blinded values for members it knows, so many a day, and keeps nothing of them."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import hmac
import os
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import orjson
from flask import Flask, Response, request

from frankpledge.custodian.oprf import SCALAR_BYTES, Mode, OprfError, Suite, public_key
from frankpledge.errors import KitError
from frankpledge.files import read_private

MOST_AT_ONCE = 1000
LARGEST_BODY = 65536
DAILY = 1_000_000
"""Values of a member a day, unless told otherwise."""
_SUITE = Suite(Mode.VERIFIABLE)

Today = Callable[[], dt.date]


class Quota:
    """How many values of each member were evaluated today (UTC), in this process."""

    def __init__(self, daily: int, today: Today) -> None:
        self._daily, self._today = daily, today
        self._lock = threading.Lock()
        self._day: dt.date | None = None
        self._used: Counter[str] = Counter()

    def take(self, member: str, count: int) -> bool:
        """Whether so many more are allowed; then they are counted."""
        with self._lock:
            if self._day != self._today():
                self._day, self._used = self._today(), Counter()
            if self._used[member] + count > self._daily:
                return False
            self._used[member] += count
            return True


def token_hash(token: str) -> str:
    """What is kept of a member's token: its SHA-256, as it is random and long."""
    return hashlib.sha256(token.encode()).hexdigest()


def _utc_today() -> dt.date:
    return dt.datetime.now(dt.UTC).date()


def create_app(key: bytes, members: Mapping[str, str], daily: int, today: Today = _utc_today) -> Flask:
    """The application. `members` has the hash of each one's token, by name."""
    app = Flask("frankpledge-custodian", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    public, quota = public_key(key), Quota(daily, today)

    @app.get("/v1/key")
    def show_key() -> Response:
        return _json({"public": public.hex()})

    @app.post("/v1/evaluations")
    def evaluate() -> Response:
        member = _member(members)
        if member is None:
            return _json({"error": "unknown member"}, 401)
        try:
            blinded = _blinded(request.get_data())
        except (OprfError, ValueError, KeyError, TypeError):
            return _json({"error": f"expected 1 to {MOST_AT_ONCE} elements of the group, in base64"}, 422)
        if not quota.take(member, len(blinded)):
            return _json({"error": "the quota of today is used up"}, 429)
        try:
            evaluated = _SUITE.evaluate(key, blinded)
            proof = _SUITE.prove(key, blinded, evaluated)
        except OprfError:
            return _json({"error": f"expected 1 to {MOST_AT_ONCE} elements of the group, in base64"}, 422)
        return _json({"elements": list(map(_text, evaluated)), "proof": _text(proof)})

    return app


def from_environment(environment: Mapping[str, str] = os.environ) -> Flask:
    """The application for the files that FRANKPLEDGE_CUSTODIAN_KEY_FILE and ..._MEMBERS_FILE name. Raises KitError."""
    found = {name: environment.get(f"FRANKPLEDGE_CUSTODIAN_{name}", "") for name in ("KEY_FILE", "MEMBERS_FILE")}
    daily = int(environment.get("FRANKPLEDGE_CUSTODIAN_DAILY", DAILY))
    return create_app(read_key(Path(found["KEY_FILE"])), read_members(Path(found["MEMBERS_FILE"])), daily)


def read_key(path: Path) -> bytes:
    """The custodian's key. Raises KitError."""
    try:
        key = bytes.fromhex(read_private(path).decode("ascii").strip())
    except ValueError:
        key = b""
    if len(key) != SCALAR_BYTES:
        raise KitError("The custodian's key file is damaged.", "Give the file that `custodian init` made.")
    return key


def read_members(path: Path) -> dict[str, str]:
    """The hash of each member's token, by name. Raises KitError."""
    try:
        found = orjson.loads(read_private(path))
        return {str(name): str(known) for name, known in found.items()}
    except (orjson.JSONDecodeError, AttributeError):
        raise KitError("The members' file is damaged.", "Make it anew by `custodian member`.") from None


def _member(members: Mapping[str, str]) -> str | None:
    given = token_hash(request.headers.get("Authorization", "").removeprefix("Bearer "))
    found = [name for name, known in members.items() if hmac.compare_digest(given, known)]
    return found[0] if found else None


def _blinded(body: bytes) -> list[bytes]:
    elements = orjson.loads(body)["elements"]
    if not isinstance(elements, list) or not 0 < len(elements) <= MOST_AT_ONCE:
        raise ValueError
    try:
        return [base64.b64decode(each, validate=True) for each in elements]
    except binascii.Error:
        raise ValueError from None


def _text(element: bytes) -> str:
    return base64.b64encode(element).decode()


def _json(body: dict[str, Any], status: int = 200) -> Response:
    return Response(orjson.dumps(body), status, mimetype="application/json")
