"""A short history of decisions: refusals, screenings and readings over some days, with a new rulebook in between."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from repository.services import Services
from tests.integration.pool.conftest import Desk
from tests.integration.pool.test_outcomes import log_in
from tests.support.clock import FakeClock
from tests.support.encodings import filing, question, subject
from tests.support.members import Admissions
from tests.support.rulebooks import load_rules

RELEASE: dict[str, Any] = {"release": {"minimum": True, "legal_power": True, "third_party": False}}


@pytest.fixture
def alpha(client: FlaskClient, services: Services, member: Admissions) -> Desk:
    """A member in motor and home."""
    return Desk(client, services, member("Alpha", lines=("motor", "home")))


@pytest.fixture
def beta(client: FlaskClient, services: Services, member: Admissions) -> Desk:
    """Another one."""
    return Desk(client, services, member("Beta", lines=("motor", "home")))


def next_day(clock: FakeClock, *desks: Desk) -> None:
    """A day later, with tokens of that day."""
    clock.advance(days=1)
    log_in(*desks)


@pytest.fixture
def history(alpha: Desk, beta: Desk, clock: FakeClock) -> Desk:
    """Alpha, after four days on which it was refused, filed, asked and read; from the third on, two a minute only."""
    beta.file(filing("B-1", subject("ann"), record_class="claim"))
    alpha.screen(question("ann"), status=403)  # R2: it has filed nothing
    next_day(clock, alpha, beta)
    alpha.file(filing("A-1", subject("ann"), record_class="claim"))
    alpha.screen(question("ann"))
    alpha.hits()
    alpha.screen(question("ann", line="home"), status=403)
    next_day(clock, alpha, beta)
    load_rules(alpha.services, {"quota": {"burst_per_minute": 2}, "tiers.claims": {"claim": 2}})
    alpha.screen(question("bob"))
    alpha.screen(question("cid"))
    alpha.screen(question("dan"), status=429)  # R10: the third in a minute
    next_day(clock, alpha, beta)
    beta.hits()
    beta.screen(question("ann"))
    alpha.get(f"/v1/hits/{alpha.hits()[0]['id']}")
    alpha.screen(question("eve", purpose="law_enforcement", **RELEASE), status=403)
    return alpha
