"""Networks of claims: linked as they are filed, and reported to who has part in them, as far as each may see."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select

from repository.jobs.running import JobWorker
from repository.services import Services
from repository.storage.networks import FINDINGS
from tests.integration.pool.conftest import Desk
from tests.support.encodings import claim, filing, subject


def work(services: Services) -> int:
    """Do what is due."""
    return JobWorker(services).run_pending()


def staged(reference: str, day: int, *cast: str, firms: Sequence[str] = ("g", "s")) -> dict[str, Any]:
    """A claim of an incident on a day, with people in the roles of a staged accident."""
    roles = ("claimant", "passenger", "third_party", "witness")
    people = [subject(who, role=role) for who, role in zip(cast, roles, strict=False)]
    providers = [
        subject(firm, kind="organisation", role=role)
        for firm, role in zip(firms, ("garage", "solicitor"), strict=False)
    ]
    said = claim(incident_date=f"2026-01-{day:02d}", kind="injury")
    return filing(reference, *people, *providers, record_class="claim", claim=said)


def ring(alpha: Desk, beta: Desk) -> None:
    """Three people who act in three accidents, in other roles each time, at two insurers."""
    alpha.file(staged("A-1", 3, "ann", "bob", "cid"))
    beta.file(staged("B-1", 9, "bob", "cid", "ann"))
    alpha.file(staged("A-2", 20, "cid", "ann", "bob"))


def count(services: Services, table: Any) -> int:
    """How many rows a table has."""
    with services.database.reading() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def test_a_ring_across_members_is_raised_in_the_batch_that_completes_it(
    services: Services, alpha: Desk, beta: Desk
) -> None:
    """Nothing after the second claim; after the third each member with a claim in it has one finding."""
    alpha.file(staged("A-1", 3, "ann", "bob", "cid"))
    beta.file(staged("B-1", 9, "bob", "cid", "ann"))
    work(services)
    assert count(services, FINDINGS) == 0
    alpha.file(staged("A-2", 20, "cid", "ann", "bob"))
    work(services)
    assert count(services, FINDINGS) == 2
