"""One tool after another on a set; what was measured is kept, so that a long run goes on where it ended."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from benchmarks.machine import REPOSITORY
from benchmarks.quality import ours, peers, tokens
from benchmarks.quality.fairness import fairness
from benchmarks.quality.scoring import Scored, curve, diagram, measure
from benchmarks.quality.sets import DataSet, place, prepare
from matching.model import DEFAULT_BANDS
from matching.schema import shipped_schemas
from matching.types import Band

TOKENS = "Fellegi-Sunter on keyed tokens"
Result = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Run:
    """How to measure: where results are kept, how many people the market has, and which Python has the peers."""

    work: Path
    people: int
    quick: bool
    python: Path
    again: bool = False
    with_peers: bool = True


def measured(name: str, run: Run, people: int | None = None) -> dict[str, Result]:
    """The results of every tool on one set, measured now or before; an absent tool says so under `absent`."""
    size = people or run.people
    data: DataSet | None = None
    directory = place(name, run.work, size)
    results: dict[str, Result] = {}
    for label, depends, link in _tools(run, directory):
        path = directory / f"{hashlib.sha256(label.encode()).hexdigest()[:12]}.json"
        stamp = _stamp(depends, label, run)
        kept = _kept(path, stamp)
        if kept is None or run.again:
            data = data or prepare(name, run.work, size)
            kept = {"stamp": stamp, "results": link(data)}
            path.write_bytes(orjson.dumps(kept))
        results |= kept["results"]
    return results


Link = Callable[[DataSet], dict[str, Result]]


def _tools(run: Run, directory: Path) -> Iterator[tuple[str, Iterable[str], Link]]:
    """Each tool: its name, the sources that its results depend on, and what links a set with it."""
    for schema in shipped_schemas():
        yield schema, ("matching", "frankpledge", "benchmarks/quality/ours.py"), _ours(schema)
    if not run.with_peers:
        return
    yield TOKENS, ("benchmarks/quality/tokens.py",), lambda data: {TOKENS: told(tokens.link(data), data)}
    for name in peers.PEERS:
        yield name, ("benchmarks/peers", "benchmarks/quality/peers.py"), _peer(name, run, directory)


def _ours(schema: str) -> Link:
    def link(data: DataSet) -> dict[str, Result]:
        return {name: told(scored, data) for name, scored in ours.link(data, schema).items()}

    return link


def _peer(name: str, run: Run, directory: Path) -> Link:
    def link(data: DataSet) -> dict[str, Result]:
        try:
            return {name: told(peers.link(name, data, directory, python=run.python, quick=run.quick), data)}
        except peers.PeerError as error:
            return {name: {"absent": str(error)}}

    return link


def told(scored: Scored, data: DataSet) -> Result:
    """All that is kept of one linkage."""
    result: Result = {
        "figures": measure(scored, data),
        "curve": curve(scored, data),
        "reliability": diagram(scored, data),
    }
    if data.tags[0] and scored.probabilities is not None and scored.asked is None:
        linked = scored.probabilities >= DEFAULT_BANDS[Band.PROBABLE]
        result["fairness"] = fairness(scored.rows[linked], scored.others[linked], data)
    return result


def _stamp(depends: Iterable[str], label: str, run: Run) -> str:
    """What a result stands for: the sources it depends on; another stamp has it measured again."""
    digest = hashlib.sha256(f"{label} {run.quick}".encode())
    for part in (*depends, "benchmarks/market.py", "benchmarks/quality/scoring.py", "benchmarks/quality/fairness.py"):
        path = REPOSITORY / part
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.suffix in {".py", ".json"}:
                digest.update(file.read_bytes())
    return digest.hexdigest()


def _kept(path: Path, stamp: str) -> Mapping[str, Any] | None:
    if not path.exists():
        return None
    kept: dict[str, Any] = orjson.loads(path.read_bytes())
    # A tool that was absent may have been installed since.
    absent = any("absent" in result for result in kept["results"].values())
    return None if absent or kept["stamp"] != stamp else kept
