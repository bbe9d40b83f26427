"""What share of each member's records others corroborated, in the days of the window that are over."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from sqlalchemy import Connection

from repository.domain.ledger import Pair
from repository.domain.rulebook import Rulebook
from repository.services import Services
from repository.storage import corroboration
from repository.storage.corroboration import Window

Shares = Mapping[Pair, Mapping[str, float]]
"""What share of a member's records others corroborated, by (line, class) and member; rising."""


def shares(connection: Connection, rulebook: Rulebook, today: date) -> Shares:
    """The shares of those members that filed enough to be compared with.

    As stored for the day (see `keep_shares`), else from the ledger: that comes to the same, and costs more.
    """
    window = Window(today, rulebook.window.days)
    sums = corroboration.stored(connection, window)
    if sums is None:
        sums, _ = corroboration.summed(connection, window)
    enough = max(1, rulebook.standing.corroboration_from)
    found: dict[Pair, dict[str, float]] = {}
    for pair, by_member in sums.items():
        of_pair = [
            (met / accepted, member_id) for member_id, (accepted, met) in by_member.items() if accepted >= enough
        ]
        if of_pair:
            found[pair] = {member_id: share for share, member_id in sorted(of_pair)}
    return found


def keep_shares(services: Services) -> None:
    """Store the sums of today, so that no process has to look through everyone's ledger for its first decision."""
    now = services.clock()
    window = Window(now.date(), services.rulebooks.at(now).window.days)
    with services.database.reading(long=True) as connection:
        if corroboration.stored(connection, window) is not None:
            return
        found = corroboration.summed(connection, window)
    with services.database.writing(long=True) as connection:
        corroboration.store(connection, window, *found)
