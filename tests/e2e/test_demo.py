"""The demo on a part of its data, as a stranger would run it, and what a thief would get from it."""

from __future__ import annotations

import csv
import json
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.recorder import recording_proxy
from tests.e2e.thief import Words, search, unpacked, values_of, vocabulary_of, words_of

ROOT = Path(__file__).parents[2]
ROWS = 400
MEMBERS = ("aldwick", "brambledown", "corvane")
EXTRACTS = ("customers.csv", "claims.ndjson")
CANARY = {"given_name": "Persephone", "date_of_birth": "1971-08-30", "phone": "0113 496 0123"}


@dataclass(frozen=True)
class Performance:
    """One run of the demo: where it was, what it printed, and the traffic between the commands and the service."""

    home: Path
    printed: str
    exchanges: list[bytes]

    @property
    def database(self) -> Path:
        """The pool's database."""
        return self.home / "pool" / "frankpledge.db"

    def files(self) -> list[Path]:
        """List everything the operator holds (database, spool, logs, secrets) and what the members sent off."""
        held = [path for path in (self.home / "pool").rglob("*") if path.is_file()]
        return held + [path for member in MEMBERS for path in (self.home / member).glob("*.encoded.ndjson")]

    def loot(self) -> Iterator[bytes]:
        """Yield all that a thief at the operator's could read, piece by piece."""
        for path in self.files():
            yield path.read_bytes()
        yield b"\n".join(values_of(self.database))
        yield from self.exchanges

    def words(self) -> Words:
        """Return what would betray a person of the members' extracts."""
        sources = [
            *(ROOT / "repository").rglob("*.py"),
            *(ROOT / "repository").rglob("*.toml"),
            *(ROOT / "matching").rglob("*.py"),
            ROOT / "app.py",
        ]
        vocabulary = vocabulary_of(sources)
        words = Words(frozenset(), frozenset(), frozenset())
        for raw in self._people():
            words |= words_of(raw, vocabulary)
        return words

    def _people(self) -> Iterator[dict[str, str]]:
        from demo.run import HEADINGS

        columns = {heading: name for name, heading in HEADINGS.items()}
        for member in MEMBERS:
            with (self.home / member / "customers.csv").open(encoding="utf-8", newline="") as file:
                yield from (
                    {columns.get(name, name): text for name, text in row.items()} for row in csv.DictReader(file)
                )
            for line in (self.home / member / "claims.ndjson").read_text(encoding="utf-8").splitlines():
                yield from json.loads(line)["subjects"]
        yield json.loads((self.home / "corvane" / "quote.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def performance(tmp_path_factory: pytest.TempPathFactory) -> Performance:
    """Run the demo once, with every exchange of its commands recorded on the way."""
    home = tmp_path_factory.mktemp("demo") / "run"
    with recording_proxy() as recording:
        settings = {"FRANKPLEDGE_DEMO_ROWS": str(ROWS), "FRANKPLEDGE_DEMO_HOME": str(home), "HTTP_PROXY": recording.url}
        without = {name: value for name, value in os.environ.items() if name.lower() not in {"no_proxy", "http_proxy"}}
        done = subprocess.run(
            [sys.executable, "-m", "demo.run"],
            cwd=ROOT,
            env=without | settings,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=300,
            check=False,
        )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return Performance(home, done.stdout, recording.exchanges)


def test_the_newcomer_is_refused_then_answered(performance: Performance) -> None:
    """The refusal names its rule, figures and remedy; after contributing, the same question is answered."""
    refused, _, answered = performance.printed.partition("4. It contributes its customers")
    assert "R2" in refused
    assert "enquire" not in refused
    assert answered.count("enquire  person") == 2


def test_an_explanation_is_shown(performance: Performance) -> None:
    """A screening's hit comes with what was compared, and a total in bits."""
    _, _, last = performance.printed.partition("5. It contributes its claims too")
    assert re.search(r"Why hit_\w+", last)
    assert "total" in last


def test_a_case_takes_two_people(performance: Performance) -> None:
    """Who proposed what speaks against somebody may not approve it; a colleague closes the case."""
    _, _, act = performance.printed.partition("6. Two investigators decide the case")
    assert "Who proposed a finding does not decide it" in act
    assert re.search(r"cas_\w+ +closed; version 4; .*suspicion_upheld", act)


def test_a_ring_is_reported(performance: Performance) -> None:
    """A network across both insurers comes with the rules that raised it and what would change each."""
    _, _, act = performance.printed.partition("7. A ring is reported")
    assert re.search(r"net_\w+: \d+ claims of 2 members", act)
    assert re.search(r"\w+ \([\d.]+ bits\): .*It goes when", act)


def test_what_was_found_is_near_the_truth(performance: Performance) -> None:
    """Nearly every customer of both insurers is found, nearly nobody else is, and every planted ring is found whole."""
    row = re.search(r"probable or better \D+ \d+ \D+ \d+ \D+ ([\d.]+) \D+ ([\d.]+)", performance.printed)
    assert row is not None
    precision, recall = map(float, row.groups())
    assert precision > 0.98
    assert recall > 0.95
    assert "4 of the 4 planted rings were found whole" in performance.printed


def test_the_thief_gets_what_was_stored_and_sent(performance: Performance) -> None:
    """The loot is the real thing: filings in the database, and encoded subjects in the recorded traffic."""
    with closing(sqlite3.connect(performance.database)) as connection:
        (filings,) = connection.execute("SELECT count(*) FROM filings").fetchone()
    assert filings >= 2 * ROWS
    sent = sum(text.count(b'"keys"') for exchange in performance.exchanges for text in unpacked(exchange))
    assert sent >= 2 * ROWS
    assert (performance.home / "pool" / "server.log").stat().st_size > 0


def test_a_thief_finds_nobody(performance: Performance) -> None:
    """No name, street, postcode, date of birth, phone or mailbox of the input is in files, logs or traffic."""
    words = performance.words()
    assert len(words.anywhere) > 3 * ROWS
    assert search(words, performance.loot()) == set()


def test_the_same_search_finds_everybody_in_the_extracts(performance: Performance) -> None:
    """Searched for in the members' own extracts, before encoding, the same words are there."""
    words = performance.words()
    extracts = [(performance.home / member / name).read_bytes() for member in MEMBERS for name in EXTRACTS]
    assert len(search(words, extracts)) > 4 * ROWS


def test_the_same_search_finds_a_canary_in_the_database(performance: Performance, tmp_path: Path) -> None:
    """A person written into a copy of the database is found, in the file's bytes and in the table's values."""
    copy = tmp_path / "copy.db"
    with closing(sqlite3.connect(performance.database)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
        target.execute("CREATE TABLE canary (value BLOB)")
        target.executemany("INSERT INTO canary VALUES (?)", [(value.upper(),) for value in CANARY.values()])
        target.commit()
    words = words_of(CANARY, frozenset())
    expected = {value.lower().encode() for value in CANARY.values()}
    assert {word.removeprefix(b"0") for word in expected} <= search(words, [copy.read_bytes()])
    assert {word.removeprefix(b"0") for word in expected} <= search(words, [b"\n".join(values_of(copy))])
