"""A contributor takes a filing of its own out of the pool: at once, for good, and not to look better for it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from repository.storage.filings import FILINGS
from repository.storage.ledger import LEDGER
from tests.integration.pool.conftest import Counted, Desk
from tests.support.clock import FakeClock
from tests.support.encodings import filing, question, subject


def withdraw(desk: Desk, filing_id: str, reason: str = "not_the_person", *, status: int = 200) -> dict[str, Any]:
    """Withdraw a filing."""
    path, body = f"/v1/filings/{filing_id}/withdrawal", {"reason": reason}
    answer = desk.client.post(path, json=body, headers=desk.member.headers)
    assert answer.status_code == status, answer.get_json()
    told: dict[str, Any] = answer.get_json()
    return told


def counts(desk: Desk) -> dict[str, int]:
    """What the ledger of a member counts."""
    names = ("accepted", "thin", "upheld")
    sums = select(*(func.coalesce(func.sum(LEDGER.c[name]), 0) for name in names))
    with desk.services.database.reading() as connection:
        row = connection.execute(sums.where(LEDGER.c.member_id == desk.member.id)).one()
    return dict(zip(names, map(int, row), strict=True))


@pytest.fixture
def filed(alpha: Desk, beta: Desk) -> str:
    """A claim of beta's about a person whom alpha has, too."""
    alpha.file(filing("A-1", subject("ann"), record_class="claim"))
    made: str = beta.file(filing("B-1", subject("ann"), record_class="claim"))["id"]
    return made


def test_a_withdrawn_filing_is_gone_for_everyone(alpha: Desk, beta: Desk, filed: str, rows: Counted) -> None:
    """Who asks afterwards meets it no more; the proof says why, and is the answer again."""
    assert len(alpha.hits()) == 1
    proof = withdraw(beta, filed)
    assert (proof["filing"], proof["cause"], proof["reason"]) == (filed, "withdrawn", "not_the_person")
    assert alpha.hits() == []
    assert alpha.screen(question("ann"))["answer"] == "clear"
    beta.get(f"/v1/filings/{filed}", status=404)
    assert withdraw(beta, filed, "duplicate") == proof
    assert beta.get(f"/v1/filings/{filed}/deletion") == proof
    assert beta.get("/v1/deletions") == {"items": [proof], "next_cursor": None}
    assert rows("deletions") == 1


def test_nobody_withdraws_the_filing_of_another(alpha: Desk, beta: Desk, filed: str) -> None:
    """It is not told from one that never was; neither is the proof that it is gone."""
    withdraw(alpha, filed, status=404)
    withdraw(beta, filed, "because", status=422)
    assert beta.get(f"/v1/filings/{filed}")["version"] == 1
    withdraw(beta, filed)
    alpha.get(f"/v1/filings/{filed}/deletion", status=404)
    withdraw(alpha, filed, status=404)
    assert alpha.get("/v1/deletions")["items"] == []


def test_what_was_credited_and_is_withdrawn_counts_no_more(beta: Desk, filed: str, clock: FakeClock) -> None:
    """Within the window: filing and withdrawing by turns earns nothing. After it nothing is taken back."""
    assert counts(beta) == {"accepted": 1, "thin": 0, "upheld": 0}
    withdraw(beta, filed)
    assert counts(beta) == {"accepted": 1, "thin": 1, "upheld": 0}
    again = beta.file(filing("B-1", subject("ann"), record_class="claim"))["id"]
    with beta.services.database.writing() as connection:
        long_ago = clock() - timedelta(days=beta.services.rulebook.window.days + 1)
        connection.execute(update(FILINGS).where(FILINGS.c.id == again).values(created_at=long_ago))
    withdraw(beta, again)
    assert counts(beta) == {"accepted": 2, "thin": 1, "upheld": 0}


def test_withdrawing_what_is_disputed_accepts_the_dispute(alpha: Desk, beta: Desk, filed: str) -> None:
    """It is upheld and counts, also where it was not accepted before; both sides still see what came of it."""
    [hit] = alpha.hits()
    body = {"hit": hit["id"], "ground": "not_the_person", "statement_reference": "S-1"}
    raised = alpha.client.post("/v1/disputes", json=body, headers=alpha.member.headers).get_json()
    path = f"/v1/disputes/{raised['id']}"
    answer = beta.client.post(f"{path}/answer", json={"accepts": False}, headers=beta.member.headers)
    assert answer.get_json()["reference"] == "B-1"
    withdraw(beta, filed)
    assert counts(beta)["upheld"] == 1
    assert (alpha.get(path)["status"], alpha.get(path)["closed_by"]) == ("upheld", "contributor")
    assert (beta.get(path)["status"], beta.get(path)["reference"]) == ("upheld", None)
