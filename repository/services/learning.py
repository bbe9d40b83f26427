"""Learning from outcomes: what members found of hits, and how two models compare on those that are held back.

An outcome is learnt from as long as its hit stands: the explanation that is kept with it says what was compared.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import Connection

from matching.comparisons import COMPARISONS
from matching.evaluation import Judgement, judgement
from matching.model import LinkageModel
from matching.supervised import Judged, fit, probabilities, shares
from matching.types import KINDS, Band, ExplanationRow, Kind
from repository.domain.outcomes import HitOutcome
from repository.services import pool
from repository.services.modelling import TooLittleError, new_id
from repository.storage import models
from repository.storage.models import Verdict
from repository.storage.sealing import Sealer

HELD_BACK = 0.3
"""Which are: by a hash of the record that was hit, so that it is on one side, now and later.

Between two filings that is the later one: other pairs of the earlier one may be on the other side.
"""
FEWEST_MATCHES = 50
FEWEST_HELD_BACK = 20
_SCALE = 2**32


@dataclass(frozen=True, slots=True)
class Pair:
    """A pair that was judged: its levels, in how large a pool it was scored, whether it is the same, who said so."""

    kind: Kind
    levels: tuple[int, ...]
    pool_size: int
    same: bool
    members: tuple[str, ...]
    part: float = 1.0
    """Less than 1 where members contradict each other: each has its part of the pair, and none the last word."""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Judged pairs to learn from, those held back, and of how many there is something to be said."""

    training: Sequence[Pair]
    held_back: Sequence[Pair]
    remarks: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two models on the outcomes held back. `moved`: pairs by the bands of the one in use and of the other."""

    pairs: int
    weight: float
    old: Judgement
    new: Judgement
    moved: Mapping[tuple[Band, Band], int]

    @property
    def worse(self) -> bool:
        """Whether the new one says less well what people found."""
        return self.new.log_loss > self.old.log_loss

    def as_dict(self) -> dict[str, Any]:
        """As JSON."""
        moved = [{"from": old.label, "to": new.label, "pairs": count} for (old, new), count in self.moved.items()]
        sides = {"old": _as_dict(self.old), "new": _as_dict(self.new)}
        return {"pairs": self.pairs, "weight": round(self.weight, 2), **sides, "moved": moved, "worse": self.worse}


def collect(sealer: Sealer, connection: Connection) -> Outcomes:
    """What members found, as pairs.

    Remarked are those that are inconclusive or not readable, and so left out; those that members contradict each other
    about; and how often somebody judged a pair again.
    """
    remarks: Counter[str] = Counter()
    said: dict[tuple[Any, ...], dict[str, Verdict]] = {}
    for each in models.verdicts(connection):
        judged = said.setdefault(_pair_of(each), {})
        remarks["repeated"] += each.member_id in judged  # the last word counts
        judged[each.member_id] = each
    training: list[Pair] = []
    held_back: list[Pair] = []
    for judged in said.values():
        verdicts = list(judged.values())
        pairs = _pairs(sealer, verdicts)
        if isinstance(pairs, str):
            remarks[pairs] += 1
            continue
        remarks["contradicted"] += len(pairs) > 1
        (held_back if is_held_back(verdicts[0].filing_id) else training).extend(pairs)
    return Outcomes(training, held_back, {name: count for name, count in sorted(remarks.items()) if count})


def is_held_back(filing_id: str) -> bool:
    """Whether pairs with this record are kept from training, for ever."""
    digest = hashlib.sha256(b"frankpledge/held-back/v1\0" + filing_id.encode()).digest()
    return int.from_bytes(digest[:4], "big") < HELD_BACK * _SCALE


def learn(base: LinkageModel, found: Outcomes, now: datetime) -> LinkageModel:
    """A model that says what people found, starting from the one in use. Raises TooLittleError."""
    weights = _weights(found.training)
    matches = sum(weight for weight, each in zip(weights, found.training, strict=True) if each.same)
    held_back = sum(_weights(found.held_back))
    if matches < FEWEST_MATCHES or held_back < FEWEST_HELD_BACK:
        raise TooLittleError(
            f"{len(found.training)} outcomes are there to learn from and {len(found.held_back)} held back. It needs"
            f" {FEWEST_MATCHES} of the same subject and {FEWEST_HELD_BACK} held back, of three members or more: as no"
            f" member has more than a third of the weight, these weigh {matches:.0f} and {held_back:.0f}"
        )
    kinds = {kind: fit(base.kinds[kind], kind, _judged(kind, found.training, weights)) for kind in KINDS}
    members = {member_id for each in found.training for member_id in each.members}
    card = {
        "data": f"{len(found.training)} outcomes of {len(members)} members",
        "date": now.date().isoformat(),
        "method": "m by outcomes, pseudo-counts by the base; priors by their odds; u and h of the base",
        "base": base.id,
        "held_back": len(found.held_back),
        "remarks": dict(found.remarks),
    }
    return replace(base, id=new_id(now), kinds=kinds, card=card)


def compare(old: LinkageModel, new: LinkageModel, pairs: Sequence[Pair]) -> Comparison:
    """Hold two models against outcomes that neither was trained on; no member has more than a third of the weight."""
    weights = _weights(pairs)
    said: list[list[float]] = [[], []]
    same: list[bool] = []
    weighed: list[float] = []
    for kind in KINDS:
        judged = _judged(kind, pairs, weights)
        if len(judged):
            same += judged.same.tolist()
            weighed += judged.weights.tolist()
            for at, model in enumerate((old, new)):
                said[at] += probabilities(model.kinds[kind], kind, judged).tolist()
    moved = Counter(
        (old.band(before), new.band(after))
        for before, after in zip(*said, strict=True)
        if old.band(before) is not new.band(after)
    )
    by_model = [
        judgement(np.array(chances), np.array(same, np.bool_), np.array(weighed), model.bands)
        for chances, model in zip(said, (old, new), strict=True)
    ]
    return Comparison(len(pairs), sum(weights), by_model[0], by_model[1], dict(sorted(moved.items())))


def _pair_of(verdict: Verdict) -> tuple[Any, ...]:
    """What tells a pair again: between filings its hit; of screenings who asked after whom, and what was hit."""
    if verdict.asked is None:
        return (verdict.hit_id,)
    return (verdict.member_id, verdict.asked, verdict.filing_id, verdict.position)


def _pairs(sealer: Sealer, verdicts: Sequence[Verdict]) -> list[Pair] | str:
    """A judged pair, once for each thing that is said of it; else why there is none."""
    clear = [each for each in verdicts if each.outcome != HitOutcome.INCONCLUSIVE]
    if not clear:
        return "inconclusive"
    last = clear[-1]
    if last.kind not in KINDS or not last.evidence:
        return "unreadable"
    _, _, rows = pool.open_evidence(sealer, last.hit_id, last.evidence)
    levels = _levels(last.kind, rows)
    if levels is None:
        return "unreadable"
    pairs = []
    for same in (True, False):
        judges = tuple(each.member_id for each in clear if (each.outcome == HitOutcome.SAME_SUBJECT) is same)
        if judges:
            pairs.append(Pair(last.kind, levels, last.pool_size, same, judges, len(judges) / len(clear)))
    return pairs


def _weights(pairs: Sequence[Pair]) -> list[float]:
    return shares([each.members for each in pairs], [each.part for each in pairs])


def _levels(kind: Kind, rows: Sequence[ExplanationRow]) -> tuple[int, ...] | None:
    """The levels that an explanation tells of; None for one of other comparisons than there are today."""
    told = {row.field: row.level for row in rows if row.field not in ("prior", "household")}
    levels = []
    for comparison in COMPARISONS[kind].comparisons:
        level = told.pop(comparison.name, None)
        if level is not None and level not in comparison.levels:
            return None
        levels.append(0 if level is None else comparison.levels.index(level) + 1)
    return None if told else tuple(levels)


def _judged(kind: Kind, pairs: Sequence[Pair], weights: Sequence[float]) -> Judged:
    mine = [(pair, weight) for pair, weight in zip(pairs, weights, strict=True) if pair.kind == kind]
    return Judged(
        np.array([pair.levels for pair, _ in mine], np.int8).reshape(len(mine), len(COMPARISONS[kind].comparisons)),
        np.array([pair.pool_size for pair, _ in mine], np.int64),
        np.array([pair.same for pair, _ in mine], np.bool_),
        np.array([weight for _, weight in mine], np.float64),
    )


def _as_dict(judged: Judgement) -> dict[str, Any]:
    bands = {
        band.label: {"precision": None if precision is None else round(precision, 4), "recall": round(recall, 4)}
        for band, (precision, recall) in judged.bands.items()
    }
    names = ("log_loss", "brier", "calibration_error")
    return {name: round(getattr(judged, name), 5) for name in names} | {"bands": bands}
