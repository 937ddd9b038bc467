"""Least squares in a linear family, and how the estimate would vary: the influence of every row, or group of rows."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int
from scipy.special import chdtrc

from ..dictionary import AbstractDictionary, polynomials
from ..sampling import scrambled
from ._batches import evaluate, gradients
from ._data import standard
from ._family import FeatureModel, Standardised
from ._fitted import Fitted

BLOCKS = 1024  # of rows that vary together: as many are kept, more would not change what is estimated
NOTHING = 1e-10  # singular values of the features, relative to the largest, that are rounding
OWN = 1e-9  # what a row or a group leaves to others: below it some parameter is its alone
DRAWS = 499  # of the test for lack of fit
EVEN = 0.1  # p-value below which noise is not taken to be as large at all rows
SPARED = 2.0  # rows there must be for each function of a richer family


class Undetermined(ValueError):
    """The rows do not determine the parameters, or not how well they are known."""

    def __init__(self, reason: str):
        ValueError.__init__(self, reason)


@dataclass(frozen=True, eq=False)
class LeastSquares:
    """Unpenalised least squares, F(x) = W f(x), and the law of its error.

    Fields: `features`; `basis` (D, r), for which f(x) basis are orthonormal over the rows; `coefficients` (r, m) in
        this basis; `influence` (K, r, m), what the estimate changes by when a row, or a group of rows, is left out;
        `scatter` (m, m), the covariance of the noise where it is as large at all rows so far as can be told, else None;
        `freedom`, how many independent squares the variance is known from; `leverage`, by which factor the least
        certain row is less certain than the root mean square; `misfit`, the p-value of the hypothesis that the family
        holds the law, NaN where nothing richer could be fitted.
    """

    features: Callable
    basis: Float[np.ndarray, "D r"]
    coefficients: Float[np.ndarray, "r m"]
    influence: Float[np.ndarray, "K r m"]
    scatter: Float[np.ndarray, "m m"] | None
    freedom: float
    leverage: float
    misfit: float

    @property
    def model(self) -> FeatureModel:
        """The estimate as a function of one example."""
        return FeatureModel(self.features, (self.basis @ self.coefficients).T)

    def at(self, x: Float[np.ndarray, "B n"]) -> tuple[Float[np.ndarray, "B r"], Float[np.ndarray, "B n r"]]:
        """The functions of the basis and their derivatives at some points."""
        slopes = _gradients(self.features, x)
        return _table(self.features, x) @ self.basis, np.einsum("bdn,dr->bnr", slopes, self.basis, optimize=True)

    def errors(self, draws: int, seed: int) -> Float[np.ndarray, "draws r m"]:
        """Errors of the coefficients, drawn at random: normal with the covariance that even noise gives them, else sums
        of influences with independent normal multipliers; over the root of a chi-square of `freedom`, since how large
        they are is estimated as well.

        Reference: Wu (1986), jackknife, bootstrap and other resampling methods in regression analysis; Chernozhukov,
        Chetverikov, Kato (2013), Gaussian multiplier bootstrap.
        """
        random = np.random.default_rng(seed)
        short = np.sqrt(self.freedom / random.chisquare(self.freedom, draws))
        if self.scatter is not None:
            values, axes = np.linalg.eigh(self.scatter)
            root = np.sqrt(np.maximum(values, 0.0))[:, None] * axes.T
            return short[:, None, None] * (random.normal(size=(draws, *self.coefficients.shape)) @ root)
        multipliers = random.normal(size=(draws, len(self.influence))) * short[:, None]
        flat = multipliers @ self.influence.reshape(len(self.influence), -1)
        return flat.reshape(draws, *self.coefficients.shape)


@dataclass(frozen=True, eq=False)
class Design:
    """All of a least-squares fit that does not depend on the labels.

    Fields: `features`; `orthonormal` (N, r), the features over the rows times roots of weights, in the `basis` (D, r);
        `inputs` (N, p), an orthonormal basis of the inputs and their squares, without their means;
        `root` (N, 1); `blocks` (N,) of rows that vary together, `grouped` where they are the user's; `others`,
        orthonormal bases of what richer families have besides.
    """

    features: Callable
    orthonormal: Float[np.ndarray, "N r"]
    basis: Float[np.ndarray, "D r"]
    inputs: Float[np.ndarray, "N p"]
    root: Float[np.ndarray, "N 1"]
    blocks: Int[np.ndarray, " N"]
    grouped: bool
    others: tuple[Float[np.ndarray, "N _"], ...]
    seed: int

    def fit(self, y: Float[np.ndarray, "N m"]) -> LeastSquares:
        """The fit to labels.

        Raises: Undetermined where one row or group determines a parameter alone.
        """
        values = y * self.root
        coefficients = self.orthonormal.T @ values
        residual = values - self.orthonormal @ coefficients
        leverages = np.sum(self.orthonormal**2, axis=1)
        left = 1.0 - leverages
        if np.min(left) < OWN:
            raise Undetermined(f"row {int(np.argmin(left))} determines a parameter alone")
        rows, alike = int(np.count_nonzero(self.root)) - len(coefficients), residual / np.sqrt(left)[:, None]
        scatter = residual.T @ residual / rows if not self.grouped and self._even(alike) else None
        if self.grouped:
            influence = _of_groups(self.orthonormal, residual, self.blocks)
        else:
            influence = _summed(self.orthonormal, residual / left[:, None], self.blocks)
        most = len(influence) - 1 if self.grouped else rows
        freedom = most if scatter is not None else min(most, self._heard())
        misfit = self._misfit(alike)
        weights = self.root[:, 0] ** 2
        counted = weights > 0
        certain = leverages[counted] / weights[counted]
        leverage = float(np.sqrt(certain.max() / np.average(certain, weights=weights[counted])))
        return LeastSquares(self.features, self.basis, coefficients, influence, scatter, freedom, leverage, misfit)

    def _even(self, residual: np.ndarray) -> bool:
        """Whether the squares of residuals hang on no input and on no square of one, so far as can be told.

        Reference: Koenker (1981), A note on studentizing a test for heteroscedasticity.
        """
        counted = self.root[:, 0] > 0
        squares = residual[counted] ** 2
        squares = squares - squares.mean(axis=0)
        size = np.sum(squares**2, axis=0)
        if not size.any():
            return True
        found = np.sum((self.inputs[counted].T @ squares[:, size > 0]) ** 2, axis=0) / size[size > 0]
        p = chdtrc(self.inputs.shape[1], np.count_nonzero(counted) * found)
        return bool(p.min() * len(p) > EVEN)

    def _heard(self) -> float:
        """How many rows, or groups, take part in a parameter, on average: what its variance is known from where each
        of them has its own."""
        order = np.argsort(self.blocks, kind="stable")
        starts = np.flatnonzero(np.diff(self.blocks[order], prepend=-1))
        shares = np.add.reduceat(self.orthonormal[order] ** 2, starts)
        return max(1.0 / float(np.mean(np.sum(shares**2, axis=0))), 1.0)

    @cached_property
    def _multipliers(self) -> Float[np.ndarray, "draws blocks"]:
        """Random numbers of mean zero for the test of the family: the same for every richer one, and for all labels."""
        return np.random.default_rng(self.seed + 1).normal(size=(DRAWS, len(np.unique(self.blocks))))

    def _misfit(self, residual: np.ndarray) -> float:
        """The least p-value over the richer families, times their number."""
        size = np.sqrt(np.mean(residual**2, axis=0))
        if not size.any():
            return float("nan")
        found = []
        for more in self.others:
            parts = _summed(more, residual[:, size > 0] / size[size > 0], self.blocks)
            parts = parts.reshape(len(parts), -1)
            drawn = np.sum((self._multipliers @ parts) ** 2, axis=1)
            found.append((1 + np.sum(drawn >= np.sum(parts.sum(axis=0) ** 2))) / (DRAWS + 1))
        return float(min(1.0, len(found) * min(found))) if found else float("nan")


def design(
    x: Float[np.ndarray, "N n"],
    weights: Float[np.ndarray, " N"],
    features: Callable,
    groups: Int[np.ndarray, " N"] | None = None,
    seed: int = 0,
) -> Design:
    """What `least_squares` needs before it sees labels: once for many fits to the same rows.

    Arguments: as `least_squares`, but for the labels.
    Returns: Design, whose `fit(y)` is what `least_squares` returns.
    Raises: as `least_squares`.
    """
    root = np.sqrt(weights)[:, None]
    orthonormal, basis = _orthonormal(_table(features, x) * root)
    rows, r = int(np.count_nonzero(weights)), orthonormal.shape[1]
    if rows <= r:
        raise Undetermined(f"{rows} rows do not tell how well {r} parameters are known")
    others = []
    for other in _others(features, x, r):
        table = _table(other, x) * root
        left, s, _ = np.linalg.svd(table - orthonormal @ (orthonormal.T @ table), full_matrices=False)
        if (more := s > 1e-7 * np.linalg.norm(root)).any():
            others.append(left[:, more])
    blocks = _blocks(len(x), seed) if groups is None else groups
    inputs = _without_mean(np.concatenate([x, x**2], axis=1), root[:, 0] > 0)
    return Design(features, orthonormal, basis, inputs, root, blocks, groups is not None, tuple(others), seed)


def least_squares(
    x: Float[np.ndarray, "N n"],
    y: Float[np.ndarray, "N m"],
    weights: Float[np.ndarray, " N"],
    features: Callable,
    groups: Int[np.ndarray, " N"] | None = None,
    seed: int = 0,
) -> LeastSquares:
    """min over W of sum_i w_i |W f(x_i) - y_i|^2, with what each row, or each group of rows, does to it.

    The influence of row i is that of leaving it out, q_i r_i / (1 - h_i) in an orthonormal basis of the features, with
    residual r and leverage h: the variance made of it is the sandwich estimator HC3, which needs no equal noise. That
    of a group is (1 - Q_g^T Q_g)^-1 Q_g^T r_g, for any dependence within it (CR3). Rows without groups are put together
    to at most 1,024 random blocks. Where the squares of residuals hang on no input and no square of one, the noise is
    taken to be even, and the covariance to be that of least squares.

    The family is tested against a richer one, polynomials of one and two degrees more (or those of degree 2 beside
    another dictionary): how much of the residuals it explains, beside how much it explains when each row's, or group's,
    part is multiplied by a random number of mean zero.

    Arguments: `x`, `y`, `weights`; `features`, a dictionary, as it is or of standardised columns; `groups` (N,), whole
        numbers; `seed`, of blocks and of the test.
    Returns: LeastSquares.
    Raises: Undetermined where there are not more rows, or groups, than they need.
    Reference: MacKinnon and White (1985), HC3; Bell and McCaffrey (2002), bias reduction for clusters; Stute, Gonzalez
    Manteiga, Presedo Quindimil (1998), bootstrap approximations in model checks.
    """
    return design(x, weights, features, groups, seed).fit(y)


def richer(features: Callable, rows: int, by: int = 1) -> Callable | None:
    """The same polynomials and those of more degrees.

    Arguments: `features`; `rows` that they are to be fitted to; `by`, how many degrees more.
    Returns: features; None where there are not rows enough, and for other families.
    """
    dictionary = features.dictionary if isinstance(features, Standardised) else features
    degree = getattr(dictionary, "degree", None)
    if not isinstance(features, Standardised) or degree is None:
        return None
    more = polynomials(dictionary.width, degree + by)
    return Standardised(more, features.centre, features.inverse) if rows >= SPARED * more.size else None


def linear_features(fitted: Fitted) -> Callable | None:
    """The features of a model that is linear in its parameters.

    Arguments: `fitted`.
    Returns: those of a polynomial or of a fit in a dictionary; None for other models.
    """
    features = fitted.model.features if isinstance(fitted.model, FeatureModel) else None
    return features if isinstance(features, Standardised | AbstractDictionary) else None


def named(features: Callable, family: str) -> str:
    """The family of least squares in these features, in words.

    Arguments: `features`; `family`, what was fitted with a penalty.
    Returns: a text.
    """
    if isinstance(features, Standardised):
        return f"polynomials of degree {getattr(features.dictionary, 'degree', '')}"
    return family


def _table(features: Callable, x: np.ndarray) -> np.ndarray:
    if isinstance(features, Standardised):
        return evaluate(features.dictionary, (x - features.centre) * features.inverse)
    return evaluate(features, x)


def _gradients(features: Callable, x: np.ndarray) -> np.ndarray:
    if isinstance(features, Standardised):
        return gradients(features.dictionary, (x - features.centre) * features.inverse) * features.inverse
    if not isinstance(features, AbstractDictionary):
        raise AssertionError("features that are no dictionary: our own bug")
    return gradients(features, x)


def _orthonormal(table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """An orthonormal basis of the columns, and what the columns are multiplied by to give it."""
    size = np.linalg.norm(table, axis=0)
    inverse = np.divide(1.0, size, out=np.zeros_like(size), where=size > 0)
    triangle = np.linalg.qr(table * inverse, mode="r")
    _, s, vt = np.linalg.svd(triangle)
    s = np.pad(s, (0, len(vt) - len(s)))
    kept = s > NOTHING * s.max(initial=0.0)
    basis = inverse[:, None] * (vt[kept].T / s[kept])
    # Once more: the first pass leaves what rounding makes of badly conditioned columns.
    first = table @ basis
    again = np.linalg.inv(np.linalg.qr(first, mode="r"))
    return first @ again, basis @ again


def _without_mean(table: np.ndarray, counted: np.ndarray) -> np.ndarray:
    """An orthonormal basis of the columns less their means over the rows that count; the others are zero."""
    centred = np.where(counted[:, None], table - table[counted].mean(axis=0), 0.0)
    return _orthonormal(centred)[0] if centred.any() else centred[:, :0]


def _blocks(rows: int, seed: int) -> np.ndarray:
    if rows <= BLOCKS:
        return np.arange(rows)
    return np.argsort(np.argsort(scrambled(np.arange(rows), seed, 5))) % BLOCKS


def _summed(left: np.ndarray, right: np.ndarray, blocks: np.ndarray) -> np.ndarray:
    """sum over the rows of each block of the outer products of two tables' rows."""
    order = np.argsort(blocks, kind="stable")
    starts = np.flatnonzero(np.diff(blocks[order], prepend=-1))
    if len(starts) == len(blocks):
        return left[order, :, None] * right[order, None, :]
    return np.stack(
        [np.add.reduceat(left[order] * right[order, c : c + 1], starts) for c in range(right.shape[1])], axis=2
    )


def _of_groups(orthonormal: np.ndarray, residual: np.ndarray, groups: np.ndarray) -> np.ndarray:
    r = orthonormal.shape[1]
    found = []
    for group in np.unique(groups):
        mine = groups == group
        q = orthonormal[mine]
        square = np.eye(r) - q.T @ q
        if float(np.linalg.eigvalsh(square)[0]) < OWN:
            raise Undetermined("one group alone determines some of the parameters")
        found.append(np.linalg.solve(square, q.T @ residual[mine]))
    return np.stack(found)


def _others(features: Callable, x: np.ndarray, size: int) -> list[Callable]:
    """Richer families: polynomials of one and of two degrees more, or beside another dictionary those of degree 2."""
    rows = len(x)
    if isinstance(features, AbstractDictionary):
        quadratic = polynomials(x.shape[1], 2)
        return [Standardised(quadratic, *standard(x))] if rows >= SPARED * (size + quadratic.size) else []
    return [other for by in (1, 2) if (other := richer(features, rows, by)) is not None]
