"""A request for detail as it is stored, put in beside the rules, with a sealed answer that waits."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from repository.domain import ids
from repository.domain.exchange import Disclosure
from repository.services import Services
from repository.services.exchange_words import seal_words
from repository.storage import exchange
from repository.storage.filings import FILINGS


def waiting(services: Services, requester_id: str) -> str:
    """The id of a member's request about another's filing, whichever is there."""
    now = services.clock()
    with services.database.writing() as connection:
        theirs = connection.execute(select(FILINGS).where(FILINGS.c.member_id != requester_id).limit(1)).one()
        asked = Disclosure(
            id=ids.make("drq", now, bytes(ids.RANDOM_BYTES)),
            requester_id=requester_id,
            contributor_id=theirs.member_id,
            hit_id="hit_gone",
            filing_id=theirs.id,
            filing_version=1,
            line=theirs.line,
            record_class=theirs.record_class,
            purpose="investigation",
            legal_power="consent",
            reference="C-1",
            items=("amounts",),
            third_party=False,
            asked_at=now,
            due_on=now.date(),
            due_at=now,
            sealed_until=now + timedelta(days=1),
        )
        words = seal_words(services, asked.id, {"asked": "how much", "minimum": "no more"})
        more = {"actor_id": "", "decision_id": "", "words": words, "keep_until": now + timedelta(days=1)}
        exchange.add(connection, asked, more | {"sealed": b"sealed", "sealed_sha256": "", "recipient": "age1"})
    return asked.id
