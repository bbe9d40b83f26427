"""RFC 9497 as we do it: the RFC's own vectors, and what must be refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from frankpledge.custodian.oprf import Mode, OprfError, Suite, new_key, public_key

VECTORS = json.loads((Path(__file__).parents[3] / "vectors" / "oprf-ristretto255.json").read_text())["suites"]
CASES = [
    pytest.param(suite, vector, id=f"mode{suite['mode']}-{number}")
    for suite in VECTORS
    for number, vector in enumerate(suite["vectors"])
]


def parts(text: str) -> list[bytes]:
    """What a vector lists, separated by commas."""
    return [bytes.fromhex(each) for each in text.split(",")]


@pytest.mark.parametrize("suite", VECTORS, ids=["plain", "verifiable"])
def test_keys_follow_from_seeds(suite: dict[str, Any]) -> None:
    """DeriveKeyPair gives the RFC's keys."""
    key = Suite(Mode(suite["mode"])).derive_key(bytes.fromhex(suite["seed"]), bytes.fromhex(suite["keyInfo"]))
    assert key.hex() == suite["skSm"]
    assert suite.get("pkSm") in (None, public_key(key).hex())


@pytest.mark.parametrize(("suite", "vector"), CASES)
def test_the_vectors_of_the_rfc(suite: dict[str, Any], vector: dict[str, Any]) -> None:
    """Blinded, evaluated, proved, verified and finalized, byte by byte."""
    made, key = Suite(Mode(suite["mode"])), bytes.fromhex(suite["skSm"])
    values, scalars = parts(vector["Input"]), parts(vector["Blind"])
    blinded = [made.blind(*each)[1] for each in zip(values, scalars, strict=True)]
    assert blinded == parts(vector["BlindedElement"])
    evaluated = made.evaluate(key, blinded)
    assert evaluated == parts(vector["EvaluationElement"])
    if made.mode is Mode.VERIFIABLE:
        proof = made.prove(key, blinded, evaluated, bytes.fromhex(vector["Proof"]["r"]))
        assert proof.hex() == vector["Proof"]["proof"]
        made.verify(bytes.fromhex(suite["pkSm"]), blinded, evaluated, proof)
    outputs = [made.finalize(*each) for each in zip(values, scalars, evaluated, strict=True)]
    assert outputs == parts(vector["Output"])


def test_the_same_value_blinded_anew_gives_the_same_result() -> None:
    """What is sent differs each time, and what comes out does not."""
    made, key = Suite(Mode.VERIFIABLE), new_key()
    both = [made.blind(b"value") for _ in range(2)]
    assert both[0][1] != both[1][1]
    results = {made.finalize(b"value", scalar, *made.evaluate(key, [sent])) for scalar, sent in both}
    assert len(results) == 1


def test_another_key_is_noticed() -> None:
    """An evaluation by another key, or in another order, does not verify."""
    made, key, other = Suite(Mode.VERIFIABLE), new_key(), new_key()
    sent = [made.blind(value)[1] for value in (b"one", b"two")]
    right = made.evaluate(key, sent)
    proof = made.prove(key, sent, right)
    made.verify(public_key(key), sent, right, proof)
    mixed = [right[0], *made.evaluate(other, sent[1:])]
    for public, evaluated, shown in (
        (public_key(other), right, proof),
        (public_key(key), mixed, proof),
        (public_key(key), mixed, made.prove(key, sent, mixed)),
        (public_key(key), right[::-1], proof),
        (public_key(key), right, proof[:-1]),
        (public_key(key), [], b""),
    ):
        with pytest.raises(OprfError):
            made.verify(public, sent, evaluated, shown)


@pytest.mark.parametrize("element", [bytes(32), b"\xff" * 32, b"short", bytes(31) + b"\x80"])
def test_what_is_no_element_is_refused(element: bytes) -> None:
    """Neither the identity nor bytes that encode nothing are multiplied by the key."""
    with pytest.raises(OprfError):
        Suite(Mode.VERIFIABLE).evaluate(new_key(), [element])
