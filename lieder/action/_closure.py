"""Vector fields closed under their brackets, as far as that ends."""

from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .. import report
from ..algebra import Span
from ..late import sympy
from ._abstract import AbstractAction
from ._bracket import measured_algebra
from ._families import fields as own_fields
from ._fields import FieldAction
from ._polynomials import coefficients, polynomial_action, polynomial_bracket, polynomials_of

_SHOWN = 3  # significant digits of coefficients


@dataclass(frozen=True, eq=False, repr=False)
class Closure:
    """Fields with all their brackets.

    Fields:
        action: the fields, given ones first; its algebra has structure constants where they are closed.
        given: how many there were.
        closed: whether every bracket is a combination of them.
        reason: why it ended, in words.
    """

    action: AbstractAction
    given: int
    closed: bool
    reason: str

    @property
    def dim(self) -> int:
        """The number of fields."""
        return self.action.algebra.dim

    def fields(self, names: list[str] | tuple[str, ...] | None = None) -> list[str]:
        """The fields as texts, "x d/dy - y d/dx".

        Arguments: `names` of the coordinates (default x0, x1, ..).
        Returns: one text a field.
        Raises: ValueError for a wrong number of names.
        """
        names = tuple(f"x{i}" for i in range(self.action.width)) if names is None else tuple(names)
        if len(names) != self.action.width:
            raise ValueError(f"names must hold {self.action.width} names, one a coordinate, got {len(names)}.")
        symbols = [sympy.Symbol(name, real=True) for name in names]
        rows = np.eye(self.dim)
        return [
            report.generator_text(self.action.symbolic(row, symbols, symbols), names, digits=_SHOWN) for row in rows
        ]

    def identify(self) -> str:
        """The name of the algebra, as `LieAlgebra.identify`; that of no algebra where the fields are not closed."""
        return self.action.algebra.identify()

    def __repr__(self) -> str:
        return f"Closure(dim={self.dim}, given={self.given}, closed={self.closed})"

    def __str__(self) -> str:
        return f"{self.given} fields and {self.dim - self.given} brackets of theirs: {self.reason}"


def closure(
    action: AbstractAction, points: Float[np.ndarray, "points n"], most: int = 24, tolerance: float = 1e-6
) -> Closure:
    """Fields together with their brackets, brackets of these, and so on, until nothing new comes or there are too many.

    Brackets of symmetries are symmetries, also where the candidates do not hold them: this is how they are found.
    Polynomial fields stay polynomials, of whatever degree their brackets have, with exact coefficients.

    Arguments:
        action: of q >= 1 generators on R^n, such as `found.action` of a discovery with exact symmetries.
        points: (N, n) at which fields are compared; at least 2 `most` / n of them.
        most: fields at which it stops, at least q (default 24: beyond it, brackets are as a rule without end).
        tolerance: share of |DX||Y| + |DY||X| up to which what a bracket has besides the fields counts as nothing; 1e-6
            is for exact fields.
    Returns: Closure, which says why it ended.
    Raises: ValueError for fewer points than that, points of another width, or a `most` below q.
    Reference: Olver, Applications of Lie Groups to Differential Equations (1993), section 1.4.
    Example:
        >>> import numpy as np
        >>> import lieder as ld
        >>> line = ld.action.polynomial_fields(1, 2)  # d/dx, x d/dx, x^2 d/dx
        >>> ends = line.restrict(np.array([[1.0, 0, 0], [0, 0, 1]]), ld.algebra.Span("ends", ("shift", "square")))
        >>> whole = ld.action.closure(ends, np.random.default_rng(0).normal(size=(60, 1)))
        >>> whole.fields(["x"]), whole.identify()
        (['d/dx', 'x^2 d/dx', 'x d/dx'], 'sl(2)')

    """
    points = np.asarray(points, np.float64)
    q, n = action.algebra.dim, action.width
    if points.ndim != 2 or points.shape[1] != n:
        raise ValueError(f"points must have shape (N, {n}), one column a coordinate, got {points.shape}.")
    if q == 0 or most < q:
        raise ValueError(f"most must be at least the number of generators, of which there are {q}, got {most}.")
    if len(points) * n < 2 * most:
        raise ValueError(
            f"points: {len(points)} points cannot tell {most} fields apart; give at least {-(-2 * most // n)}."
        )
    names = tuple(f"X{k + 1}" for k in range(most))
    powers = action.dictionary.exponents if isinstance(action, FieldAction) else None
    if isinstance(action, FieldAction) and powers is not None:
        found, reason, closed = _grown(polynomials_of(action), polynomial_bracket, coefficients, most, tolerance)
        together = polynomial_action(found, n, Span("fields", names[: len(found)]))
    else:
        with jax.enable_x64(True):
            x = jnp.asarray(points)
            known = [_field(action, row) for row in np.eye(q)]
            found, reason, closed = _grown(
                known, lambda a, b: _bracket(a, b, x), lambda a: _values(a, x), most, tolerance
            )
            together = own_fields(found, n, names[: len(found)])
    if closed:
        algebra = measured_algebra(together, np.eye(len(found)), names[: len(found)], points, 1e-10, tolerance)[0]
    else:
        algebra = Span("fields", names[: len(found)], f"that is not closed: {reason}")
    return Closure(together.restrict(np.eye(len(found)), algebra), q, closed, reason)


def _grown(known: list, bracket: Callable, vectors: Callable, most: int, tolerance: float) -> tuple[list, str, bool]:
    """Fields with their brackets; why it ended; whether they are closed.

    Arguments: `bracket` of two fields, with the size of its two parts; `vectors`, fields as columns to be compared.
    """
    tried, worst = 0, 0.0
    while tried < len(known):
        for i in range(tried):
            new, size = bracket(known[i], known[tried])
            if not np.isfinite(size):
                return known, f"the bracket of {i + 1} and {tried + 1} is not finite at every point", False
            rest = _rest(vectors([*known, new])) if size > 0 else 0.0
            if rest <= tolerance * size:
                worst = max(worst, rest / size if size > 0 else 0.0)
                continue
            if len(known) == most:
                words = (
                    f"the bracket of {i + 1} and {tried + 1} is one more field, beyond the {most} that were asked for"
                )
                return known, f"{words}, and nothing says that they end", False
            known = [*known, new]
        tried += 1
    return known, f"closed, every bracket is a combination of them (the largest rest is {worst:.1g})", True


def _rest(columns: Float[np.ndarray, "r k"]) -> float:
    """The length of what the last column has besides the others."""
    design, new = columns[:, :-1], columns[:, -1]
    scale = np.linalg.norm(design, axis=0)
    design = design / np.where(scale > 0, scale, 1.0)
    return float(np.linalg.norm(new - design @ np.linalg.lstsq(design, new, rcond=1e-12)[0]))


def _field(action: AbstractAction, row: np.ndarray) -> Callable:
    if isinstance(action, FieldAction):
        matrix, dictionary = action.generators.combine(row[None]).dense()[0], action.dictionary
        return lambda z: jnp.asarray(matrix, z.dtype) @ dictionary(z)
    return lambda z: action.field(jnp.asarray(row, z.dtype), z)


def _bracket(x: Callable, y: Callable, points: Array) -> tuple[Callable, float]:
    """DY X - DX Y, and the size of both terms at the points."""

    def terms(z):
        return jax.jvp(y, (z,), (x(z),))[1], jax.jvp(x, (z,), (y(z),))[1]

    def new(z):
        first, second = terms(z)
        return first - second

    first, second = (np.asarray(one) for one in jax.jit(jax.vmap(terms))(points))
    return new, float(np.linalg.norm(first) + np.linalg.norm(second))


def _values(fields: list[Callable], points: Array) -> Float[np.ndarray, "r k"]:
    return np.stack([np.asarray(jax.vmap(field)(points)).reshape(-1) for field in fields], axis=1)
