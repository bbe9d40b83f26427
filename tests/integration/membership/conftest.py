"""Fixtures of the life cycle's tests: who acts, with the JSON that came back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.support.members import Admissions, TestMember, TestUser

Answer = dict[str, Any]


class Person:
    """Someone logged in, who posts and reads."""

    def __init__(self, client: FlaskClient, who: TestMember | TestUser) -> None:
        self.client = client
        self.who = who

    def post(self, path: str, body: object = None, *, status: int = 201) -> Answer:
        """Post something and check how it was answered."""
        options: dict[str, Any] = {} if body is None else {"json": body}
        answer = self.client.post(path, headers=self.who.headers, **options)
        assert answer.status_code == status, answer.get_json()
        parsed: Answer = answer.get_json()
        return parsed

    def get(self, path: str, *, status: int = 200) -> Answer:
        """Read something."""
        answer = self.client.get(path, headers=self.who.headers)
        assert answer.status_code == status, answer.get_json()
        parsed: Answer = answer.get_json()
        return parsed

    def history(self, kind: str) -> list[Answer]:
        """The events of one kind in the own membership."""
        return [each for each in self.get("/v1/membership")["history"] if each["kind"] == kind]


@pytest.fixture
def alpha(client: FlaskClient, member: Admissions) -> Person:
    """A member in motor and home, with every role."""
    return Person(client, member("Alpha", lines=("motor", "home")))


@pytest.fixture
def beta(client: FlaskClient, member: Admissions) -> Person:
    """Another member."""
    return Person(client, member("Beta"))


@pytest.fixture
def officer(client: FlaskClient, member: Admissions) -> Callable[[str], Person]:
    """Operators by name: `officer("olga")`."""
    return lambda name: Person(client, member.operator(name))
