"""Families that are linear in their parameters: ridge regression, all strengths and folds from one triangular pass."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from math import comb

import jax
import jax.numpy as jnp
import numpy as np

from ..dictionary import AbstractDictionary, polynomials
from ..linalg import TriangularFactor
from ._batches import evaluate
from ._data import Data, standard
from ._family import AbstractFamily, FeatureModel, Standardised, Validated

# Relative to the largest singular value of the scaled features. The least is at rounding: exact symmetries are read
# from exact fits.
STRENGTHS = np.array([1e-14, 1e-12, 1e-10, 1e-8, *np.geomspace(1e-7, 1.0, 15)])
TINY = np.array([1e-12])  # least squares, with dependent functions shared out instead of blowing up
ROWS = 4096  # of features in one QR step
NUMBERS = 2**22  # features in memory where a model is fitted to all rows


@dataclass(frozen=True, eq=False)
class Ridge(AbstractFamily):
    """min over W of sum_i w_i |W f(x_i) - y_i|^2 + (strength s_max)^2 |W S|^2, S the scale of each feature.

    Fields: `name`; `features`, from (data, seed) to the candidate feature maps, over which cross-validation chooses;
    `strengths`, likewise; `constant`, whether the first feature is 1, which is then not penalised;
    `argument`, what the caller calls the family, for messages.
    """

    name: str
    features: Callable[[Data, int], list[Callable]]
    strengths: np.ndarray
    constant: bool
    argument: str = "family"

    def validate(self, data: Data, folds: list[np.ndarray], seed: int) -> Validated:
        best, least = None, np.inf
        for index, features in enumerate(self.features(data, seed)):
            table = _scaled(features, data, self.argument)[0]
            factors = [_factor(table[fold] * data.root[fold], data.y[fold] * data.root[fold]) for fold in folds]
            residual = np.empty((len(self.strengths), *data.y.shape))
            for k, fold in enumerate(folds):
                others = triangle(factors[:k] + factors[k + 1 :])
                for h, w in enumerate(_solutions(others, table.shape[1], self.strengths, self.constant)):
                    residual[h, fold] = table[fold] @ w - data.y[fold]
            squares = np.array([[data[fold].square(residual[h, fold]) for fold in folds] for h in range(len(residual))])
            h = int(np.argmin(squares.mean(axis=1)))
            if best is None or squares[h].mean() < least:
                best, least = Validated(squares[h], residual[h], (index, h)), squares[h].mean()
        if best is None:
            raise AssertionError("a family without features: our own bug")
        return best

    def train(self, data: Data, setting: tuple[int, int], seed: int) -> tuple[FeatureModel, str]:
        features = self.features_of(data, setting, seed)
        return self.solved(features, self.factored(features, [data]), setting, data.y.shape[1])

    def features_of(self, like: Data, setting: tuple[int, int], seed: int) -> Callable:
        """The features of a setting, chosen and scaled as for rows `like` these."""
        return self.features(like, seed)[setting[0]]

    def factored(self, features: Callable, blocks: Iterable[Data]) -> TriangularFactor:
        """The rows of blocks, features and outputs side by side, as a triangular factor."""
        factor = None
        for block in blocks:
            rows = max(1, NUMBERS // _size(features, block.x))
            for start in range(0, len(block), rows):
                piece = block[np.arange(start, min(start + rows, len(block)))]
                both = np.concatenate([_table(features, piece, self.argument), piece.y], axis=1) * piece.root
                factor = (TriangularFactor.empty(both.shape[1]) if factor is None else factor).absorb(both)
        if factor is None:
            raise AssertionError("a fit without rows: our own bug")
        return factor

    def solved(
        self, features: Callable, factor: TriangularFactor, setting: tuple[int, int], outputs: int
    ) -> tuple[FeatureModel, str]:
        """The model fitted to the rows of a factor, of so many `outputs`."""
        size, h = factor.factor.shape[1] - outputs, setting[1]
        scale = np.linalg.norm(factor.factor[:, :size], axis=0)
        scale[scale == 0] = 1.0
        scaled = np.concatenate([factor.factor[:, :size] / scale, factor.factor[:, size:]], axis=1)
        (w,) = _solutions(scaled, size, self.strengths[h : h + 1], self.constant)
        return FeatureModel(features, (w / scale[:, None]).T), "exact (jax)"

    def refits(self, data: Data, setting: tuple[int, int], parts: list[np.ndarray], seed: int) -> list[Callable]:
        # One table of features, and one factor a part, do for all.
        index, h = setting
        features = self.features(data, seed)[index]
        table, scale = _scaled(features, data, self.argument)
        factors = [_factor(table[part] * data.root[part], data.y[part] * data.root[part]) for part in parts]
        models = []
        for k in range(len(parts)):
            others = triangle(factors[:k] + factors[k + 1 :])
            (w,) = _solutions(others, len(scale), self.strengths[h : h + 1], self.constant)
            models.append(FeatureModel(features, (w / scale[:, None]).T))
        return models


def polynomial(degree: int) -> Ridge:
    """Polynomials of bounded degree in standardised inputs."""
    return Ridge(f"polynomial ridge, degree {degree}", partial(_polynomial, degree), STRENGTHS, constant=True)


def polynomial_size(width: int, degree: int) -> int:
    """The number of monomials."""
    return comb(width + degree, degree)


def of_dictionary(dictionary: AbstractDictionary, name: str, argument: str) -> Ridge:
    """Least squares in the functions of a dictionary, in the user's own coordinates."""
    return Ridge(f"least squares, {name}", partial(_as_is, dictionary), TINY, False, argument)


def _polynomial(degree: int, data: Data, seed: int) -> list[Callable]:
    return [Standardised(polynomials(data.x.shape[1], degree), *standard(data.x))]


def _as_is(dictionary: AbstractDictionary, data: Data, seed: int) -> list[Callable]:
    return [dictionary]


def _size(features: Callable, x: np.ndarray) -> int:
    """The number of features."""
    with jax.enable_x64(True):
        return jax.eval_shape(features, jax.ShapeDtypeStruct(x.shape[1:], jnp.float64)).shape[0]


def _table(features: Callable, data: Data, argument: str) -> np.ndarray:
    """The features of all rows."""
    if isinstance(features, Standardised):
        # The same monomials serve every centre and scale, and are compiled once.
        table = evaluate(features.dictionary, (data.x - features.centre) * features.inverse)
    else:
        table = evaluate(features, data.x)
    if not np.isfinite(table).all():
        bad = int(np.sum(~np.isfinite(table).all(axis=1)))
        raise ValueError(
            f"{argument}: its functions are not finite on {bad} of {len(table)} rows of x (a pole or an overflow "
            "there, such as negative powers at the centre); drop those rows or choose another family."
        )
    return table


def _scaled(features: Callable, data: Data, argument: str) -> tuple[np.ndarray, np.ndarray]:
    """The features of all rows, columns scaled to unit weighted rms, and the scales."""
    table = _table(features, data, argument)
    scale = np.sqrt(np.mean(data.weight[:, None] * table**2, axis=0))
    scale[scale == 0] = 1.0
    return table / scale, scale


def _factor(table: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The triangular factor of [table, y]: all that least squares needs, and factors of parts can be stacked."""
    return stacked_factor(lambda rows: np.concatenate([table[rows], y[rows]], axis=1), len(table))


def stacked_factor(table: Callable[[np.ndarray], np.ndarray], count: int) -> np.ndarray:
    """The triangular factor of `count` rows, of which `table` gives those asked for."""
    parts: list[np.ndarray] = []
    for start in range(0, count, ROWS):
        parts = [triangle([*parts, table(np.arange(start, min(start + ROWS, count)))])]
    return parts[0]


def triangle(parts: list[np.ndarray]) -> np.ndarray:
    """The triangular factor of parts below each other."""
    return np.asarray(np.linalg.qr(np.concatenate(parts), mode="r"))


def _solutions(factor: np.ndarray, size: int, strengths: np.ndarray, constant: bool) -> list[np.ndarray]:
    """The ridge solutions (size, m) from a triangular factor of [table, y], one for each strength."""
    first = 1 if constant else 0
    left, right = factor[first:size, first:size], factor[first:size, size:]
    u, s, vt = np.linalg.svd(left, full_matrices=False)
    top = s.max(initial=0.0)
    projected = u.T @ right
    out = []
    for strength in strengths:
        damping = s**2 + (strength * top) ** 2
        w = vt.T @ (np.divide(s, damping, out=np.zeros_like(s), where=damping > 0)[:, None] * projected)
        if constant:
            # The first column of the factor is the constant's: what the others leave over is its coefficient.
            w = np.concatenate([(factor[:1, size:] - factor[:1, 1:size] @ w) / factor[0, 0], w])
        out.append(w)
    return out
