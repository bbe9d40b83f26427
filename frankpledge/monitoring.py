"""Monitoring, from Python: `pool.monitoring`, the own alerts, screenings that stand, and what recurs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from frankpledge.answers import as_id, parsed
from frankpledge.results import Screening
from frankpledge.session import Session

_ALERTS, _WATCHES, _BOOK = "/v1/alerts", "/v1/watches", "/v1/rescreens/schedule"
_DIGEST = f"{_ALERTS}/digest"


@dataclass(frozen=True, slots=True)
class Alert:
    """What we are alerted of: a kind, and ids; `document` has all that the pool told of it."""

    id: str
    kind: str
    at: str
    about: Mapping[str, str]
    read: bool
    document: Mapping[str, Any] = field(repr=False, compare=False)

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Alert:
        """Read an alert. Raises KeyError or TypeError."""
        read = document["read_at"] is not None
        return cls(document["id"], document["kind"], document["at"], dict(document["about"]), read, document)


@dataclass(frozen=True, slots=True)
class Watch:
    """A screening that stands, or stood; `reason` says how it ended."""

    id: str
    reference: str
    stands_as: str
    until: str
    reason: str | None
    document: Mapping[str, Any] = field(repr=False, compare=False)

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Watch:
        """Read a watch. Raises KeyError or TypeError."""
        return cls(
            document["id"], document["reference"], document["as"], document["until"], document["reason"], document
        )


Pages = Callable[[str, Mapping[str, str], Callable[[Mapping[str, Any]], Any]], Iterator[Any]]


class Monitoring:
    """What the pool tells us of by itself."""

    def __init__(self, session: Session, pages: Pages) -> None:
        self._session = session
        self._pages = pages

    def alerts(self, *, kind: str | None = None, unread: bool = False, purpose: str | None = None) -> Iterator[Alert]:
        """Give the own alerts, latest first, page by page, as far as they may be seen now."""
        wanted = {"kind": kind, "unread": "true" if unread else None, "purpose": purpose}
        return self._pages(_ALERTS, {name: value for name, value in wanted.items() if value}, Alert.parse)

    def read(self, alert_ids: Sequence[str]) -> None:
        """Note that alerts were read."""
        self._session.send("POST", f"{_ALERTS}/read", json={"ids": list(alert_ids)})

    def acknowledge(self, alert_id: str) -> Alert:
        """Say that an alert was dealt with."""
        return parsed(Alert.parse, self._session.send("POST", f"{_ALERTS}/{as_id(alert_id)}/acknowledgement"))

    def snooze(self, alert_id: str, until: str) -> Alert:
        """Put an alert away until a time, with its offset from UTC."""
        path = f"{_ALERTS}/{as_id(alert_id)}/snooze"
        return parsed(Alert.parse, self._session.send("POST", path, json={"until": until}))

    def watches(self, *, standing: bool | None = None) -> Iterator[Watch]:
        """Give the own screenings that stand, or stood, latest first."""
        return self._pages(_WATCHES, {} if standing is None else {"stands": str(standing).lower()}, Watch.parse)

    def end(self, watch_id: str) -> Watch:
        """Have a screening stand no more."""
        return parsed(Watch.parse, self._session.send("POST", f"{_WATCHES}/{as_id(watch_id)}/end"))

    def renew(self, watch_id: str, until: str | None = None) -> Screening:
        """Ask again what stands as a policy: the answer of now. It counts as an enquiry of its own."""
        body = {"until": until} if until else {}
        path = f"{_WATCHES}/{as_id(watch_id)}/renewal"
        return parsed(Screening.parse, self._session.send("POST", path, json=body, repeatable=False))

    def digest(self) -> Mapping[str, Any]:
        """Count the alerts of each kind since the last digest."""
        return _document(self._session.send("GET", _DIGEST))

    def set_digest(self, schedule: Mapping[str, object]) -> Mapping[str, Any]:
        """Have a digest recur: every, at, and if wanted zone, weekday, day."""
        return _document(self._session.send("PUT", _DIGEST, json=dict(schedule)))

    def end_digest(self) -> None:
        """Have it recur no more."""
        self._session.send("DELETE", _DIGEST)

    def schedule(self) -> Mapping[str, Any] | None:
        """Say when the own book is looked for again by itself; None where it is not."""
        found: Mapping[str, Any] | None = _document(self._session.send("GET", _BOOK))["schedule"]
        return found

    def set_schedule(self, schedule: Mapping[str, object]) -> Mapping[str, Any]:
        """Have the own book looked for again: every, at, and if wanted zone, weekday, day, purpose."""
        return _document(self._session.send("PUT", _BOOK, json=dict(schedule)))

    def end_schedule(self) -> None:
        """Have it looked for by itself no more."""
        self._session.send("DELETE", _BOOK)


def _document(answer: Any) -> Mapping[str, Any]:
    return parsed(dict, answer)
