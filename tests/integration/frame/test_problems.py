"""Every error is a problem, and no problem and no log line repeats what was sent."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

import orjson
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.integration.frame.conftest import CANARY
from tests.support.members import Admissions

pytestmark = pytest.mark.parametrize("store", ["sqlite"], indirect=True)

Send = Callable[[FlaskClient], TestResponse]
JSON = {"Content-Type": "application/json"}


def _post(body: object) -> Send:
    return lambda client: client.post("/probe/body", data=orjson.dumps(body), headers=JSON)


def _raw(body: bytes, headers: dict[str, str] | None = None) -> Send:
    return lambda client: client.post("/probe/body", data=body, headers=headers or JSON)


def _get(address: str, **headers: str) -> Send:
    return lambda client: client.get(address, headers=headers)


BAD: dict[str, tuple[Send, str]] = {
    "address": (_get(f"/v1/{CANARY}"), "not-found"),
    "address with a query": (_get(f"/v1/nowhere?name={CANARY}"), "not-found"),
    "encoded address": (_get(f"/v1/problems/{CANARY}%0d%0aX-Injected:%20yes"), "not-found"),
    "method": (lambda client: client.open("/probe/body", method="DELETE", data=CANARY), "wrong-method"),
    "made-up method": (lambda client: client.open("/probe/body", method="ZEBEDEE"), "wrong-method"),
    "content type": (_raw(b"{}", {"Content-Type": f"text/{CANARY}"}), "wrong-content-type"),
    "no content type": (_raw(b"{}", {"Content-Type": ""}), "wrong-content-type"),
    "content encoding": (_raw(b"{}", JSON | {"Content-Encoding": CANARY}), "wrong-content-type"),
    "syntax": (_raw(b'{"word": ' + CANARY.encode()), "bad-json"),
    "empty body": (_raw(b""), "bad-json"),
    "not UTF-8": (_raw(b'{"word": "\xff' + CANARY.encode() + b'"}'), "bad-json"),
    "not a number": (_raw(b'{"word": NaN, "day": "' + CANARY.encode() + b'"}'), "bad-json"),
    "lone surrogate": (_raw(b'{"word": "\\ud800' + CANARY.encode() + b'"}'), "bad-json"),
    "too deep": (_raw(b"[" * 40 + orjson.dumps(CANARY) + b"]" * 40), "bad-json"),
    "too deep, never closed": (_raw(b"[" * 100_000), "bad-json"),
    "too large": (_raw(b'"' + CANARY.encode() + b"x" * (1 << 20) + b'"'), "too-large"),
    "not an object": (_post([CANARY]), "invalid"),
    "a string": (_post(CANARY), "invalid"),
    "null": (_post(None), "invalid"),
    "choice": (_post({"word": CANARY}), "invalid"),
    "type": (_post({"word": {"of": CANARY}}), "invalid"),
    "date": (_post({"word": "yes", "day": CANARY}), "invalid"),
    "nested": (_post({"word": "yes", "inner": {"count": CANARY}}), "invalid"),
    "nested type": (_post({"word": "yes", "inner": CANARY}), "invalid"),
    "list": (_post({"word": "yes", "many": [{"count": 1}, {"count": CANARY}]}), "invalid"),
    "list type": (_post({"word": "yes", "many": CANARY}), "invalid"),
    "long list": (_post({"word": "yes", "many": [{"count": 1}] * 4}), "invalid"),
    "unknown field": (_post({"word": "yes", CANARY: 1}), "invalid"),
    "unknown nested field": (_post({"word": "yes", "inner": {"count": 1, CANARY: 1}}), "invalid"),
    "unknown field in a list": (_post({"word": "yes", "many": [{"count": 1, CANARY: CANARY}]}), "invalid"),
    "query": (_get(f"/probe/query?number={CANARY}"), "invalid"),
    "unknown query": (_get(f"/probe/query?{CANARY}=1"), "invalid"),
    "token": (_get("/probe/any", Authorization=f"Bearer {CANARY}"), "invalid-token"),
    "scheme": (_get("/probe/any", Authorization=f"{CANARY} {CANARY}"), "no-token"),
    "request id": (_get("/v1/nowhere", **{"X-Request-ID": CANARY}), "not-found"),
    "fault of ours": (_get("/probe/fault"), "internal"),
}


@pytest.mark.parametrize("what", BAD)
def test_a_problem_repeats_nothing(client: FlaskClient, capsys: pytest.CaptureFixture[str], what: str) -> None:
    """Each way to go wrong is answered with the right problem, in which, as in the log, nothing sent comes back."""
    send, slug = BAD[what]
    answer = send(client)
    body = answer.get_json()
    seen = answer.get_data(as_text=True) + str(answer.headers) + "".join(capsys.readouterr())
    assert answer.mimetype == "application/problem+json"
    assert body["type"] == f"/v1/problems/{slug}"
    assert body["status"] == answer.status_code
    assert {"title", "detail", "instance"} <= set(body)
    assert CANARY not in seen
    assert CANARY.lower() not in seen.lower()
    assert "Zebedee" not in seen


@pytest.mark.parametrize(
    ("body", "field", "expected"),
    [
        ({}, "word", "Missing data for required field."),
        ({"word": "maybe"}, "word", "Must be one of: yes, no."),
        ({"word": "yes", "inner": {}}, "inner.count", "Missing data for required field."),
        ({"word": "yes", "many": [{"count": 1}, {"count": "x"}]}, "many[1].count", "Not a valid integer."),
        ({"word": "yes", "surname": 1}, "body", "No other fields than: day, inner, many, word."),
        ({"word": "yes", "many": [{"count": 1, "x": 1}]}, "many[0]", "No other fields than: count."),
        ([], "body", "Invalid input type."),
    ],
)
def test_the_field_at_fault_is_named(client: FlaskClient, body: object, field: str, expected: str) -> None:
    """Each error says which field, by its path, and what was expected."""
    errors = _post(body)(client).get_json()["errors"]
    assert {"field": field, "expected": expected} in errors


def test_a_syntax_error_says_where(client: FlaskClient) -> None:
    """The position where reading stopped is given, and nothing of the text around it."""
    detail = _raw(b'{"word": "yes",\n "day" 1}')(client).get_json()["detail"]
    assert "line 2, column 8" in detail


def test_brackets_in_strings_are_not_depth(client: FlaskClient) -> None:
    """Only nesting counts, not brackets that are text; quotes and backslashes inside do not confuse."""
    word = '[{"\\' * 200
    errors = _post({"word": word})(client).get_json()["errors"]
    assert errors == [{"field": "word", "expected": "Must be one of: yes, no."}]


def test_a_wrong_method_lists_the_right_ones(client: FlaskClient) -> None:
    """405 has the Allow header."""
    assert client.put("/probe/body").headers["Allow"] == "OPTIONS, POST"


def test_a_body_that_is_too_large_names_the_limit(client: FlaskClient) -> None:
    """413 gives the limit in bytes, for bodies without a length too."""
    body = b'"' + b"x" * (1 << 20) + b'"'
    answers = [
        _raw(body)(client),
        client.post("/probe/body", input_stream=BytesIO(body), headers=JSON, environ_overrides=_CHUNKED),
    ]
    assert [answer.status_code for answer in answers] == [413, 413]
    assert [answer.get_json()["figures"] for answer in answers] == [{"limit_bytes": 1 << 20}] * 2


_CHUNKED = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": ""}


class TestIdempotency:
    """The Idempotency-Key header on one request."""

    def _send(self, client: FlaskClient, headers: dict[str, str], key: str, word: str = "yes") -> TestResponse:
        return client.post("/probe/once", json={"word": word}, headers=headers | {"Idempotency-Key": key})

    def test_the_same_request_again_is_answered_as_before(self, client: FlaskClient, member: Admissions) -> None:
        """The view runs once; the second answer is the first, marked as such."""
        headers = member().headers
        first, second = (self._send(client, headers, "k1") for _ in range(2))
        assert (first.status_code, first.get_json()) == (second.status_code, second.get_json()) == (201, {"calls": 1})
        assert "Idempotency-Replayed" not in first.headers
        assert second.headers["Idempotency-Replayed"] == "true"

    def test_other_content_under_the_key_is_refused(self, client: FlaskClient, member: Admissions) -> None:
        """A key that came with other content is a 422."""
        headers = member().headers
        self._send(client, headers, "k1")
        answer = client.post(
            "/probe/once", json={"word": "yes", "day": "2026-01-01"}, headers=headers | {"Idempotency-Key": "k1"}
        )
        assert answer.get_json()["type"] == "/v1/problems/idempotency-conflict"

    def test_keys_are_each_actor_s_own(self, client: FlaskClient, member: Admissions) -> None:
        """Two members may use the same key."""
        answers = [self._send(client, member(name).headers, "k1") for name in ("Alpha", "Beta")]
        assert [answer.get_json() for answer in answers] == [{"calls": 1}, {"calls": 2}]

    def test_a_failure_is_not_kept(self, client: FlaskClient, member: Admissions) -> None:
        """A request that failed may be tried again under its key."""
        headers = member().headers
        assert [self._send(client, headers, "k1", "no").status_code for _ in range(2)] == [409, 409]
        assert "Idempotency-Replayed" not in self._send(client, headers, "k1", "no").headers

    def test_without_a_key_each_request_counts(self, client: FlaskClient, member: Admissions) -> None:
        """The header is optional."""
        headers = member().headers
        answers = [client.post("/probe/once", json={"word": "yes"}, headers=headers) for _ in range(2)]
        assert [answer.get_json() for answer in answers] == [{"calls": 1}, {"calls": 2}]

    @pytest.mark.parametrize("key", ["", " ", "k" * 129, "k\u00e9", "a b"])
    def test_a_key_must_be_visible_ascii(self, client: FlaskClient, member: Admissions, key: str) -> None:
        """1 to 128 visible characters of ASCII, or a 422."""
        assert self._send(client, member().headers, key).get_json()["type"] == "/v1/problems/idempotency-key"

    def test_answers_are_kept_for_a_day(self, client: FlaskClient, member: Admissions, clock: Any) -> None:
        """After a day the key may be used anew."""
        alpha = member()
        self._send(client, alpha.headers, "k1")
        clock.advance(days=1, seconds=1)
        refresh = client.post("/v1/auth/refresh", headers={"Authorization": f"Bearer {alpha.refresh_token}"}).get_json()
        headers = {"Authorization": f"Bearer {refresh['access_token']}"}
        assert self._send(client, headers, "k1", "yes").get_json() == {"calls": 2}
