"""Graph matching where every two records can be compared: the likenesses to all others give each of them away.

Two tables of likenesses of much the same people have much the same shape. Each is laid out along its few broadest axes
(classical scaling; Umeyama 1988), turned whichever way the two lie closest, which together with how many bits are set
tells roughly who may be who. From there on, two records are the likelier the same, the likelier those nearest to them
are (similarity flooding: Melnik et al. 2002), round by round.
"""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.sparse.linalg import eigsh

from benchmarks.privacy.graph import assigned

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]
AXES = 4
NEAREST = 20
ROUNDS = 9
PROBED = 400
"""Records by which it is seen which way round the axes lie closest."""
PRIOR = 1.0
_SHARP = 0.05
_SETTLED, _ASTRAY = 0.98, 0.6
"""Shares of the records that stay where they were in a round: it is over, or leads nowhere."""


def match_likenesses(held: Floats, listed: Floats, sizes: tuple[Floats, Floats]) -> Ints:
    """For each record of one table the one of the other that it is taken for.

    `held` and `listed` are likenesses of all to all; `sizes` how much each record of the two tables holds.
    """
    ours, theirs = _laid_out(held, sizes[0]), _laid_out(listed, sizes[1])
    near = _nearness(ours, theirs * _way_round(ours, theirs))
    near -= near.max(axis=1, keepdims=True)
    near /= -np.median(near)
    prior: Floats = np.exp(PRIOR * near)
    likely = shared_out(4 * _SHARP * near)
    around, others = nearest(held), nearest(listed)
    settled = np.zeros(len(held), np.int64)
    for turn in range(ROUNDS):
        flooded = np.asarray(around @ likely @ others.T)
        flooded /= np.sqrt(flooded.sum(axis=0) + 1e-9)
        flooded /= np.sqrt(flooded.sum(axis=1, keepdims=True) + 1e-9)
        flooded *= prior
        likely = shared_out(flooded / flooded.max(axis=1, keepdims=True))
        best = flooded.argmax(axis=1)
        share = (best == settled).mean()
        if share > _SETTLED or (turn > 2 and share < _ASTRAY):
            break
        settled = best
    return assigned(flooded, {})


def nearest(likeness: Floats) -> sparse.csr_matrix:
    """For each record those most like it, by how much more than is usual for the two."""
    above = _centred(likeness)
    least = np.partition(above, -NEAREST, axis=1)[:, -NEAREST][:, None]
    return sparse.csr_matrix(np.where(above >= least, np.maximum(above, 0), 0))


def _centred(likeness: Floats) -> Floats:
    middle = likeness.mean(axis=0)
    centred: Floats = likeness - middle - middle[:, None] + middle.mean()
    return centred


def _laid_out(likeness: Floats, sizes: Floats) -> Floats:
    """The broadest axes, broadest first, and the size, made as broad as the broadest."""
    values, vectors = eigsh(_centred(likeness), k=min(AXES, len(likeness) - 2), tol=1e-3)
    axes = vectors * np.sqrt(np.maximum(values, 0))
    size = (sizes - sizes.mean()) / sizes.std() * axes.std(axis=0).max()
    laid: Floats = np.column_stack([axes, size]).astype(np.float32)
    return laid


def _way_round(ours: Floats, theirs: Floats) -> Floats:
    """The signs of axes with which the one cloud lies closest to the other: an axis may as well point the other way."""
    best, found = -np.inf, np.ones(AXES + 1, np.float32)
    for signs in itertools.product((1.0, -1.0), repeat=AXES):
        turn = np.array([*signs, 1.0], np.float32)
        one = _nearness(ours[:PROBED], theirs * turn).max(axis=1).mean()
        other = _nearness(theirs[:PROBED] * turn, ours).max(axis=1).mean()
        if one + other > best:
            best, found = one + other, turn
    return found


def _nearness(left: Floats, right: Floats) -> Floats:
    squares = (left**2).sum(axis=1)[:, None] + (right**2).sum(axis=1)[None, :]
    near: Floats = 2 * left @ right.T - squares
    return near


def shared_out(near: Floats) -> Floats:
    """Chances of being the same: each record is one of the others, and each other is one of these (Sinkhorn 1967)."""
    chances: Floats = np.exp((near - near.max(axis=1, keepdims=True)) / _SHARP)
    for _ in range(5):
        chances /= chances.sum(axis=0) + 1e-12
        chances /= chances.sum(axis=1, keepdims=True) + 1e-12
    return chances
