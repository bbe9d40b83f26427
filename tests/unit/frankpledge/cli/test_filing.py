"""`frankpledge filing`: own filings that are in the pool no longer, from the command line."""

from __future__ import annotations

import orjson

from frankpledge.cli.filing import REASONS, RENEWALS
from repository.domain.removal import WithdrawalReason
from repository.domain.retention import RenewalReason
from tests.unit.frankpledge.cli.conftest import Run
from tests.unit.frankpledge.fakes import DELETION, EXPIRING, FakePool


def test_a_filing_is_withdrawn_for_a_reason_of_the_pool(run: Run, fake: FakePool) -> None:
    """The reasons are the pool's; the proof is shown, and what is no id goes nowhere."""
    assert set(REASONS) == {each.value for each in WithdrawalReason}
    shown = run("filing", "withdraw", "fil_1", "--reason", "duplicate")
    assert shown.exit_code == 0, shown.output
    for word in ("fil_1", "withdrawn", "2026-03-02", "del_1", "abababababababab..."):
        assert word in shown.stdout
    [sent] = fake.sent("/v1/filings/fil_1/withdrawal")
    assert orjson.loads(sent.content) == {"reason": "duplicate"}
    assert run("filing", "withdraw", "../hits", "--reason", "duplicate").exit_code == 2
    assert run("filing", "withdraw", "fil_1", "--reason", "because").exit_code == 2


def test_the_proof_is_shown_again(run: Run) -> None:
    """One by its filing, and the latest; as NDJSON too."""
    for command in (("deletion", "fil_1"), ("deletions",)):
        assert orjson.loads(run("filing", *command, "--json").stdout) == DELETION
    assert run("filing", "deletion", "fil_9").exit_code == 2


def test_what_expires_is_listed_and_renewed(run: Run, fake: FakePool) -> None:
    """By a day, for people and as NDJSON; a suspicion is renewed for a reason of the pool."""
    assert set(RENEWALS) == {each.value for each in RenewalReason}
    listed = run("filing", "expiring", "--until", "2027-03-31").stdout
    for word in ("fil_1", "S-17", "suspected", "2027-03-02"):
        assert word in listed
    assert orjson.loads(run("filing", "expiring", "--json").stdout) == EXPIRING
    assert [each.url.params.get("until") for each in fake.sent("/v1/retention/expiring")] == ["2027-03-31", None]
    shown = run("filing", "renew", "fil_1", "--reason", "new_evidence", "--note-reference", "CASE-7")
    assert "fil_1 is kept until 2027-03-02." in shown.stdout
    [sent] = fake.sent("/v1/filings/fil_1/renewal")
    assert orjson.loads(sent.content) == {"reason": "new_evidence", "note_reference": "CASE-7"}
