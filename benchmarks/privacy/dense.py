"""Graph matching where every two records can be compared: the likenesses to all others give each of them away.

Two tables of likenesses of much the same people have much the same shape. Each is laid out along its few broadest axes
(classical scaling; Umeyama 1988), turned whichever way the two lie closest, which together with how many bits are set
tells roughly who may be who. From there on, two records are the likelier the same, the likelier those nearest to them
are (similarity flooding: Melnik et al. 2002), round by round. An attacker sees whether that led anywhere: in a right
assignment those nearest to a record are mostly taken for those nearest to its other. If they are not, it begins anew
from another number of axes.
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
AXES = (4, 5, 3, 6)
"""How many axes the tables are laid out along, in the order in which they are tried."""
AGREED, PROMISING = 0.42, 0.2
"""Shares of the nearest that are taken for nearest, from which on an assignment is believed, or worth going on from."""
POLISHED = 3
NEAREST = 20
ROUNDS = 16
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
    around, others = nearest(held), nearest(listed)
    best, taken = -1.0, np.zeros(len(held), np.int64)
    for axes in AXES:
        found = _flooded(_roughly(held, listed, sizes, axes), around, others)
        agreed = _agreed(found, around, others)
        for _ in range(POLISHED if agreed > PROMISING else 0):
            # Where most are right, what the layout said of the others only misleads.
            better = _spread(found, around, others)
            found, agreed = better, _agreed(better, around, others)
        if agreed > best:
            best, taken = agreed, found
        if best > AGREED:
            break
    return taken


def _roughly(held: Floats, listed: Floats, sizes: tuple[Floats, Floats], axes: int) -> Floats:
    """How near every two records lie, at most 0, where the two tables lie closest along so many axes."""
    ours, theirs = _laid_out(held, sizes[0], axes), _laid_out(listed, sizes[1], axes)
    near = _nearness(ours, theirs * _way_round(ours, theirs))
    near -= near.max(axis=1, keepdims=True)
    near /= -np.median(near)
    return near


def _flooded(near: Floats, around: sparse.csr_matrix, others: sparse.csr_matrix) -> Ints:
    prior: Floats = np.exp(PRIOR * near)
    likely = shared_out(4 * _SHARP * near)
    settled = np.zeros(len(near), np.int64)
    for turn in range(ROUNDS):
        flooded = _once(likely, around, others) * prior
        likely = shared_out(flooded / flooded.max(axis=1, keepdims=True))
        best = flooded.argmax(axis=1)
        share = (best == settled).mean()
        if share > _SETTLED or (turn > 2 and share < _ASTRAY):
            break
        settled = best
    return assigned(flooded, {})


def _once(likely: Floats, around: sparse.csr_matrix, others: sparse.csr_matrix) -> Floats:
    """One round: how likely every two records are the same by those nearest to them, frequent ones held back."""
    flooded: Floats = np.asarray(around @ likely @ others.T)
    flooded /= np.sqrt(flooded.sum(axis=0) + 1e-9)
    flooded /= np.sqrt(flooded.sum(axis=1, keepdims=True) + 1e-9)
    return flooded


def _spread(taken: Ints, around: sparse.csr_matrix, others: sparse.csr_matrix) -> Ints:
    """Assign anew by nothing but what those nearest are taken for."""
    likely = np.zeros((around.shape[0], others.shape[0]), np.float32)
    known = np.flatnonzero(taken >= 0)
    likely[known, taken[known]] = 1
    return assigned(_once(likely, around, others), {})


def _agreed(taken: Ints, around: sparse.csr_matrix, others: sparse.csr_matrix) -> float:
    """Of the pairs of a record and one nearest to it, the share that are taken for such a pair of the other table."""
    record, near = around.nonzero()
    known = (taken[record] >= 0) & (taken[near] >= 0)
    held = np.asarray(others[taken[record[known]], taken[near[known]]]).ravel() > 0
    return float(held.sum() / max(1, len(record)))


def nearest(likeness: Floats) -> sparse.csr_matrix:
    """For each record those most like it, by how much more than is usual for the two."""
    above = _centred(likeness)
    least = np.partition(above, -NEAREST, axis=1)[:, -NEAREST][:, None]
    return sparse.csr_matrix(np.where(above >= least, np.maximum(above, 0), 0))


def _centred(likeness: Floats) -> Floats:
    middle = likeness.mean(axis=0)
    centred: Floats = likeness - middle - middle[:, None] + middle.mean()
    return centred


def _laid_out(likeness: Floats, sizes: Floats, count: int) -> Floats:
    """The broadest axes, broadest first, and the size, made as broad as the broadest."""
    values, vectors = eigsh(_centred(likeness), k=min(count, len(likeness) - 2), tol=1e-3)
    axes = vectors * np.sqrt(np.maximum(values, 0))
    size = (sizes - sizes.mean()) / sizes.std() * axes.std(axis=0).max()
    laid: Floats = np.column_stack([axes, size]).astype(np.float32)
    return laid


def _way_round(ours: Floats, theirs: Floats) -> Floats:
    """The signs of axes with which the one cloud lies closest to the other: an axis may as well point the other way."""
    axes = ours.shape[1] - 1
    best, found = -np.inf, np.ones(axes + 1, np.float32)
    for signs in itertools.product((1.0, -1.0), repeat=axes):
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
