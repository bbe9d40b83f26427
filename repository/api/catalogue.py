"""Every kind of problem the interface answers with: its slug, status, title and what to do about it.

The `type` of a problem is the relative URI /v1/problems/<slug>, which serves the text below; docs/api-errors.md is the
same list, written by `python -m repository.api.catalogue`.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ProblemType:
    """One kind of problem (RFC 9457, section 3.1). `text` says what happened and what would help."""

    slug: str
    status: int
    title: str
    text: str

    @property
    def uri(self) -> str:
        """The relative URI that identifies the kind and serves its text."""
        return f"/v1/problems/{self.slug}"


_TYPES = (
    # The request as such
    ProblemType(
        "bad-request", 400, "The request cannot be read", "The HTTP request is malformed. Check what builds it."
    ),
    ProblemType(
        "bad-json",
        400,
        "The body is not JSON",
        "The body is not well-formed JSON in UTF-8. The detail says at which position reading stopped.",
    ),
    ProblemType(
        "incomplete-body",
        400,
        "The body was cut off",
        "Fewer bytes came in than Content-Length announces, and nothing of them was kept. Send the whole body again,"
        " with the same idempotency key.",
    ),
    ProblemType(
        "not-found",
        404,
        "There is no such thing",
        "Nothing is served at this address, or the object does not exist or belongs to another member: the answer is"
        " the same, so that nobody can probe for the objects of others.",
    ),
    ProblemType(
        "wrong-method", 405, "The method is not allowed here", "See the Allow header for the methods that are."
    ),
    ProblemType("not-acceptable", 406, "No such representation", "The interface answers in application/json."),
    ProblemType("conflict", 409, "The request conflicts with the present state", "Read the object again, then decide."),
    ProblemType(
        "stale",
        409,
        "It has changed since you read it",
        "Somebody was faster: `version` says what it is at now, and nothing was done. Read it again, then decide.",
    ),
    ProblemType(
        "wrong-offset",
        409,
        "The piece does not begin where the upload ends",
        "The Upload-Offset header of this answer says how much of the upload is there. Send what follows from there. It"
        " is also the answer while another request sends a piece of the same upload.",
    ),
    ProblemType("length-required", 411, "The length is missing", "Send a Content-Length header."),
    ProblemType("too-large", 413, "The body is too large", "The figures name the limit in bytes. Send smaller pieces."),
    ProblemType(
        "wrong-content-type", 415, "The content type is not supported", "The detail names the one that is expected."
    ),
    ProblemType(
        "invalid",
        422,
        "The content does not follow its schema",
        "Each entry of `errors` names a field and what was expected there. The value itself is never repeated.",
    ),
    ProblemType(
        "checksum",
        422,
        "The checksum does not match",
        "What came in is not what the checksum was made of, and was not kept. Of a piece: send it again. Of the whole"
        " upload, or if the service lost some of it: it is removed; begin it anew.",
    ),
    ProblemType(
        "invalid-cursor",
        422,
        "The cursor is not one of this list",
        "Use `next_cursor` of the page before, with the same filters, or start again without a cursor.",
    ),
    ProblemType("too-many-requests", 429, "Too many requests", "Wait as long as the Retry-After header says."),
    ProblemType(
        "too-much-waiting",
        429,
        "Too much of yours waits already",
        "So many batches of a member, and so many bytes, wait to be taken in at most; the figures say which limit it"
        " is. Send it again, under the same idempotency key, after as long as the Retry-After header says.",
    ),
    ProblemType(
        "daily-limit",
        429,
        "The day's share is used up",
        "The operator takes so many bytes or rows of each member a day (UTC), and so many rescreens; the figures say"
        " which. Send it again after as long as the Retry-After header says.",
    ),
    ProblemType(
        "internal",
        500,
        "Something went wrong on our side",
        "The operator finds the cause in the log under the request id, which is also in the `instance` of the problem.",
    ),
    ProblemType(
        "busy",
        503,
        "Too busy at the moment",
        "The database did not get to it in time: its connections are all in use, or a statement or a lock took longer"
        " than the operator allows. Nothing is wrong with the request: send it again, under the same idempotency key if"
        " it has one, after as long as the Retry-After header says.",
    ),
    ProblemType(
        "queue-full",
        503,
        "Too much waits already",
        "The batches of all members together are as many as the operator lets wait. Send it again, under the same"
        " idempotency key, after as long as the Retry-After header says.",
    ),
    ProblemType(
        "no-space",
        507,
        "There is no room to keep it",
        "The disk of the service is full, and nothing of the request was kept. Tell the operator; send it again, under"
        " the same idempotency key, when there is room.",
    ),
    ProblemType("unavailable", 503, "Not available at the moment", "Try again later; see Retry-After if it is given."),
    # Authentication
    ProblemType(
        "no-token",
        401,
        "A token is needed",
        "Log in at POST /v1/auth/token and send the access token as `Authorization: Bearer <token>`.",
    ),
    ProblemType(
        "invalid-token", 401, "The token is not valid", "Log in again. The token was not issued here, or altered."
    ),
    ProblemType("expired-token", 401, "The token has expired", "Refresh it at POST /v1/auth/refresh, or log in again."),
    ProblemType(
        "token-from-the-future",
        401,
        "The token is from the future",
        "The token says that it was issued later than this server's clock shows, by more than the leeway. One of the"
        " two clocks is wrong: compare the `server_time` with yours, and set the clocks by NTP.",
    ),
    ProblemType("revoked-token", 401, "The token was revoked", "Log in again."),
    ProblemType(
        "reused-token",
        401,
        "The refresh token was used before",
        "A refresh token is good for one use. As it may have been stolen, every token of that log-in was revoked: log"
        " in again, and keep the newest refresh token only.",
    ),
    ProblemType(
        "wrong-credentials", 401, "The log-in failed", "The id or the secret is wrong, or the account is not in use."
    ),
    ProblemType(
        "locked",
        429,
        "Too many failed log-ins",
        "Log-in to this account is paused. Wait as long as the Retry-After header says, then use the right secret.",
    ),
    ProblemType(
        "wrong-role", 403, "The role does not allow this", "Ask your member's administrator for one of the roles."
    ),
    ProblemType(
        "second-person",
        403,
        "Somebody else has to do this",
        "It takes a second person of the member: what one enters, another approves.",
    ),
    # The rules of the scheme
    ProblemType(
        "membership",
        403,
        "The membership does not allow this",
        "Rule R1: members ask on an active membership, a signed agreement and a yearly attestation; R7: who never"
        " contributes asks under a grant that has not expired and covers what is asked. The figures and the remedy say"
        " what is missing.",
    ),
    ProblemType(
        "not-independent",
        403,
        "Someone else has to decide this",
        "Rule R9: applications and appeals are decided by an officer who neither entered the case nor took the decision"
        " at issue. Ask another operator.",
    ),
    ProblemType(
        "reciprocity",
        403,
        "What is asked exceeds what is given",
        "Rule R2: members see as much of a line and class as they contribute to it; R5: a new member asks once it was"
        " clean for long enough, or under a covenant; R6: nobody asks in a line that was below target for too long."
        " The figures say what was counted, and the remedy what would change the answer.",
    ),
    ProblemType(
        "purpose",
        403,
        "The purpose does not allow this",
        "The rulebook closes this purpose, or it is not one of the member's, or too many different subjects were asked"
        " about under one reference. Nothing was looked for. GET /v1/rulebook says which purposes are open.",
    ),
    ProblemType(
        "quota",
        429,
        "The quota is used up",
        "Rule R10: so many questions a day, by what a member contributes, and so many a minute. Of questions sent"
        " together either all are answered or none. Wait as long as the Retry-After header says.",
    ),
    # Filing
    ProblemType(
        "unknown-schema",
        422,
        "The record was encoded under another linkage schema",
        "A pool has one linkage schema, and keys of another mean nothing in it. GET /v1/scheme says which it is: set"
        " `schema` in the profile to it, and encode again.",
    ),
    ProblemType(
        "another-key",
        422,
        "The record was encoded under another linkage key",
        "The fingerprint is not one of this pool's: the linkage key is not the members' current one. GET /v1/scheme"
        " lists the fingerprints; `frankpledge keys show` prints yours.",
    ),
    ProblemType(
        "idempotency-key",
        422,
        "The idempotency key is missing or not usable",
        "Send an Idempotency-Key header of 1 to 128 visible ASCII characters, a fresh one for each new request.",
    ),
    ProblemType(
        "idempotency-conflict",
        422,
        "The idempotency key was used for other content",
        "The same key came before with another body. Send the first body again, or take a new key.",
    ),
)

PROBLEM_TYPES: dict[str, ProblemType] = {problem.slug: problem for problem in _TYPES}

BY_STATUS = {
    400: "bad-request",
    401: "no-token",
    404: "not-found",
    405: "wrong-method",
    406: "not-acceptable",
    409: "conflict",
    411: "length-required",
    413: "too-large",
    415: "wrong-content-type",
    422: "invalid",
    429: "too-many-requests",
    500: "internal",
    503: "unavailable",
    507: "no-space",
}
"""The problem that stands for a bare HTTP status."""


def as_markdown() -> str:
    """The list as the page docs/api-errors.md."""
    lines = [
        "# Problems",
        "",
        "Errors are `application/problem+json` (RFC 9457) with `type`, `title`, `status`, `detail` and `instance`;",
        "`type` is a relative URI that serves the text given here. A problem never repeats a value that was sent.",
        "`errors` lists the fields at fault as `{field, expected}`; a refusal under the scheme's rules carries `rule`,",
        "`figures`, `remedy` and, where it is stored, `decision`: GET /v1/decisions/{id} explains it.",
        "",
    ]
    for problem in PROBLEM_TYPES.values():
        lines += [f"## {problem.slug}", "", f"{problem.status}: {problem.title}.", "", problem.text, ""]
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    sys.stdout.write(as_markdown())
