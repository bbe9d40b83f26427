"""What a screening asks: about whom, why, in which line, under whose reference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from matching.types import EncodedSubject
from matching.wire import subject_to_json


@dataclass(frozen=True, slots=True)
class Asking:
    """Why and under which encoding questions are asked; `RecordEncoder.asking` makes one."""

    schema_id: str
    fingerprint: str
    purpose: str
    line: str
    lawful_basis: str | None = None

    def document(self) -> dict[str, object]:
        """Write the members that each request for a screening has."""
        document: dict[str, object] = {
            "schema": self.schema_id,
            "fingerprint": self.fingerprint,
            "purpose": self.purpose,
            "line": self.line,
        }
        if self.lawful_basis:
            document["lawful_basis"] = self.lawful_basis
        return document


@dataclass(frozen=True, slots=True)
class Question:
    """One encoded subject, and the member's own case, quote or claim reference.

    `stands` has `as` (quote or policy), and if wanted `until` (a day): what others file later is held against it.
    """

    reference: str
    subject: EncodedSubject
    stands: Mapping[str, str] | None = None

    def document(self) -> dict[str, object]:
        """Write the question as JSON."""
        document: dict[str, object] = {"reference": self.reference, "subject": subject_to_json(self.subject)}
        return document if self.stands is None else document | {"stands": dict(self.stands)}
