"""Token families in the database."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

from flask import Flask
from sqlalchemy import func, select

from repository.services import Services
from repository.services.authentication import TokenReusedError, TokenRevokedError, log_in, refresh
from repository.storage import tokens
from repository.storage.tokens import RevokedTokenRow, TokenFamilyRow
from tests.support.clock import FakeClock
from tests.support.members import Admissions


def test_of_two_refreshes_at_once_one_wins(app: Flask, services: Services, member: Admissions) -> None:
    """Two requests with one refresh token: one gets a pair, the other is reuse, and the family is over."""
    alpha = member()
    grant = log_in(services, "client", alpha.client_id, alpha.client_secret, peer="")
    start = threading.Barrier(2)
    outcomes: list[str] = []

    def attempt() -> None:
        start.wait()
        try:
            refresh(services, grant.family_id, grant.refresh_id)
        except (TokenReusedError, TokenRevokedError) as error:
            outcomes.append(type(error).__name__)
        else:
            outcomes.append("fresh")

    threads = [threading.Thread(target=attempt) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["TokenReusedError", "fresh"]
    with services.database.read() as session:
        family = session.get(TokenFamilyRow, grant.family_id)
        assert family is not None
        assert family.revoked_because == "reuse"


def test_one_token_is_revoked_many_times_at_once(app: Flask, services: Services, clock: FakeClock) -> None:
    """Requests that revoke the same token while another one is about to all succeed."""
    done: list[bool] = []

    def revoke() -> None:
        with services.database.write() as session:
            tokens.revoke_token(session, "tok_x", expires_at=clock())
        done.append(True)

    threads = [threading.Thread(target=revoke) for _ in range(4)]
    with services.database.write() as session:
        tokens.revoke_token(session, "tok_x", expires_at=clock())
        session.flush()
        for thread in threads:
            thread.start()
        time.sleep(0.3)  # long enough for them to look before this is committed
        assert done == []
    for thread in threads:
        thread.join()
    assert len(done) == 4


def test_what_has_expired_is_forgotten(services: Services, member: Admissions, clock: FakeClock) -> None:
    """Families and revocations go once nothing of theirs could be presented any more."""
    alpha = member()
    with services.database.write() as session:
        tokens.revoke_token(session, "tok_x", expires_at=clock() + timedelta(minutes=15))
        tokens.revoke_token(session, "tok_x", expires_at=clock() + timedelta(minutes=15))
    clock.advance(minutes=16)
    log_in(services, "client", alpha.client_id, alpha.client_secret, peer="")
    with services.database.read() as session:
        assert session.scalar(select(func.count()).select_from(RevokedTokenRow)) == 0
        assert session.scalar(select(func.count()).select_from(TokenFamilyRow)) == 2
    clock.advance(days=15)
    log_in(services, "client", alpha.client_id, alpha.client_secret, peer="")
    with services.database.read() as session:
        assert session.scalar(select(func.count()).select_from(TokenFamilyRow)) == 1
