"""Logging in: secrets checked with argon2id, failures slowed down, refresh tokens good for one use."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from repository.domain import ids
from repository.services import Services
from repository.storage import credentials, tokens
from repository.storage.members import ActorRow, ActorState

FREE_FAILURES = 5
"""This many failures in a row cost nothing; each further one doubles the pause, from 30 seconds to five minutes."""
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(minutes=5)
FAILURES_KEPT = timedelta(days=1)

AT_ONCE = 4
"""Each check of a secret takes 64 MiB and some CPU: no more than this many at a time, a few others wait."""
IN_ALL = 8
"""Log-ins under way, those that wait included: half of the threads of `serve`, so that no flood of them takes all."""
LONGEST_WAIT = timedelta(seconds=2)

_under_way = threading.BoundedSemaphore(IN_ALL)
_checking = threading.BoundedSemaphore(AT_ONCE)
_HASHER = PasswordHasher()  # argon2id with the library's defaults, RFC 9106's second recommendation


class LoginRefusedError(Exception):
    """The id or the secret is wrong, or the account is disabled: deliberately one error."""


class LockedError(Exception):
    """Log-in is paused after repeated failures; `wait` is what remains of the pause."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__("locked")
        self.wait = wait


class BusyError(Exception):
    """Too many log-ins are under way; this one was not looked at and does not count."""


class TokenRevokedError(Exception):
    """The token, its family or its actor is no longer good."""


class TokenReusedError(Exception):
    """A refresh token was presented a second time; its whole family is revoked now."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a log-in or refresh gives: the ids to put into a pair of tokens, and how long each holds."""

    actor: ActorState
    family_id: str
    access_id: str
    refresh_id: str
    issued_at: datetime


def hash_secret(secret: str) -> str:
    """An argon2id hash, with its parameters and salt in it."""
    return _HASHER.hash(secret)


def log_in(services: Services, kind: str, login: str, secret: str, *, peer: str) -> Grant:
    """Check a secret and open a token family; `kind` is user or client, `peer` where the request came from.

    Failures count for this peer only, so that nobody else can keep the owner of a known id out. Unknown ids cost the
    same work as known ones and are paused like them: nothing tells which ids exist. Raises LoginRefusedError,
    LockedError or BusyError. The hash is computed outside of any transaction: it must not hold the write lock.
    """
    with _slot(_under_way, timedelta()):
        return _log_in(services, kind, login, secret, peer)


def _log_in(services: Services, kind: str, login: str, secret: str, peer: str) -> Grant:
    now = services.clock()
    attempt = credentials.attempt_id(kind, login, peer)
    with services.database.read() as session:
        actor = credentials.by_login(session, kind, login)
        locked_until = credentials.locked_until(session, attempt)
    # A longer pause than there is was begun before the clock was set back.
    if locked_until and now < locked_until <= now + LONGEST_PAUSE:
        raise LockedError(locked_until - now)
    if not _verify(actor, secret) or actor is None or actor.disabled_at is not None:
        _count_failure(services, attempt, now)
        raise LoginRefusedError
    return _open(services, actor, attempt, secret, now)


def refresh(services: Services, family_id: str, token_id: str) -> Grant:
    """Exchange a refresh token for the next pair; raises TokenReusedError or TokenRevokedError."""
    now = services.clock()
    refresh_id = _new_token_id(now)
    with services.database.write() as session:
        state = tokens.actor_of(session.connection(), family_id, token_id)
        if state is None or state.disabled:
            raise TokenRevokedError
        expires_at = now + services.settings.refresh_lifetime
        if tokens.rotate(session, family_id, old=token_id, new=refresh_id, expires_at=expires_at):
            return Grant(state, family_id, _new_token_id(now), refresh_id, now)
        tokens.revoke_family(session, family_id, now=now, because="reuse")
    raise TokenReusedError


def revoke(services: Services, family_id: str, token_id: str, expires_at: datetime, *, whole_family: bool) -> None:
    """Take back an access token, or with `whole_family` the log-in and all that descends from it."""
    now = services.clock()
    with services.database.write() as session:
        if whole_family:
            tokens.revoke_family(session, family_id, now=now, because="logout")
        else:
            tokens.revoke_token(session, token_id, expires_at=expires_at)


def holder(services: Services, family_id: str, token_id: str) -> ActorState | None:
    """Who holds an unexpired token, as the database knows the actor now; None when it was revoked.

    Requests under one token that wait at the same time share the look, which is made after the last of them came.
    """

    def look(requests: Sequence[None]) -> list[ActorState | None]:
        with services.database.glancing() as connection:
            state = tokens.actor_of(connection, family_id, token_id)
        return [None if state is None or state.disabled else state for _ in requests]

    return services.holders.ask((family_id, token_id), None, look)


def secret_is_right(actor: ActorRow | None, secret: str) -> bool:
    """Whether this is the secret of an actor; costs the same where there is none. For who is at the machine itself."""
    return _verify(actor, secret)


@contextmanager
def _slot(slots: threading.BoundedSemaphore, patience: timedelta) -> Iterator[None]:
    if not slots.acquire(timeout=patience.total_seconds()):
        raise BusyError
    try:
        yield
    finally:
        slots.release()


@cache
def _decoy() -> str:
    return hash_secret(secrets.token_urlsafe(32))


def _verify(actor: ActorRow | None, secret: str) -> bool:
    with _slot(_checking, LONGEST_WAIT):
        try:
            return _HASHER.verify(actor.secret_hash if actor else _decoy(), secret)
        except (VerificationError, InvalidHashError):
            return False


def _count_failure(services: Services, attempt: str, now: datetime) -> None:
    with services.database.write() as session:
        failures = credentials.record_failure(session, attempt, now=now)
        if failures >= FREE_FAILURES:
            pause = min(FIRST_PAUSE * 2 ** min(failures - FREE_FAILURES, 16), LONGEST_PAUSE)
            credentials.lock(session, attempt, now + pause)


def _open(services: Services, actor: ActorRow, attempt: str, secret: str, now: datetime) -> Grant:
    rehashed = hash_secret(secret) if _HASHER.check_needs_rehash(actor.secret_hash) else actor.secret_hash
    family_id, access_id, refresh_id = (_new_token_id(now) for _ in range(3))
    expires_at = now + services.settings.refresh_lifetime
    with services.database.write() as session:
        credentials.record_success(session, actor.id, attempt, now=now, secret_hash=rehashed)
        credentials.forget_failures(session, before=now - FAILURES_KEPT)
        tokens.purge(session, before=now - services.settings.clock_leeway)
        tokens.open_family(session, family_id, actor.id, refresh_id=refresh_id, now=now, expires_at=expires_at)
        session.flush()
        state = tokens.actor_of(session.connection(), family_id, access_id)
    if state is None:
        raise LoginRefusedError
    return Grant(state, family_id, access_id, refresh_id, now)


def _new_token_id(now: datetime) -> str:
    return ids.make("tok", now, secrets.token_bytes(ids.RANDOM_BYTES))
