"""The daily look at every member: steps of the ladder are dated and told also of those who do not ask."""

from __future__ import annotations

from repository.domain.members import MemberStatus
from repository.services import Services
from repository.services.corroboration import keep_shares
from repository.services.membership import note_steps
from repository.services.standing import assess_all


def note_all_steps(services: Services) -> int:
    """Assess every member today and note each step that changed (R5, R6); how many. Again on the same day: none."""
    now = services.clock()
    keep_shares(services)
    schedule = services.rulebooks.schedule(now.date())
    with services.database.reading(long=True) as connection:
        found = [
            standing
            for member, standing in assess_all(services, connection, schedule)
            if member.status is not MemberStatus.WITHDRAWN
        ]
    changed = 0
    for standing in found:
        with services.database.writing(long=True) as connection:
            changed += note_steps(connection, standing, now)
    return changed
