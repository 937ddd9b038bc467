"""An equation fitted to the derivatives of its solutions: u_t = f(t, x, u, u_x, u_xx, ...), and how well f is known."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from .. import models
from ..action import jet_names, multi_indices
from ..derivative import slopes
from ..dictionary import AbstractDictionary, polynomials, sum_text
from ..models import Alternatives, FeatureModel
from ..sampling import GridJets
from ._doubt import SURE, VARYING

MONOMIALS = 900  # most in which the equation is sought: beyond, fitting takes many seconds
DEGREES = (3, 2, 1)
SLOPES = 128  # points at which the size of an equation is measured
SHOWN = 1e-3  # terms that contribute less than this share of the left side are not written


@dataclass(frozen=True)
class Coordinates:
    """What is what among jet coordinates, and the units they are measured in.

    Fields: `names` of the p variables and m functions; `independent` p; `order` of f, `time_order` of the left side;
    `centre`, `size` (p + m,), origin and unit of each variable and function.
    """

    names: tuple[str, ...]
    independent: int
    order: int
    time_order: int
    centre: Float[np.ndarray, " base"]
    size: Float[np.ndarray, " base"]

    @property
    def functions(self) -> int:
        """The number m of functions."""
        return len(self.names) - self.independent

    @property
    def jets(self) -> int:
        """The order of jets that hold all there is in the equation."""
        return max(self.order, self.time_order)

    @property
    def all_names(self) -> tuple[str, ...]:
        """Of all jet coordinates."""
        return jet_names(self.names[: self.independent], self.names[self.independent :], self.jets)

    @property
    def left(self) -> Int[np.ndarray, " m"]:
        """Places of the left sides u_t, v_t, ..."""
        return self._places([(0,) * self.time_order])

    @property
    def right(self) -> Int[np.ndarray, " inputs"]:
        """Places of what f may depend on: points, functions, derivatives in space, and lower ones in time."""
        every = multi_indices(self.independent, self.jets)
        lower = [
            J for J in every if (0 not in J and len(J) <= self.order) or (set(J) <= {0} and len(J) < self.time_order)
        ]
        return np.concatenate([np.arange(self.independent), self._places(lower)])

    def _places(self, indices: Sequence[tuple[int, ...]]) -> Int[np.ndarray, " places"]:
        every = multi_indices(self.independent, self.jets)
        first = self.independent + self.functions * np.array([every.index(J) for J in indices])
        return (first[:, None] + np.arange(self.functions)).ravel()

    @property
    def units(self) -> Float[np.ndarray, " jets"]:
        """The unit of each jet coordinate: of u_tx that of u over those of t and x."""
        p, out = self.independent, list(self.size[: self.independent])
        for J in multi_indices(p, self.jets):
            out += [unit / np.prod(self.size[list(J)]) for unit in self.size[p:]]
        return np.array(out)

    @property
    def origins(self) -> Float[np.ndarray, " jets"]:
        """The origin of each jet coordinate: derivatives have zero."""
        return np.concatenate([self.centre, np.zeros(len(self.units) - len(self.centre))])


@dataclass(frozen=True, eq=False)
class Equation:
    """u_t - f, a function on jets that is zero on solutions; in the units of `Coordinates`.

    Fields: `right` side f, from its coordinates (r,) to (m,), perhaps of several equations in a row; places of its
    coordinates and of the left sides.
    """

    right: models.FeatureModel | models.Network | object
    inputs: Int[np.ndarray, " r"]
    left: Int[np.ndarray, " m"]

    def __call__(self, z: Float[Array, " jets"]) -> Float[Array, " outputs"]:
        value = jnp.ravel(self.right(z[self.inputs]))  # pyright: ignore[reportCallIssue]
        return jnp.tile(z[self.left], len(value) // len(self.left)) - value


@dataclass(frozen=True, eq=False)
class FittedEquation:
    """Fields: `equation`; `on_shell` (N, w), the jets moved onto it, in its units; `alternatives`, other equations that
    the data allow; `misfit`, relative, that no noise explains; `unknown`, why nothing is known of it, or "";
    `described`, in words."""

    equation: Equation
    on_shell: Float[np.ndarray, "N w"]
    alternatives: tuple[Alternatives, ...] = field(repr=False)
    misfit: float
    unknown: str
    described: str


def fitted_equation(jets: GridJets, where: Coordinates, fit, degree: int | None, seed: int) -> FittedEquation:
    """The equation that solutions obey.

    Arguments: `jets`, of solutions; `fit`: "sparse", polynomials of few terms, or a family of `lieder.models.fit`;
        `degree` of the polynomials, by default 3 where there are at most 900 of them, else less; `seed`.
    Returns: FittedEquation.
    """
    rows = (jets.rows - where.origins) / where.units
    x, y = rows[:, where.right], rows[:, where.left]
    names = [where.all_names[i] for i in where.left]
    still = np.ptp(y, axis=0) <= 1e-9 * np.abs(rows[:, where.right]).max()
    if isinstance(fit, str) and fit == "sparse":
        width = x.shape[1]
        degree = degree or next(d for d in DEGREES if d == 1 or polynomials(width, d).size <= MONOMIALS)
        dictionary = polynomials(width, degree)
        found = _sparse(jets, where, dictionary)
        right, misfit = found.model, found.misfit
        alternatives = [found.alternatives, *_as_large(found, x)]
        predicted = found.values(x)
        lost = ~(found.gain > SURE)
        text = "; ".join(_written(where, found.model, jets.rows, a, float(found.error[a])) for a in range(y.shape[1]))
        described = (
            f"{text}. Sparse least squares among {dictionary.size} monomials of degree {degree}, relative error at "
            f"parts of the solutions left out {', '.join(f'{error:.2g}' for error in found.error)}"
        )
        if found.nothing:
            described += f"; other equations fit as well, without {len(found.nothing)} of its terms"
    else:
        fitted = models.fit(x, y, fit, seed=seed, argument="fit")
        right, alternatives, misfit = fitted.model, [fitted.alternatives], fitted.resolution
        predicted = fitted.values(x)
        lost = ~(fitted.gain > SURE)
        described = f"{fitted.family}, held-out relative error {fitted.error:.2g}"
    unknown = ""
    if np.any(lost | still):
        unknown = (
            f"no equation predicts {', '.join(n for n, bad in zip(names, lost | still, strict=True) if bad)} better "
        )
        unknown += "than its mean does"
    equation = Equation(right, where.right, where.left)
    on_shell = rows.copy()
    on_shell[:, where.left] = predicted
    described += "; derivatives " + ", ".join(
        f"along {name}: {how}" for name, how in zip(where.names, jets.described, strict=False)
    )
    return FittedEquation(
        equation,
        on_shell,
        tuple(Alternatives(Equation(other.model, where.right, where.left), other.shares) for other in alternatives),
        VARYING * misfit,
        unknown,
        described,
    )


def _sparse(jets: GridJets, where: Coordinates, dictionary: AbstractDictionary) -> models.Terms:
    """Fitted to averages over windows, not to single points."""

    def both_sides(rows: np.ndarray) -> np.ndarray:
        plain = (rows - where.origins) / where.units
        return np.concatenate([models.values(dictionary, plain[:, where.right]), plain[:, where.left]], axis=1)

    fine, coarse, block = jets.averages(both_sides)
    size = dictionary.size
    return models.terms(dictionary, fine[:, :size], fine[:, size:], (coarse[:, :size], coarse[:, size:]), block)


def _as_large(found: models.Terms, x: np.ndarray) -> list[Alternatives]:
    """The equation and, added to it, each sum that vanishes on the data, no larger than the equation itself."""
    some = x[np.linspace(0, len(x) - 1, min(len(x), SLOPES)).astype(int)]
    m = len(found.error)

    def size(model: FeatureModel) -> float:
        return float(np.sqrt(np.mean(np.sum(slopes(model, some.shape[1], m)(some) ** 2, axis=(1, 2)))))

    out, own = [], float(np.hypot(size(found.model), 1.0))
    for nothing in found.nothing:
        times = min(1.0, own / max(size(nothing), np.finfo(float).tiny))
        coefficients = found.model.coefficients + times * nothing.coefficients
        out.append(Alternatives(FeatureModel(nothing.features, coefficients), np.ones(1)))
    return out


def _written(where: Coordinates, model: FeatureModel, rows: np.ndarray, output: int, error: float) -> str:
    """One equation in the user's units, without terms that contribute next to nothing."""
    centre, size = where.origins[where.right], where.units[where.right]
    dictionary = polynomials(len(where.right), int(model.features.exponents.sum(axis=1).max()))  # pyright: ignore
    there = dictionary.substitution(-centre / size, 1 / size)
    weights = np.asarray(model.coefficients[output] @ there) * where.units[where.left[output]]
    names, sizes = [where.all_names[i] for i in where.right], np.sqrt(np.mean(rows[:, where.right] ** 2, axis=0))
    contributions = np.abs(weights) * np.prod(sizes**dictionary.exponents, axis=1)
    least = max(SHOWN, error) * np.sqrt(np.mean(rows[:, where.left[output]] ** 2))
    shown = np.flatnonzero(contributions >= least)
    products = [
        " ".join(f"{names[i]}^{power}" if power > 1 else names[i] for i, power in enumerate(powers) if power) or "1"
        for powers in dictionary.exponents[shown]
    ]
    return f"{where.all_names[where.left[output]]} = {sum_text(weights[shown], products, lambda size: f'{size:.4g}')}"
