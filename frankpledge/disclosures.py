"""The disclosure exchange, from Python: `pool.disclosures`."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from frankpledge.answers import as_id, parsed
from frankpledge.disclosure import Disclosure
from frankpledge.problems import unexpected_answer
from frankpledge.session import Session

_PATH = "/v1/disclosures"
Pages = Callable[[str, Mapping[str, str], Callable[[Mapping[str, Any]], Disclosure]], Iterator[Disclosure]]


class Disclosures:
    """Requests for the detail of records, sent and received. Every method raises PoolError or one of its kinds."""

    def __init__(self, session: Session, pages: Pages) -> None:
        self._session = session
        self._pages = pages

    def request(self, asking: Mapping[str, object]) -> Disclosure:
        """Ask the contributor behind a hit. The same again, while it is open, is the same request."""
        return parsed(Disclosure.parse, self._session.send("POST", _PATH, json=asking))

    def listed(self, *, sent: bool = False, status: str | None = None, overdue: bool = False) -> Iterator[Disclosure]:
        """Give the requests received, or sent, latest first, page by page: in a status, or overdue only."""
        wanted = {"side": "sent" if sent else "received"} | ({"status": status} if status else {})
        return self._pages(_PATH, wanted | ({"overdue": "true"} if overdue else {}), Disclosure.parse)

    def one(self, disclosure_id: str) -> Disclosure:
        """Look at a request."""
        return parsed(Disclosure.parse, self._session.send("GET", _of(disclosure_id)))

    def approve(self, disclosure_id: str, sealed: bytes, reply: Mapping[str, object]) -> Disclosure:
        """Give what was asked for, or a part: `reply` has granted and recipient, withheld and reason for a part."""
        return self._do(disclosure_id, "approval", {**reply, "sealed": base64.b64encode(sealed).decode()})

    def refuse(self, disclosure_id: str, reply: Mapping[str, object]) -> Disclosure:
        """Refuse a request: `reply` has withheld and reason."""
        return self._do(disclosure_id, "refusal", reply)

    def escalate(self, disclosure_id: str, reason: str) -> Disclosure:
        """Have the operator see that a request is overdue."""
        return self._do(disclosure_id, "escalation", {"reason": reason})

    def withdraw(self, disclosure_id: str) -> Disclosure:
        """Take a request back."""
        return self._do(disclosure_id, "withdrawal")

    def sealed(self, disclosure_id: str) -> bytes:
        """Fetch the sealed answer."""
        document = self._session.send("GET", f"{_of(disclosure_id)}/sealed")
        try:
            return base64.b64decode(parsed(lambda found: found["sealed"], document), validate=True)
        except (binascii.Error, ValueError):
            raise unexpected_answer() from None

    def opened(self, disclosure_id: str) -> Disclosure:
        """Say that the answer was opened and stored: the pool deletes it."""
        return self._do(disclosure_id, "receipt")

    def response_times(self) -> Mapping[str, Any]:
        """Ask how quickly each member answers."""
        return parsed(dict, self._session.send("GET", f"{_PATH}/response-times"))

    def _do(self, disclosure_id: str, what: str, body: Mapping[str, object] | None = None) -> Disclosure:
        document = self._session.send("POST", f"{_of(disclosure_id)}/{what}", json=body, repeatable=False)
        return parsed(Disclosure.parse, document)


def _of(disclosure_id: str) -> str:
    return f"{_PATH}/{as_id(disclosure_id)}"
