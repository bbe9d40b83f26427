"""HTTP with the pool: connections kept open, tokens renewed in time, failures tried again when that is safe."""

from __future__ import annotations

import datetime as dt
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import orjson

from frankpledge.credentials import AnyCredentials
from frankpledge.problems import AuthenticationError, error_for, unexpected_answer, unreachable

NOT_TAKEN = frozenset({429, 503})
"""Statuses that say the request was not taken, and may be later: safe to repeat for every request."""
RENEW_BEFORE = 60.0
"""Seconds before its end at which a token is renewed."""


@dataclass(frozen=True, slots=True)
class Retry:
    """How often to try and how long to wait: exponential with full jitter, in seconds; Retry-After is honoured."""

    attempts: int = 6
    base: float = 0.5
    cap: float = 30.0
    longest: float = 300.0
    sleep: Callable[[float], None] = time.sleep
    draw: Callable[[float, float], float] = random.uniform

    def pause(self, attempt: int, response: httpx.Response | None = None) -> float | None:
        """Say how long to wait after failed attempt number `attempt`, from 1; None when it is time to give up.

        An answer that asks for more patience than `longest` is final: its error says how long that would be.
        """
        asked = retry_after(response.headers.get("Retry-After")) if response is not None else None
        if attempt >= self.attempts or (asked is not None and asked > self.longest):
            return None
        drawn = self.draw(0, min(self.cap, self.base * 2 ** (attempt - 1)))
        return drawn if asked is None else asked + drawn / 2


def retry_after(header: str | None, now: dt.datetime | None = None) -> float | None:
    """Read Retry-After (RFC 9110, 10.2.3), seconds or a date, as seconds from `now`; None when it says nothing."""
    if header is None:
        return None
    if header.isascii() and header.isdigit():
        return float(header)
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    return max(0.0, (moment - (now or dt.datetime.now(dt.UTC))).total_seconds())


@dataclass(frozen=True, slots=True)
class _Tokens:
    access: str
    refresh: str | None
    good_until: float


class Session:
    """Requests to one pool under one member's credentials. Safe to share between threads."""

    def __init__(
        self,
        server: str,
        credentials: AnyCredentials | None,
        *,
        timeout: float,
        retry: Retry,
        transport: httpx.BaseTransport | None,
    ) -> None:
        self._client = httpx.Client(
            base_url=server,
            timeout=httpx.Timeout(timeout, connect=min(timeout, 5.0)),
            transport=transport,
            limits=httpx.Limits(max_keepalive_connections=20, keepalive_expiry=60.0),
            headers={"User-Agent": "frankpledge", "Accept": "application/json, application/problem+json"},
        )
        self._credentials = credentials
        self._retry = retry
        self._tokens: _Tokens | None = None
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def log_in(self) -> None:
        """Obtain a token now. Raises PoolError."""
        self._token()

    def send(
        self,
        method: str,
        path: str,
        *,
        json: object = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        repeatable: bool = True,
        authorised: bool = True,
    ) -> Any:
        """Send a request and return the answer's JSON. Raises PoolError.

        Only a `repeatable` request is sent again when it is unknown whether the pool took it.
        """
        sent = dict(headers or {})
        if json is not None:
            content, sent["Content-Type"] = orjson.dumps(json), "application/json"
        request = _Request(method, path, content, sent, params or {}, repeatable)
        response = self._authorised(request) if authorised else self._persistent(request)
        return _document(response)

    def fetch(self, path: str) -> bytes:
        """Fetch something as it is, such as pages to print. Raises PoolError."""
        response = self._authorised(_Request("GET", path, None, {"Accept": "*/*"}, {}, repeatable=True))
        if response.status_code != 200:
            _document(response)
            raise unexpected_answer()
        return response.content

    def _authorised(self, request: _Request) -> httpx.Response:
        """Send with a token; should the pool not know it any more, once again with a new one."""
        token = self._token()
        response = self._persistent(request.bearing(token))
        if response.status_code != 401:
            return response
        return self._persistent(request.bearing(self._token(stale=token)))

    def _persistent(self, request: _Request) -> httpx.Response:
        attempt = 0
        while True:
            attempt += 1
            try:
                response = self._once(request)
            except httpx.TransportError as error:
                unsent = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
                pause = self._retry.pause(attempt) if unsent or request.repeatable else None
                if pause is None:
                    raise unreachable(_why(error)) from None
            else:
                passing = response.status_code in NOT_TAKEN or (response.status_code >= 500 and request.repeatable)
                pause = self._retry.pause(attempt, response) if passing else None
                if pause is None:
                    return response
            self._retry.sleep(pause)

    def _once(self, request: _Request) -> httpx.Response:
        return self._client.request(
            request.method, request.path, content=request.content, headers=request.headers, params=request.params
        )

    def _token(self, stale: str | None = None) -> str:
        """Give a token that is good for a while, and is not `stale`."""
        with self._lock:
            tokens = self._tokens
            if tokens is None or tokens.access == stale or time.monotonic() >= tokens.good_until:
                tokens = self._tokens = self._renew(tokens)
            return tokens.access

    def _renew(self, old: _Tokens | None) -> _Tokens:
        if old is not None and old.refresh is not None:
            try:
                return self._ask_for_tokens("/v1/auth/refresh", None, {"Authorization": f"Bearer {old.refresh}"})
            except AuthenticationError:
                self._tokens = None  # the refresh token ended: the credentials themselves follow
        if self._credentials is None:
            raise error_for(401, {"detail": "This request needs credentials"})
        return self._ask_for_tokens("/v1/auth/token", self._credentials.grant(), {})

    def _ask_for_tokens(self, path: str, grant: object, headers: dict[str, str]) -> _Tokens:
        started = time.monotonic()
        document = self.send("POST", path, json=grant, headers=headers, authorised=False)
        try:
            lasts = float(document["expires_in"])
            margin = min(RENEW_BEFORE, lasts / 2)
            return _Tokens(str(document["access_token"]), document.get("refresh_token"), started + lasts - margin)
        except (KeyError, TypeError, ValueError):
            raise unexpected_answer() from None


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    path: str
    content: bytes | None
    headers: Mapping[str, str]
    params: Mapping[str, str]
    repeatable: bool

    def bearing(self, token: str) -> _Request:
        headers = {**self.headers, "Authorization": f"Bearer {token}"}
        return _Request(self.method, self.path, self.content, headers, self.params, self.repeatable)


def _document(response: httpx.Response) -> Any:
    try:
        document = orjson.loads(response.content) if response.content else None
    except orjson.JSONDecodeError:
        document = None
    if response.status_code >= 400:
        raise error_for(response.status_code, document)
    if document is None and response.status_code != 204:
        raise unexpected_answer()
    if response.status_code >= 300:
        raise unexpected_answer()
    return document


def _why(error: httpx.TransportError) -> str:
    if isinstance(error, httpx.TimeoutException):
        return "The pool did not answer in time"
    if isinstance(error, httpx.ConnectError):
        return "The pool cannot be reached"
    return "The connection to the pool broke off"
