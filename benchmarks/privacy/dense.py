"""Graph matching where every two records can be compared: the likenesses to all others give each of them away.

Two tables of likenesses of much the same people have much the same shape. Each is laid out along its few broadest axes
(classical scaling; Umeyama 1988), which together with how many bits are set tells roughly who may be who. From there
on, two records are the likelier the same, the likelier their nearest records are (similarity flooding: Melnik et al.
2002), round by round.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.sparse.linalg import eigsh

from benchmarks.privacy.graph import assigned

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]
AXES = 5
NEAREST = 30
ROUNDS = 14
_SHARP = 0.05


def match_likenesses(held: Floats, listed: Floats, sizes: tuple[Floats, Floats]) -> Ints:
    """For each record of one table the one of the other that it is taken for.

    `held` and `listed` are likenesses of all to all; `sizes` how much each record of the two tables holds.
    """
    near = _nearness(_laid_out(held, sizes[0]), _laid_out(listed, sizes[1]))
    likely = shared_out(near / (8 * _SHARP * np.median(near.max(axis=1) - near.mean(axis=1))))
    around, others = nearest(held), nearest(listed)
    settled = np.zeros(len(held), np.int64)
    for _ in range(ROUNDS):
        flooded = np.asarray(around @ likely @ others.T)
        flooded /= np.sqrt(flooded.sum(axis=0) + 1e-9)
        flooded /= np.sqrt(flooded.sum(axis=1, keepdims=True) + 1e-9)
        likely = shared_out(flooded / flooded.max(axis=1, keepdims=True))
        best = flooded.argmax(axis=1)
        if (best == settled).mean() > 0.995:
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
    """The broadest axes, each pointing where its tail is longer, and the size, each as broad as it is telling."""
    values, vectors = eigsh(_centred(likeness), k=min(AXES, len(likeness) - 2), tol=1e-3)
    axes = vectors * np.sqrt(np.maximum(values, 0))
    axes *= np.where((axes**3).sum(axis=0) < 0, -1, 1)
    size = (sizes - sizes.mean()) / sizes.std() * axes.std(axis=0).max()
    laid: Floats = np.column_stack([axes, size]).astype(np.float32)
    return laid


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


