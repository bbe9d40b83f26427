"""HTTP with the pool: tokens, repeats, errors."""

from __future__ import annotations

import datetime as dt
import threading

import httpx
import pytest

from frankpledge.client import Pool
from frankpledge.credentials import Credentials
from frankpledge.problems import (
    AuthenticationError,
    InvalidRequestError,
    NotFoundError,
    PoolError,
    RefusedError,
    TooManyRequestsError,
    UnavailableError,
)
from frankpledge.session import Retry, retry_after
from tests.unit.frankpledge.fakes import CREDENTIALS, FakePool, ok, problem

NOW = dt.datetime(2026, 3, 1, 12, 0, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("7", 7.0),
        ("Sun, 01 Mar 2026 12:00:30 GMT", 30.0),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
        ("\u0667", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, seconds: float | None) -> None:
    """RFC 9110 allows both; what is neither says nothing."""
    assert retry_after(header, NOW) == seconds


def test_one_log_in_serves_many_requests(pool: Pool, fake: FakePool) -> None:
    """The token is kept while it is good."""
    for _ in range(3):
        pool.standing()
    assert fake.tokens == 1
    assert len(fake.sent("/v1/auth/token")) == 1


def test_a_token_is_refreshed_before_it_ends(pool: Pool, fake: FakePool) -> None:
    """Towards its end the refresh token is used, not the secret."""
    fake.expires_in = 0
    pool.standing()
    pool.standing()
    assert len(fake.sent("/v1/auth/token")) == 1
    assert len(fake.sent("/v1/auth/refresh")) == 1


def test_a_refresh_token_that_ended_leads_back_to_the_secret(pool: Pool, fake: FakePool) -> None:
    """A job that slept longer than the refresh token lives logs in again."""
    fake.expires_in = 0
    pool.standing()
    fake.valid.clear()
    pool.standing()
    assert len(fake.sent("/v1/auth/token")) == 2


def test_a_token_the_pool_forgot_is_replaced_once(pool: Pool, fake: FakePool) -> None:
    """After a 401 there is one new log-in and one more attempt."""
    pool.standing()
    fake.valid = {"refresh1"}
    pool.standing()
    assert fake.tokens == 2


def test_threads_share_one_log_in(pool: Pool, fake: FakePool) -> None:
    """A burst of first requests does not become a burst of log-ins."""
    threads = [threading.Thread(target=pool.standing) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert fake.tokens == 1


def test_wrong_credentials_are_typed(fake: FakePool) -> None:
    """A log-in that fails is not tried again and again."""
    pool = Pool("https://pool.example", Credentials("cli_1", "wrong"), transport=httpx.MockTransport(fake))
    with pytest.raises(AuthenticationError, match="log-in failed"):
        pool.log_in()
    assert len(fake.requests) == 1


def test_without_credentials_only_the_scheme_answers(fake: FakePool) -> None:
    """The scheme is public, nothing else."""
    pool = Pool("https://pool.example", transport=httpx.MockTransport(fake))
    assert pool.scheme().name == "Test pool"
    with pytest.raises(AuthenticationError):
        pool.standing()


@pytest.mark.parametrize(
    "failure", [problem(503), problem(429), problem(500), httpx.ConnectError("x"), httpx.ReadTimeout("x")]
)
def test_passing_failures_are_tried_again(
    pool: Pool, fake: FakePool, waits: list[float], failure: httpx.Response | Exception
) -> None:
    """The pool's restart or a lost packet does not end a nightly job; waiting grows each time."""
    fake.failures = [failure, failure]
    assert pool.standing()
    assert waits == [0.5, 1.0]


def test_retry_after_is_honoured(pool: Pool, fake: FakePool, waits: list[float]) -> None:
    """When the pool says how long, that long, and some jitter on top."""
    fake.failures = [problem(429, {"Retry-After": "7"}), problem(503, {"Retry-After": "60"})]
    pool.standing()
    assert waits == [7.25, 60.5]


def test_nobody_waits_for_hours(pool: Pool, fake: FakePool, waits: list[float]) -> None:
    """A locked account that asks for an hour is an error now, not a silent hour."""
    fake.failures = [problem(429, {"Retry-After": "3600"}, title="Too many failed log-ins")]
    with pytest.raises(TooManyRequestsError, match="Too many failed log-ins"):
        pool.log_in()
    assert waits == []


def test_patience_ends(pool: Pool, fake: FakePool, waits: list[float]) -> None:
    """After the last attempt the error comes out, typed."""
    fake.failures = [problem(503, title="Not available")] * 4
    with pytest.raises(UnavailableError, match="Not available"):
        pool.standing()
    assert len(waits) == 3
    fake.failures = [httpx.ConnectError("x")] * 4
    with pytest.raises(UnavailableError, match="cannot be reached"):
        pool.standing()
    fake.failures = [problem(429, title="Too many")] * 4
    with pytest.raises(TooManyRequestsError):
        pool.standing()


def test_jitter_is_drawn_below_the_cap() -> None:
    """Waits double up to the cap, and are drawn between nothing and that; in the end it is given up."""
    drawn: list[tuple[float, float]] = []

    def draw(low: float, high: float) -> float:
        drawn.append((low, high))
        return high

    retry = Retry(attempts=9, draw=draw)
    assert [retry.pause(attempt) for attempt in range(1, 10)] == [0.5, 1, 2, 4, 8, 16, 30, 30, None]
    assert {low for low, _ in drawn} == {0}


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, InvalidRequestError),
        (403, RefusedError),
        (404, NotFoundError),
        (409, InvalidRequestError),
        (413, InvalidRequestError),
        (418, PoolError),
        (422, InvalidRequestError),
    ],
)
def test_problems_become_typed_errors(pool: Pool, fake: FakePool, status: int, kind: type[PoolError]) -> None:
    """Each status has its error, and none of these is tried again."""
    pool.log_in()
    fake.failures = [problem(status, title="Not so")]
    with pytest.raises(PoolError, match="Not so") as caught:
        pool.standing()
    assert type(caught.value) is kind
    assert caught.value.problem.status == status


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, content=b"<html>"),
        httpx.Response(200, content=b""),
        httpx.Response(302, headers={"Location": "https://evil.example"}),
        ok([1, 2]),
    ],
)
def test_answers_of_something_else_are_named(pool: Pool, fake: FakePool, answer: httpx.Response) -> None:
    """A login page of a proxy, a redirect, another API: none is taken for the pool."""
    pool.log_in()
    fake.failures = [answer]
    with pytest.raises(PoolError, match="not one of a Frankpledge pool"):
        pool.batch("bat_1")


def test_a_broken_connection_says_so(pool: Pool, fake: FakePool) -> None:
    """The network's failures are told apart."""
    fake.failures = [httpx.RemoteProtocolError("x")] * 4
    with pytest.raises(UnavailableError, match="broke off"):
        pool.standing()
    fake.failures = [httpx.ReadTimeout("x")] * 4
    with pytest.raises(UnavailableError, match="did not answer in time"):
        pool.standing()


def test_secrets_stay_out_of_addresses(pool: Pool, fake: FakePool) -> None:
    """Neither the secret nor a token is ever part of a URL."""
    pool.standing()
    for request in fake.requests:
        assert CREDENTIALS.client_secret not in str(request.url)
        assert "access1" not in str(request.url)
