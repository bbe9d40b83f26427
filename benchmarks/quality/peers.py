"""What other tools make of a set: each in a process of its own, told as absent where it is not installed."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.crossref import TOOLS, python_for
from benchmarks.machine import REPOSITORY
from benchmarks.quality.scoring import Scored
from benchmarks.quality.sets import DataSet
from matching.model import probability

LIMIT = 900.0
"""Seconds after which a tool is given up."""
LARGE = 30_000
"""A file of more rows is linked by anonlink from its tutorial's similarity on: below, strangers fill memory."""
STRINGS_COMPARED = {False: 10_000_000, True: 2_000_000}
"""Pairs of strings that rapidfuzz compares, in a full and in a quick run; in larger sets some rows are looked up."""


class PeerError(Exception):
    """A tool is absent, failed or took too long; the message says which."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A tool of `benchmarks.peers`, its options for a set, and whether its scores are weights in bits."""

    tool: str
    options: Callable[[DataSet, bool], list[str]]
    bits: bool = False


def _anonlink(data: DataSet, _quick: bool) -> list[str]:
    return ["--pairs", "--threshold", "0.7" if len(data.left) < LARGE else "0.8"]


def _rapidfuzz(data: DataSet, quick: bool) -> list[str]:
    rows = min(len(data.left), STRINGS_COMPARED[quick] // len(data.right))
    return ["--lowest", "75", "--queries", str(rows)]


def _splink(blocking: str) -> Callable[[DataSet, bool], list[str]]:
    return lambda _data, _quick: ["--blocking", blocking, "--lowest", "0.001"]


PEERS = {
    "clkhash and anonlink": Peer("anonlink", _anonlink),
    "Splink, demonstration": Peer("splink", _splink("demo"), bits=True),
    "Splink, wide blocking": Peer("splink", _splink("wide"), bits=True),
    "rapidfuzz WRatio": Peer("rapidfuzz", _rapidfuzz),
}


def link(name: str, data: DataSet, directory: Path, *, python: Path, quick: bool) -> Scored:
    """Have a peer link the set. Raises PeerError."""
    peer = PEERS[name]
    tool = TOOLS[peer.tool]
    own = python_for(tool, python)
    if own is None:
        raise PeerError(f"{tool.package} is not installed: run make bench-peers")
    links = directory / "links.csv"
    options = peer.options(data, quick)
    command = [own, "-m", f"benchmarks.peers.{tool.module}", *map(str, data.files), "--links", str(links), *options]
    try:
        done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=LIMIT)
    except subprocess.TimeoutExpired as error:
        raise PeerError(f"given up after {LIMIT:.0f} seconds") from error
    if done.returncode:
        raise PeerError("failed: " + (done.stderr.strip().splitlines() or ["no reason told"])[-1])
    told = json.loads(done.stdout)
    found = np.loadtxt(links, delimiter=",", ndmin=2) if links.stat().st_size else np.zeros((0, 3))
    links.unlink()
    scores = found[:, 2]
    asked = told.get("queries")
    return Scored(
        found[:, 0].astype(np.int64),
        found[:, 1].astype(np.int64),
        scores,
        probability(scores) if peer.bits else None,
        asked if asked is not None and asked < len(data.left) else None,
        told["cpu_seconds"],
    )
