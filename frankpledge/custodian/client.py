"""The custodian as a member's encoder asks it: values go blinded, results come with a proof."""

from __future__ import annotations

import base64
import binascii
import threading
from collections.abc import Sequence

import httpx
import numpy as np
import numpy.typing as npt

from frankpledge.custodian.oprf import Mode, OprfError, Suite
from frankpledge.errors import KitError

AT_ONCE = 500
"""Values in one request."""
_SUITE = Suite(Mode.VERIFIABLE)

Blocks = npt.NDArray[np.uint64]


class CustodianError(KitError):
    """The custodian did not answer, refused, or answered by another key than its own."""


class Custodian:
    """A custodian whose public key is known. Safe to use from several threads."""

    def __init__(self, server: str, token: str, public: bytes, *, transport: httpx.BaseTransport | None = None) -> None:
        headers = {"Authorization": f"Bearer {token}", "User-Agent": "frankpledge"}
        self._client = httpx.Client(base_url=server, timeout=60.0, headers=headers, transport=transport)
        self.public = public
        self._closing = threading.Lock()

    def close(self) -> None:
        """Close all connections."""
        with self._closing:
            self._client.close()

    def harden(self, blocks: Blocks) -> Blocks:
        """Other blocks in the place of blocks of shape (n, 2), which only the custodian's key leads to.

        Raises CustodianError.
        """
        flat = np.ascontiguousarray(blocks).reshape(-1, 2)
        different, which = np.unique(flat, axis=0, return_inverse=True)
        values = [row.tobytes() for row in different]
        results = [
            each
            for start in range(0, len(values), AT_ONCE)
            for each in self._evaluated(values[start : start + AT_ONCE])
        ]
        hardened = np.frombuffer(b"".join(results), np.uint64).reshape(-1, 2)
        return hardened[which.reshape(-1)].reshape(blocks.shape)

    def _evaluated(self, values: Sequence[bytes]) -> list[bytes]:
        sent = [_SUITE.blind(value) for value in values]
        blinded = [each for _, each in sent]
        evaluated, proof = self._asked(blinded)
        try:
            _SUITE.verify(self.public, blinded, evaluated, proof)
            return [
                _SUITE.finalize(value, scalar, element)[:16]
                for value, (scalar, _), element in zip(values, sent, evaluated, strict=True)
            ]
        except (OprfError, ValueError):
            raise CustodianError(
                "The custodian's answer does not fit its public key.", "Do not encode; ask whoever runs it."
            ) from None

    def _asked(self, blinded: Sequence[bytes]) -> tuple[list[bytes], bytes]:
        body = {"elements": [base64.b64encode(each).decode() for each in blinded]}
        try:
            answer = self._client.post("/v1/evaluations", json=body)
        except httpx.TransportError:
            raise CustodianError("The custodian cannot be reached.", "Try again later.") from None
        if answer.status_code != 200:
            raise CustodianError(*_REFUSED.get(answer.status_code, _REFUSED[0]))
        try:
            document = answer.json()
            return list(map(_decoded, document["elements"])), _decoded(document["proof"])
        except (ValueError, KeyError, TypeError, binascii.Error):
            raise CustodianError("The custodian's answer is not as expected.", "Check its address.") from None


def _decoded(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


_REFUSED = {
    0: ("The custodian refused.", "Ask whoever runs it."),
    401: ("The custodian does not know this member.", "Set FRANKPLEDGE_CUSTODIAN_TOKEN as it was given."),
    429: ("The custodian evaluates no more for this member today.", "Go on tomorrow, or have the quota raised."),
}
