"""What members really filed, as a market that a rulebook can be tried on. Nothing is written."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
from sqlalchemy.orm import Session

from repository.domain.ledger import Ledger
from repository.domain.members import Member, MemberStatus
from repository.domain.standing import Membership
from repository.simulation.market import Market, Player
from repository.storage import ledger, membership
from repository.storage.members import all_members


def market(session: Session, days: int, today: date) -> Market:
    """The last days of every contributing member that is still there, line by line, named by its id alone.

    Each is judged from its admission or from the market's first day, whichever is later; what it filed before that
    counts as it did then.
    """
    begin = today - timedelta(days=days - 1)
    players = []
    for row in all_members(session):
        member = row.as_member()
        if member.status is MemberStatus.WITHDRAWN or member.subscriber is not None:
            continue
        terms = membership.facts(session.connection(), member.id)
        whole = ledger.read(session.connection(), member.id, terms.admitted_on)
        named = {each.line for each in terms.declared} | {line for line, _ in whole.pairs} | member.lines
        players += [_player(member, terms, whole, line, begin=begin, days=days) for line in sorted(named)]
    return Market(begin, days, tuple(each for each in players if each.days > 0))


def _player(member: Member, terms: Membership, whole: Ledger, line: str, *, begin: date, days: int) -> Player:
    start = max(0, (terms.admitted_on - begin).days)
    places = [place for place, pair in enumerate(whole.pairs) if pair[0] == line]
    pairs = tuple(whole.pairs[place] for place in places)
    return Player(
        group=member.id,
        label=line,
        line=line,
        member=replace(member, lines=frozenset({line})),
        membership=replace(terms, declared=tuple(each for each in terms.declared if each.line == line)),
        start=start,
        ledger=Ledger(whole.first, pairs, {name: counts[places] for name, counts in whole.counts.items()}),
        queries=np.zeros(max(0, days - start), np.int64),
    )
