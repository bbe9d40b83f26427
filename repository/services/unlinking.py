"""Taking claims out of their networks, with their subjects; what is left of these is looked at again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection

from matching.types import EncodedSubject
from repository.domain.jobs import JobKind
from repository.services import Services, aftermath, network_findings, reciprocity
from repository.services.networks import is_provider, key_of
from repository.storage import aftermath as waiting
from repository.storage import jobs, networks
from repository.storage.networks import ALL

AT_ONCE = 500
"""Claims that are noted together."""


def unsettle(
    services: Services, connection: Connection, filing_ids: Sequence[str], gone: Mapping[str, Sequence[EncodedSubject]]
) -> None:
    """Take claims out of their networks; `gone` are their subjects, but those that were erased."""
    known = networks.networks_of(connection, filing_ids)
    if not known:
        return
    left = [each for each in networks.claims_of(connection, known.values()) if each not in known]
    counted = networks.counted_as(connection, known)
    networks.drop_links(connection, known)
    networks.drop_claims(connection, known)
    uncounted = Counter[tuple[str, str, str]]()
    for filing_id, (line, record_class) in counted.items():
        firms = [each for each in gone.get(filing_id, ()) if is_provider(each.kind, each.role)]
        keys = {key_of(services, each.mask, each.keys) for each in firms}
        uncounted.subtract((key, line, record_class) for key in (*keys, ALL) if key is not None)
    networks.count_providers(connection, uncounted)
    queue(services, connection, left)


def remove(
    services: Services, connection: Connection, filing_ids: Sequence[str], gone: Mapping[str, Sequence[EncodedSubject]]
) -> None:
    """Take claims that are about to go out of their networks, and back what was told of nothing else."""
    network_findings.take_back_without(services, connection, filing_ids)
    unsettle(services, connection, filing_ids, gone)


def again(services: Services, connection: Connection, filing_ids: Sequence[str]) -> None:
    """Have claims that are in networks linked anew, as they are flagged now."""
    queue(services, connection, sorted(networks.networks_of(connection, filing_ids)))


def queue(services: Services, connection: Connection, filing_ids: Sequence[str]) -> None:
    """Have some claims linked anew."""
    if not filing_ids:
        return
    now = services.clock()
    rows = [
        {
            "id": reciprocity.new_id(services, "job"),
            "kind": JobKind.NETWORK.value,
            "member_id": "",
            "filings": list(filing_ids[start : start + AT_ONCE]),
            "at": now,
        }
        for start in range(0, len(filing_ids), AT_ONCE)
    ]
    waiting.add(connection, rows)
    jobs.wake(connection, [aftermath.job_row(services, JobKind.NETWORK)])


def queue_all(services: Services) -> int:
    """Have every claim linked anew; how many they are."""
    classes, after, queued = services.rulebook.networks.classes, "", 0
    while True:
        with services.database.writing() as connection:
            found = networks.following(connection, after, classes, AT_ONCE)
            queue(services, connection, found)
        queued += len(found)
        if len(found) < AT_ONCE:
            return queued
        after = found[-1]
