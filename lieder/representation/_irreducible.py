"""A representation as a sum of irreducible ones, with multiplicities and in bases that match across representations."""

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from ..linalg import MatrixStack, axis_aligned
from ._probe import Probe

_SAME = 1e-9  # eigenvalues this near, relative to the largest, are one; seen: 1e-15 within, above 1e-7 between
_LINKED = 1e-8  # a block of a random element below this, relative to the largest, is zero; seen: 1e-11
_SCHUR = 1e-6  # what must be a multiple of an orthogonal matrix may differ from it by this before a draw is refused


class NotSplit(Exception):
    """This draw of random elements did not split the representation; another may."""


@dataclass(frozen=True, eq=False)
class Isotypic:
    """All copies of one irreducible representation: the matrices act as rho_k on d x division, the same in each copy.

    A_k basis[:, i, mu, a] = sum_jb basis[:, j, mu, b] rho_k[(j, b), (i, a)].

    Fields:
      `signature`: numbers that are equal exactly for equivalent representations probed alike.
      `basis` (n, d, copies, division): orthonormal; division is 1, 2 or 4: the maps that commute with rho are the real
        numbers, the complex numbers or the quaternions, acting on the last axis from the right.
      `matrices` (k, d * division, d * division): rho.
    """

    signature: Float[np.ndarray, " numbers"]
    basis: Float[np.ndarray, "n d copies division"]
    matrices: Float[np.ndarray, "k size size"]


class Split(NamedTuple):
    """A decomposition: `pieces` in the order of their signatures; `gap`, the least distance of two eigenvalues that it
    rests on, relative to the largest; `error`, the largest entry of A_k Q - Q rho_k relative to A_k.
    """

    pieces: list[Isotypic]
    gap: float
    error: float


def irreducible(operators: MatrixStack, probe: Probe) -> Split:
    """Decompose matrices, closed under transposition as a set or as the algebra they generate, into irreducible ones.

    Eigenspaces of a random symmetric element of the generated algebra are weight spaces: one for each dimension of each
    irreducible representation, of the size of its multiplicity. Other elements link those of one representation, and
    carry the basis of the first to the rest (Schur's lemma).

    Arguments: `operators` (k, n, n); `probe`, the random elements.
    Returns: the Split.
    Raises: NotSplit when the draw was not generic.
    Reference: Murota, Kanno, Kojima and Kojima, A numerical algorithm for block-diagonal decomposition of matrix
    *-algebras, Japan J. Indust. Appl. Math. 27, 2010 (random elements); Schur's lemma over the reals, Broecker and tom
    Dieck 1985, II.6.
    """
    elements = probe.elements(operators)
    vectors, starts, signature, gap = _weight_spaces(_symmetric(elements[0]), probe.central(operators))
    linked = vectors.T @ (elements[1] @ vectors)
    norms = np.add.reduceat(np.add.reduceat(linked**2, starts, 0), starts, 1)
    sizes = np.diff(np.append(starts, len(vectors)))
    norms = np.sqrt(norms / np.sqrt(sizes[:, None] * sizes[None, :]))
    label = _connected(norms > _LINKED * max(norms.max(initial=0.0), np.finfo(float).tiny))
    pieces = []
    for group in range(label.max(initial=-1) + 1):
        own = np.flatnonzero(label == group)
        if len(set(sizes[own])) > 1:
            raise NotSplit
        spaces = np.stack([vectors[:, starts[p] : starts[p] + sizes[p]] for p in own])
        basis = _aligned(spaces, elements[1:], _reference(norms[np.ix_(own, own)]))
        pieces.append((signature[own].reshape(-1), basis))
    pieces.sort(key=lambda piece: (len(piece[0]), *piece[0]))
    found, error = _with_matrices(operators, pieces)
    return Split(found, gap, error)


def _symmetric(element) -> np.ndarray:
    both = element + element.T
    return both if isinstance(both, np.ndarray) else both.toarray()


def _weight_spaces(element: np.ndarray, central: np.ndarray | None) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Orthonormal vectors, where each eigenspace starts, its eigenvalues, and the least distance between two of them.

    The central element, when there is one, has few and well separated eigenvalues; the other one splits the rest.
    """
    if central is None:
        outer, frame = np.zeros(len(element)), np.eye(len(element))
    else:
        outer, frame = np.linalg.eigh((central + central.T) / 2)
    bounds = _clusters(outer)
    means = _means(outer, bounds)
    vectors, starts, signature, gaps = [], [], [], [_gap(means, np.abs(outer).max(initial=0.0))]
    size = np.abs(element).sum(axis=1).max(initial=0.0)
    for number, (begin, end) in enumerate(pairwise([*bounds, len(outer)])):
        inside = frame[:, begin:end]
        values, rotation = np.linalg.eigh(inside.T @ element @ inside if len(bounds) > 1 else element)
        own = _clusters(values)
        vectors.append(inside @ rotation if len(bounds) > 1 else rotation)
        starts.append(own + begin)
        signature.append(np.stack([np.full(len(own), means[number]), _means(values, own)], axis=1))
        gaps.append(_gap(signature[-1][:, 1], size))
    return np.concatenate(vectors, 1), np.concatenate(starts), np.concatenate(signature), min(gaps)


def _gap(values: np.ndarray, scale: float) -> float:
    return float(np.diff(values).min(initial=scale)) / max(scale, np.finfo(float).tiny) if scale > 0 else 1.0


def _clusters(values: np.ndarray) -> np.ndarray:
    """Where each group of equal sorted values starts."""
    scale = max(float(np.abs(values).max(initial=0.0)), np.finfo(float).tiny)
    return np.flatnonzero(np.diff(values, prepend=-np.inf) > _SAME * scale)


def _means(values: np.ndarray, starts: np.ndarray) -> np.ndarray:
    return np.add.reduceat(values, starts) / np.diff(np.append(starts, len(values)))


def _connected(linked: np.ndarray) -> np.ndarray:
    """Number of the connected group of each vertex, counted by first vertex."""
    label = np.full(len(linked), -1)
    symmetric = linked | linked.T
    for vertex in range(len(linked)):
        if label[vertex] >= 0:
            continue
        group, front = label.max(initial=-1) + 1, np.zeros(len(linked), bool)
        front[vertex] = True
        while front.any():
            label[front] = group
            front = symmetric[front].any(axis=0) & (label < 0)
    return label


def _reference(norms: np.ndarray) -> int:
    """The weight space with the strongest weakest link: the basis of the others is carried from it."""
    return int(np.argmax(norms.min(axis=1)))


def _aligned(spaces: np.ndarray, elements: list[np.ndarray], reference: int) -> np.ndarray:
    """A basis (n, d, copies, division) in which every element of the algebra acts alike on each copy.

    Arguments: spaces (d, n, w): orthonormal bases of the weight spaces. elements: random elements of the algebra.
    """
    d, n, width = spaces.shape
    first = spaces[reference]
    units = _division([first.T @ (element @ first) for element in elements])
    first = first @ axis_aligned(first, units)
    links = np.stack([(element.T @ first).T for element in elements])  # s, width, n
    out = np.empty((d, n, width))
    for number, space in enumerate(spaces):
        if number == reference:
            out[number] = first
            continue
        blocks = links @ space
        strengths = np.linalg.norm(blocks, axis=(1, 2)) / np.sqrt(width)
        best = int(np.argmax(strengths))
        turn = blocks[best] / max(strengths[best], np.finfo(float).tiny)
        if np.abs(turn @ turn.T - np.eye(width)).max() > _SCHUR:
            raise NotSplit  # not a multiple of an orthogonal matrix: two representations share this eigenvalue
        out[number] = space @ turn.T
    return out.transpose(1, 0, 2).reshape(n, d, -1, len(units) + 1)


def _division(corners: list[np.ndarray]) -> list[np.ndarray]:
    """Imaginary units acting on a weight space: none (real type), J (complex), or J, K, JK (quaternionic).

    By Schur's lemma the algebra acts on a weight space as a division algebra, whose imaginary elements are skew.
    """
    width = len(corners[0])
    scale = max(*(float(np.linalg.norm(corner, 2)) for corner in corners), np.finfo(float).tiny)
    units: list[np.ndarray] = []
    for corner in corners:
        rest = corner - np.trace(corner) / width * np.eye(width)
        for unit in units:
            rest = rest - np.sum(unit * rest) / width * unit
        size = np.linalg.norm(rest) / np.sqrt(width)
        if size <= _LINKED * scale * 10:
            continue
        unit = (rest - rest.T) / (2 * size)
        if len(units) == 3 or np.abs(unit @ unit + np.eye(width)).max() > _SCHUR:
            raise NotSplit
        units = [unit] if not units else [units[0], unit, units[0] @ unit]
    return units


def _with_matrices(operators: MatrixStack, pieces: list[tuple[np.ndarray, np.ndarray]]) -> tuple[list[Isotypic], float]:
    """Read the irreducible matrices off the first copy, and see how well they hold on all."""
    k, n, _ = operators.shape
    flat = operators.flat()
    # Matrices as one sparse (k n, n): one product for all of them.
    tall = flat.reshape((k * n, n)).tocsr() if k else flat.reshape((0, n)).tocsr()
    sizes = np.maximum(np.sqrt(np.bincount(operators.index[0], operators.value**2, minlength=k) / max(n, 1)), 1e-300)
    out, worst = [], 0.0
    for signature, basis in pieces:
        _, d, copies, division = basis.shape
        moved = (tall @ basis.reshape(n, -1)).reshape(k, n, d, copies, division)
        one = basis[:, :, 0].reshape(n, d * division)
        matrices = np.einsum("nr,kndc->krdc", one, moved[:, :, :, 0]).reshape(k, d * division, d * division)
        copied = basis.transpose(0, 2, 1, 3).reshape(n * copies, d * division)
        expected = (copied @ matrices.transpose(1, 0, 2).reshape(d * division, -1)).reshape(n, copies, k, d, division)
        error = np.abs(moved - expected.transpose(2, 0, 3, 1, 4)).max(axis=(1, 2, 3, 4), initial=0.0)
        worst = max(worst, float((error / sizes).max(initial=0.0)))
        out.append(Isotypic(signature, basis, matrices))
    return out, worst
