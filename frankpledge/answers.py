"""What the pool answered, read: an answer of another shape than this kit knows is an error of one kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from frankpledge.problems import error_for, unexpected_answer

Result = TypeVar("Result")


def parsed(parse: Callable[[Any], Result], document: Any) -> Result:
    """Read a document. Raises PoolError."""
    try:
        return parse(document)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise unexpected_answer() from None


def as_id(text: str) -> str:
    """Refuse what is no id: it would become part of a path. Raises PoolError."""
    if not (text.isascii() and text.replace("_", "").isalnum()):
        raise error_for(404, {"detail": "This is not an id", "remedy": "Ids look like hit_... or bat_..."})
    return text
