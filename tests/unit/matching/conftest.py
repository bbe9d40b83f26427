"""People to encode and compare, invented."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping

import pytest

from frankpledge import standardise
from frankpledge.encode import Encoder
from matching.schema import load_schema
from matching.types import EncodedSubject

Encode = Callable[[Mapping[str, str]], EncodedSubject]

ADA = {
    "given_name": "Ada",
    "family_name": "Lovering",
    "date_of_birth": "1981-12-10",
    "house_number": "12",
    "street": "Marchmont Street",
    "town": "Leeds",
    "postcode": "LS6 2AB",
    "sex": "f",
}


class FixedKey:
    """A linkage key that is the same in every run."""

    def derive(self, purpose: bytes) -> bytes:
        """HMAC of the purpose under a fixed secret."""
        return hmac.digest(b"fixed", purpose, "sha256")


@pytest.fixture(scope="session")
def encoder() -> Encoder:
    """An encoder of the shipped schema under a fixed key."""
    return Encoder(load_schema(), FixedKey())


@pytest.fixture
def ada() -> dict[str, str]:
    """One invented person."""
    return dict(ADA)


@pytest.fixture
def encode(encoder: Encoder) -> Encode:
    """Encodes one raw person."""

    def one(raw: Mapping[str, str]) -> EncodedSubject:
        subject = encoder.subjects([("person", "policyholder", standardise.person(raw)[0])])[0]
        assert subject is not None
        return subject

    return one
