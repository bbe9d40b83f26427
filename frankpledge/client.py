"""The pool, from Python: for quote and claims systems that ask in milliseconds, and for the commands of the kit.

    encoder = RecordEncoder.for_key(keys.load(path))
    asking = encoder.asking(purpose="new_business", line="motor")
    with Pool("https://pool.example", Credentials(client_id, client_secret), timeout=2.0) as pool:
        answers = [pool.screen(asking, Question("Q-1", subject)) for subject in encoder.subjects(record)]

A `Pool` keeps its connections and its token; make one and share it between threads.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any

import httpx

from frankpledge.answers import Result, as_id, parsed
from frankpledge.cases import Cases
from frankpledge.corrections import Corrections, Disputes
from frankpledge.credentials import AnyCredentials, Credentials, PersonCredentials
from frankpledge.disclosures import Disclosures
from frankpledge.monitoring import Monitoring
from frankpledge.problems import InvalidRequestError, PoolError, error_for, unexpected_answer
from frankpledge.questions import Asking, Question
from frankpledge.results import (
    Batch,
    Deletion,
    Epoch,
    Expiring,
    Hit,
    KeyOffer,
    Proof,
    Receipt,
    Recipient,
    Rescreen,
    RowError,
    Scheme,
    Screening,
    Upload,
)
from frankpledge.session import Retry, Session
from frankpledge.subjects import Subjects

__all__ = ["Asking", "Credentials", "PersonCredentials", "Pool", "PoolError", "Question", "Retry"]

MEDIA_TYPES = {
    "ndjson": "application/x-ndjson",
    "arrow": "application/vnd.apache.arrow.stream",
    "parquet": "application/vnd.apache.parquet",
}
PAGE = 100
"""Entries asked for in one page of a list."""


class Pool:
    """A pool under one member's credentials. Every method raises PoolError or one of its kinds."""

    def __init__(
        self,
        server: str,
        credentials: AnyCredentials | None = None,
        *,
        timeout: float = 60.0,
        retry: Retry | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._session = Session(server, credentials, timeout=timeout, retry=retry or Retry(), transport=transport)
        self.disclosures = Disclosures(self._session, self._pages)
        self.cases = Cases(self._session, self._pages)
        self.monitoring = Monitoring(self._session, self._pages)
        self.corrections = Corrections(self._session, self._pages)
        self.disputes = Disputes(self._session, self._pages)
        self.subjects = Subjects(self._session, self._pages)

    def __enter__(self) -> Pool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._session.close()

    def log_in(self) -> None:
        """Try the credentials; otherwise they are used with the first request. Raises AuthenticationError."""
        self._session.log_in()

    def scheme(self) -> Scheme:
        """Ask what the pool takes; needs no credentials."""
        before = dt.datetime.now(dt.UTC)
        document = self._session.send("GET", "/v1/scheme", authorised=False)
        midway = before + (dt.datetime.now(dt.UTC) - before) / 2
        return parsed(lambda found: Scheme.parse(found, midway), document)

    def standing(self) -> Mapping[str, Any]:
        """Ask for the own membership, contributions and what may be seen, as the pool words it."""
        return parsed(dict, self._session.send("GET", "/v1/standing"))

    def file(self, filing: Mapping[str, object], *, idempotency_key: str | None = None) -> Receipt:
        """File one encoded filing (a line of `frankpledge encode`). Filing the same again changes nothing."""
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        return parsed(Receipt.parse, self._session.send("POST", "/v1/filings", json=filing, headers=headers))

    def upload(
        self,
        content: bytes,
        *,
        idempotency_key: str,
        dry_run: bool = False,
        format: str = "ndjson",  # noqa: A002
    ) -> Batch:
        """Upload a batch of filings: gzipped NDJSON, or a file in `format` arrow or parquet.

        The same key again gives the same batch, and nothing twice.
        """
        headers = {"Content-Type": MEDIA_TYPES[format], "Idempotency-Key": idempotency_key}
        if format == "ndjson":
            headers["Content-Encoding"] = "gzip"
        params = {"dry_run": "true"} if dry_run else {}
        document = self._session.send("POST", "/v1/batches", content=content, headers=headers, params=params)
        return parsed(Batch.parse, document)

    def begin_upload(self, announced: Mapping[str, object], *, idempotency_key: str) -> Upload:
        """Announce a batch that comes in pieces: length, sha256, format, gzip, dry_run. The same again goes on."""
        headers = {"Idempotency-Key": idempotency_key}
        return parsed(Upload.parse, self._session.send("POST", "/v1/uploads", json=announced, headers=headers))

    def upload_piece(self, upload: Upload, piece: bytes) -> Upload:
        """Send what follows of an upload; how much of it is there then, also when that is not what was expected."""
        checksum = base64.b64encode(hashlib.sha256(piece).digest()).decode()
        headers = {
            "Content-Type": "application/offset+octet-stream",
            "Upload-Offset": str(upload.offset),
            "Upload-Checksum": f"sha256 {checksum}",
        }
        path = f"/v1/uploads/{as_id(upload.id)}"
        try:
            return parsed(Upload.parse, self._session.send("PATCH", path, content=piece, headers=headers))
        except InvalidRequestError as error:
            if not error.problem.kind.endswith(("/wrong-offset", "/checksum", "/incomplete-body")):
                raise
            # The piece was taken, or cut off, without our knowing: whatever is there, it goes on from there.
            return parsed(Upload.parse, self._session.send("GET", path))

    def cancel_batch(self, batch_id: str) -> Batch:
        """Cancel a batch: it stops after the chunk at hand, and what was taken in stays."""
        return parsed(Batch.parse, self._session.send("POST", f"/v1/batches/{as_id(batch_id)}/cancel"))

    def batch(self, batch_id: str) -> Batch:
        """Look at a batch and its first row errors."""
        return parsed(Batch.parse, self._session.send("GET", f"/v1/batches/{as_id(batch_id)}"))

    def batch_errors(self, batch: Batch) -> Iterator[RowError]:
        """Give all row errors of a finished batch, page by page."""
        yield from batch.errors
        cursor = batch.next_cursor
        while cursor:
            document = self._session.send("GET", f"/v1/batches/{as_id(batch.id)}", params={"cursor": cursor})
            page = parsed(Batch.parse, document)
            yield from page.errors
            cursor = page.next_cursor

    def batches(self) -> Iterator[Batch]:
        """Give the own batches, latest first, page by page."""
        return self._pages("/v1/batches", {}, Batch.parse)

    def screen(self, asking: Asking, question: Question) -> Screening:
        """Ask about one subject. It is asked again only when the pool surely did not take the question."""
        body = {**asking.document(), **question.document()}
        return parsed(Screening.parse, self._session.send("POST", "/v1/screenings", json=body, repeatable=False))

    def screen_many(self, asking: Asking, questions: Sequence[Question]) -> list[Screening | PoolError]:
        """Ask about up to 1,000 subjects (1 MiB of JSON) at once; the answers, or what stood against them, in order."""
        body = {**asking.document(), "screenings": [question.document() for question in questions]}
        document = self._session.send("POST", "/v1/screenings/bulk", json=body, repeatable=False)
        answers = parsed(lambda found: [_answer(entry) for entry in found["results"]], document)
        if len(answers) != len(questions):
            raise unexpected_answer()
        return answers

    def hits(
        self, *, band: str | None = None, line: str | None = None, record_class: str | None = None
    ) -> Iterator[Hit]:
        """Give the own hits, latest first, page by page, as far as the own tiers allow."""
        wanted = {"band": band, "line": line, "class": record_class}
        return self._pages("/v1/hits", {name: value for name, value in wanted.items() if value}, Hit.parse)

    def hit(self, hit_id: str) -> Hit:
        """Look at one hit."""
        return parsed(Hit.parse, self._session.send("GET", f"/v1/hits/{as_id(hit_id)}"))

    def networks(self) -> Iterator[Mapping[str, Any]]:
        """Give the networks of claims that were reported, latest first, as far as the own tiers allow."""
        return self._pages("/v1/networks", {}, dict)

    def network(self, network_id: str) -> Mapping[str, Any]:
        """Look at one network: its claims, what links them, and the patterns in words."""
        return parsed(dict, self._session.send("GET", f"/v1/networks/{as_id(network_id)}"))

    def begin_rescreen(self, purpose: str | None = None) -> Rescreen:
        """Have the own filings looked for in the pool again, for a purpose; the pool does one at a time."""
        body = {"purpose": purpose} if purpose else {}
        return parsed(Rescreen.parse, self._session.send("POST", "/v1/rescreens", json=body, repeatable=False))

    def rescreen(self, rescreen_id: str) -> Rescreen:
        """Look at a rescreen."""
        return parsed(Rescreen.parse, self._session.send("GET", f"/v1/rescreens/{as_id(rescreen_id)}"))

    def rescreens(self) -> Iterator[Rescreen]:
        """Give the own rescreens, latest first, page by page."""
        return self._pages("/v1/rescreens", {}, Rescreen.parse)

    def cancel_rescreen(self, rescreen_id: str) -> Rescreen:
        """Cancel a rescreen: it stops after the filings at hand, and what was found stays."""
        return parsed(Rescreen.parse, self._session.send("POST", f"/v1/rescreens/{as_id(rescreen_id)}/cancel"))

    def enter_proof(self, proof: Mapping[str, object], *, idempotency_key: str | None = None) -> Proof:
        """Enter what a proven case stands on; it counts once a second person has approved it."""
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        again = idempotency_key is not None
        document = self._session.send("POST", "/v1/proofs", json=proof, headers=headers, repeatable=again)
        return parsed(Proof.parse, document)

    def approve_proof(self, proof_id: str) -> Proof:
        """Approve a proof that somebody else entered."""
        return parsed(Proof.parse, self._session.send("POST", f"/v1/proofs/{as_id(proof_id)}/approval"))

    def withdraw_proof(self, proof_id: str) -> Proof:
        """Withdraw a proof that does not hold (any more)."""
        return parsed(Proof.parse, self._session.send("POST", f"/v1/proofs/{as_id(proof_id)}/withdrawal"))

    def proofs(self) -> Iterator[Proof]:
        """Give the own proofs, latest first, page by page."""
        return self._pages("/v1/proofs", {}, Proof.parse)

    def withdraw_filing(self, filing_id: str, reason: str) -> Deletion:
        """Take an own filing out of the pool, for good. Once more changes nothing."""
        path = f"/v1/filings/{as_id(filing_id)}/withdrawal"
        return parsed(Deletion.parse, self._session.send("POST", path, json={"reason": reason}))

    def expiring_filings(self, until: str | None = None) -> Iterator[Expiring]:
        """Give the own filings that expire by a day, page by page; without one, within a year."""
        return self._pages("/v1/retention/expiring", {"until": until} if until else {}, Expiring.parse)

    def renew_filing(self, filing_id: str, reason: str, note_reference: str | None = None) -> str:
        """Keep a suspicion for as long again, up to its cap; the first day on which it is not kept then."""
        body = {"reason": reason} | ({"note_reference": note_reference} if note_reference else {})
        document = self._session.send("POST", f"/v1/filings/{as_id(filing_id)}/renewal", json=body)
        return parsed(lambda found: str(found["expires_on"]), document)

    def deletion(self, filing_id: str) -> Deletion:
        """Look at the proof that an own filing is not in the pool any more."""
        return parsed(Deletion.parse, self._session.send("GET", f"/v1/filings/{as_id(filing_id)}/deletion"))

    def deletions(self) -> Iterator[Deletion]:
        """Give the proofs of own filings that are gone, latest first, page by page."""
        return self._pages("/v1/deletions", {}, Deletion.parse)

    def recipients(self) -> list[Recipient]:
        """Give the public keys of the members, by name: their fingerprints are to be compared with them."""
        document = self._session.send("GET", "/v1/keys/recipients")
        own = self.standing()["member"]["id"]
        return parsed(lambda found: [Recipient.parse(each, own) for each in found["items"]], document)

    def publish(self, recipient: str) -> None:
        """Publish the own public key, in the place of the one before."""
        self._session.send("PUT", "/v1/keys/recipient", json={"recipient": recipient})

    def offer_key(self, to: Recipient, fingerprint: str, epoch: int, sealed: bytes) -> KeyOffer:
        """Offer a linkage key, sealed to a member's public key. The same key again takes the place of the first."""
        body = {"to": to.member, "recipient": to.recipient, "fingerprint": fingerprint, "epoch": epoch}
        body |= {"sealed": base64.b64encode(sealed).decode()}
        return parsed(KeyOffer.parse, self._session.send("POST", "/v1/keys/offers", json=body))

    def key_offers(self) -> Iterator[KeyOffer]:
        """Give the keys offered to and by the own member, latest first, page by page."""
        return self._pages("/v1/keys/offers", {}, KeyOffer.parse)

    def key_offer(self, offer_id: str) -> KeyOffer:
        """Look at an offer, with what is sealed where it is for the own member."""
        return parsed(KeyOffer.parse, self._session.send("GET", f"/v1/keys/offers/{as_id(offer_id)}"))

    def accept_key(self, offer_id: str) -> KeyOffer:
        """Say that an offered key was opened and stored."""
        document = self._session.send("POST", f"/v1/keys/offers/{as_id(offer_id)}/acceptance", repeatable=False)
        return parsed(KeyOffer.parse, document)

    def withdraw_key(self, offer_id: str) -> None:
        """Withdraw an offer, or decline it."""
        self._session.send("DELETE", f"/v1/keys/offers/{as_id(offer_id)}", repeatable=False)

    def epochs(self) -> list[Epoch]:
        """Give the linkage keys of the scheme, oldest first, with how many own filings are under each."""
        document = self._session.send("GET", "/v1/keys/epochs")
        return parsed(lambda found: [Epoch.parse(each) for each in found["items"]], document)

    def _pages(
        self, path: str, params: Mapping[str, str], parse: Callable[[Mapping[str, Any]], Result]
    ) -> Iterator[Result]:
        cursor: str | None = ""
        while cursor is not None:
            asked = {**params, "limit": str(PAGE)} | ({"cursor": cursor} if cursor else {})
            document = self._session.send("GET", path, params=asked)
            yield from parsed(lambda found: [parse(entry) for entry in found["items"]], document)
            cursor = document.get("next_cursor") or None


def _answer(entry: Mapping[str, Any]) -> Screening | PoolError:
    return error_for(int(entry["status"]), entry) if "answer" not in entry else Screening.parse(entry)
