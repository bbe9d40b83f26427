"""A scheme with a custodian: nobody encodes without it, it sees nothing, and all who ask it encode alike."""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Callable
from typing import Any

import httpx
import numpy as np
import pytest
from flask import Flask, request

from frankpledge.custodian import oprf
from frankpledge.custodian.binding import fingerprint
from frankpledge.custodian.client import Custodian, CustodianError
from frankpledge.custodian.service import create_app, token_hash
from frankpledge.records import RecordEncoder
from tests.unit.frankpledge.fakes import KEY

PERSON = {"given_name": "Ann", "family_name": "Miller", "date_of_birth": "1980-03-09", "postcode": "WR9 0AE"}
SECRET = oprf.new_key()
TOKEN = "a token of Alder's"
Ask = Callable[..., Custodian]


@pytest.fixture
def ask() -> Ask:
    """Connect to a custodian in this process: `ask(daily=100)`."""

    def connect(app: Flask | None = None, *, daily: int = 10_000, token: str = TOKEN) -> Custodian:
        app = app or create_app(SECRET, {"Alder": token_hash(TOKEN)}, daily)
        public = oprf.public_key(SECRET)
        return Custodian("http://127.0.0.1", token, public, transport=httpx.WSGITransport(app))

    return connect


def test_all_who_ask_the_same_custodian_encode_alike(ask: Ask) -> None:
    """The same record gives the same keys and sketches, and others than without the custodian or with another one."""
    one, other = (RecordEncoder.for_key(KEY, custodian=ask()) for _ in range(2))
    (first,), (second,), (plain,) = (
        each.subjects(PERSON, "policyholder") for each in (one, other, RecordEncoder.for_key(KEY))
    )
    assert first == second
    assert (first.mask, first.observed) == (plain.mask, plain.observed)
    assert not set(_keys(first.keys)) & set(_keys(plain.keys))
    assert first.sketches != plain.sketches
    assert one.fingerprint == other.fingerprint != KEY.fingerprint
    assert fingerprint(KEY, oprf.public_key(oprf.new_key())) not in (one.fingerprint, KEY.fingerprint)


def _keys(keys: bytes) -> list[bytes]:
    return [keys[start : start + 16] for start in range(0, len(keys), 16)]


def test_the_custodian_sees_nothing_that_it_could_know_again(ask: Ask) -> None:
    """What is sent for the same value differs each time, and values that are alike are sent once."""
    seen: list[list[str]] = []
    app = create_app(SECRET, {"Alder": token_hash(TOKEN)}, 10_000)

    @app.before_request
    def note() -> None:
        seen.append(request.get_json()["elements"])

    blocks = np.array([[1, 2], [3, 4], [1, 2]], np.uint64)
    made = ask(app)
    first, second = made.harden(blocks), made.harden(blocks)
    assert (first == second).all()
    assert (first[0] == first[2]).all()
    assert [len(each) for each in seen] == [2, 2]
    assert not set(seen[0]) & set(seen[1])


def test_an_answer_by_another_key_is_not_used(ask: Ask) -> None:
    """A custodian that swaps its key would part the scheme, or mark a member: the proof shows it."""
    app = create_app(oprf.new_key(), {"Alder": token_hash(TOKEN)}, 10_000)
    with pytest.raises(CustodianError, match="does not fit its public key"):
        ask(app).harden(np.array([[1, 2]], np.uint64))


def test_strangers_are_refused_and_members_have_a_quota(ask: Ask) -> None:
    """A guess costs a value of the day's; the next day there are new ones."""
    day = [dt.date(2026, 3, 2)]
    app = create_app(SECRET, {"Alder": token_hash(TOKEN)}, 3, lambda: day[0])
    two = np.array([[1, 2], [3, 4]], np.uint64)
    with pytest.raises(CustodianError, match="does not know"):
        ask(app, token="another").harden(two)
    ask(app).harden(two)
    with pytest.raises(CustodianError, match="no more for this member today"):
        ask(app).harden(two)
    day[0] += dt.timedelta(days=1)
    ask(app).harden(two)


@pytest.mark.parametrize(
    "body", [{}, {"elements": []}, {"elements": ["!"]}, {"elements": [base64.b64encode(bytes(32)).decode()]}, [1]]
)
def test_what_is_no_list_of_elements_is_refused(body: Any) -> None:
    """Without a fault, and without a value in the answer."""
    app = create_app(SECRET, {"Alder": token_hash(TOKEN)}, 10)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    answer = app.test_client().post("/v1/evaluations", json=body, headers=headers)
    assert answer.status_code == 422
