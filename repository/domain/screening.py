"""A screening: a question about one subject, with its purpose, and the answer, which is never a verdict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import TypeGuard

from matching.types import Band, EncodedSubject
from matching.vocabulary import LINES, PURPOSES
from repository.domain.errors import FieldError
from repository.domain.filings import one_of
from repository.domain.rulebook import Rulebook
from repository.domain.watches import Stands

MAX_BASIS_LENGTH = 200
RELEASE_PURPOSES = frozenset({"law_enforcement", "subject_access", "audit"})
"""Purposes under which data leaves the circle of those who hold it: the three checks of a release are asked."""


class Answer(StrEnum):
    """`enquire` asks a person to look; it says nothing against anyone."""

    CLEAR = "clear"
    ENQUIRE = "enquire"


@dataclass(frozen=True, slots=True)
class Release:
    """The three checks of a data release: is it the minimum, is there a legal power, can it reach a third party."""

    minimum: bool
    legal_power: bool
    third_party: bool

    def as_dict(self) -> dict[str, bool]:
        """As JSON."""
        return {"minimum": self.minimum, "legal_power": self.legal_power, "third_party": self.third_party}


@dataclass(frozen=True, slots=True)
class Purpose:
    """Why is asked, in which line, and on what lawful basis. `release` is there wherever the purpose asks for it."""

    purpose: str
    line: str
    lawful_basis: str | None
    release: Release | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """One subject to look for, the member's own case, quote or claim reference, and whether it stands."""

    reference: str
    subject: EncodedSubject
    stands: Stands | None = None


def purpose_from_json(body: Mapping[str, object]) -> Purpose:
    """Purpose, line and lawful basis of a screening. Raises FieldError; a query without a purpose is refused."""
    basis = body.get("lawful_basis")
    if basis is not None and not _is_basis(basis):
        raise FieldError("lawful_basis", f"1 to {MAX_BASIS_LENGTH} printable characters in one line, or nothing")
    purpose = one_of(body, "purpose", PURPOSES)
    return Purpose(purpose, one_of(body, "line", LINES), basis, _release(body.get("release"), purpose))


def _release(given: object, purpose: str) -> Release | None:
    if given is None and purpose not in RELEASE_PURPOSES:
        return None
    names = [each.name for each in fields(Release)]
    if (
        not isinstance(given, Mapping)
        or given.keys() != set(names)
        or not all(isinstance(answer, bool) for answer in given.values())
    ):
        raise FieldError("release", f"{', '.join(names)}, each true or false; it is asked for this purpose")
    return Release(**given)


def _is_basis(text: object) -> TypeGuard[str]:
    """PostgreSQL stores no NUL, and control characters would let a text look like another where it is shown."""
    return isinstance(text, str) and 0 < len(text.strip()) <= len(text) <= MAX_BASIS_LENGTH and text.isprintable()


def answer(disclosed: Iterable[Band], rulebook: Rulebook) -> Answer:
    """`enquire` when a hit that may be shown reaches the rulebook's band; whatever its class."""
    return Answer.ENQUIRE if any(band >= rulebook.disclosure.enquire_from for band in disclosed) else Answer.CLEAR
