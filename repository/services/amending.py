"""What follows from a new version of a record that others were shown: they are told, and a flag may be over."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from repository.domain.corrections import CorrectionKind
from repository.domain.filings import Outcome
from repository.services import Services, correcting, disputes, shelving
from repository.services.correcting import Change
from repository.services.hitmaking import Source
from repository.services.lifecycle import Act
from repository.services.planning import Plan
from repository.storage import flags


def follow(services: Services, connection: Connection, source: Source, accepted: Sequence[Plan]) -> None:
    """Push the amendments among what was just stored, with the pool locked, and look at what is flagged among it.

    A record that stands corrected after a dispute that was upheld is shown again; one that is suppressed for another
    cause stays out of the index.
    """
    plans = {each.filing_id: each for each in accepted if each.outcome is Outcome.NEW_VERSION}
    if not plans:
        return
    rows = [
        {
            "id": each.filing_id,
            "member_id": source.member.id,
            "line": each.numbered.filing.facts.line,
            "record_class": each.numbered.filing.facts.record_class,
            "version": each.version,
        }
        for each in plans.values()
    ]
    change = Change(CorrectionKind.AMENDED, source.now, source.actor_id)
    correcting.amended(services, connection, rows, change)
    act = Act(source.now, source.actor_id)
    for filing_id in sorted(flags.flagged(connection, list(plans))):
        if plans[filing_id].matched and flags.suppressed(connection, [filing_id]):
            shelving.take_out(services, connection, [filing_id])
        disputes.corrected(services, connection, act, filing_id)
