"""Taking decisions again: from the standing, the request, the member's facts and the rulebook stored with each.

Nothing of the present state enters: the same inputs give the same decision, or something has been changed.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from repository.domain.asking import Request
from repository.domain.entitlement import entitle
from repository.domain.rulebook import Rulebook
from repository.domain.standing import Standing
from repository.domain.workings import Case
from repository.services import rulebook_file
from repository.services.entitlements import answer_of, member_of
from repository.services.rulebook_file import RulebookFileError
from repository.storage import decisions, rulebooks, standings
from repository.storage.decisions import Chosen
from repository.storage.engine import Database

Row = Mapping[Any, Any]
_STANDINGS_KEPT = 500
_UNREADABLE = (KeyError, TypeError, ValueError, AttributeError)


class ReplayError(ValueError):
    """A decision cannot be taken again; the message says what of it is missing or was changed."""


@dataclass(frozen=True, slots=True)
class Deviation:
    """A stored decision that does not come out the same: what differs, as (stored, taken again) by name.

    `missing` says why it could not be taken again, then nothing is known to differ.
    """

    decision_id: str
    at: datetime
    member_id: str
    differs: Mapping[str, tuple[Any, Any]]
    missing: str = ""

    def as_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "decision": self.decision_id,
            "at": self.at.isoformat(),
            "member": self.member_id,
            "differs": {name: {"stored": old, "again": new} for name, (old, new) in self.differs.items()},
            "missing": self.missing or None,
        }


@dataclass(frozen=True, slots=True)
class Page:
    """Some decisions that were taken again, and those of them that deviate."""

    taken: int
    deviations: Sequence[Deviation]


class Replay:
    """Takes decisions again; the rulebooks and the last standings it met are kept in memory."""

    def __init__(self) -> None:
        self._rulebooks: dict[str, Rulebook | str] = {}
        self._standings: OrderedDict[str, Standing | str] = OrderedDict()

    def pages(self, database: Database, chosen: Chosen, size: int = decisions.PAGE) -> Iterator[Page]:
        """Take all of these again, a page at a time, each in a transaction of its own: there may be millions."""
        last = ""
        while True:
            with database.reading() as connection:
                rows = decisions.page(connection, chosen, last, size)
                if not rows:
                    return
                page = Page(len(rows), self._deviations(connection, rows))
            yield page
            last = rows[-1]["id"]

    def case(self, connection: Connection, row: Row) -> Case:
        """One decision, taken again. Raises ReplayError where that is not possible."""
        self._load(connection, [row])
        return self._again(row)

    def _deviations(self, connection: Connection, rows: Sequence[Row]) -> list[Deviation]:
        self._load(connection, rows)
        found = []
        for row in rows:
            try:
                differs, missing = differences(row, self._again(row)), ""
            except ReplayError as error:
                differs, missing = {}, str(error)
            if differs or missing:
                found.append(Deviation(row["id"], row["at"], row["member_id"], differs, missing))
        return found

    def _load(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Read the standings and rulebooks that these decisions name; what cannot be used is kept as the reason."""
        while len(self._standings) > _STANDINGS_KEPT:
            self._standings.popitem(last=False)
        named = {row["standing_id"] for row in rows if row["standing_id"] is not None}
        for each in named & self._standings.keys():
            self._standings.move_to_end(each)
        wanted = named - self._standings.keys()
        bodies = standings.bodies(connection, wanted)
        for each in sorted(wanted):
            self._standings[each] = _standing(each, bodies.get(each))
        digests = sorted({row["rulebook_digest"] for row in rows} - self._rulebooks.keys() - {None})
        texts = rulebooks.texts(connection, digests) if digests else {}
        self._rulebooks |= {each: _rulebook(each, texts.get(each)) for each in digests}

    def _again(self, row: Row) -> Case:
        if row["standing_id"] is None or row["rulebook_digest"] is None:
            raise ReplayError("it names no standing: it was taken before standings were kept")
        standing, rulebook = self._standings[row["standing_id"]], self._rulebooks[row["rulebook_digest"]]
        if isinstance(standing, str):
            raise ReplayError(standing)
        if isinstance(rulebook, str):
            raise ReplayError(rulebook)
        if (standing.member_id, standing.on) != (row["member_id"], row["at"].date()):
            raise ReplayError("the standing it names is of another member or another day")
        try:
            asked = dict(row["request"])
            member = member_of(row["member_id"], asked.pop("member"))
            request = Request.from_dict(asked)
            found = entitle(member, standing, request, rulebook, row["at"])
        except _UNREADABLE:
            raise ReplayError("what was asked, or the member's facts, cannot be read") from None
        return Case(member, standing, request, rulebook, found, row["at"])


def differences(row: Row, again: Case) -> dict[str, tuple[Any, Any]]:
    """What of a stored decision differs when it is taken again: (stored, again) by name."""
    found = again.found
    pairs = {
        "action": (row["action"], again.request.action),
        "allowed": (row["allowed"], found.allowed),
        "rule": (row["rule"], found.rule),
        "rulebook": (row["rulebook"], again.rulebook.version),
        **_entries("figures", row["figures"], dict(found.figures)),
        **_entries("answer", row["answer"], answer_of(found)),
    }
    return {name: (old, new) for name, (old, new) in pairs.items() if old != new}


def _entries(name: str, stored: Any, again: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """The entries of two objects side by side; None where one lacks it."""
    if not isinstance(stored, Mapping):
        return {name: (stored, again)}
    both = sorted({*stored, *again}, key=str)
    return {f"{name}.{each}": (stored.get(each), again.get(each)) for each in both}


def _standing(standing_id: str, body: str | None) -> Standing | str:
    if body is None:
        return "the standing it names is not there"
    try:
        return Standing.from_dict(standings.unpack(standing_id, body))
    except _UNREADABLE:
        return "the standing it names was changed: its text does not have the SHA-256 it is stored under"


def _rulebook(digest: str, text: str | None) -> Rulebook | str:
    if text is None:
        return "the rulebook it names is not there"
    if rulebook_file.digest(text) != digest:
        return "the rulebook it names was changed: its text does not have the SHA-256 it is stored under"
    try:
        return rulebook_file.read_stored(text)[0]
    except RulebookFileError:
        return "the rulebook it names cannot be read by this version"
