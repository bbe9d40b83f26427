"""Corrections and disputes, from Python: `pool.corrections` and `pool.disputes`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from frankpledge.answers import as_id, parsed
from frankpledge.session import Session

_CORRECTIONS, _DISPUTES = "/v1/corrections", "/v1/disputes"
Pages = Callable[[str, Mapping[str, str], Callable[[Mapping[str, Any]], Any]], Iterator[Any]]


@dataclass(frozen=True, slots=True)
class Correction:
    """What became of a record that was shown: received by who saw it, or made of an own record (`at`: a day)."""

    id: str
    made: bool
    kind: str
    at: str
    document: Mapping[str, Any] = field(repr=False, compare=False)

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Correction:
        """Read a correction. Raises KeyError."""
        made = document["side"] == "made"
        at = document["on" if made else "at"]
        return cls(id=document["id"], made=made, kind=document["kind"], at=at, document=document)


@dataclass(frozen=True, slots=True)
class Dispute:
    """A dispute about a filing, raised, or received about an own one."""

    id: str
    raised: bool
    status: str
    ground: str
    document: Mapping[str, Any] = field(repr=False, compare=False)

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Dispute:
        """Read a dispute. Raises KeyError."""
        raised = document["side"] == "raised"
        names = {name: document[name] for name in ("id", "status", "ground")}
        return cls(raised=raised, document=document, **names)


class Corrections:
    """Corrections of records that were shown, and of own ones. Every method raises PoolError or one of its kinds."""

    def __init__(self, session: Session, pages: Pages) -> None:
        self._session = session
        self._pages = pages

    def listed(
        self, *, made: bool = False, outstanding: bool = False, filing: str | None = None
    ) -> Iterator[Correction]:
        """Give the corrections received, or made (of one filing), latest first; outstanding: not acknowledged."""
        wanted = {"side": "made" if made else "received"} | ({"outstanding": "true"} if outstanding else {})
        return self._pages(_CORRECTIONS, wanted | ({"filing": filing} if filing else {}), Correction.parse)

    def one(self, correction_id: str) -> Correction:
        """Look at a correction."""
        return parsed(Correction.parse, self._session.send("GET", _of(_CORRECTIONS, correction_id)))

    def acknowledge(self, correction_id: str) -> Correction:
        """Say that it was taken in, wherever the record was used. Again changes nothing."""
        path = f"{_of(_CORRECTIONS, correction_id)}/acknowledgement"
        return parsed(Correction.parse, self._session.send("POST", path))

    def trail(self, correction_id: str) -> Mapping[str, Any]:
        """Ask on which day each member that was shown an own record was told of a correction, and acknowledged it."""
        return parsed(dict, self._session.send("GET", f"{_of(_CORRECTIONS, correction_id)}/trail"))


class Disputes:
    """Disputes about filings. Every method raises PoolError or one of its kinds."""

    def __init__(self, session: Session, pages: Pages) -> None:
        self._session = session
        self._pages = pages

    def raise_one(self, raising: Mapping[str, object]) -> Dispute:
        """Dispute the other side of a hit: hit, ground, statement_reference, and a notice if there is one."""
        return parsed(Dispute.parse, self._session.send("POST", _DISPUTES, json=raising))

    def listed(self, *, raised: bool = False) -> Iterator[Dispute]:
        """Give the disputes received, or raised, latest first."""
        return self._pages(_DISPUTES, {"side": "raised" if raised else "received"}, Dispute.parse)

    def answer(self, dispute_id: str, *, accepts: bool, note_reference: str | None = None) -> Dispute:
        """Accept a dispute about an own filing, or not. The same again changes nothing."""
        body: dict[str, object] = {"accepts": accepts}
        body |= {"note_reference": note_reference} if note_reference is not None else {}
        return parsed(Dispute.parse, self._session.send("POST", f"{_of(_DISPUTES, dispute_id)}/answer", json=body))


def _of(path: str, found_id: str) -> str:
    return f"{path}/{as_id(found_id)}"
