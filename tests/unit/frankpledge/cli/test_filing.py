"""`frankpledge filing`: own filings that are in the pool no longer, from the command line."""

from __future__ import annotations

import orjson

from frankpledge.cli.filing import REASONS
from repository.domain.removal import WithdrawalReason
from tests.unit.frankpledge.cli.conftest import Run
from tests.unit.frankpledge.fakes import DELETION, FakePool


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
