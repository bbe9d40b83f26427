"""What persons ask about the records on them, from Python: `pool.subjects`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from frankpledge.answers import as_id, parsed
from frankpledge.session import Session

_REQUESTS, _PARTS = "/v1/subject-requests", "/v1/subject-parts"
Document = Mapping[str, Any]
Pages = Callable[[str, Mapping[str, str], Callable[[Document], Document]], Iterator[Document]]


class Subjects:
    """Requests that the member entered, and those about its own records. Every method raises PoolError or a kind of it.

    What comes back is what the pool told, as it worded it.
    """

    def __init__(self, session: Session, pages: Pages) -> None:
        self._session = session
        self._pages = pages

    def enter(self, request: Document, *, idempotency_key: str) -> Document:
        """Enter a request: kind, reference, identity_reference, received_on, and the encodings of the person."""
        headers = {"Idempotency-Key": idempotency_key}
        return parsed(_checked, self._session.send("POST", _REQUESTS, json=request, headers=headers))

    def listed(self, status: str | None = None) -> Iterator[Document]:
        """Give the requests that the member entered, latest first, page by page."""
        return self._pages(_REQUESTS, {"status": status} if status else {}, _checked)

    def one(self, request_id: str) -> Document:
        """Look at a request."""
        return parsed(_checked, self._session.send("GET", f"{_REQUESTS}/{as_id(request_id)}"))

    def confirm(self, request_id: str) -> Document:
        """Vouch for a request that somebody else of the member entered."""
        return self._do(f"{_REQUESTS}/{as_id(request_id)}/confirmation")

    def withdraw(self, request_id: str) -> Document:
        """Take a request back."""
        return self._do(f"{_REQUESTS}/{as_id(request_id)}/withdrawal")

    def end(self, request_id: str) -> Document:
        """End a registration."""
        return self._do(f"{_REQUESTS}/{as_id(request_id)}/end")

    def report(self, request_id: str, *, pdf: bool = False) -> bytes:
        """Fetch the report as the pool made it: JSON, or pages to print."""
        return self._session.fetch(f"{_REQUESTS}/{as_id(request_id)}/report{'.pdf' if pdf else ''}")

    def inbox(self, *, undecided: bool = False) -> Iterator[Document]:
        """Give what persons ask about the own records, latest first; `undecided`: what is to be decided still."""
        return self._pages(_PARTS, {"undecided": "true"} if undecided else {}, _checked)

    def defer(self, part_id: str, reason: str, until: str) -> Document:
        """Have the person told of an own record later, up to the end of a day."""
        return self._do(f"{_PARTS}/{as_id(part_id)}/deferral", {"reason": reason, "until": until})

    def decide(self, part_id: str, decision: str, **more: str | None) -> Document:
        """Say what becomes of an own record: with a reason where nothing does, and an own note_reference."""
        body = {"decision": decision} | {name: text for name, text in more.items() if text is not None}
        return self._do(f"{_PARTS}/{as_id(part_id)}/decision", body)

    def _do(self, path: str, body: Document | None = None) -> Document:
        return parsed(_checked, self._session.send("POST", path, json=body, repeatable=False))


def _checked(document: Document) -> Document:
    if not isinstance(document["id"], str):
        raise TypeError
    return document
