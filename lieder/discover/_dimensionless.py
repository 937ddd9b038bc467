"""Dimensional analysis: the monomials that changes of units, or found scalings, leave alone (Buckingham's pi)."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from ..action import AbstractAction, velocities
from ..linalg import simplest_fraction
from ..sampling import table
from ._checks import check_action
from ._sparsify import DENOMINATOR
from ._symmetries import Symmetries
from ._units_text import powers_of

_PROBES = 8  # points at which a field is compared with a scaling
_SAME = 1e-9
_TINY = 1e-3  # least tolerance of exponents of found scalings


@dataclass(frozen=True, eq=False, repr=False)
class Dimensionless:
    """Monomials x_1^a_1 .. x_n^a_n without a unit.

    Fields: `names` of the columns; `exponents`, one tuple of whole numbers a monomial, a basis of all; `method`, where
    they come from, in words.
    """

    names: tuple[str, ...]
    exponents: tuple[tuple[Fraction, ...], ...]
    method: str

    @property
    def dim(self) -> int:
        """The number of independent monomials without a unit."""
        return len(self.exponents)

    def expressions(self, names: Sequence[str] | None = None) -> list[str]:
        """The monomials as texts, "T^2 a^-3".

        Arguments: `names` (default those given).
        Returns: one text a monomial.
        Raises: ValueError for a wrong number of names.
        """
        names = self.names if names is None else tuple(names)
        if len(names) != len(self.names):
            raise ValueError(f"names must hold {len(self.names)} names, one a column, got {len(names)}.")
        out = []
        for row in self.exponents:
            parts = [name if a == 1 else f"{name}^{_power(a)}" for name, a in zip(names, row, strict=True) if a]
            out.append(" ".join(parts))
        return out

    def transform(self, x: ArrayLike) -> Float[np.ndarray, "N dim"]:
        """The values of the monomials: features that change with no unit.

        Arguments: `x` (N, n), columns as given.
        Returns: (N, dim).
        Raises: ValueError for another width, NaN, and numbers that have no such power: negative ones where the exponent
            is a fraction, zeros where it is negative.
        """
        values = np.asarray(table(x, "x").values, np.float64)
        if values.shape[1] != len(self.names):
            raise ValueError(
                f"x has {values.shape[1]} columns, but the monomials are of {len(self.names)}: {', '.join(self.names)}."
            )
        out = np.ones((len(values), self.dim))
        for k, row in enumerate(self.exponents):
            for i, a in enumerate(row):
                if a == 0:
                    continue
                bad = ~np.isfinite(values[:, i]) | ((a.denominator > 1) & (values[:, i] < 0))
                bad |= (a < 0) & (values[:, i] == 0)
                if bad.any():
                    raise ValueError(
                        f"x: {values[bad, i][0]:g} in column '{self.names[i]}' (row {np.argmax(bad)}) has no power"
                        f" {a}. Leave such rows out."
                    )
                out[:, k] *= values[:, i] ** (int(a) if a.denominator == 1 else float(a))
        return out

    def __repr__(self) -> str:
        return f"Dimensionless(dim={self.dim}, columns={len(self.names)})"

    def __str__(self) -> str:
        if self.dim == 0:
            return f"No monomial of {', '.join(self.names)} is without a unit ({self.method})."
        plural = "s" if self.dim > 1 else ""
        lines = [f"{self.dim} monomial{plural} without a unit, of {len(self.names)} columns ({self.method}):"]
        return "\n".join([*lines, *(f"  {k + 1}. {text}" for k, text in enumerate(self.expressions()))])


def dimensionless(
    units: Mapping[str, str | Mapping[str, int | Fraction]] | Symmetries | AbstractAction,
    *,
    columns: Sequence[str] | None = None,
    within: float | None = None,
) -> Dimensionless:
    """The monomials of the columns that have no unit, or that scalings leave alone: Buckingham's pi.

    A change of units, or a scaling, multiplies column i by e^(t s_i); x^a stays as it is where sum_i s_i a_i = 0. With
    n columns and r independent units there are n - r independent monomials, and every law between the columns that no
    choice of units can change is one between them.

    Arguments:
        units: the unit of each column, {"F": "N", "v": "m/s", "rho": "kg m^-3"}, known ones read as length, mass, time,
            current, temperature, amount, others as units of their own, or as powers, {"kg": 1, "m": -3}; "1" for none.
            Or the scalings themselves: symmetries found by `discover`, or an action, that multiply each column by
            itself, or that add to each column, which is then taken for the logarithm of what the monomials are of.
        columns: names in the order wanted (default that of `units`, or of the record). Each monomial has one of the
            earlier columns and is made of later ones besides: put what is to be explained first.
        within: how far exponents of found scalings may be rounded to fractions; default what the evidence says.
    Returns: Dimensionless, also with no monomials.
    Raises: ValueError: a unit that cannot be read; columns without unit; a symmetry that is no scaling; TypeError for
        units of another kind.
    Example:
        >>> import lieder as ld
        >>> units = {"F": "N", "mu": "Pa s", "v": "m/s", "D": "m", "rho": "kg m^-3"}
        >>> drag = ld.discover.dimensionless(units)  # its coefficient, and one over Reynolds' number
        >>> drag.expressions()
        ['F v^-2 D^-2 rho^-1', 'mu v^-1 D^-1 rho^-1']
        >>> drag.transform([[3.0, 0.1, 2.0, 0.5, 1.0]])
        array([[3. , 0.1]])

    Reference: Buckingham, On physically similar systems, Physical Review 4, 1914.
    """
    if isinstance(units, Symmetries | AbstractAction):
        return _of_scalings(units, columns, within)
    if not isinstance(units, Mapping):
        raise TypeError(
            "units must give each column its unit, {'T': 's', 'l': 'm'}, or be scalings that discover found, got"
            f" {type(units).__name__}."
        )
    names = tuple(units) if columns is None else tuple(columns)
    if missing := [name for name in names if name not in units]:
        raise ValueError(f"columns: no unit is given for {', '.join(missing)}; units has {', '.join(units)}.")
    powers = [powers_of(units[name], name) for name in names]
    bases = list(dict.fromkeys(base for one in powers for base in one))
    matrix = [[one.get(base, Fraction(0)) for one in powers] for base in bases]
    return Dimensionless(names, _null(matrix, len(names)), f"units {', '.join(bases) or 'none'}")


def _of_scalings(given: Symmetries | AbstractAction, columns, within: float | None) -> Dimensionless:
    if isinstance(given, Symmetries):
        if given.dim == 0:
            raise ValueError("units: no symmetry was found, so there is no scaling to take monomials from.")
        action = given.source if given.lifted else given.total
        rows, names = given.sparse(), given.names[: action.width]
        limit = max(given.evidence.limit(given.defects[: given.dim]), _TINY) if within is None else within
    else:
        check_action(given, "units")
        action, rows, limit = given, np.eye(given.algebra.dim), _SAME if within is None else within
        names = tuple(f"x{i}" for i in range(action.width)) if columns is None else tuple(columns)
    if len(names) != action.width or (columns is not None and set(columns) != set(names)):
        raise ValueError(f"columns must name the {action.width} columns of the scalings, got {columns!r}.")
    rates = np.array([_rates(action, row, k) for k, row in enumerate(rows)])
    order = [names.index(name) for name in (names if columns is None else columns)]
    rates = rates[:, order] / np.abs(rates).max(axis=1, keepdims=True)
    matrix = [[_fraction(value, limit) for value in row] for row in rates]
    return Dimensionless(tuple(names[i] for i in order), _null(matrix, len(order)), f"{len(rows)} scaling(s)")


def _rates(action: AbstractAction, row: np.ndarray, k: int) -> Float[np.ndarray, " n"]:
    """s with theta(x) = (s_1 x_1, .., s_n x_n), or with theta = s, or a ValueError."""
    points = np.random.default_rng(0).uniform(0.5, 2.0, (_PROBES, action.width))
    fields = velocities(action, row, points)
    moved = np.ptp(fields, axis=0).max() > 1e-9 * np.abs(fields).max()
    rates = fields / points if moved else fields
    size = np.abs(rates).max()
    if not np.isfinite(size) or size == 0 or np.abs(rates - rates.mean(axis=0)).max() > 1e-6 * size:
        raise ValueError(
            f"units: symmetry {k + 1} does not multiply each column by itself, so it is no change of units. Look for"
            " symmetries among scalings, lieder.vectors(lieder.algebra.scalings(n)), or of logarithms among"
            " translations, lieder.points(lieder.algebra.t(n))."
        )
    return rates.mean(axis=0)


def _fraction(value: float, within: float) -> Fraction:
    near = simplest_fraction(value, within)
    return near if near.denominator <= DENOMINATOR else Fraction(value).limit_denominator(1000)


def _null(matrix: list[list[Fraction]], n: int) -> tuple[tuple[Fraction, ...], ...]:
    """A rational basis of the null space, the last columns eliminated first."""
    rows, pivots = [list(row) for row in matrix], []
    for column in reversed(range(n)):
        pivot = next((r for r in range(len(pivots), len(rows)) if rows[r][column] != 0), None)
        if pivot is None:
            continue
        at = len(pivots)
        rows[at], rows[pivot] = rows[pivot], rows[at]
        rows[at] = [value / rows[at][column] for value in rows[at]]
        for r in range(len(rows)):
            if r != at and rows[r][column] != 0:
                factor = rows[r][column]
                rows[r] = [a - factor * b for a, b in zip(rows[r], rows[at], strict=True)]
        pivots.append(column)
    basis = []
    for free in range(n):
        if free not in pivots:
            one = [Fraction(0)] * n
            one[free] = Fraction(1)
            for r, pivot in enumerate(pivots):
                one[pivot] = -rows[r][free]
            common = math.lcm(*(value.denominator for value in one))
            basis.append(tuple(value * common for value in one))
    return tuple(basis)


def _power(a: Fraction) -> str:
    return str(a) if a.denominator == 1 else f"({a})"
