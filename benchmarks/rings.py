"""How many planted rings are found, and how surely: `python -m benchmarks.rings --claims 200000 --rings 300`.

A generated market (`benchmarks.claimants`) goes through the real encoding, intake and network job, batch by batch in
the order in which claims are notified. After each batch the findings that members have are read. A ring is found if
by the end of the batch that completes it there is a finding with at least half of its claims, and most of the
finding's claims are the ring's; a finding whose claims are mostly of no one ring is false, once for all batches. The
curve is over the score. With `--directory` what is done is kept there: `--seconds` ends a run early, and the next goes
on where it was. `--without-hits` has intake store and index the claims without looking for hits: quicker, but a
member's rows under one key are not bounded then, so that links may differ. A partial run counts whole rings only.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import pickle
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from benchmarks.claimants import DESIGNS, MEMBERS, Claimants, Filed
from benchmarks.machine import show
from benchmarks.pool import LINE, NO_LIMIT
from frankpledge.keys import LinkageKey
from frankpledge.parties import Party
from frankpledge.records import RecordEncoder
from matching.schema import DEFAULT_SCHEMA
from repository import logs
from repository.domain.filings import Claim, Filing, FilingFacts
from repository.domain.jobs import JobKind
from repository.domain.members import Member
from repository.jobs.running import JobWorker
from repository.services import Services, pool, rulebook_file
from repository.services.compose import compose
from repository.services.hitmaking import Source
from repository.services.installation import install
from repository.services.intake import take_in
from repository.services.onboarding import admit_member, issue_credential
from repository.services.operator import accept_fingerprint
from repository.services.planning import Numbered
from repository.settings import Settings
from repository.storage import networks
from repository.storage.index import Candidates as Found

BATCH = 2000
"""Claims of the whole market in one batch of the benchmark: some five days of 200,000 in three years."""
CHUNK = 500
KEY = LinkageKey(b"a benchmark is what this is for.")
LEAST = 10.0
"""Bits from which on findings are kept for the curve; what is in force is marked in it."""
THRESHOLDS = tuple(range(10, 42, 2))
AIM = {"precision": 0.9, "recall": 0.7}

logs.configure("warning")
Seen = dict[frozenset[str], tuple[float, tuple[str, ...]]]
"""Findings by their claims: the score, and the patterns."""


@dataclass
class Progress:
    """How far a run is, and what it saw: findings after each batch that changed anything; seconds by what took them."""

    done: int = 0
    seen: list[Seen] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    cost: list[dict[str, int]] = field(default_factory=list)


@dataclass(frozen=True)
class Bench:
    """A pool of all members, and who files for each."""

    services: Services
    members: Mapping[str, tuple[Member, str]]
    encoder: RecordEncoder


def opened(directory: Path) -> Bench:
    """The pool in a directory, made unless it is there."""
    settings = Settings.under(directory)
    new = not (directory / "members.json").exists()
    if new:
        install(settings)
    services = compose(settings)
    encoder = RecordEncoder.for_key(KEY, DEFAULT_SCHEMA)
    if new:
        _rules(services)
        members = {name: _member(services, name) for name in MEMBERS}
        with services.database.write() as session:
            accept_fingerprint(session, DEFAULT_SCHEMA, KEY.fingerprint, now=services.clock())
        (directory / "members.json").write_text(json.dumps({name: actor for name, (_, actor) in members.items()}))
    else:
        actors = json.loads((directory / "members.json").read_text())
        with services.database.read() as session:
            found = {row.name: row.as_member() for row in _rows(session)}
        members = {name: (found[name], actor) for name, actor in actors.items()}
    return Bench(services, members, encoder)


def file(bench: Bench, batch: Sequence[Filed], progress: Progress) -> dict[str, str]:
    """Encode the claims of a batch and file them, each by its member; the reference of each filing."""
    references: dict[str, str] = {}
    for name, (member, actor) in bench.members.items():
        own = [each for each in batch if each.member == name]
        for start in range(0, len(own), CHUNK):
            part = own[start : start + CHUNK]
            began = time.process_time()
            filings = [Numbered(0, each) for each in _encoded(bench, part)]
            progress.seconds["encoding"] += time.process_time() - began
            began = time.process_time()
            source = Source(member, actor, None, bench.services.clock())
            with bench.services.database.write() as session:
                taken = take_in(bench.services, session.connection(), source, filings)
            progress.seconds["intake"] += time.process_time() - began
            references |= {plan.filing_id: plan.numbered.filing.facts.reference for plan in taken.plans}
    return references


def link(bench: Bench, progress: Progress) -> None:
    """Have the network job done."""
    began = time.process_time()
    JobWorker(bench.services, [JobKind.NETWORK]).run_pending()
    progress.seconds["networks"] += time.process_time() - began


def findings(bench: Bench, references: Mapping[str, str]) -> Seen:
    """The findings of all members now, each set of claims once."""
    seen: Seen = {}
    with bench.services.database.reading() as connection:
        for member, _ in bench.members.values():
            told = networks.findings_of(connection, member.id, before=None, limit=10**6)
            claims = networks.finding_claims(connection, [each.id for each in told])
            for each in told:
                seen[frozenset(references[one] for one in claims[each.id])] = each.score, each.patterns
    return seen


def curve(filed: Sequence[Filed], seen: Sequence[Seen], whole: Collection[int]) -> dict[str, Any]:
    """Precision, and recall of the rings that are whole, by score."""
    of: dict[int, set[str]] = defaultdict(set)
    last: dict[int, int] = {}
    for place, each in enumerate(filed):
        if each.ring is not None:
            of[each.ring].add(each.ref)
            last[each.ring] = place // BATCH
    ring_of = {ref: ring for ring, refs in of.items() for ref in refs}
    best: dict[int, float] = {}
    false: dict[str, tuple[float, tuple[str, ...]]] = {}
    for number, after in enumerate(seen):
        for claims, (score, patterns) in after.items():
            ring, share = _mostly(claims, ring_of)
            if 2 * share < len(claims):
                name = min(claims)
                false[name] = max(false.get(name, (0.0, ())), (score, patterns))
            elif ring is not None and ring in whole and number <= last[ring] and 2 * share >= len(of[ring]):
                best[ring] = max(best.get(ring, 0.0), score)
    steps = [_at(threshold, best, [score for score, _ in false.values()], len(whole)) for threshold in THRESHOLDS]
    by_design = {
        name: [sum(ring % len(DESIGNS) == at for ring in of_rings) for of_rings in (best, whole)]
        for at, name in enumerate(DESIGNS)
    }
    return {
        "curve": steps,
        "found_by_design": by_design,
        "false_by_patterns": [[" ".join(each), n] for each, n in Counter(p for _, p in false.values()).most_common(8)],
    }


def run(bench: Bench, filed: Sequence[Filed], directory: Path, seconds: float) -> Progress:
    """Go on with the batches until all are done, or the time is over."""
    kept, known = directory / "progress.pickle", directory / "references.pickle"
    progress = pickle.loads(kept.read_bytes()) if kept.exists() else Progress()  # noqa: S301 - written here
    references: dict[str, str] = pickle.loads(known.read_bytes()) if known.exists() else {}  # noqa: S301 - the same
    until = time.monotonic() + seconds
    while progress.done * BATCH < len(filed) and time.monotonic() < until:
        batch = filed[progress.done * BATCH : (progress.done + 1) * BATCH]
        references |= file(bench, batch, progress)
        link(bench, progress)
        progress.seen.append(findings(bench, references))
        progress.done += 1
        for path, what in ((known, references), (kept, progress)):
            path.with_suffix(".new").write_bytes(pickle.dumps(what))
            path.with_suffix(".new").replace(path)
    return progress


def main() -> None:
    """Measure, and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--claims", type=int, default=20_000)
    parser.add_argument("--rings", type=int, default=30)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--directory", type=Path, help="kept, so that the next run goes on there")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begin no batch after so long")
    parser.add_argument("--without-hits", action="store_true", help="have intake look for no hits, to save its time")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        directory = given.directory or Path(temporary)
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        filed = _market(directory, given)
        bench = opened(directory)
        with mock.patch.object(pool, "look_up", _nobody) if given.without_hits else nullcontext():
            progress = run(bench, filed, directory, given.seconds)
        filed = filed[: progress.done * BATCH]
        every = _market(directory, given)
        complete = progress.done * BATCH >= len(every)
        later = {each.ring for each in every[len(filed) :]}
        whole = {each.ring for each in filed if each.ring is not None} - later
        with bench.services.database.reading() as connection:
            counts = dict(networks.counts(connection))
        told = curve(filed, progress.seen, whole)
        seconds = {name: round(value, 1) for name, value in progress.seconds.items()}
        about = {
            "hits": not given.without_hits,
            "seed": given.seed,
            "claims": len(filed),
            "rings": len(whole),
            "complete": complete,
            "aim": AIM,
        }
        show({**about, "raise_at": rulebook_file.default().networks.raise_at, **told, "pool": counts, "cpu": seconds})


def _market(directory: Path, given: argparse.Namespace) -> list[Filed]:
    path = directory / f"market-{given.claims}-{given.rings}-{given.seed}.pickle"
    if not path.exists():
        path.write_bytes(pickle.dumps(Claimants(given.claims, given.rings, given.seed).claims()))
    made: list[Filed] = pickle.loads(path.read_bytes())  # noqa: S301 - written here
    return made


def _encoded(bench: Bench, part: Sequence[Filed]) -> Iterator[Filing]:
    parties = [
        Party(cast.kind, cast.role, {name: value for name, value in cast.raw.items() if value})
        for each in part
        for cast in each.subjects
    ]
    encoded = iter(bench.encoder.parties(parties)[0])
    key = (DEFAULT_SCHEMA, KEY.fingerprint)
    for each in part:
        subjects = tuple(one for one in (next(encoded) for _ in each.subjects) if one is not None)
        claim = Claim(each.on, each.notified_on, each.kind, "1k-5k", "open")
        yield Filing(FilingFacts(*key, each.ref, "claim", LINE, each.notified_on, claim), subjects)


def _mostly(claims: frozenset[str], ring_of: Mapping[str, int]) -> tuple[int | None, int]:
    counted = Counter(ring_of[each] for each in claims if each in ring_of)
    return counted.most_common(1)[0] if counted else (None, 0)


def _at(threshold: float, best: Mapping[int, float], false: Sequence[float], rings: int) -> dict[str, float]:
    found = sum(score >= threshold for score in best.values())
    wrong = sum(score >= threshold for score in false)
    precision = found / (found + wrong) if found + wrong else 1.0
    return {
        "score": threshold,
        "precision": round(precision, 3),
        "recall": round(found / max(1, rings), 3),
        "found": found,
        "false": wrong,
    }


def _rules(services: Services) -> None:
    """Let every member see claims, and keep what scores little, too."""
    text = rulebook_file.default_text().replace('version = "', 'version = "rings.', 1)
    for level in ("claim = 0", "claim = 1", "claim = 2"):
        text = text.replace(f"\n{level}\n", "\nclaim = 3\n", 1)
    text = text.replace("floor_per_day = 500", f"floor_per_day = {NO_LIMIT}")
    text = text.replace("raise_at = ", f"raise_at = {LEAST} # ", 1)
    now = services.clock()
    services.rulebooks.load(text, now.date(), now=now)


def _member(services: Services, name: str) -> tuple[Member, str]:
    now = services.clock()
    today = now.astimezone(dt.UTC).date()
    with services.database.write() as session:
        declared = {(LINE, "claim"): 1}
        member = admit_member(
            session, name, [LINE], now=now, agreement_signed_on=today, attested_on=today, declared=declared
        )
        credential = issue_credential(session, member.id, ["screener", "contributor"], now=now)
    return member, credential.client_id


def _nobody(_services: Services, _connection: Any, _member: Member, subjects: Sequence[Any], _keys: Any) -> Found:
    none = (0,) * len(subjects)
    return Found(((),) * len(subjects), none, {}, (), {})


def _rows(session: Any) -> list[Any]:
    from repository.storage.members import all_members  # noqa: PLC0415 - for a pool that is there already only

    return all_members(session)


if __name__ == "__main__":
    main()
