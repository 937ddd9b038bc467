"""The standard representations of a matrix algebra, and algebras acting independently."""

import re
from itertools import combinations

import numpy as np

from .. import algebra as algebras
from .. import dictionary as families
from ..algebra import LieAlgebra, Span, real_matrices
from ..linalg import MatrixStack
from ._abstract import discrete_elements
from ._fields import FieldAction, over_product, scalars
from ._polish import polished

_MOST_ELEMENTS = 1000  # of a finite group whose products are all compared
_MOST_COORDINATES = 100  # of the matrices compared


def points(algebra: LieAlgebra) -> FieldAction:
    """Positions: theta(x) = A x + b, translations included.

    The conformal algebra acts by quadratic fields.

    Arguments: `algebra`, one given by affine generators of degree n, or conformal(n).
    Returns: a FieldAction of width n; linear when nothing translates.
    Raises: TypeError for an abstract algebra, which has no space of its own to act on.
    """
    if _is_conformal(algebra):
        return _conformal_points(algebra)
    generators = _generators(algebra)
    n = generators.shape[1]
    elements = _elements(algebra)
    if not np.any(generators.index[2] == n) and not np.any(elements.index[2] == n):
        return _as(algebra, generators.columns(0, n), "points", elements.columns(0, n))
    return FieldAction(algebra, generators, families.affine(n), (("points", n),), elements)


def vectors(algebra: LieAlgebra) -> FieldAction:
    """Directions: phi(u) = A u; translations do nothing.

    Arguments: `algebra`, one given by affine generators of degree n.
    Returns: a FieldAction of width n.
    Raises: TypeError for an abstract algebra.
    """
    if _is_conformal(algebra):
        raise TypeError(
            "conformal maps turn vectors differently at each point: use"
            " lieder.action.tangent(lieder.points(conformal(n)))."
        )
    generators = _generators(algebra)
    n = generators.shape[1]
    return _as(algebra, generators.columns(0, n), "vectors", _elements(algebra).columns(0, n))


def covectors(algebra: LieAlgebra) -> FieldAction:
    """Gradients: phi(p) = -A^T p, so that p . u does not change.

    Arguments: `algebra`, one given by affine generators of degree n.
    Returns: a FieldAction of width n, the dual of `vectors`.
    Raises: TypeError for an abstract algebra.
    """
    return vectors(algebra).dual


def tensors(algebra: LieAlgebra, up: int, down: int = 0) -> FieldAction:
    """Tensors with `up` vector slots and `down` covector slots, flattened with the last slot fastest.

    Arguments: `algebra` as in `vectors`; `up`, `down` >= 0 (tensors(g, 0, 0) is one scalar).
    Returns: a FieldAction of width n ** (up + down).
    Raises: ValueError for negative counts.
    """
    if up < 0 or down < 0:
        raise ValueError(f"tensors need up >= 0 and down >= 0, got up={up}, down={down}.")
    v = vectors(algebra)
    slots = [v] * up + [v.dual] * down
    if not slots:
        return scalars(algebra, 1)
    total = slots[0]
    for slot in slots[1:]:
        total = total * slot
    return total


def linear(algebra: LieAlgebra | Span, matrices, elements=None) -> FieldAction:
    """The user's own representation: one (n, n) matrix for each generator of the algebra and each discrete element.

    Matrices that come in single or half precision, as other libraries store their generators, are moved to the nearest
    ones that represent the algebra in double precision.

    Arguments: `algebra` of dimension q with c discrete elements (`components`); `matrices` (q, n, n); `elements`
        (c, n, n), needed when c > 0. For finite groups of up to 1,000 elements on up to 100 coordinates it is checked
        that they multiply as the group does; otherwise that is left to the user.
    Returns: a FieldAction of width n.
    Raises: TypeError for complex matrices; ValueError for a wrong shape, NaN, matrices whose commutators are not those
        of the algebra, elements that have no inverse, that do not conjugate the matrices as the algebra's elements
        conjugate its generators, or that do not multiply as a finite group does.
    """
    matrices, eps = real_matrices(matrices, "matrices")
    if matrices.ndim != 3 or matrices.shape[0] != algebra.dim or matrices.shape[1] != matrices.shape[2]:
        raise ValueError(
            f"matrices must have shape ({algebra.dim}, n, n), one square matrix a generator; got {matrices.shape}."
        )
    if isinstance(algebra, LieAlgebra):
        commutators = np.einsum("iab,jbc->ijac", matrices, matrices)  # i, j: generators; a, b, c: the space
        commutators = commutators - np.swapaxes(commutators, 0, 1)
        error = np.abs(commutators - np.einsum("ijk,kac->ijac", algebra.structure, matrices)).max(initial=0.0)
        if error > max(1e-8, 100 * eps) * max(1.0, np.abs(matrices).max(initial=0.0) ** 2):
            raise ValueError(
                f"matrices do not represent {algebra.name}: their commutators miss its structure constants by"
                f" {error:.2g}. Order them as {', '.join(algebra.names[:6])}{', ...' if algebra.dim > 6 else ''}."
            )
    if isinstance(algebra, LieAlgebra) and eps > np.finfo(np.float64).eps:
        matrices = polished(matrices, algebra.structure, eps)
    stack = MatrixStack.from_dense(_checked_elements(algebra, matrices, elements))
    return _as(algebra, MatrixStack.from_dense(matrices), "vectors", stack)


def _checked_elements(algebra: LieAlgebra | Span, matrices: np.ndarray, elements) -> np.ndarray:
    """The (c, n, n) matrices given for the discrete elements, when they can be those of a representation."""
    maps, n = discrete_elements(algebra), matrices.shape[1]
    count = len(maps)
    wanted = f"{algebra.name} has {count} discrete elements: elements must have shape ({count}, {n}, {n})"
    if elements is None:
        if count:
            raise ValueError(f"{wanted}, one invertible matrix for each of algebra.components; none was given.")
        return np.zeros((0, n, n))
    elements, eps = real_matrices(elements, "elements")
    if elements.shape != (count, n, n):
        raise ValueError(f"{wanted}, got {elements.shape}.")
    for number, (own, matrix) in enumerate(zip(maps, elements, strict=True)):
        singular = np.linalg.svd(matrix, compute_uv=False)
        if singular[-1] <= 1e-12 * singular[0]:
            raise ValueError(f"elements[{number}] has no inverse: a discrete element is an invertible matrix.")
        if not isinstance(algebra, LieAlgebra) or algebra.generators is None or algebra.dim == 0:
            continue
        # What h does to the generators, H must do to the matrices that stand for them.
        image = np.tensordot(algebra.conjugate(own)[0], matrices, axes=1)
        error = np.abs(matrix @ matrices - image @ matrix).max(initial=0.0)
        if error > max(1e-8, 100 * eps) * max(1.0, np.abs(image).max(initial=0.0)) * np.abs(matrix).max():
            raise ValueError(
                f"elements[{number}] does not belong to these matrices: with h = {algebra.name}'s components"
                f"[{number}], H A_k H^-1 must be the matrix of h e_k h^-1; they differ by {error:.2g}."
            )
    if isinstance(algebra, LieAlgebra) and algebra.dim == 0 and algebra.generators is not None:
        if max(n, algebra.degree) <= _MOST_COORDINATES:
            _check_products(algebra, elements)
    return elements


def _check_products(algebra: LieAlgebra, elements: np.ndarray) -> None:
    """Words in the elements that are equal in the group must be equal here, for all words of a small group."""
    n = algebra.degree
    maps = [np.vstack([component, np.eye(n + 1)[-1:]]) for component in algebra.components]
    seen = {_key(np.eye(n + 1)): np.eye(elements.shape[1])}
    new = [(np.eye(n + 1), np.eye(elements.shape[1]))]
    while new and len(seen) <= _MOST_ELEMENTS:
        word, image = new.pop()
        for number, (h, matrix) in enumerate(zip(maps, elements, strict=True)):
            longer, moved = h @ word, matrix @ image
            known = seen.get(_key(longer))
            if known is None:
                seen[_key(longer)] = moved
                new.append((longer, moved))
            elif np.abs(known - moved).max() > 1e-6 * max(1.0, np.abs(moved).max()):
                raise ValueError(
                    f"elements do not multiply as {algebra.name} does: two products that end in elements[{number}] and"
                    f" are one permutation or map in the group differ here by {np.abs(known - moved).max():.2g}."
                )


def _key(h: np.ndarray) -> bytes:
    return (np.round(h, 6) + 0.0).tobytes()


def independent(*actions: FieldAction) -> tuple[FieldAction, ...]:
    """Actions of different algebras turned into actions of their direct product, each moved by its own factor only.

    `a, b = independent(vectors(gl(3)), vectors(gl(3)))` lets inputs and outputs transform with no relation between
    them.

    Arguments: two or more actions, each over an algebra or a Span.
    Returns: the same actions over the product, in order.
    Raises: ValueError for fewer than two.
    """
    if len(actions) < 2:
        raise ValueError(f"independent needs two or more actions, got {len(actions)}.")
    return tuple(over_product(list(actions), product([a.algebra for a in actions])))


def product(factors: list[LieAlgebra | Span]) -> LieAlgebra | Span:
    """The direct product; a Span when a factor has no bracket."""
    matrix = [f for f in factors if isinstance(f, LieAlgebra)]
    if len(matrix) == len(factors):
        return algebras.product(*matrix)
    names = tuple(f"{name}[{number + 1}]" for number, f in enumerate(factors) for name in f.names)
    return Span(" x ".join(f.name for f in factors), names)


def _generators(algebra: LieAlgebra) -> MatrixStack:
    if not isinstance(algebra, LieAlgebra) or algebra.generators is None:
        raise TypeError(
            f"{algebra.name} is known by its bracket only and has no space of its own to act on: give matrices with"
            " lieder.action.linear(algebra, matrices)."
        )
    return algebra.generators


def _elements(algebra: LieAlgebra) -> MatrixStack:
    """The discrete elements of an algebra as a stack (c, n, n + 1)."""
    return MatrixStack.from_dense(np.reshape(algebra.components, (-1, algebra.degree, algebra.degree + 1)))


def _as(algebra: LieAlgebra | Span, matrices: MatrixStack, kind: str, elements: MatrixStack) -> FieldAction:
    n = matrices.shape[1]
    return FieldAction(algebra, matrices, families.linear(n), ((kind, n),), elements)


def _is_conformal(algebra: LieAlgebra | Span) -> bool:
    """Whether this is conformal(n) itself, whose matrices act on the light cone and not on points."""
    match = re.fullmatch(r"conformal\((\d+)\)", algebra.name)
    return match is not None and algebra == algebras.conformal(int(match[1]))


def _conformal_points(algebra: LieAlgebra) -> FieldAction:
    """P_i, J_ij, D and K_i = 2 x_i (x . d) - |x|^2 d_i as polynomial fields of degree 2, in the algebra's order."""
    n = algebra.degree - 2
    monomials = families.polynomials(n, 2)
    place = {tuple(e): k for k, e in enumerate(monomials.exponents.tolist())}

    def at(*variables: int) -> int:
        return place[tuple(np.bincount(np.array(variables, int), minlength=n).tolist())]

    fields = [[(i, at(), 1.0)] for i in range(n)]
    fields += [[(i, at(j), -1.0), (j, at(i), 1.0)] for i, j in combinations(range(n), 2)]
    fields.append([(i, at(i), 1.0) for i in range(n)])
    fields += [[(i, at(c, i), 2.0) for i in range(n)] + [(c, at(i, i), -1.0) for i in range(n)] for c in range(n)]
    table = np.array([(k, *entry) for k, entries in enumerate(fields) for entry in entries])
    stack = MatrixStack.from_entries((algebra.dim, n, monomials.size), table[:, :3].T.astype(int), table[:, 3])
    return FieldAction(algebra, stack, monomials, (("points", n),))
