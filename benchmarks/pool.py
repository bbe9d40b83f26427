"""A pool to measure: two members in a fresh database, filled from a generated market."""

from __future__ import annotations

import datetime as dt
import itertools
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.linking import encode_people
from benchmarks.market import Market
from frankpledge.keys import LinkageKey
from frankpledge.records import RecordEncoder
from matching.schema import DEFAULT_SCHEMA
from matching.types import EncodedSubject
from repository import logs
from repository.domain.filings import Filing, FilingFacts
from repository.domain.members import Actor, Member, Role
from repository.services import Services, rulebook_file
from repository.services.compose import compose
from repository.services.hitmaking import Source
from repository.services.installation import install
from repository.services.intake import take_in
from repository.services.onboarding import admit_member, issue_credential
from repository.services.operator import accept_fingerprint
from repository.services.planning import Numbered
from repository.settings import Settings

CHUNK = 5000
NO_LIMIT = 1_000_000_000
LINE = "motor"
Row = dict[str, str]

# In every process that measures: what is printed is JSON, and a worker that is not told otherwise logs there too.
logs.configure("warning")


@dataclass(frozen=True, slots=True)
class Asker:
    """A member with an actor that may do everything, and the secret of its credential."""

    member: Member
    actor: Actor
    secret: str = ""


@dataclass(frozen=True, slots=True)
class Filled:
    """A filled pool: who contributed, who asks, and how long encoding and intake took.

    `truths[n]` is the reference under which the person of `questions[n]` is in the pool.
    """

    services: Services
    contributor: Asker
    asker: Asker
    fingerprint: str
    questions: Sequence[EncodedSubject]
    truths: Sequence[str]
    encode_seconds: float
    intake_seconds: float


def fill(
    directory: Path,
    records: int,
    questions: int,
    database_url: str | None = None,
    key: LinkageKey | None = None,
    *,
    schema: str = DEFAULT_SCHEMA,
) -> Filled:
    """File so many generated persons for one member, and keep further records of the same people to ask about.

    In a SQLite file in the directory, unless another database is given; under a new key, unless one is; in a pool of a
    linkage schema. The market is streamed: memory holds a chunk.
    """
    settings = replace(Settings.under(directory), schema=schema)
    if database_url is not None:
        settings = replace(settings, database_url=database_url)
    install(settings)
    services = compose(settings)
    quotas(services)
    contributor, asker = _member(services, "Contributor"), _member(services, "Asker")
    key = key or LinkageKey(os.urandom(32))
    with services.database.write() as session:
        accept_fingerprint(session, schema, key.fingerprint, now=services.clock())
    encoder = RecordEncoder.for_key(key, schema)
    asked: list[tuple[str, Row]] = []
    encoding = intake = 0.0
    filed = 0
    for chunk in chunks(people(records, questions, asked)):
        started = time.perf_counter()
        encoded = [subject for subject in encode_people(encoder, chunk) if subject]
        if len(encoded) != len(chunk):
            raise RuntimeError("every person of the generated market has something to encode")
        encoding += time.perf_counter() - started
        started = time.perf_counter()
        file_subjects(services, contributor, key.fingerprint, encoded, filed)
        intake += time.perf_counter() - started
        filed += len(chunk)
    subjects = [subject for subject in encode_people(encoder, [row for _, row in asked]) if subject]
    file_subjects(services, asker, key.fingerprint, subjects[:1], 0)
    truths = [truth for truth, _ in asked]
    if len(subjects) != len(truths):
        raise RuntimeError("every person of the generated market has something to encode")
    return Filled(services, contributor, asker, key.fingerprint, subjects, truths, encoding, intake)


def people(records: int, questions: int, asked: list[tuple[str, Row]]) -> Iterator[Row]:
    """The first record of so many people; later ones of some of them go to `asked`, with the first's reference."""
    last, number = "", -1
    for row in Market(3).rows(records, copies=questions / records):
        if row["cluster"] != last:
            last, number = row["cluster"], number + 1
            if number >= records:
                return
            yield row
        else:
            asked.append((f"P-{number}", row))


def chunks(rows: Iterator[Row]) -> Iterator[list[Row]]:
    """The rows, CHUNK at a time."""
    while chunk := list(itertools.islice(rows, CHUNK)):
        yield chunk


def quotas(services: Services) -> None:
    """Let members ask without end: a benchmark is what R10 limits."""
    text = rulebook_file.default_text().replace("floor_per_day = 500", f"floor_per_day = {NO_LIMIT}")
    text = text.replace("burst_per_minute = 600", f"burst_per_minute = {NO_LIMIT}")
    text = text.replace('version = "', 'version = "benchmark.')
    now = services.clock()
    services.rulebooks.load(text, now.date(), now=now)


def _member(services: Services, name: str) -> Asker:
    now = services.clock()
    with services.database.write() as session:
        member = admit_member(
            session,
            name,
            [LINE],
            now=now,
            agreement_signed_on=now.date(),
            attested_on=now.date(),
            declared={(LINE, "customer"): 1},
        )
        credential = issue_credential(session, member.id, ["screener", "contributor"], now=now)
    actor = Actor(credential.client_id, frozenset({Role.SCREENER, Role.CONTRIBUTOR}), member)
    return Asker(member, actor, credential.client_secret)


def file_subjects(
    services: Services, who: Asker, fingerprint: str, subjects: Sequence[EncodedSubject], first: int
) -> None:
    """File customers of one subject each, numbered from `first`, in one transaction."""
    source = Source(who.member, who.actor.id, None, services.clock())
    batch = list(_filings((services.schema.id, fingerprint), subjects, first, services.clock().date()))
    with services.database.write() as session:
        take_in(services, session.connection(), source, batch)


def _filings(
    key: tuple[str, str], subjects: Sequence[EncodedSubject], first: int, today: dt.date
) -> Iterator[Numbered]:
    for number, subject in enumerate(subjects, start=first):
        facts = FilingFacts(*key, f"P-{number}", "customer", LINE, today, None)
        yield Numbered(0, Filing(facts, (subject,)))
