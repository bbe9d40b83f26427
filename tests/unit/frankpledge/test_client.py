"""The pool from Python."""

from __future__ import annotations

import datetime as dt
from itertools import islice

import httpx
import orjson
import pytest

from frankpledge.client import Pool
from frankpledge.problems import InvalidRequestError, NotFoundError, PoolError, UnavailableError
from frankpledge.questions import Question
from frankpledge.records import RecordEncoder
from frankpledge.results import Screening
from tests.unit.frankpledge.fakes import CREDENTIALS, KEY, FakePool, encoded_line, ok, problem

RECORD = {"given_name": "Ann", "family_name": "Doe", "date_of_birth": "1980-03-09"}


def test_the_scheme_tells_how_far_the_clocks_are_apart(pool: Pool, fake: FakePool) -> None:
    """Half of the request's time is taken off."""
    fake.time = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=90)
    scheme = pool.scheme()
    assert 85 < scheme.ahead.total_seconds() < 95
    assert scheme.fingerprints == {"guarded/1": (KEY.fingerprint,)}


def test_a_screening_sends_keys_only(pool: Pool, fake: FakePool, encoder: RecordEncoder) -> None:
    """The question has purpose, line and reference, and nothing of the person but keys."""
    fake.answer = "enquire"
    [subject] = encoder.subjects(RECORD, "policyholder")
    asking = encoder.asking(purpose="new_business", line="motor", lawful_basis="contract")
    answer = pool.screen(asking, Question("Q-1", subject))
    assert not answer.clear
    assert answer.hits[0].explanation[0] == ("date of birth", "same", 14.0)
    assert answer.capped_keys == 2
    [request] = fake.sent("/v1/screenings")
    body = orjson.loads(request.content)
    assert {name: body[name] for name in ("purpose", "line", "reference", "lawful_basis", "fingerprint")} == {
        "purpose": "new_business",
        "line": "motor",
        "reference": "Q-1",
        "lawful_basis": "contract",
        "fingerprint": KEY.fingerprint,
    }
    assert set(body["subject"]) == {"kind", "role", "mask", "keys"}
    assert not any(value.lower().encode() in request.content.lower() for value in ("Doe", "1980"))


def test_a_screening_is_not_asked_twice_when_it_may_have_been_taken(
    pool: Pool, fake: FakePool, encoder: RecordEncoder
) -> None:
    """A question is on record at the pool: a lost answer is an error, a refusal for now is not."""
    [subject] = encoder.subjects(RECORD, "policyholder")
    asking = encoder.asking(purpose="new_business", line="motor")
    pool.log_in()
    fake.failures = [problem(503)]
    assert pool.screen(asking, Question("Q-1", subject)).clear
    for failure in (problem(500, title="Broken"), problem(504, title="Broken"), httpx.ReadTimeout("Broken")):
        fake.failures = [failure]
        with pytest.raises(UnavailableError):
            pool.screen(asking, Question("Q-1", subject))
    assert len(fake.sent("/v1/screenings")) == 5


def test_many_questions_are_answered_in_order(pool: Pool, encoder: RecordEncoder) -> None:
    """A question that stands no chance has an error in its place."""
    [subject] = encoder.subjects(RECORD, "policyholder")
    asking = encoder.asking(purpose="new_business", line="motor")
    answers = pool.screen_many(asking, [Question(name, subject) for name in ("a", "bad", "c")])
    assert isinstance(answers[0], Screening)
    assert isinstance(answers[1], InvalidRequestError)
    assert "subject: expected more" in answers[1].what
    assert isinstance(answers[2], Screening)


def test_too_few_answers_are_not_taken(pool: Pool, fake: FakePool, encoder: RecordEncoder) -> None:
    """An answer must be somebody's for sure."""
    [subject] = encoder.subjects(RECORD, "policyholder")
    pool.log_in()
    fake.failures = [ok({"results": []})]
    with pytest.raises(PoolError, match="not one of a Frankpledge pool"):
        pool.screen_many(encoder.asking(purpose="new_business", line="motor"), [Question("a", subject)])


def test_one_filing_gets_a_receipt(pool: Pool, fake: FakePool) -> None:
    """A line of `encode` can be filed by itself, under a key of one's own."""
    receipt = pool.file(orjson.loads(encoded_line("P-1")), idempotency_key="night-1")
    assert (receipt.id, receipt.result) == ("fil_1", "created")
    assert fake.sent("/v1/filings")[0].headers["Idempotency-Key"] == "night-1"


def test_hits_come_page_by_page_as_far_as_wanted(pool: Pool, fake: FakePool) -> None:
    """Pages are asked for only when they are reached; filters go along."""
    assert [hit.id for hit in islice(pool.hits(band="strong", record_class="suspected"), 1)] == ["hit_1"]
    assert len(fake.sent("/v1/hits")) == 1
    assert dict(fake.sent("/v1/hits")[0].url.params) == {"band": "strong", "class": "suspected", "limit": "100"}
    assert [hit.id for hit in pool.hits()] == ["hit_1", "hit_2", "hit_0"]


def test_what_the_tier_does_not_show_is_none(pool: Pool) -> None:
    """A hit of tier 1 says that it is one, and no more."""
    *_, hit = pool.hits()
    assert (hit.tier, hit.record_class, hit.weight, hit.contributor, hit.explanation) == (1, None, None, None, ())
    assert (hit.labels, hit.protected) == ({}, False)


def test_labels_and_protection_are_told(pool: Pool) -> None:
    """From tier 2 on, where the record has them."""
    _, victim, _ = pool.hits()
    assert (victim.tier, victim.labels, victim.protected) == (2, {"tlp": "amber_strict"}, True)


@pytest.mark.parametrize("name", ["../standing", "hit_1/x", "", "hit 1", "hit_é"])
def test_what_is_no_id_does_not_become_an_address(pool: Pool, fake: FakePool, name: str) -> None:
    """Ids are checked before they are part of a path."""
    with pytest.raises(NotFoundError):
        pool.hit(name)
    assert fake.requests == []


def test_a_pool_closes_its_connections(fake: FakePool) -> None:
    """A pool is a context manager."""
    with Pool("https://pool.example", CREDENTIALS, transport=httpx.MockTransport(fake)) as pool:
        pool.scheme()
    with pytest.raises(RuntimeError, match="closed"):
        pool.scheme()
