"""Equations of motion as formulas, found by genetic programming, with a symmetry that is exact or encouraged."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from ..action import AbstractAction
from ..derivative import values
from ..dictionary import AbstractDictionary, polynomials
from ..dictionary import formulas as formulas_of
from ..interop import ARITIES, programs
from ..jobs import results
from ..late import sympy
from ..models import FeatureModel
from ..sampling import check_rows, table
from ._simulate import simulated
from ._symbolic_formulas import Bound, Formula, chosen, rescaled
from ._symbolic_frame import Frame, frame
from ._symbolic_laws import Law, laws

if TYPE_CHECKING:
    from sympy import Expr

HELD = 0.3  # of the rows, to judge lengths by
DEGREE = 2  # of the polynomials in which invariants and equivariant fields are sought
ROUNDS = 2  # of a search with a loss: components are coupled by the symmetry, and the first round has only the data
PARSIMONY = 1e-3  # what a node costs, in variances of the data
EMPTY = 0.9  # relative mean square error on held-out rows from which on a formula is not worth its reading
FAR = 1e6  # in spreads of the data: where a formula has a pole at a moved row
DIGITS = 12  # of constants in formulas that are read again


@dataclass(frozen=True, eq=False, repr=False)
class SymbolicDynamics:
    """Equations of motion x' = F(x) as formulas.

    Fields:
        expressions: one sympy expression a column.
        names: of the columns.
        by: how the symmetry entered, "invariants", "infinitesimal", "flow" or "" (none was given).
        errors: relative mean square error on rows that the search had not seen, one number for each formula that was
            searched: a column's velocity, or with "invariants" an a_k.
        missed: with "invariants" the share of the velocities that no equivariant field can be: noise, or a symmetry
            that the data do not have; else 0.
    """

    expressions: "tuple[Expr, ...]"
    names: tuple[str, ...]
    by: str
    errors: tuple[float, ...]
    missed: float

    @property
    def dictionary(self) -> AbstractDictionary:
        """The formulas as a dictionary, one function a column."""
        return formulas_of([_text(expression, DIGITS) for expression in self.expressions], self.names)

    @property
    def function(self) -> FeatureModel:
        """The vector field, one state (n,) to its velocity (n,), for JAX: `discover.vector_field` takes it."""
        return FeatureModel(self.dictionary, np.eye(len(self.names)))

    def predict(self, X: ArrayLike) -> Float[np.ndarray, "N n"]:
        """The velocities at states (N, n).

        Returns: (N, n) float64.
        Raises: ValueError for another width.
        """
        found = table(X, "X")
        if found.values.shape[1] != len(self.names):
            raise ValueError(f"X has {found.values.shape[1]} columns, the equations {len(self.names)}.")
        return values(self.dictionary, found.values)

    def simulate(self, x0: ArrayLike, t: ArrayLike, tolerance: float = 1e-8) -> Float[np.ndarray, "*starts times n"]:
        """The solution of x' = F(x), as `SparseDynamics.simulate`.

        Arguments: `x0` (n,) or (C, n); `t` (T,) increasing; `tolerance` of each step.
        Returns: (T, n) or (C, T, n) float64; inf from where a solution leaves the space in finite time.
        Raises: ValueError for another width or times that do not increase.
        """
        return simulated(self.dictionary, np.eye(len(self.names)), x0, t, tolerance)

    def equations(self, digits: int = 4) -> list[str]:
        """The equations in words, such as "x' = -y - 0.1*x*(x^2 + y^2)".

        Arguments: `digits` of the constants.
        Returns: one line a column.
        """
        return [f"{name}' = {_text(one, digits)}" for name, one in zip(self.names, self.expressions, strict=True)]

    def __repr__(self) -> str:
        lines = self.equations()
        if max(self.errors) > EMPTY:
            told = ", ".join(f"{error:.2g}" for error in self.errors)
            lines.append(f"(Relative errors on held-out rows: {told}. From {EMPTY:g} on a formula explains nothing.)")
        return "\n".join(lines)


def symbolic_dynamics(
    x: ArrayLike,
    dx: ArrayLike,
    *,
    symmetry: AbstractAction | None = None,
    by: Literal["invariants", "infinitesimal", "flow"] = "invariants",
    dictionary: AbstractDictionary | None = None,
    functions: Sequence[str] = ("add", "sub", "mul"),
    penalty: float = 0.1,
    population: int = 500,
    generations: int = 15,
    seed: int = 0,
) -> SymbolicDynamics:
    """Equations of motion x' = F(x) of any form, by genetic programming (gplearn) with a symmetry.

    Where the terms can be listed beforehand, `sparse_dynamics` is faster and surer. The symmetry enters in three ways:

        "invariants": F(x) = sum_k a_k(I(x)) V_k(x) with equivariant fields V_k and invariants I, and the a_k are
            searched as formulas of the invariants: fewer variables, and the symmetry is exact;
        "infinitesimal": |DF(x) theta_k(x) - Dtheta_k(x) F(x)|^2 is added to the error, by differences of values;
        "flow": |F(g x) - Dg(x) F(x)|^2 is added, g by random generators and times.

    Constants of each formula are fitted by least squares after the search, and the shortest formula is taken whose
    error on held-out rows is within one standard error of the least.

    Arguments:
        x: states (N, n), an array or a data frame, whose names of columns are used.
        dx: their velocities (N, n).
        symmetry: how generators act on states; `Symmetries.action` of a discovery, say. None: plain search.
        by: see above.
        dictionary: with "invariants", of functions among which these and the fields are sought; default polynomials of
            degree 2.
        functions: what formulas are made of: "add", "sub", "mul", "div", "sqrt", "log", "neg", "inv", "abs", "sin",
            "cos", "tan".
        penalty: with a loss, its weight against the error, both relative to the variance of the velocities.
        population, generations: of the search; seconds each at the defaults.
        seed: of the search, of which rows are held out, and of the flows.
    Returns: SymbolicDynamics.
    Raises: ValueError for shapes that do not fit, too few rows, unknown functions, and a dictionary without equivariant
        fields; ModuleNotFoundError, with what to install, without gplearn (`pip install "lieder[gplearn]"`).
    Reference: Yang, Rao, Dehmamy, Walters and Yu, Symmetry-informed governing equation discovery, NeurIPS 2024;
        Stephens, gplearn, 2016.
    """
    states, rates = table(x, "x"), table(dx, "dx")
    data = _checked(states.values, rates.values, states.names, rates.names, symmetry)
    search = _Search(_checked_functions(functions), population, generations, seed)
    if population < 10 or generations < 1:
        raise ValueError(f"population, generations: at least 10 and 1 are needed, got {population} and {generations}.")
    if by not in ("invariants", "infinitesimal", "flow"):
        raise ValueError(f'by: expected "invariants", "infinitesimal" or "flow", got {by!r}.')
    if symmetry is not None and by == "invariants":
        family = polynomials(len(states.names), DEGREE) if dictionary is None else dictionary
        return _of_invariants(frame(symmetry, family, *data, states.names), states.names, search)
    if not 0 <= penalty < np.inf:
        raise ValueError(f"penalty: expected a number of at least 0, got {penalty!r}.")
    conditions = [] if symmetry is None or by == "invariants" else laws(symmetry, data[0], by, seed)
    found = _of_columns(*data, conditions, penalty, states.names, search)
    return SymbolicDynamics(found[0], states.names, by if conditions else "", found[1], 0.0)


@dataclass(frozen=True)
class _Search:
    """How formulas are searched."""

    functions: tuple[str, ...]
    population: int
    generations: int
    seed: int

    def rows(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Those to learn from, and those to judge by."""
        order = np.random.default_rng(self.seed).permutation(count)
        held = round(HELD * count)
        return np.sort(order[held:]), np.sort(order[:held])

    def formulas(self, x: np.ndarray, fitness) -> list:
        """A population, best first."""
        settings = {"functions": self.functions, "population": self.population, "generations": self.generations}
        return programs(x, fitness, **settings, parsimony=PARSIMONY, seed=self.seed)


def _checked(x: np.ndarray, dx: np.ndarray, names, others, symmetry: AbstractAction | None):
    if x.shape != dx.shape:
        raise ValueError(f"x, dx: one velocity belongs to each state, but the shapes are {x.shape} and {dx.shape}.")
    check_rows(x, names, "x")
    check_rows(dx, others, "dx")
    if symmetry is not None and symmetry.width != x.shape[1]:
        raise ValueError(f"symmetry: it acts on {symmetry.width} numbers, but x has {x.shape[1]} columns.")
    if len(x) < 20:
        raise ValueError(f"x: {len(x)} rows are too few to search formulas by; give at least 20.")
    return np.asarray(x, np.float64), np.asarray(dx, np.float64)


def _checked_functions(functions: Sequence[str]) -> tuple[str, ...]:
    unknown = [str(name) for name in functions if name not in ARITIES]
    if unknown or not len(functions):
        what = f"{', '.join(unknown)} is none of" if unknown else "name at least one of"
        raise ValueError(f"functions: {what} {', '.join(ARITIES)}.")
    return tuple(functions)


def _of_invariants(found: Frame, names: tuple[str, ...], search: _Search) -> SymbolicDynamics:
    """A formula of the invariants for each field of the frame."""
    each = results(partial(_of_field, found, search), range(found.components.shape[1]), "formulas")
    total: list = [sympy.Integer(0)] * len(names)
    for (formula, _), field in zip(each, found.field_texts, strict=True):
        total = [one + formula * part for one, part in zip(total, field, strict=True)]
    errors = tuple(error for _, error in each)
    return SymbolicDynamics(tuple(map(_tidy, total)), names, "invariants", errors, found.missed)


def _of_field(found: Frame, search: _Search, k: int) -> "tuple[Expr, float]":
    size = np.sqrt(np.mean(found.invariants**2, axis=0))
    inputs, places = found.invariants / size, sympy.symbols(f"i_:{found.invariants.shape[1]}")
    by_place = {place: text / float(s) for place, text, s in zip(places, found.invariant_texts, size, strict=True)}
    learnt, _ = search.rows(len(inputs))
    y, weight = found.components[:, k], found.weights[:, k]
    scale = float(np.sqrt(np.average(y**2, weights=weight))) or 1.0
    y = y / scale
    variance = float(np.average(y**2, weights=weight))

    def fitness(p: np.ndarray, y=y[learnt], weight=weight[learnt]) -> float:
        return float(np.mean(weight * (rescaled(p, y, weight) - y) ** 2)) / variance

    population = search.formulas(inputs[learnt], fitness) if len(places) else []
    formula, error = _judged(population, places, search, (inputs, y, weight))
    return scale * formula.written.subs(by_place), error / variance


def _of_columns(x, dx, conditions: list[Law], penalty: float, names: tuple[str, ...], search: _Search):
    """A formula of the columns for each velocity; with conditions in rounds, each with the others as last found."""
    size, scale = np.sqrt(np.mean(x**2, axis=0)), np.sqrt(np.mean(dx**2, axis=0))
    size, scale = np.where(size > 0, size, 1.0), np.where(scale > 0, scale, 1.0)
    learnt, _ = search.rows(len(x))
    columns = _Columns(x / size, dx / scale, size, scale, [law.at(learnt) for law in conditions], penalty, names)
    found = results(partial(_of_column, columns, search, dx), range(len(names)), "formulas")
    for _ in range(ROUNDS - 1 if conditions else 0):
        others = values(formulas_of([_text(one, DIGITS) for one, _ in found], names), x)
        found = results(partial(_of_column, columns, search, others), range(len(names)), "formulas")
    return tuple(formula for formula, _ in found), tuple(error for _, error in found)


class _Columns(NamedTuple):
    """States `x` (N, n) and their velocities `dx`, in units of `size` and `scale` (n,); `conditions` and what weighs
    their `penalty`; `names`."""

    x: np.ndarray
    dx: np.ndarray
    size: np.ndarray
    scale: np.ndarray
    conditions: list[Law]
    penalty: float
    names: tuple[str, ...]


def _of_column(columns: _Columns, search: _Search, others: np.ndarray, i: int) -> "tuple[Expr, float]":
    """The formula of one velocity and its error, `others` (N, n) being the velocities by the formulas of others."""
    x, y, scale, conditions = columns.x, columns.dx[:, i], float(columns.scale[i]), columns.conditions
    places = sympy.symbols(f"i_:{len(columns.names)}")
    units = zip(places, columns.names, columns.size, strict=True)
    by_place = {place: sympy.Symbol(name) / float(s) for place, name, s in units}
    learnt, _ = search.rows(len(x))
    # All rows at which the conditions ask the model, one below the other: one formula is evaluated once.
    asked = np.concatenate([x[learnt], *(rows / columns.size for law in conditions for rows in law.moved)])
    lost = _Loss(i, y[learnt], scale, conditions, columns.penalty, others[learnt])
    population = search.formulas(asked, lost)
    bound = Bound(asked, lost.violation) if conditions else None
    formula, error = _judged(population, places, search, (x, y, np.ones(len(y))), bound)
    return _tidy(scale * formula.written.subs(by_place)), error / float(np.mean(y**2) or 1.0)


@dataclass(frozen=True, eq=False)
class _Loss:
    """The error of a formula for one column, and its violation of the conditions."""

    number: int
    y: np.ndarray
    scale: float
    conditions: list[Law]
    penalty: float
    others: np.ndarray

    def violation(self, asked: np.ndarray) -> np.ndarray:
        """How far each condition is from being met, by the weight of the penalty."""
        here, *pieces = np.clip(asked, -FAR, FAR).reshape(-1, len(self.y))
        root = np.sqrt(self.penalty)
        found = []
        for law in self.conditions:
            moved = [self.scale * pieces.pop(0) for _ in law.moved]
            found.append(root * law.residual(self.number, self.scale * here, moved, self.others) / self.scale)
        return np.concatenate(found)

    def __call__(self, asked: np.ndarray) -> float:
        asked = rescaled(asked, self.y, np.ones(len(self.y)))
        total = np.mean((asked[: len(self.y)] - self.y) ** 2)
        if self.conditions:
            total += np.mean(self.violation(asked) ** 2)
        return float(total) / (float(np.mean(self.y**2)) or 1.0)


def _judged(population, places, search: _Search, data, bound: Bound | None = None):
    """The formula that is taken; the mean, where there is nothing that it could be a formula of."""
    x, y, weight = data
    learnt, held = search.rows(len(y))
    if population:
        parts = [(x[rows], y[rows], weight[rows]) for rows in (learnt, held)]
        return chosen(population, places, search.functions, parts[0], parts[1], bound)
    mean = float(np.average(y, weights=weight))
    constant = sympy.Symbol("c_0")
    error = float(np.mean(weight[held] * (y[held] - mean) ** 2))
    return Formula(constant, (constant,), np.array([mean]), 1), error


def _tidy(expression: "Expr") -> "Expr":
    """Products multiplied out where that makes a polynomial, so that constants meet."""
    expanded = sympy.expand(expression)
    return expanded if expanded.count_ops() <= 1.5 * expression.count_ops() else expression


def _text(expression: "Expr", digits: int) -> str:
    """A text that `dictionary.formulas` reads."""
    return str(expression.evalf(digits)).replace("**", "^").replace("Abs", "abs")
