"""Equivariant kernels of integral operators between fields: convolutions, steerable kernels, kernels of two points."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from ..action import AbstractAction, FieldAction, check_same_algebra, points, represented, vectors
from ..algebra import LieAlgebra
from ..dictionary import AbstractDictionary, linear, polynomials
from ..linalg import MatrixStack, stacked
from ..representation import Summand, summands
from ..sampling import checked_flag
from ._functions import functions
from ._kernels_polynomials import by_degree, harmonic_part, normalised

_ROUND = 1e-9  # how far a generator may miss being a rotation


class Piece(NamedTuple):
    """The kernels between all copies of one summand of the source and one of the target.

    `to` (copies, a) and `by` (copies, b): their coordinates; `basis` (r, a, b, D) over the features.
    """

    to: Int[np.ndarray, "to_copies a"]
    by: Int[np.ndarray, "by_copies b"]
    basis: Float[np.ndarray, "r a b D"]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of its coefficients: basis, copies in the target, copies in the source."""
        return len(self.basis), len(self.to), len(self.by)


@jax.tree_util.register_static
@dataclass(frozen=True)
class GaussianPolynomials:
    """f(z): all monomials in z / s up to a degree, times exp(-|z|^2 / 2 s^2), for each scale s."""

    dictionary: AbstractDictionary
    scales: tuple[float, ...]

    @property
    def size(self) -> int:
        return self.dictionary.size * len(self.scales)

    def __call__(self, z: Float[Array, " d"]) -> Float[Array, " D"]:
        parts = [self.dictionary(z / s) * jnp.exp(-jnp.sum((z / s) ** 2) / 2) for s in self.scales]
        return jnp.concatenate(parts)


@jax.tree_util.register_static
@dataclass(frozen=True, eq=False)
class EquivariantKernels:
    """All kernels k of a family for which (K u)(x) = int k(x, y) u(y) dy commutes with the moves of both fields.

    A static pytree.

    Fields: `source`, of width n, and `target`, of width m: how values are turned at one place; `space`: how z, the
    argument of a kernel, is moved; `features` of z; `pieces`, by pairs of summands; `joint`: whether z is the pair
    (x, y) rather than the displacement x - y.
    """

    source: FieldAction
    target: FieldAction
    space: FieldAction
    features: AbstractDictionary | GaussianPolynomials
    pieces: tuple[Piece, ...]
    joint: bool

    @property
    def dim(self) -> int:
        """How many independent kernels there are."""
        return sum(int(np.prod(piece.shape)) for piece in self.pieces)

    def scales(self, spacing: float = 1.0) -> Float[np.ndarray, " dim"]:
        """Standard deviations of random coefficients that take inputs of unit variance to outputs of unit variance.

        For inputs that are independent from sample to sample of a grid with this `spacing`, and kernels of unit L2
        norm, as those of the default family are.

        Returns: (dim,).
        """
        reaching: dict[bytes, int] = {}
        for piece in self.pieces:
            key = piece.to.tobytes()
            reaching[key] = reaching.get(key, 0) + len(piece.basis) * len(piece.by)
        volume = spacing ** (self.space.width // 2 if self.joint else self.space.width)
        out = [
            np.full(int(np.prod(piece.shape)), np.sqrt(piece.to.shape[1] / reaching[piece.to.tobytes()] / volume))
            for piece in self.pieces
        ]
        return np.concatenate([np.zeros(0), *out])

    def weights(self, coefficients: Float[Array, " dim"]) -> Float[Array, "m n D"]:
        """W with k(z) = W f(z) for the kernel sum_r c_r k_r.

        Arguments: `coefficients` (dim,), in order of the pieces and within one of (basis, target copy, source copy).
        Returns: (m, n, D).
        Raises: ValueError for another shape.
        """
        coefficients = jnp.asarray(coefficients)
        if coefficients.shape != (self.dim,):
            raise ValueError(f"coefficients must have shape ({self.dim},), one a kernel, got {coefficients.shape}.")
        out = jnp.zeros((self.target.width, self.source.width, self.features.size), coefficients.dtype)
        start = 0
        for piece in self.pieces:
            size = int(np.prod(piece.shape))
            own = coefficients[start : start + size].reshape(piece.shape)
            start += size
            basis = jnp.asarray(piece.basis, coefficients.dtype)
            block = jnp.einsum("rts,rabf->tasbf", own, basis)  # t, s: copies; a, b: coordinates; f: features
            to, by = piece.to.astype(np.int32), piece.by.astype(np.int32)
            out = out.at[to[:, :, None, None], by[None, None]].set(block)
        return out

    def apply(self, coefficients: Float[Array, " dim"], z: Float[Array, " d"]) -> Float[Array, "m n"]:
        """The matrix k(z) of one kernel at one displacement z = x - y (or pair z = (x, y)).

        Arguments: `coefficients` (dim,); `z` (d,); the caller vmaps.
        Returns: (m, n).
        """
        return self.weights(coefficients) @ self.features(z)

    def dense(self) -> Float[np.ndarray, "dim m n D"]:
        """The basis over the features.

        Returns: (dim, m, n, D) float64.
        """
        with jax.enable_x64(True):
            return np.asarray(jax.vmap(self.weights)(jnp.eye(self.dim, dtype=jnp.float64)))

    def are_for(self, source: FieldAction, target: FieldAction) -> bool:
        """Whether these are kernels between just these kinds of fields.

        Arguments: `source`, `target`, linear actions.
        Returns: True when algebras and matrices are the same.
        """
        pairs = (self.source, source), (self.target, target)
        return all(a.algebra == b.algebra and _operators(a) == _operators(b) for a, b in pairs)

    def __repr__(self) -> str:
        count = "only the zero kernel is" if self.dim == 0 else f"{self.dim} independent kernels are"
        return f"{count} equivariant from fields of {self.source} to fields of {self.target}"


def kernels(
    source: AbstractAction,
    target: AbstractAction,
    *,
    degree: int = 2,
    scales: Sequence[float] = (1.0,),
    harmonic: bool = False,
    dictionary: AbstractDictionary | None = None,
    tolerance: float | None = None,
) -> EquivariantKernels:
    """All equivariant kernels between two kinds of fields, as the null space of their Lie derivative.

    D_z k(z) theta_j(z) = B_j k(z) - k(z) A_j - tr(D theta_j) k(z) for every generator, with A_j on values of the source
    and B_j on those of the target; finite elements likewise. Translations leave functions of z = x - y: a convolution.
    Turns leave steerable kernels, of angular frequencies that couple source and target.

    Arguments:
        source, target: how values at one place are turned; linear actions over one algebra that also moves points of
            the plane or of space, such as `2 * lieder.scalars(g) + lieder.vectors(g)` over g = se(2).
        degree: of the polynomials in the default family, polynomials x Gaussians exp(-|z|^2 / 2 s^2): it holds angular
            frequencies up to `degree`. Default 2. Their kernels are orthonormal in L2 for each scale.
        scales: widths s of the Gaussians, in the unit of the coordinates; default one of 1.
        harmonic: only harmonic polynomials: each angular function once for each scale, and no radial factors |z|^2.
        dictionary: another family, of d variables (displacements) or 2 d (pairs (x, y), on which all generators act).
            Needed where the algebra does more than turn and translate: no Gaussian is mapped to itself then.
        tolerance: of the null space, as in `functions`; default the algebra's own, 1e-9 for exact ones.
    Returns:
        EquivariantKernels; `dim` 0 where only the zero kernel is equivariant.
    Raises: ValueError, TypeError for different algebras, actions that are not linear, an algebra that moves no points,
        a dictionary of another width, or one that does not turn the default family into itself.
    Reference: Weiler, Geiger, Welling, Boomsma, Cohen, 3D Steerable CNNs (2018), equation 2; Weiler, Cesa, General
        E(2)-equivariant steerable CNNs (2019), section 2.3.
    """
    source, target = represented(source, "source"), represented(target, "target")
    for side, name in ((source, "source"), (target, "target")):
        if not side.is_linear:
            raise TypeError(f"{name} must be a linear action such as lieder.vectors(algebra), got {side!r}.")
    harmonic = checked_flag(harmonic, "harmonic")
    check_same_algebra(source, target)
    algebra = source.algebra
    if not isinstance(algebra, LieAlgebra) or algebra.generators is None:
        raise TypeError(f"{algebra.name} moves no points: kernels are functions of points. Use one such as se(2).")
    shifts, base = vectors(algebra), points(algebra)
    features, space, joint = _family(dictionary, shifts, base, degree, scales)
    return _found(source, target, features, space, base, harmonic and dictionary is None, joint, tolerance)


@lru_cache(maxsize=128)  # kept by content, so that layers of one shape share one object
def _found(source, target, features, space, base, harmonic: bool, joint: bool, tolerance: float | None):
    pieces = _solved(source, target, features, space, base, harmonic, tolerance)
    return EquivariantKernels(source, target, space, features, pieces, joint)


def _solved(source, target, features, space, base, harmonic: bool, tolerance: float | None) -> tuple[Piece, ...]:
    gaussian = isinstance(features, GaussianPolynomials)
    family = features.dictionary if gaussian else features
    volume = _inverse_volume(base)
    pieces = []
    for to in summands(_operators(target)):
        for by in summands(_operators(source)):
            fibre = _representation(source, by) >> _representation(target, to)
            side = fibre if volume is None else volume * fibre
            found = functions(family, source=space, target=side, tolerance=tolerance).basis
            if gaussian:
                found = by_degree(found, family)
                found = normalised(harmonic_part(found, family) if harmonic else found, family)
            if len(found):
                basis = found.reshape(len(found), to.size, by.size, family.size)
                pieces.append(Piece(to.places, by.places, _spread(basis, features)))
    return tuple(pieces)


def _representation(side: FieldAction, part: Summand) -> FieldAction:
    q, kinds = side.algebra.dim, (("tensors", part.size),)
    on = part.operators.index[0] < q
    shapes = (q, part.size, part.size), (part.operators.shape[0] - q, part.size, part.size)
    shift = np.array([[q], [0], [0]])
    moves = MatrixStack(shapes[0], part.operators.index[:, on], part.operators.value[on])
    elements = MatrixStack(shapes[1], part.operators.index[:, ~on] - shift, part.operators.value[~on])
    return FieldAction(side.algebra, moves, linear(part.size), kinds, elements)


def _inverse_volume(base: FieldAction) -> FieldAction | None:
    """dy is stretched by det g, which the kernel makes up for; None where nothing stretches."""
    d = base.width
    moves, elements = base.affine().dense()[:, :, :d], base.elements.dense()[:, :, :d]
    trace, change = np.trace(moves, axis1=1, axis2=2), np.abs(np.linalg.det(elements))
    if not trace.any() and np.allclose(change, 1.0, rtol=0, atol=_ROUND):
        return None
    stacks = (MatrixStack.from_dense(v.reshape(-1, 1, 1)) for v in (-trace, 1 / change))
    moved, turned = stacks
    return FieldAction(base.algebra, moved, linear(1), (("scalars", 1),), turned)


def _family(dictionary, shifts: FieldAction, base: FieldAction, degree: int, scales):
    d = shifts.width
    if dictionary is not None:
        if not isinstance(dictionary, AbstractDictionary):
            raise TypeError(f"dictionary must be one such as ld.dictionary.polynomials({d}, 2), got {dictionary!r}.")
        if dictionary.width not in (d, 2 * d):
            raise ValueError(
                f"dictionary takes {dictionary.width} variables: kernels on R^{d} are functions of the {d} of x - y, or"
                f" of the {2 * d} of (x, y)."
            )
        joint = dictionary.width == 2 * d
        return dictionary, (base + base) if joint else shifts, joint
    widths = tuple(float(s) for s in scales)
    if not widths or not all(np.isfinite(s) and s > 0 for s in widths) or len(set(widths)) < len(widths):
        raise ValueError(f"scales must be different positive numbers, one or more, got {tuple(scales)}.")
    turns = shifts.matrices().dense()
    off = np.abs(turns + turns.swapaxes(1, 2)).max(axis=(1, 2), initial=0.0)
    if (off > _ROUND).any():
        which = shifts.algebra.names[int(np.argmax(off))]
        raise ValueError(
            f"{shifts.algebra.name}: {which} does not leave round Gaussians as they are, so the default family has no"
            " steerable kernels. Give dictionary=, a family that it maps to itself."
        )
    return GaussianPolynomials(polynomials(d, degree), widths), shifts, False


def _operators(action: FieldAction) -> MatrixStack:
    return stacked([action.matrices(), action.discrete()], axis=0)


def _spread(basis: np.ndarray, features) -> np.ndarray:
    """The same kernels for each scale s, with unit L2 norm: s^(-d/2) k(z / s)."""
    if not isinstance(features, GaussianPolynomials):
        return basis
    r, a, b, size = basis.shape
    d, count = features.dictionary.width, len(features.scales)
    out = np.zeros((count, r, a, b, count, size))
    for i, s in enumerate(features.scales):
        out[i, :, :, :, i] = basis * s ** (-d / 2)
    return out.reshape(count * r, a, b, count * size)
