"""What a custodian costs: `python -m benchmarks.oprf --values 2000 --records 50 --json`.

Values a second of processor time, on each side, by RFC 9497 plain and verifiable (the one in use); and records a second
encoded with a custodian in the same process, both sides together, against those encoded without one.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Sequence
from itertools import islice
from typing import Any

import httpx

from benchmarks.linking import encode_people, random_encoder
from benchmarks.machine import show
from benchmarks.market import Market
from frankpledge.custodian import oprf
from frankpledge.custodian.client import Custodian
from frankpledge.custodian.service import create_app, token_hash
from frankpledge.keys import LinkageKey
from frankpledge.records import RecordEncoder

AT_ONCE = 500


def sides(mode: oprf.Mode, count: int) -> dict[str, int]:
    """Values a second that a member blinds and opens, and that the custodian evaluates."""
    suite, key = oprf.Suite(mode), oprf.new_key()
    public = oprf.public_key(key)
    member = custodian = 0.0
    for start in range(0, count, AT_ONCE):
        values = [os.urandom(16) for _ in range(min(AT_ONCE, count - start))]
        begun = time.process_time()
        sent = [suite.blind(each) for each in values]
        blinded = [each for _, each in sent]
        asked = time.process_time()
        answer = suite.evaluate(key, blinded)
        proof = suite.prove(key, blinded, answer) if mode is oprf.Mode.VERIFIABLE else None
        answered = time.process_time()
        if proof is not None:
            suite.verify(public, blinded, answer, proof)
        for value, (scalar, _), element in zip(values, sent, answer, strict=True):
            suite.finalize(value, scalar, element)
        member += asked - begun + time.process_time() - answered
        custodian += answered - asked
    return {"member": round(count / member), "custodian": round(count / custodian)}


def records(count: int) -> dict[str, float]:
    """Records a second of processor time, with and without a custodian, and values asked for each."""
    rows = [row | {"country": "GB"} for row in islice(Market(3).rows(count, copies=0.0), count)]
    key, token = oprf.new_key(), "token"
    transport = httpx.WSGITransport(create_app(key, {"benchmark": token_hash(token)}, 10**9))
    custodian = Custodian("http://127.0.0.1", token, oprf.public_key(key), transport=transport)
    hardened = RecordEncoder.for_key(LinkageKey(os.urandom(32)), custodian=custodian)
    found: dict[str, float] = {}
    for name, encoder in (("without", random_encoder()), ("with", hardened)):
        encode_people(encoder, rows[:1])
        before = time.process_time()
        made = encode_people(encoder, rows)
        found[f"{name}_records_per_s"] = round(count / (time.process_time() - before), 1)
        found["values_a_record"] = round(sum(each.mask.bit_count() for each in made if each) / count, 1)
    return found


def measure(values: int, people: int) -> dict[str, Any]:
    """All of it."""
    return {
        "values_per_s": {mode.name.lower(): sides(mode, values) for mode in oprf.Mode},
        "encoding": records(people),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--values", type=int, default=2000, help="values that are evaluated")
    parser.add_argument("--records", type=int, default=50, help="people who are encoded")
    parser.add_argument("--json", action="store_true", help="accepted for uniformity; the output is always JSON")
    options = parser.parse_args(arguments)
    show({"benchmark": "oprf", **measure(options.values, options.records)})


if __name__ == "__main__":
    main()
