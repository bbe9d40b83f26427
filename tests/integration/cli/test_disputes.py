"""Disputes as the operator decides them on the command line."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result

from repository.cli.context import Pool
from repository.cli.disputes import dispute
from repository.domain.disputes import Dispute, Disputed, Ground
from repository.services import Services
from repository.services.lifecycle import Act
from repository.storage import disputes
from repository.storage.hits import HITS
from tests.support.encodings import filing, subject
from tests.support.members import Admissions, TestMember

Admin = Callable[..., Result]


@pytest.fixture
def admin(services: Services) -> Admin:
    """Runs a command on the pool of the test."""
    return lambda *words: CliRunner().invoke(dispute, list(words), obj=_Pool(services))


class _Pool(Pool):
    """The pool of a test as the commands see it."""

    def __init__(self, services: Services) -> None:
        super().__init__(services.settings)
        self.__dict__["database"] = services.database


@pytest.fixture
def raised(services: Services, member: Admissions) -> Dispute:
    """A dispute that Alpha raised about a claim of Beta's."""
    alpha, beta = member("Alpha"), member("Beta")
    client = member._app.test_client()
    for who in (beta, alpha):
        body = filing("X-1", subject("ann"), record_class="claim")
        assert client.post("/v1/filings", json=body, headers=who.headers).status_code == 201
    return _dispute(services, alpha, beta)


def _dispute(services: Services, alpha: TestMember, beta: TestMember) -> Dispute:
    act = Act(services.clock(), alpha.client_id)
    with services.database.writing() as connection:
        hit = connection.execute(HITS.select()).one()
        about = Disputed(hit.low_filing_id, 1, beta.id, "motor", "claim")
        made = Dispute(act.new_id("dsp"), alpha.id, hit.id, about, Ground.UNLAWFUL, "S-1", act.now)
        assert disputes.add(connection, made)
    return made


def test_a_dispute_is_listed_and_upheld(admin: Admin, raised: Dispute) -> None:
    """Listed while it is open, with both sides and without their references; afterwards only with --all."""
    (listed,) = json.loads(admin("list", "--json").output)
    assert (listed["id"], listed["raiser"], listed["status"]) == (raised.id, raised.raiser_id, "open")
    assert "S-1" not in json.dumps(listed)
    assert raised.id in admin("list").output
    done = admin("uphold", raised.id, "--reason", "The dates are wrong.", "--unheard")
    assert (done.exit_code, done.output) == (0, f"{raised.id} is upheld.\n")
    assert admin("list").output == "No disputes.\n"
    (closed,) = json.loads(admin("list", "--all", "--json").output)
    assert (closed["status"], closed["reason"]) == ("upheld", "The dates are wrong.")


def test_a_dispute_is_dismissed(admin: Admin, raised: Dispute) -> None:
    """With --json the dispute is printed as it then is."""
    done = admin("dismiss", raised.id, "--reason", "All is in order.", "--unheard", "--json")
    assert json.loads(done.output)["status"] == "dismissed"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("uphold", "{id}", "--reason", "So."), "has not answered"),
        (("dismiss", "dsp_x", "--reason", "So."), "there is no such dispute"),
        (("uphold", "{id}"), "--reason"),
        (("uphold", "{id}", "--reason", " ", "--unheard"), "reason"),
    ],
)
def test_what_cannot_be_done_is_said(admin: Admin, raised: Dispute, words: tuple[str, ...], said: str) -> None:
    """In a sentence, with an exit code that is not 0, and nothing is changed."""
    done = admin(*(word.format(id=raised.id) for word in words))
    assert done.exit_code != 0
    assert said in str(done.exception) + done.output
    assert json.loads(admin("list", "--json").output)[0]["status"] == "open"
