"""What docs/member-guide.md shows is true."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import orjson
import pytest

from frankpledge import profile
from frankpledge.columns import CANONICAL, CLAIM_COLUMNS, ROLE_COLUMNS, SUBJECT_COLUMNS
from tests.unit.frankpledge.cli.conftest import Run
from tests.unit.frankpledge.fakes import CREDENTIALS, FakePool

GUIDE = Path(__file__).parents[4] / "docs" / "member-guide.md"
BLOCKS: list[tuple[str, str]] = re.findall(r"^```(\w*)\n(.*?)^```", GUIDE.read_text("utf-8"), re.MULTILINE | re.DOTALL)


def block(language: str, start: str) -> str:
    """Give the block in a language that starts so."""
    return next(text for kind, text in BLOCKS if kind == language and text.startswith(start))


def test_every_column_is_in_the_table() -> None:
    """No column is missing from the guide, and it names none that is not there."""
    table = GUIDE.read_text("utf-8").split("| of | columns |")[1].split("\n\n")[0]
    named = set(re.findall(r"`([a-z_]+)`", table))
    assert named == set(CANONICAL)
    assert {*CLAIM_COLUMNS, *ROLE_COLUMNS, *SUBJECT_COLUMNS} <= named


def test_the_example_of_a_profile_is_one(tmp_path: Path) -> None:
    """The config file of the guide is read without complaint."""
    text = block("toml", "[profiles.default]")
    (tmp_path / "config.toml").write_text(text)
    read = profile.load(tmp_path / "config.toml", None, {})
    assert read.map["internal id"] == ""
    assert read.address() == tomllib.loads(text)["profiles"]["default"]["server"]


@pytest.mark.parametrize(
    ("start", "suffix", "kinds"),
    [
        ("ref,date,incident_date", "csv", ["person", "vehicle", "person", "organisation"]),
        ('{"ref": "C-1001"', "ndjson", ["person", "vehicle"]),
    ],
)
def test_the_examples_of_a_claim_are_encoded(
    run: Run, tmp_path: Path, start: str, suffix: str, kinds: list[str]
) -> None:
    """The claim in rows, and the claim in one record, become one filing with all their subjects."""
    path, out = tmp_path / f"claims.{suffix}", tmp_path / "out.ndjson"
    text = block("json" if suffix == "ndjson" else "", start)
    path.write_bytes(orjson.dumps(orjson.loads(text)) if suffix == "ndjson" else text.encode())
    shown = run("encode", path, "--out", out, "--class", "claim")
    assert shown.exit_code == 0, shown.output
    [filing] = [orjson.loads(line) for line in out.read_bytes().splitlines()]
    assert [subject["kind"] for subject in filing["subjects"]] == kinds


def test_the_example_in_python_runs(home: Path, fake: FakePool) -> None:
    """As it stands there, given a key, credentials and a record, it screens and refers what asks for a look."""
    fake.answer = "enquire"
    code = block("python", "from pathlib").replace("/etc/frankpledge/linkage.key", str(home / "linkage.key"))
    referred: list[object] = []
    names = {
        "client_id": CREDENTIALS.client_id,
        "client_secret": CREDENTIALS.client_secret,
        "record": {"family_name": "Doe", "date_of_birth": "1980-03-09", "phone": "020 7946 0018"},
        "refer": referred.append,
    }
    exec(compile(code, "member-guide.md", "exec"), names)  # noqa: S102 - the guide is ours
    assert len(referred) == 1
