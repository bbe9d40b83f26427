"""`frankpledge proof`: what a proven case stands on, from the command line."""

from __future__ import annotations

import orjson
import pytest

from tests.unit.frankpledge.cli.conftest import Run
from tests.unit.frankpledge.fakes import PROOF, FakePool

STATED = ("S-17", "--case-type", "claim_fraud", "--product-action", "refused", "--evidence-reference", "vault 9")
PILLARS = ("--grounds", "--evidence")


def test_a_proof_is_entered_as_it_was_stated(run: Run, fake: FakePool) -> None:
    """What is not given is absent; under a key of its own, a request that is sent again enters it once."""
    shown = run("proof", "add", *STATED, *PILLARS, "--notified-on", "2026-02-27")
    assert shown.exit_code == 0, shown.output
    assert "prf_1" in shown.stdout
    [sent] = fake.sent("/v1/proofs")
    assert orjson.loads(sent.content) == {
        "reference": "S-17",
        "grounds": True,
        "evidence": True,
        "case_type": "claim_fraud",
        "product_action": "refused",
        "evidence_reference": "vault 9",
        "notified_on": "2026-02-27",
    }
    assert sent.headers["Idempotency-Key"]


@pytest.mark.parametrize("missing", PILLARS)
def test_no_pillar_is_taken_for_granted(run: Run, fake: FakePool, missing: str) -> None:
    """Without grounds or evidence nothing is sent."""
    left = [each for each in PILLARS if each != missing]
    shown = run("proof", "add", *STATED, *left, "--deferral-reason", "police ask so")
    assert shown.exit_code == 2
    assert "--grounds and --evidence" in shown.stderr
    assert fake.sent("/v1/proofs") == []


@pytest.mark.parametrize(("command", "action"), [("approve", "approval"), ("withdraw", "withdrawal")])
def test_a_proof_is_approved_or_withdrawn_by_id(run: Run, fake: FakePool, command: str, action: str) -> None:
    """By the second person's credentials; one that is not there is explained."""
    shown = run("proof", command, "prf_1", "--json")
    assert shown.exit_code == 0, shown.output
    assert orjson.loads(shown.stdout)["state"] in ("approved", "withdrawn")
    assert len(fake.sent(f"/v1/proofs/prf_1/{action}")) == 1
    assert run("proof", command, "prf_9").exit_code == 2
    assert run("proof", command, "../hits").exit_code == 2


def test_proofs_are_listed(run: Run) -> None:
    """For people, and as NDJSON."""
    listed = run("proof", "list").stdout
    for word in ("prf_1", "S-17", "claim_fraud", "refused", "deferred", "entered", "2"):
        assert word in listed
    assert [orjson.loads(line) for line in run("proof", "list", "--json").stdout.splitlines()] == [PROOF]
