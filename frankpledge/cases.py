"""Casework, from Python: `pool.cases`, the own work on what the pool found, and the answers to hits."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from frankpledge.answers import as_id, parsed
from frankpledge.session import Session

_PATH = "/v1/cases"


@dataclass(frozen=True, slots=True)
class Case:
    """A case as it stands; `document` has all that the pool told of it. Moves are made on its `version`."""

    id: str
    version: int
    status: str
    assignee: str | None
    due_on: str
    finding: str | None
    band: str | None
    references: tuple[str, ...]
    document: Mapping[str, Any] = field(repr=False, compare=False)

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Case:
        """Read a case. Raises KeyError or TypeError."""
        return cls(
            id=document["id"],
            version=document["version"],
            status=document["status"],
            assignee=document["assignee"],
            due_on=document["due_on"],
            finding=document["finding"],
            band=document.get("band"),
            references=tuple(document.get("references") or ()),
            document=document,
        )


Pages = Callable[[str, Mapping[str, str], Callable[[Mapping[str, Any]], Case]], Iterator[Case]]


class Cases:
    """The own cases. A move on a version that is not there any more raises PoolError: read the case again."""

    def __init__(self, session: Session, pages: Pages) -> None:
        self._session = session
        self._pages = pages

    def listed(self, **wanted: str | None) -> Iterator[Case]:
        """Give the own cases, newest first: by band, line, class, members, status, assignee, due_by, age."""
        return self._pages(_PATH, {name: value for name, value in wanted.items() if value}, Case.parse)

    def like(self, words: str, **wanted: str | None) -> Iterator[Case]:
        """Give the own cases that are like some words, the most alike first, narrowed as `listed` does."""
        body = {"q": words} | {name: value for name, value in wanted.items() if value}
        while True:
            page = self._session.send("POST", f"{_PATH}/search", json=body)
            yield from parsed(lambda found: [Case.parse(each) for each in found["items"]], page)
            if page["next_cursor"] is None:
                return
            body["cursor"] = page["next_cursor"]

    def one(self, case_id: str) -> Case:
        """Look at a case, with its hits, notes, findings and history in `document`."""
        return parsed(Case.parse, self._session.send("GET", _of(case_id)))

    def next(self) -> Case | None:
        """Claim the case that is due first of those that nobody has; None when there is none."""
        document = self._session.send("POST", f"{_PATH}/next", repeatable=False)
        return parsed(Case.parse, document) if document else None

    def move(self, case: Case, move: str, **more: str | None) -> Case:
        """Move a case as it was read: claim, release, snooze (day), wake, wait, resume, due (day), withdraw.

        Or reopen it, with a reason.
        """
        body = {"move": move, "version": case.version} | {name: value for name, value in more.items() if value}
        return parsed(Case.parse, self._session.send("POST", f"{_of(case.id)}/moves", json=body, repeatable=False))

    def assign(self, cases: Sequence[Case], assignee: str) -> list[Mapping[str, Any]]:
        """Assign cases to an investigator, each as it was read; what became of each."""
        body = {"assignee": assignee, "cases": [{"id": each.id, "version": each.version} for each in cases]}
        document = self._session.send("POST", f"{_PATH}/assignments", json=body, repeatable=False)
        return parsed(lambda found: list(found["results"]), document)

    def note(self, case_id: str, text: str, attachment_reference: str | None = None) -> None:
        """Add a note; once, also where it is unknown whether the pool took it and it is sent again."""
        body = {"text": text} | ({"attachment_reference": attachment_reference} if attachment_reference else {})
        headers = {"Idempotency-Key": secrets.token_hex(16)}
        self._session.send("POST", f"{_of(case_id)}/notes", json=body, headers=headers)

    def find(self, case: Case, finding: str, evidence: str, **more: object) -> Case:
        """Say what was found; more: evidence_reference, subject_could_speak, subject_words."""
        stated = {name: value for name, value in more.items() if value is not None}
        body = {"finding": finding, "version": case.version, "evidence": evidence, **stated}
        return parsed(Case.parse, self._session.send("POST", f"{_of(case.id)}/finding", json=body, repeatable=False))

    def decide(self, case: Case, *, approve: bool, reason: str | None = None) -> Case:
        """Approve the finding of somebody else, or return it with a reason."""
        body = {"approve": approve, "version": case.version} | ({"reason": reason} if reason else {})
        path = f"{_of(case.id)}/finding/decision"
        return parsed(Case.parse, self._session.send("POST", path, json=body, repeatable=False))

    def answer(self, hit_id: str, outcome: str, note_reference: str | None = None) -> None:
        """Say whether the two sides of a hit are the same: same_subject, not_same or inconclusive."""
        body = {"outcome": outcome} | ({"note_reference": note_reference} if note_reference else {})
        self._session.send("POST", f"/v1/hits/{as_id(hit_id)}/outcome", json=body)

    def take_back(self, hit_id: str) -> None:
        """Take back what was said of a hit: a pair that was not the same is shown again."""
        self._session.send("DELETE", f"/v1/hits/{as_id(hit_id)}/outcome", repeatable=False)


def _of(case_id: str) -> str:
    return f"{_PATH}/{as_id(case_id)}"
