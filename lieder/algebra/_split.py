"""A Lie algebra as a direct sum of ideals that cannot be split further, from its structure constants."""

from operator import itemgetter

import numpy as np
import scipy.linalg
from jaxtyping import Float

from ..late import hierarchy
from ._subspace import Constants, bracket_span, centre, complement, null, restrict

_FINEST = 1e-7  # normal matrices square singular values, and cannot tell smaller ones from zero
_DRAWS = 20  # random elements of the centroid tried; the one whose eigenvalues lie furthest apart is used


def split(constants: Constants, tolerance: float) -> tuple[int, list[Constants]]:
    """Write g as R^k + g_1 + .. + g_r, each g_i indecomposable and not abelian.

    Arguments: constants: scaled to order one. tolerance: absolute size below which singular values count as zero.
    Returns: k, and the structure constants of each g_i.
    """
    everything = np.eye(len(constants))
    derived = bracket_span(constants, everything, everything, tolerance)
    middle = centre(constants, tolerance)
    # The abelian factor is any complement, inside the centre, of the part of the centre made of brackets.
    shared = null((middle - middle @ derived.T @ derived).T, tolerance)
    free = complement(shared) @ middle
    if len(free) == 0:
        return 0, split_centreless(constants, tolerance)
    # Its complementary ideal: the brackets, and whatever is orthogonal to both.
    both = np.concatenate([derived, free])
    rest = np.concatenate([derived, np.linalg.svd(both)[2][len(both) :]])
    if len(rest) == 0:
        return len(free), []
    return len(free), split_centreless(restrict(constants, rest), tolerance)


def split_centreless(constants: Constants, tolerance: float) -> list[Constants]:
    """Split an algebra without abelian factor, by its centroid {phi: phi [x, y] = [phi x, y]}.

    Modulo nilpotent elements the centroid is R or C for each indecomposable ideal, so the trace form tr(phi psi) has
    one positive eigenvalue for each of them; the eigenspaces of a random element are the ideals.

    Reference: Jacobson, Lie Algebras, 1962, chapter X.1; Rand, Winternitz, Zassenhaus, On the identification of a Lie
    algebra given by its structure constants, Linear Algebra Appl. 109, 1988.
    """
    maps = centroid(constants, tolerance)
    pieces = ideals(maps, tolerance)
    # More ideals than dimensions are counted only where the constants are noise (no algebra to the tolerance).
    if pieces <= 1 or pieces > len(constants):
        return [constants]
    random = np.random.default_rng(0)
    draws = []
    for _ in range(_DRAWS):
        phi = np.tensordot(random.normal(size=len(maps)), maps, axes=1)
        values = np.linalg.eigvals(phi)
        points = np.stack([values.real, np.abs(values.imag)], axis=1)  # a complex pair belongs to one ideal
        tree = hierarchy.linkage(points, "single")
        size = max(float(np.abs(values).max()), np.finfo(float).tiny)
        draws.append((tree[-(pieces - 1), 2] / size, phi, points, tree))
    _, phi, points, tree = max(draws, key=itemgetter(0))
    label = hierarchy.fcluster(tree, pieces, "maxclust")
    centres = np.stack([points[label == k].mean(axis=0) for k in np.unique(label)])
    return [restrict(constants, _invariant_subspace(phi, centres, k)) for k in range(len(centres))]


def ideals(centroid_maps: np.ndarray, tolerance: float) -> int:
    """The number of indecomposable ideals, from the centroid: see `split_centreless`."""
    form = np.einsum("aij,bji->ab", centroid_maps, centroid_maps)
    return int(np.sum(np.linalg.eigvalsh(form) > np.sqrt(tolerance)))


def centroid(constants: Constants, tolerance: float) -> Float[np.ndarray, "maps generators generators"]:
    """Linear maps that commute with every ad x, orthonormal in the Frobenius inner product."""
    q = len(constants)
    ad = constants.transpose(0, 2, 1)  # ad[y] @ x = [e_y, x]
    # Normal matrix of phi -> (A_y phi - phi A_y) for all y.
    both = np.tensordot(ad, ad, axes=(0, 0))  # a, b, c, d: sum_y A[a, b] A[c, d]
    left, right = np.einsum("kikj->ij", both), np.einsum("ikjk->ij", both)
    cross = np.einsum("kilj->ijkl", both) + np.einsum("ikjl->ijkl", both)
    normal = np.einsum("ik,jl->ijkl", left, np.eye(q)) + np.einsum("ik,jl->ijkl", np.eye(q), right) - cross
    threshold = max(tolerance, _FINEST) ** 2 * q * np.linalg.norm(left, 2)
    _, vectors = scipy.linalg.eigh(normal.reshape(q * q, q * q), subset_by_value=(-np.inf, threshold))
    return vectors.T.reshape(-1, q, q)


def derivations(constants: Constants, tolerance: float) -> int:
    """The dimension of {D: D [x, y] = [D x, y] + [x, D y]}."""
    q = len(constants)
    delta = np.eye(q)
    # Unknown D[m, n]: e_n -> sum_m D[m, n] e_m; one equation for each i < j and component k.
    equations = np.einsum("km,ijn->ijkmn", delta, constants)
    equations -= np.einsum("ni,mjk->ijkmn", delta, constants)
    equations -= np.einsum("nj,imk->ijkmn", delta, constants)
    i, j = np.triu_indices(q, 1)
    system = equations[i, j].reshape(-1, q * q)
    return int(np.sum(np.linalg.eigvalsh(system.T @ system) <= max(tolerance, _FINEST) ** 2))


def _invariant_subspace(phi: np.ndarray, centres: np.ndarray, which: int) -> np.ndarray:
    """Orthonormal rows spanning the generalised eigenvectors whose eigenvalue is nearest to one centre."""
    found = scipy.linalg.schur(
        phi,
        output="real",
        sort=lambda real, imaginary: bool(np.argmin(np.hypot(*(centres - [real, abs(imaginary)]).T)) == which),
    )
    vectors, count = found[1], int(found[-1])
    return vectors[:, :count].T
