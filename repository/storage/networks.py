"""Links between claims of everyone, the networks that these make, and what members were told of them.

A link is kept by the places of its two subjects, and goes with either filing. Which claims are of one network is kept
by the least of their ids. How often a provider is named is counted under a keyed digest, and forgotten at zero.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Connection,
    ForeignKey,
    Index,
    Select,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from repository.domain.labels import Labels
from repository.storage import dialect
from repository.storage.base import Base
from repository.storage.filings import FILINGS, MEMBERS, SUBJECTS, label_columns, with_labels

ALL = ""
"""Under which claims as such are counted."""


class NetworkClaimRow(Base):
    """A claim that was linked, and its network: the least id of the claims in it. `counted`: with its providers."""

    __tablename__ = "network_claims"

    filing_id: Mapped[str] = mapped_column(ForeignKey("filings.id"), primary_key=True)
    network_id: Mapped[str] = mapped_column(index=True)
    counted: Mapped[bool]


class NetworkLinkRow(Base):
    """What two subjects of two claims have in common; the claim with the lesser id first."""

    __tablename__ = "network_links"
    __table_args__ = (Index("ix_network_links_high_filing_id", "high_filing_id"),)

    low_filing_id: Mapped[str] = mapped_column(ForeignKey("filings.id"), primary_key=True)
    low_position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    high_filing_id: Mapped[str] = mapped_column(ForeignKey("filings.id"), primary_key=True)
    high_position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(primary_key=True)
    named: Mapped[bool]


class NetworkProviderRow(Base):
    """On how many linked claims of a line and class a provider is; `id` is a keyed digest of its key.

    Claims that a label or flag may hide are not counted: a count must not tell of them.
    """

    __tablename__ = "network_providers"

    id: Mapped[str] = mapped_column(primary_key=True)
    line: Mapped[str] = mapped_column(primary_key=True)
    record_class: Mapped[str] = mapped_column(primary_key=True)
    claims: Mapped[int]


class NetworkFindingRow(Base):
    """A network that was reported to a member: what the member could see of it had the patterns.

    `tenths` is the score, in tenths of a bit.
    """

    __tablename__ = "network_findings"
    __table_args__ = (Index("ix_network_findings_member_id_id", "member_id", "id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    member_id: Mapped[str] = mapped_column(ForeignKey("members.id"))
    raised_at: Mapped[datetime]
    tenths: Mapped[int]
    patterns: Mapped[list[str]] = mapped_column(JSON)
    rulebook: Mapped[str]


class NetworkFindingClaimRow(Base):
    """A claim that a finding stands on."""

    __tablename__ = "network_finding_claims"
    __table_args__ = (Index("ix_network_finding_claims_filing_id", "filing_id"),)

    finding_id: Mapped[str] = mapped_column(ForeignKey("network_findings.id"), primary_key=True)
    filing_id: Mapped[str] = mapped_column(ForeignKey("filings.id"), primary_key=True)


CLAIMS = Base.metadata.tables["network_claims"]
LINKS = Base.metadata.tables["network_links"]
PROVIDERS = Base.metadata.tables["network_providers"]
FINDINGS = Base.metadata.tables["network_findings"]
FINDING_CLAIMS = Base.metadata.tables["network_finding_claims"]


@dataclass(frozen=True, slots=True)
class StoredLink:
    """A link as stored: the ends by filing and place."""

    low_filing_id: str
    low_position: int
    high_filing_id: str
    high_position: int
    kind: str
    named: bool


@dataclass(frozen=True, slots=True)
class StoredSubject:
    """A subject of a claim, as it lies in the pool."""

    record_id: int
    filing_id: str
    position: int
    kind: str
    role: str
    envelope: bytes


@dataclass(frozen=True, slots=True)
class StoredClaim:
    """A claim with the facts that decide what may be shown of it, and whose it is."""

    filing_id: str
    member_id: str
    contributor: str
    reference: str
    version: int
    line: str
    record_class: str
    triggered_on: date
    claim: Mapping[str, Any] | None
    labels: Labels


@dataclass(frozen=True, slots=True)
class Finding:
    """What a member was told of."""

    id: str
    member_id: str
    raised_at: datetime
    score: float
    patterns: tuple[str, ...]
    rulebook: str


def claims(connection: Connection, filing_ids: Iterable[str], classes: Sequence[str]) -> dict[str, StoredClaim]:
    """Those of some filings that are there and of these classes, whoever's, by id."""
    row = FILINGS.c
    facts = (row.id, row.member_id, MEMBERS.c.name, row.reference, row.version, row.line, row.record_class)
    wanted = _among(connection, filing_ids)
    statement = (
        select(*facts, row.triggered_on, row.claim, *label_columns(FILINGS))
        .select_from(FILINGS.join(MEMBERS, MEMBERS.c.id == row.member_id))
        .where(row.id.in_(_texts(connection)), row.record_class.in_(classes))
    )
    return {each[0]: StoredClaim(*with_labels(each)) for each in connection.execute(statement, wanted)}


def subjects(connection: Connection, filing_ids: Iterable[str]) -> list[StoredSubject]:
    """The subjects of some filings, whoever's, by filing and place."""
    row = SUBJECTS.c
    statement = select(row.id, row.filing_id, row.position, row.kind, row.role, row.envelope)
    statement = statement.where(row.filing_id.in_(_texts(connection))).order_by(row.filing_id, row.position)
    return [StoredSubject(*each) for each in connection.execute(statement, _among(connection, filing_ids))]


def places(
    connection: Connection, record_ids: Iterable[int], classes: Sequence[str]
) -> dict[int, tuple[str, int, str]]:
    """Filing, place and role of those of some records that are of filings of these classes, whoever's."""
    name, row = connection.dialect.name, SUBJECTS.c
    values = dialect.wanted_integers(name)
    joined = dialect.looked_up(values, SUBJECTS, row.id == values.c.value)
    joined = dialect.looked_up(joined, FILINGS, FILINGS.c.id == row.filing_id)
    statement = select(row.id, row.filing_id, row.position, row.role).select_from(joined)
    statement = statement.where(FILINGS.c.record_class.in_(classes))
    found = connection.execute(statement, dialect.wanted(name, sorted(set(record_ids))))
    return {each[0]: (each[1], each[2], each[3]) for each in found}


def networks_of(connection: Connection, filing_ids: Iterable[str]) -> dict[str, str]:
    """The network of each of some claims that has one."""
    statement = select(CLAIMS.c.filing_id, CLAIMS.c.network_id).where(CLAIMS.c.filing_id.in_(_texts(connection)))
    found = connection.execute(statement, _among(connection, filing_ids))
    return {each[0]: each[1] for each in found}


def counted(connection: Connection, filing_ids: Iterable[str]) -> set[str]:
    """Those of some claims that are counted with their providers."""
    statement = select(CLAIMS.c.filing_id).where(CLAIMS.c.filing_id.in_(_texts(connection)), CLAIMS.c.counted)
    return set(connection.execute(statement, _among(connection, filing_ids)).scalars())


def counted_as(connection: Connection, filing_ids: Iterable[str]) -> dict[str, tuple[str, str]]:
    """The line and class under which those of some claims that are counted are."""
    joined = CLAIMS.join(FILINGS, FILINGS.c.id == CLAIMS.c.filing_id)
    statement = select(CLAIMS.c.filing_id, FILINGS.c.line, FILINGS.c.record_class).select_from(joined)
    statement = statement.where(CLAIMS.c.filing_id.in_(_texts(connection)), CLAIMS.c.counted)
    return {each[0]: (each[1], each[2]) for each in connection.execute(statement, _among(connection, filing_ids))}


def claims_of(connection: Connection, network_ids: Iterable[str]) -> list[str]:
    """The claims of some networks."""
    statement = select(CLAIMS.c.filing_id).where(CLAIMS.c.network_id.in_(_texts(connection)))
    return sorted(connection.execute(statement, _among(connection, network_ids)).scalars())


def put_claims(connection: Connection, networks: Mapping[str, str], counted: Container[str]) -> None:
    """Note the network of each of some claims, and which are counted."""
    rows = [
        {"filing_id": each, "network_id": network, "counted": each in counted}
        for each, network in sorted(networks.items())
    ]
    dialect.put(connection, CLAIMS, rows)


def links_among(connection: Connection, filing_ids: Iterable[str]) -> list[StoredLink]:
    """The links that have both ends among some claims."""
    known = set(filing_ids)
    statement = select(LINKS).where(LINKS.c.low_filing_id.in_(_texts(connection)))
    found = (StoredLink(*row) for row in connection.execute(statement, _among(connection, known)))
    return [each for each in found if each.high_filing_id in known]


def neighbours(connection: Connection, filing_ids: Iterable[str]) -> set[str]:
    """The claims that some claims are linked with."""
    low, high = LINKS.c.low_filing_id, LINKS.c.high_filing_id
    wanted = _among(connection, filing_ids)
    found: set[str] = set()
    for ours, theirs in ((low, high), (high, low)):
        statement = select(theirs).where(ours.in_(_texts(connection))).distinct()
        found.update(connection.execute(statement, wanted).scalars())
    return found


def add_links(connection: Connection, links: Iterable[StoredLink]) -> None:
    """Keep links; one that is there already stays."""
    names = StoredLink.__slots__
    rows = {tuple(getattr(each, name) for name in names[:5]): each for each in links}
    dialect.insert_missing(
        connection, LINKS, [{name: getattr(rows[key], name) for name in names} for key in sorted(rows)]
    )


def drop_links(connection: Connection, filing_ids: Iterable[str]) -> None:
    """Take out the links of some claims."""
    wanted = _among(connection, filing_ids)
    for end in (LINKS.c.low_filing_id, LINKS.c.high_filing_id):
        connection.execute(delete(LINKS).where(end.in_(_texts(connection))), wanted)


def drop_claims(connection: Connection, filing_ids: Iterable[str]) -> None:
    """Have some claims in no network."""
    statement = delete(CLAIMS).where(CLAIMS.c.filing_id.in_(_texts(connection)))
    connection.execute(statement, _among(connection, filing_ids))


def count_providers(connection: Connection, added: Mapping[tuple[str, str, str], int]) -> None:
    """Add to the claims that providers are on, or, negative, take from them; none is kept at zero.

    By key, line and class.
    """
    names = ("id", "line", "record_class")
    rows = [dict(zip(names, key, strict=True), claims=number) for key, number in sorted(added.items()) if number]
    dialect.add_up(connection, PROVIDERS, rows, "claims")
    if any(number < 0 for number in added.values()):
        connection.execute(delete(PROVIDERS).where(PROVIDERS.c.claims <= 0))


def provider_claims(connection: Connection, keys: Iterable[str]) -> dict[str, dict[tuple[str, str], int]]:
    """On how many claims each of some providers is, by line and class, and under ALL how many there are."""
    statement = select(*PROVIDERS.columns).where(PROVIDERS.c.id.in_(_texts(connection)))
    found: dict[str, dict[tuple[str, str], int]] = defaultdict(dict)
    for key, line, record_class, claims in connection.execute(statement, _among(connection, {*keys, ALL})):
        found[key][line, record_class] = claims
    return found


def forget_providers(connection: Connection) -> None:
    """Forget how often providers are named: they are counted anew as claims are linked again."""
    connection.execute(delete(PROVIDERS))
    connection.execute(update(CLAIMS).values(counted=False))


def clear(connection: Connection) -> None:
    """Forget every link and network; findings stay until they are looked at again."""
    for table in (LINKS, CLAIMS, PROVIDERS):
        connection.execute(delete(table))


def following(connection: Connection, after: str, classes: Sequence[str], limit: int) -> list[str]:
    """The next filings of some classes, whoever's, by id."""
    statement = select(FILINGS.c.id).where(FILINGS.c.id > after, FILINGS.c.record_class.in_(classes))
    return list(connection.execute(statement.order_by(FILINGS.c.id).limit(limit)).scalars())


def findings_on(connection: Connection, filing_ids: Iterable[str]) -> dict[Finding, frozenset[str]]:
    """The findings, of everyone, that stand on any of some claims, each with all of its claims."""
    statement = select(FINDING_CLAIMS.c.finding_id).where(FINDING_CLAIMS.c.filing_id.in_(_texts(connection)))
    ids = sorted(set(connection.execute(statement, _among(connection, filing_ids)).scalars()))
    return _with_claims(connection, select(*FINDINGS.columns).where(FINDINGS.c.id.in_(_texts(connection))), ids)


def findings(connection: Connection, finding_ids: Iterable[str]) -> list[Finding]:
    """Those of some findings, of everyone, that are there."""
    statement = select(*FINDINGS.columns).where(FINDINGS.c.id.in_(_texts(connection)))
    return [_finding(each) for each in connection.execute(statement, _among(connection, finding_ids))]


def findings_of(connection: Connection, member_id: str, *, before: str | None, limit: int) -> list[Finding]:
    """What a member was told of, the newest first, with ids less than `before`."""
    statement = select(*FINDINGS.columns).where(FINDINGS.c.member_id == member_id)
    if before is not None:
        statement = statement.where(FINDINGS.c.id < before)
    rows = connection.execute(statement.order_by(FINDINGS.c.id.desc()).limit(limit))
    return [_finding(each) for each in rows]


def finding(connection: Connection, member_id: str, finding_id: str) -> Finding | None:
    """What a member was told of under an id; None where there is nothing of that id for this member."""
    statement = select(*FINDINGS.columns).where(FINDINGS.c.member_id == member_id, FINDINGS.c.id == finding_id)
    row = connection.execute(statement).one_or_none()
    return None if row is None else _finding(row)


def finding_claims(connection: Connection, finding_ids: Iterable[str]) -> dict[str, frozenset[str]]:
    """The claims that some findings stand on."""
    row = FINDING_CLAIMS.c
    statement = select(row.finding_id, row.filing_id).where(row.finding_id.in_(_texts(connection)))
    found: dict[str, set[str]] = defaultdict(set)
    for finding_id, filing_id in connection.execute(statement, _among(connection, finding_ids)):
        found[finding_id].add(filing_id)
    return {each: frozenset(filings) for each, filings in found.items()}


def put_finding(connection: Connection, told: Finding, filing_ids: Iterable[str], *, new: bool) -> None:
    """Keep a finding with the claims that it stands on now."""
    row = {name: getattr(told, name) for name in Finding.__slots__ if name != "score"}
    row |= {"patterns": list(told.patterns), "tenths": round(told.score * 10)}
    if new:
        connection.execute(insert(FINDINGS), [row])
    else:
        changed = {name: row[name] for name in ("tenths", "patterns", "rulebook")}
        connection.execute(update(FINDINGS).where(FINDINGS.c.id == told.id).values(changed))
        connection.execute(delete(FINDING_CLAIMS).where(FINDING_CLAIMS.c.finding_id == told.id))
    rows = [{"finding_id": told.id, "filing_id": each} for each in sorted(filing_ids)]
    connection.execute(insert(FINDING_CLAIMS), rows)


def drop_findings(connection: Connection, finding_ids: Iterable[str]) -> None:
    """Take back findings."""
    wanted = _among(connection, finding_ids)
    for column in (FINDING_CLAIMS.c.finding_id, FINDINGS.c.id):
        connection.execute(delete(column.table).where(column.in_(_texts(connection))), wanted)


def counts(connection: Connection) -> Counter[str]:
    """How many claims, networks, links and findings there are, of everyone."""
    asked = {
        "claims": select(func.count()).select_from(CLAIMS),
        "networks": select(func.count(CLAIMS.c.network_id.distinct())),
        "links": select(func.count()).select_from(LINKS),
        "findings": select(func.count()).select_from(FINDINGS),
    }
    return Counter({name: int(connection.execute(each).scalar_one()) for name, each in asked.items()})


def _with_claims(connection: Connection, statement: Select[Any], ids: Sequence[str]) -> dict[Finding, frozenset[str]]:
    of = finding_claims(connection, ids)
    rows = connection.execute(statement, _among(connection, ids))
    return {each: of.get(each.id, frozenset()) for each in map(_finding, rows)}


def _finding(row: Sequence[Any]) -> Finding:
    return Finding(row[0], row[1], row[2], row[3] / 10, tuple(row[4]), row[5])


def _among(connection: Connection, values: Iterable[str]) -> Mapping[str, Any]:
    return dialect.wanted(connection.dialect.name, sorted(set(values)))


def _texts(connection: Connection) -> Select[tuple[str]]:
    return select(dialect.wanted_texts(connection.dialect.name).c.value)
