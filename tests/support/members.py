"""Members and operators as tests see them: ids, credentials, and headers that authenticate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import Flask
from flask.testing import FlaskClient

from matching.vocabulary import RECORD_CLASSES
from repository.api.base import EXTENSION
from repository.services import Services
from repository.services.onboarding import add_user, admit_member, issue_credential
from tests.support.rulebooks import DEFAULT_RULEBOOK, rules_from_the_start

PASSWORD = "correct horse battery staple"
ALL_ROLES = ("screener", "contributor", "investigator", "member_admin")


@dataclass(frozen=True, slots=True)
class TestMember:
    """A member with one credential, logged in. `id` is the member's."""

    __test__ = False

    id: str
    name: str
    client_id: str
    client_secret: str
    access_token: str
    refresh_token: str

    @property
    def headers(self) -> dict[str, str]:
        """The header that authenticates."""
        return {"Authorization": f"Bearer {self.access_token}"}


@dataclass(frozen=True, slots=True)
class TestUser:
    """A person outside of any member, logged in with name and password."""

    __test__ = False

    id: str
    username: str
    access_token: str

    @property
    def headers(self) -> dict[str, str]:
        """The header that authenticates."""
        return {"Authorization": f"Bearer {self.access_token}"}


class Admissions:
    """Admits members to one application: `member("Alpha", lines=("motor",), roles=("screener",))`."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self.services: Services = app.extensions[EXTENSION]
        self._client: FlaskClient = app.test_client()

    def __call__(
        self,
        name: str = "Alpha Insurance",
        lines: Sequence[str] = ("motor",),
        roles: Sequence[str] = ALL_ROLES,
        declared: Mapping[tuple[str, str], int] | None = None,
    ) -> TestMember:
        """Admit a member whose agreement and attestation are of today, and log its credential in.

        Without `declared` it declares one record a month of each class of its lines, and one filed is taken for enough:
        the pool's rulebook from the start, if it is the shipped one, is made to allow for so much chance.
        """
        now = self.services.clock()
        if declared is None:
            self._count_single_records()
            declared = {(line, record_class): 1 for line in lines for record_class in RECORD_CLASSES}
        with self.services.database.write() as session:
            admitted = admit_member(
                session,
                name,
                lines,
                now=now,
                agreement_signed_on=now.date(),
                attested_on=now.date(),
                declared=declared,
            )
            credential = issue_credential(session, admitted.id, roles, now=now)
        body = {
            "grant_type": "client_credentials",
            "client_id": credential.client_id,
            "client_secret": credential.client_secret,
        }
        tokens = self._log_in(body)
        return TestMember(
            admitted.id,
            name,
            credential.client_id,
            credential.client_secret,
            tokens["access_token"],
            tokens["refresh_token"],
        )

    def _count_single_records(self) -> None:
        if self.services.rulebook.digest == DEFAULT_RULEBOOK.digest:
            rules_from_the_start(self.services, {"level": {"counts_tolerance": 3.0}})

    def operator(self, username: str = "olga", roles: Sequence[str] = ("operator",)) -> TestUser:
        """An operator (or auditor), logged in."""
        with self.services.database.write() as session:
            actor_id = add_user(session, username, PASSWORD, roles, now=self.services.clock())
        tokens = self._log_in({"grant_type": "password", "username": username, "password": PASSWORD})
        return TestUser(actor_id, username, tokens["access_token"])

    def _log_in(self, body: dict[str, str]) -> dict[str, str]:
        answer = self._client.post("/v1/auth/token", json=body)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        tokens: dict[str, str] = answer.get_json()
        return tokens
