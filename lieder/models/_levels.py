"""Functions that vanish on a point cloud."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from lieder.dictionary import AbstractDictionary
from lieder.linalg import decide

from ._batches import evaluate
from ._doubt import Alternatives
from ._family import FeatureModel


@dataclass(frozen=True, eq=False)
class Levels:
    """The submanifold as a level set.

    Fields: `model`, from one point (n,) to the values (c,) of functions that are near zero on the data; `spectrum`
    (D,), the relative singular values of the dictionary on the data, ascending, the first c of them small;
    `distance`, the rms distance of the data from the level set to first order, in units of their spread.
    """

    model: FeatureModel
    spectrum: Float[np.ndarray, " functions"]
    distance: float

    @property
    def count(self) -> int:
        """The number c of independent functions found."""
        return len(self.model.coefficients)


def level_functions(
    points: Float[np.ndarray, "points n"],
    dictionary: AbstractDictionary,
    count: int | None = None,
    min_gap: float = 5.0,
) -> Levels:
    """The functions of a dictionary that vanish on the data: smallest right singular vectors of its values there.

    Arguments:
        points: (N, n), N at least the number D of functions.
        dictionary: of D functions; with a constant and of low degree, since noise lets large dictionaries vanish
            anywhere.
        count: how many, if known; by default those below the largest gap of the relative singular values.
        min_gap: least ratio that counts as a gap.
    Returns: Levels.
    Raises: ValueError for fewer points than functions, or when no function stands apart.
    Reference: Shaw, Magner, Moon (2024), section 3.
    """
    points = np.asarray(points, dtype=np.float64)
    if len(points) < dictionary.size:
        raise ValueError(
            f"points: {len(points)} rows for {dictionary.size} functions: some function always vanishes. Give more "
            "rows or a smaller dictionary."
        )
    table = evaluate(dictionary, points)
    scale = np.sqrt(np.mean(table**2, axis=0))
    scale = np.where(scale > 0, scale, 1.0)
    _, s, vt = np.linalg.svd(np.linalg.qr(table / scale, mode="r"))
    spectrum = s[::-1] / s[0]
    # Functions that vanish exactly are equally small; the least one itself is the floor, since noise keeps all of
    # them from zero.
    floor = float(np.clip(spectrum[0], 64 * np.finfo(float).eps, 1.0))
    rank = decide(spectrum, resolution=floor, min_gap=min_gap, top=1.0)
    if count is None:
        if not rank.clear or rank.count in (0, len(spectrum)):
            raise ValueError(
                f"dictionary: none of its {dictionary.size} functions stands apart as vanishing on the data (least"
                f" relative singular value {spectrum[0]:.2g}, largest gap {rank.gap:.2g}). Try another degree, or use"
                " tangent spaces: lieder.discover.cloud."
            )
        count = rank.count
    if not 1 <= count < dictionary.size:
        raise ValueError(f"count must lie in 1..{dictionary.size - 1}, got {count}.")
    coefficients = vt[::-1][:count] / scale
    model = FeatureModel(dictionary, coefficients)
    return Levels(model, spectrum, _distance(model, points))


def level_refits(
    points: Float[np.ndarray, "points n"],
    dictionary: AbstractDictionary,
    levels: Levels,
    parts: Int[np.ndarray, " points"],
) -> Alternatives:
    """The level functions without each part of the points in turn, turned among themselves to lie next to those of all.

    Arguments:
        points: (N, n), and dictionary: those that `levels` were made from by `level_functions`.
        parts: (N,) whole numbers from 0.
    Returns: Alternatives, with the shares of the jackknife.
    Raises: ValueError where fewer points than functions are left.
    Reference: Schoenemann (1966), A generalized solution of the orthogonal Procrustes problem.
    """
    size = np.sqrt(np.mean(evaluate(dictionary, points) ** 2, axis=0))
    size = np.where(size > 0, size, 1.0)
    all_, found = levels.model.coefficients * size, []
    count = int(parts.max()) + 1
    for part in range(count):
        fewer = level_functions(points[parts != part], dictionary, levels.count).model.coefficients * size
        spanned = np.linalg.qr(fewer.T)[0].T
        left, _, right = np.linalg.svd(all_ @ spanned.T)
        found.append(left @ right @ spanned / size)
    return Alternatives(FeatureModel(dictionary, np.concatenate(found)), np.full(count, (count - 1) / count))


def _distance(model: FeatureModel, points: np.ndarray) -> float:
    with jax.enable_x64(True):
        z = jnp.asarray(points)
        values, slopes = jax.vmap(model)(z), jax.vmap(jax.jacfwd(model))(z)
        # Least-norm step to the level set, point by point: at a singular point of the set the pseudo-inverse ignores
        # what has no slope.
        steps = jnp.einsum(
            "pnc,pc->pn", jnp.linalg.pinv(slopes, rtol=1e-6), values
        )  # p: points, n: coordinates, c: functions
    spread = np.sqrt(np.mean(np.sum((points - points.mean(axis=0)) ** 2, axis=1)))
    return float(np.sqrt(np.mean(np.sum(np.asarray(steps) ** 2, axis=1))) / spread)
