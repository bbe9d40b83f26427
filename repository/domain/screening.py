"""A screening: a question about one subject, with its purpose, and the answer, which is never a verdict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeGuard

from matching.types import Band, EncodedSubject
from matching.vocabulary import LINES, PURPOSES
from repository.domain.errors import FieldError
from repository.domain.filings import one_of
from repository.domain.rulebook import Rulebook

MAX_BASIS_LENGTH = 200


class Answer(StrEnum):
    """`enquire` asks a person to look; it says nothing against anyone."""

    CLEAR = "clear"
    ENQUIRE = "enquire"


@dataclass(frozen=True, slots=True)
class Purpose:
    """Why is asked, in which line, and on what lawful basis."""

    purpose: str
    line: str
    lawful_basis: str | None


@dataclass(frozen=True, slots=True)
class Question:
    """One subject to look for, and the member's own case, quote or claim reference."""

    reference: str
    subject: EncodedSubject


def purpose_from_json(body: Mapping[str, object]) -> Purpose:
    """Purpose, line and lawful basis of a screening. Raises FieldError; a query without a purpose is refused."""
    basis = body.get("lawful_basis")
    if basis is not None and not _is_basis(basis):
        raise FieldError("lawful_basis", f"1 to {MAX_BASIS_LENGTH} printable characters in one line, or nothing")
    return Purpose(one_of(body, "purpose", PURPOSES), one_of(body, "line", LINES), basis)


def _is_basis(text: object) -> TypeGuard[str]:
    """PostgreSQL stores no NUL, and control characters would let a text look like another where it is shown."""
    return isinstance(text, str) and 0 < len(text.strip()) <= len(text) <= MAX_BASIS_LENGTH and text.isprintable()


def answer(disclosed: Iterable[Band], rulebook: Rulebook) -> Answer:
    """`enquire` when a hit that may be shown reaches the rulebook's band; whatever its class."""
    return Answer.ENQUIRE if any(band >= rulebook.disclosure.enquire_from for band in disclosed) else Answer.CLEAR
