"""Checking notices: the vectors of Standard Webhooks, and whatever was changed on the way."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from frankpledge.webhooks import PREFIX, WebhookError, verified, verify
from repository.domain.webhooks import sign

SECRET = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SENT = 1614265330
BODY = b'{"test": 2432232314}'
HEADERS = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": str(SENT),
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
"""The vector that the reference libraries of Standard Webhooks are tested with."""


def signed(body: bytes, **changes: str) -> dict[str, str]:
    """Headers for a body under the secret of the vector, with others in their place."""
    content = f"{HEADERS['webhook-id']}.{SENT}.".encode() + body
    digest = hmac.digest(base64.b64decode(SECRET), content, hashlib.sha256)
    return HEADERS | {"webhook-signature": f"v1,{base64.b64encode(digest).decode()}"} | changes


def test_the_published_vector_is_taken_and_made() -> None:
    """With and without the prefix of the secret; the server signs to the same."""
    assert verified(SECRET, HEADERS, BODY, now=SENT) == BODY
    assert verified(PREFIX + SECRET, HEADERS, BODY, now=SENT) == BODY
    made = sign(base64.b64decode(SECRET), HEADERS["webhook-id"], SENT, BODY)
    assert made == HEADERS["webhook-signature"]


@pytest.mark.parametrize(
    "changes",
    [
        {"webhook-id": "msg_other"},
        {"webhook-timestamp": str(SENT + 1)},
        {"webhook-timestamp": "soon"},
        {"webhook-signature": "v1,"},
        {"webhook-signature": "v1,not base64 \x7f"},
        {"webhook-signature": HEADERS["webhook-signature"].replace("v1", "v2")},
        {"webhook-signature": HEADERS["webhook-signature"].replace("v1,", "")},
        {"webhook-signature": "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc="},
    ],
)
def test_what_was_changed_is_refused(changes: dict[str, str]) -> None:
    """The id, the time and the signature are all held to each other."""
    with pytest.raises(WebhookError):
        verified(SECRET, HEADERS | changes, BODY, now=SENT)


@pytest.mark.parametrize("name", HEADERS)
def test_a_missing_header_is_refused(name: str) -> None:
    """Each is needed."""
    with pytest.raises(WebhookError, match="headers"):
        verified(SECRET, {each: value for each, value in HEADERS.items() if each != name}, BODY, now=SENT)


@pytest.mark.parametrize(("off", "taken"), [(0, True), (299, True), (-299, True), (301, False), (-301, False)])
def test_only_what_is_of_now_is_taken(off: int, taken: bool) -> None:
    """Five minutes either way: what was recorded cannot be sent again later."""
    if taken:
        assert verified(SECRET, HEADERS, BODY, now=SENT + off) == BODY
        return
    with pytest.raises(WebhookError, match="too long ago"):
        verified(SECRET, HEADERS, BODY, now=SENT + off)


def test_one_of_several_signatures_or_secrets_will_do() -> None:
    """While secrets change a sender may sign with both, and a receiver take both; names of headers have any case."""
    several = {"webhook-signature": f"v1,AAAA v1a,xyz {HEADERS['webhook-signature']} v2,AAAA"}
    assert verified(SECRET, HEADERS | several, BODY, now=SENT) == BODY
    assert verified([base64.b64encode(bytes(32)).decode(), SECRET], HEADERS, BODY, now=SENT) == BODY
    assert verified(SECRET, {name.title(): value for name, value in HEADERS.items()}, BODY, now=SENT) == BODY
    with pytest.raises(WebhookError):
        verified([], HEADERS, BODY, now=SENT)


@pytest.mark.parametrize("secret", ["", PREFIX, "AAAA", "not base64", "whsec_é"])
def test_a_secret_that_is_none_verifies_nothing(secret: str) -> None:
    """A setting that was left empty must not take what anyone signs with nothing."""
    content = f"{HEADERS['webhook-id']}.{SENT}.".encode() + BODY
    forged = base64.b64encode(hmac.digest(b"", content, hashlib.sha256)).decode()
    with pytest.raises(WebhookError, match="secret"):
        verified(secret, HEADERS | {"webhook-signature": f"v1,{forged}"}, BODY, now=SENT)


def test_a_notice_is_read() -> None:
    """Its id is that of the header: the same each time."""
    body = orjson.dumps({"type": "hit.created", "timestamp": "2026-03-02T09:00:00Z", "data": {"hits": ["hit_1"]}})
    notice = verify(SECRET, signed(body), body, now=SENT)
    assert (notice.id, notice.kind, notice.data) == (HEADERS["webhook-id"], "hit.created", {"hits": ["hit_1"]})


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"type": "x", "timestamp": "y", "data": 3}', b"\xff"])
def test_what_is_signed_but_no_notice_is_refused(body: bytes) -> None:
    """Nothing else is raised than the error of the kit."""
    with pytest.raises(WebhookError):
        verify(SECRET, signed(body), body, now=SENT)


@given(body=st.binary(max_size=50), other=st.binary(max_size=50), header=st.text(max_size=30))
def test_no_other_body_and_no_made_up_signature_passes(body: bytes, other: bytes, header: str) -> None:
    """Whatever is sent, it is what was signed or it is refused by one kind of error."""

    def passes(headers: dict[str, Any], content: bytes) -> bool:
        try:
            return verified(SECRET, headers, content, now=SENT) == content
        except WebhookError:
            return False

    assert passes(signed(body), body)
    assert passes(signed(body), other) == (body == other)
    assert not passes(HEADERS | {"webhook-signature": header}, body)
