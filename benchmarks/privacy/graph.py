"""Graph matching: who is who, from the shape of two graphs alone.

After Vidanage, Christen, Ranbaduge and Schnell (2020), 'A graph matching attack on privacy-preserving record linkage',
and Schaefer et al. (2024): nodes get features from their surroundings, features are compared by cosine, and an
assignment picks pairs. Two kinds of features are taken, and what both say is added: the *shape* of the weighted graph
(degrees and egonets at several thresholds, sorted weights, where random walks return), and the *traits* that edges
show, with the neighbours' labels two steps out (Weisfeiler and Leman). The surest pairs are then taken for known and
the rest is matched anew; with seeds, some pairs are known from the start.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.optimize import linear_sum_assignment

from benchmarks.privacy.views import Graph, Trait

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]
SHAPE = 0.05
"""What the shape counts for beside the traits."""
ROUNDS = 1
"""How often the surest pairs are taken for known."""
SURE = 0.2
"""Of each round so many of the pairs, those with the widest lead over the second best."""
_STEPS = 2


def match_graphs(held: Graph, listed: Graph, seeds: Mapping[int, int] | None = None, rounds: int = ROUNDS) -> Ints:
    """For each node of one graph the node of the other that the attacker takes it for."""
    given = dict(seeds or {})
    known = dict(given)
    shape = SHAPE * shape_likeness(held, listed) if held.edges and listed.edges else np.float32(0)
    for _ in range(rounds if held.edges else 0):
        likeness = traits_likeness(held, listed, known) + shape
        known = surest(likeness, SURE) | given
    return assigned(traits_likeness(held, listed, known) + shape, given)


def assigned(likeness: Floats, given: Mapping[int, int]) -> Ints:
    """The best assignment as a whole, that of the `given` pairs being known."""
    likeness = likeness.copy()
    for own, other in given.items():
        likeness[own], likeness[:, other], likeness[own, other] = -9, -9, 9
    rows, columns = linear_sum_assignment(likeness, maximize=True)
    found: Ints = np.full(len(likeness), -1, np.int64)
    found[rows] = columns
    return found


def surest(likeness: Floats, share: float) -> dict[int, int]:
    """Pairs that are each other's best, so many of the table, with the widest lead over the second best."""
    best = likeness.argmax(axis=1)
    top = np.partition(likeness, -2, axis=1)[:, -2:]
    lead = top[:, 1] - top[:, 0]
    mutual = (likeness.argmax(axis=0)[best] == np.arange(len(likeness))) & (lead > 0)
    order = np.flatnonzero(mutual)[np.argsort(-lead[mutual], kind="stable")][: int(share * len(likeness))]
    return dict(zip(order.tolist(), best[order].tolist(), strict=True))


def traits_likeness(held: Graph, listed: Graph, known: Mapping[int, int]) -> Floats:
    """Cosine of what the edges around two nodes show, rare traits weighing more."""
    ours = _bags(held, {node: ("known pair", node) for node in known})
    theirs = _bags(listed, {other: ("known pair", node) for node, other in known.items()})
    columns: dict[Trait, int] = {}
    left, right = _matrix(ours, columns), _matrix(theirs, columns)
    right.resize(len(theirs), len(columns))
    left.resize(len(ours), len(columns))
    total = len(ours) + len(theirs)
    seen = np.bincount(left.indices, minlength=len(columns)) + np.bincount(right.indices, minlength=len(columns))
    rarity = sparse.diags(np.log(total / np.maximum(seen, 1)).astype(np.float32) + 1e-3)
    likeness: Floats = (_unit(left @ rarity) @ _unit(right @ rarity).T).toarray()
    return likeness


def _bags(graph: Graph, known: Mapping[int, Trait]) -> list[Counter[Trait]]:
    """The traits of each node: its label, what its edges show, and labels of Weisfeiler and Leman around it."""
    labels = [known.get(node, label) for node, label in enumerate(graph.labels)]
    bags = [Counter([label]) for label in labels]
    around: list[list[tuple[int, Trait]]] = [[] for _ in labels]
    for (first, second), traits in graph.edges.items():
        core = graph.cores.get((first, second), ())
        for node, other in ((first, second), (second, first)):
            bags[node].update(traits)
            bags[node][("neighbour", labels[other])] += 1
            bags[node][("edge to", core, labels[other])] += 1
            around[node].append((other, core))
    for step in range(_STEPS):
        labels = [
            ("round", step, hash((labels[node], tuple(sorted(hash((labels[other], edge)) for other, edge in near)))))
            for node, near in enumerate(around)
        ]
        for bag, label, near in zip(bags, labels, around, strict=True):
            if near:
                bag[label] += 1
    return bags


def _matrix(bags: Sequence[Counter[Trait]], columns: dict[Trait, int]) -> sparse.csr_matrix:
    places = [columns.setdefault(trait, len(columns)) for bag in bags for trait in bag]
    values = np.log1p(np.fromiter((count for bag in bags for count in bag.values()), np.float32))
    starts = np.concatenate([[0], np.cumsum([len(bag) for bag in bags])])
    return sparse.csr_matrix((values, np.array(places), starts), shape=(len(bags), len(columns)))


def _unit(matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    lengths = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    return sparse.diags(1 / np.maximum(lengths, 1e-9)) @ matrix


def shape_likeness(held: Graph, listed: Graph) -> Floats:
    """Cosine of the features of nodes in two weighted graphs, from -1 to 1."""
    return cosine(shape_features(_weights(held)), shape_features(_weights(listed)))


def _weights(graph: Graph) -> sparse.csr_matrix:
    size = len(graph.labels)
    pairs = np.array(list(graph.weights), np.int64).reshape(-1, 2)
    weights = np.fromiter(graph.weights.values(), np.float32)
    half = sparse.csr_matrix((weights, (pairs[:, 0], pairs[:, 1])), shape=(size, size))
    return (half + half.T).tocsr()


def shape_features(weights: sparse.csr_matrix, most: int = 8) -> Floats:
    """Degree, strength and egonet at three thresholds, the greatest weights in order, and where walks return to."""
    parts: list[npt.NDArray[np.float32]] = []
    for threshold in np.quantile(weights.data, (0, 0.5, 0.9)):
        near = weights.multiply(weights >= threshold).tocsr()
        links = (near > 0).astype(np.float32)
        degrees = np.asarray(links.sum(axis=1)).ravel()
        triangles = np.asarray((links @ links).multiply(links).sum(axis=1)).ravel()
        parts += [degrees, np.asarray(near.sum(axis=1)).ravel(), triangles, links @ degrees]
    greatest = np.zeros((weights.shape[0], most), np.float32)
    for node in range(weights.shape[0]):
        own = -np.sort(-weights.data[weights.indptr[node] : weights.indptr[node + 1]])[:most]
        greatest[node, : len(own)] = own
    step = sparse.diags(1 / np.maximum(np.asarray(weights.sum(axis=1)).ravel(), 1e-9)) @ weights
    twice = step @ step
    parts += [twice.diagonal(), np.asarray(twice.multiply(twice.T).sum(axis=1)).ravel(), *greatest.T]
    return np.log1p(np.stack(parts, axis=1)).astype(np.float32)


def cosine(left: Floats, right: Floats) -> Floats:
    """Cosine of every row with every row, columns standardised over both first; 0 where a row says nothing."""
    both = np.concatenate([left, right])
    middle, spread = both.mean(axis=0), both.std(axis=0) + 1e-6
    ours, theirs = ((part - middle) / spread for part in (left, right))
    ours, theirs = (part / np.maximum(np.linalg.norm(part, axis=1, keepdims=True), 1e-9) for part in (ours, theirs))
    likeness: Floats = (ours @ theirs.T).astype(np.float32)
    return likeness
