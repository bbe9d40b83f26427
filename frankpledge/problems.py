"""What the pool refuses, as typed errors that explain themselves: rule, figures and remedy (RFC 9457 problems)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from frankpledge.errors import KitError


@dataclass(frozen=True, slots=True)
class Problem:
    """An application/problem+json document. `errors` are (field, expected) pairs; absent members are empty."""

    status: int
    kind: str = ""
    title: str = ""
    detail: str = ""
    rule: str = ""
    remedy: str = ""
    figures: Mapping[str, object] | None = None
    errors: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, status: int, document: object) -> Problem:
        """Read a problem; anything that is none becomes a problem with the status alone."""
        if not isinstance(document, dict):
            return cls(status)
        figures, errors = document.get("figures"), document.get("errors")
        return cls(
            status,
            kind=_text(document, "type"),
            title=_text(document, "title"),
            detail=_text(document, "detail"),
            rule=_text(document, "rule"),
            remedy=_text(document, "remedy"),
            figures={_clean(name): figure for name, figure in figures.items()} if isinstance(figures, dict) else None,
            errors=tuple(
                (_text(entry, "field"), _text(entry, "expected"))
                for entry in (errors if isinstance(errors, list) else ())
                if isinstance(entry, dict)
            ),
        )

    def sentence(self) -> str:
        """Say what was refused, under which rule and by which figures."""
        text = self.detail or self.title or f"The pool answered with status {self.status}"
        text = text if text.endswith(".") else text + "."
        if self.rule:
            figures = ", ".join(f"{name} {_clean(str(figure))}" for name, figure in (self.figures or {}).items())
            text += f" (Rule {self.rule}{': ' + figures if figures else ''}.)"
        for field, expected in self.errors:
            text += f"\n  {field}: expected {expected}"
        return text


class PoolError(KitError):
    """The pool did not do what was asked. `problem` has all it said."""

    remedy_by_default = "Tell the pool's operator if it happens again."

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.sentence(), problem.remedy or self.remedy_by_default)
        self.problem = problem


class UnavailableError(PoolError):
    """The pool cannot be reached, or failed (status 5xx, or 0 for the network)."""

    remedy_by_default = "Check the address and the network, then run it again: what was done is not done twice."


class AuthenticationError(PoolError):
    """The credentials are not accepted (401)."""

    remedy_by_default = "Check the client id and secret, or ask the operator for new ones."


class RefusedError(PoolError):
    """A rule of the scheme, or a missing role, stands against it (403)."""

    remedy_by_default = "Ask the pool's operator which role or contribution is missing."


class SecondPersonError(RefusedError):
    """What one person of the member began, another has to end (403)."""

    remedy_by_default = "Have a colleague do it, logged in under a name of their own."


class NotFoundError(PoolError):
    """There is no such thing for this member (404)."""

    remedy_by_default = "Check the id: ids of other members cannot be looked at."


class InvalidRequestError(PoolError):
    """What was sent is not as expected (400, 409, 413, 415, 422)."""

    remedy_by_default = "Put right what it names, and send it again."


class TooManyRequestsError(PoolError):
    """The quota is used up (429)."""

    remedy_by_default = "Wait, then run it again."


_SECOND_PERSON = "second-person"
_BY_STATUS: Mapping[int, type[PoolError]] = {
    400: InvalidRequestError,
    401: AuthenticationError,
    403: RefusedError,
    404: NotFoundError,
    409: InvalidRequestError,
    413: InvalidRequestError,
    415: InvalidRequestError,
    422: InvalidRequestError,
    429: TooManyRequestsError,
}


def error_for(status: int, document: object) -> PoolError:
    """Make the typed error of an answer with a status of 400 or more."""
    problem = Problem.parse(status, document)
    kind = UnavailableError if status >= 500 else _BY_STATUS.get(status, PoolError)
    return (SecondPersonError if problem.kind.endswith(_SECOND_PERSON) else kind)(problem)


def unreachable(what: str) -> UnavailableError:
    """Make the error of a network that did not carry the request."""
    return UnavailableError(Problem(0, detail=what))


def unexpected_answer() -> PoolError:
    """Make the error of an answer that is not the API's."""
    detail = "The server's answer is not one of a Frankpledge pool"
    return PoolError(
        Problem(0, detail=detail, remedy="Check the server's address; the kit may also be too old for it.")
    )


def _text(document: Mapping[str, Any], name: str) -> str:
    value = document.get(name)
    return _clean(value) if isinstance(value, str) else ""


def _clean(text: str) -> str:
    """Take out what could steer a terminal."""
    return "".join(char for char in text if char.isprintable())[:1000]
