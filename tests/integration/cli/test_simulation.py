"""frankpledge-admin rulebook simulate, as an operator types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from repository.cli import main
from repository.services import rulebook_file
from repository.simulation.profiles import CAST
from tests.support.rulebooks import changed_text

MONTH = ("--months", "1", "--members", str(len(CAST)))
THERE = sum(each.admitted_after < 30 for each in CAST)


def simulate(pool: Path, *words: str) -> Result:
    """Run it on a pool, or without one."""
    return CliRunner().invoke(main, ["--data-dir", str(pool), "rulebook", "simulate", *words])


@pytest.fixture
def pool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A pool that was set up."""
    for name in ("DATA_DIR", "DATABASE_URL"):
        monkeypatch.delenv(f"FRANKPLEDGE_{name}", raising=False)
    made = tmp_path / "pool"
    runner = CliRunner(env={"FRANKPLEDGE_OPERATOR_PASSWORD": "a long enough password"})
    done = runner.invoke(main, ["--data-dir", str(made), "init"])
    assert done.exit_code == 0, done.output
    return made


def test_it_needs_no_pool(tmp_path: Path) -> None:
    """Every member is told with where it ends, the claims are checked, and a chart is drawn."""
    pytest.importorskip("matplotlib")
    done = simulate(tmp_path / "none", *MONTH, "--out", str(tmp_path / "drawn"))
    assert done.exit_code == 0, done.output
    assert done.output.count("mem_") == THERE
    assert "A free rider never sees more than tier 1" in done.output
    assert {each.suffix for each in (tmp_path / "drawn").iterdir()} == {".png", ".svg"}


def test_a_script_gets_the_same_twice(tmp_path: Path) -> None:
    """JSON by seed, under a rulebook from a file."""
    ours = tmp_path / "ours.toml"
    ours.write_text(changed_text(rulebook_file.default_text(), {"ladder": {"warned": 3}}, "ours.1"), "utf-8")
    words = ("--rules", str(ours), *MONTH, "--json")
    one, two, other = (simulate(tmp_path / "none", *words, "--seed", seed) for seed in ("1", "1", "2"))
    told = json.loads(one.stdout)
    assert told["rulebook"] == "ours.1"
    assert len(told["members"]) == THERE
    assert one.stdout == two.stdout != other.stdout
    assert sum(each["steps"]["warned"] for each in told["members"]) > 0


def test_too_few_members_is_said(tmp_path: Path) -> None:
    """The market needs one of each kind."""
    done = simulate(tmp_path / "none", "--members", "3")
    assert done.exit_code == 2
    assert f"{len(CAST)}<=x" in done.output


def test_history_is_compared_with_the_rulebook_in_force(pool: Path, tmp_path: Path) -> None:
    """A member that files nothing is warned sooner under ours; it is named by its id, and nothing is stored."""
    empty = simulate(pool, "--history")
    assert empty.exit_code == 1
    assert "contributes anything yet" in empty.output
    added = CliRunner().invoke(
        main,
        [
            "--data-dir",
            str(pool),
            "member",
            "add",
            "Alpha",
            "--line",
            "motor",
            "--declare",
            "motor/claim=300",
            "--json",
        ],
    )
    assert added.exit_code == 0, added.output
    member_id = json.loads(added.stdout)["id"]
    ours = tmp_path / "ours.toml"
    changes = {"tiers.nothing": {"claim": 1}}
    ours.write_text(changed_text(rulebook_file.default_text(), changes, "ours.1"), "utf-8")
    done = simulate(pool, "--history", "--months", "1", "--rules", str(ours), "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert [each["member"] for each in told["members"]] == [member_id]
    assert "Alpha" not in done.stdout
    assert told["in_force"] == rulebook_file.default().version
    same = simulate(pool, "--history", "--months", "1")
    assert same.exit_code == 0, same.output
    assert "Nothing would have been different" in same.output
