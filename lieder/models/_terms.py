"""Few terms of many: sparse least squares in a dictionary, and the other sums of terms that the data allow as well."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from ..dictionary import AbstractDictionary
from ..late import neighbors
from ._batches import values
from ._doubt import Alternatives
from ._family import FeatureModel

MOST = 30  # terms that are ever taken into a sum
RESERVE = 3  # terms by which another sum may be longer than the one found
DEPENDENT = 1e-9  # share of a function's square that others leave over, below which it is one of them
LEAST = 0.01  # share of the largest below which an alternative is left out
EXPLAINED = 1.5  # times what a change of resolution does to a sum, up to which that explains its misfit


@dataclass(frozen=True, eq=False)
class Terms:
    """A function y = W f(x) of few terms, and how well it is known.

    Fields: `model`; `error` (m,), relative, of rows left out; `gain` (m,), by how many standard errors they are
    predicted better than by the mean; `misfit`, relative, the part of it that rows of other blocks share;
    `alternatives`: fits without a block each, to data of less resolution, and with each term left out so far;
    `nothing`: sums that the data do not tell from zero, as large as that holds, from fits that do without a term found.
    """

    model: FeatureModel
    error: Float[np.ndarray, " m"]
    gain: Float[np.ndarray, " m"]
    misfit: float
    alternatives: Alternatives
    nothing: tuple[FeatureModel, ...]

    def values(self, x: Float[np.ndarray, "rows inputs"]) -> Float[np.ndarray, "rows outputs"]:
        """The fitted function on a batch, in float64.

        Arguments: `x` (N, n).
        Returns: (N, m).
        """
        return values(self.model, x)


@dataclass(frozen=True, eq=False)
class _Moments:
    """Products of functions (D) and one output over each block: all that sums of terms are fitted and judged by."""

    gram: Float[np.ndarray, "blocks D D"]
    mixed: Float[np.ndarray, "blocks D"]
    square: Float[np.ndarray, " blocks"]
    rows: Int[np.ndarray, " blocks"]

    def fit(self, support: np.ndarray, without: int | None = None) -> np.ndarray:
        kept = np.arange(len(self.rows)) != (-1 if without is None else without)
        # First the few terms, then the blocks: the whole is large.
        gram = self.gram[:, support[:, None], support][kept].sum(axis=0)
        return np.linalg.lstsq(gram, self.mixed[:, support][kept].sum(axis=0), rcond=1e-14)[0]

    def errors(self, support: np.ndarray) -> np.ndarray:
        """Mean squares of the residuals of each block under a fit to the others."""
        out = np.empty(len(self.rows))
        for b in range(len(self.rows)):
            w = self.fit(support, b)
            quadratic = w @ self.gram[b][support[:, None], support] @ w
            out[b] = max(self.square[b] - 2 * w @ self.mixed[b][support] + quadratic, 0.0) / self.rows[b]
        return out


def terms(
    dictionary: AbstractDictionary,
    table: Float[np.ndarray, "N D"],
    y: Float[np.ndarray, "N m"],
    coarse: tuple[Float[np.ndarray, "N D"], Float[np.ndarray, "N m"]],
    block: Int[np.ndarray, " N"],
) -> Terms:
    """Fit y = W f(x) with as few non-zero entries as predict blocks of rows left out no worse than more would.

    Terms are taken in one by one, that which lowers the misfit most, up to thirty, and then given up one by one, that
    which raises it least. The shortest sum is taken whose error at blocks left out is within one standard error of the
    least.

    Arguments: `dictionary` of D functions; `table`, of their values or averages of these, and `y` likewise; `coarse`,
        the same rows measured with less resolution; `block` (N,), from 0, two or more.
    Returns: Terms.
    Reference: Chen, Billings, Luo, Orthogonal least squares methods, International Journal of Control 50, 1989; one
        standard error: Hastie, Tibshirani and Friedman, The Elements of Statistical Learning, 2009, section 7.10.
    """
    scale = np.sqrt(np.mean(table**2, axis=0))
    scale[scale == 0] = 1.0
    table, rough = table / scale, coarse[0] / scale
    _, block = np.unique(block, return_inverse=True)
    parts = [np.flatnonzero(block == b) for b in range(block.max() + 1)]
    gram = np.stack([table[part].T @ table[part] for part in parts])
    found, weights, nothing = [], [], []
    rows = np.array([len(part) for part in parts])
    residual, (errors, gain) = np.empty_like(y), np.empty((2, y.shape[1]))
    others: list[np.ndarray] = []
    shares: list[float] = []
    for a in range(y.shape[1]):
        target = y[:, a]
        mixed = np.stack([table[part].T @ target[part] for part in parts])
        moments = _Moments(gram, mixed, np.array([target[part] @ target[part] for part in parts]), rows)
        support, squares = _shortest(moments)
        w = np.zeros(table.shape[1])
        w[support] = moments.fit(support)
        variation = np.sqrt(np.mean((target - target.mean()) ** 2))
        errors[a] = np.sqrt(squares.mean()) / variation if variation > 0 else 0.0
        plain = np.array([np.mean((target[part] - target.mean()) ** 2) for part in parts])
        # Blocks may differ by decades, and have misfits of rounding only.
        gains = -np.log(np.maximum(squares / np.maximum(plain, np.finfo(float).tiny), 1e-12))
        gain[a] = gains.mean() / max(gains.std(ddof=1) / np.sqrt(len(gains)), 1e-3)
        residual[:, a] = target - table @ w
        mine, counts = _varied(moments, table, rough, coarse[1][:, a], support, w, parts)
        for other, share in zip(mine, counts, strict=True):
            whole = np.zeros((y.shape[1], table.shape[1]))
            whole[a] = other - w
            others.append(whole)
            shares.append(share)
        for rival in _rivals(moments, table, rough, (target, coarse[1][:, a]), support, squares):
            whole = np.zeros((y.shape[1], table.shape[1]))
            whole[a] = rival
            nothing.append(FeatureModel(dictionary, whole / scale))
        found.append(support)
        weights.append(w)
    chosen = np.stack(weights)
    every = np.concatenate([chosen + other for other in others]) / scale
    return Terms(
        FeatureModel(dictionary, chosen / scale),
        errors,
        gain,
        _shared(table[:, np.unique(np.concatenate(found))], residual, y, parts),
        Alternatives(FeatureModel(dictionary, every), np.array(shares)),
        tuple(nothing),
    )


def _path(moments: _Moments, allowed: np.ndarray, most: int) -> list[np.ndarray]:
    """Sums of fewer and fewer terms."""
    gram, mixed = moments.gram.sum(axis=0), moments.mixed.sum(axis=0)
    left, along = np.diag(gram).copy(), mixed.copy()
    size = np.maximum(left.copy(), np.finfo(float).tiny)
    basis = np.zeros((0, len(gram)))
    taken: list[int] = []
    while len(taken) < most:
        usable = allowed & (left > DEPENDENT * size)
        usable[taken] = False
        if not usable.any():
            break
        gain = np.where(usable, along**2 / np.where(usable, left, 1.0), -1.0)
        j = int(np.argmax(gain))
        row = (gram[j] - basis[:, j] @ basis) / np.sqrt(left[j])
        along = along - along[j] / np.sqrt(left[j]) * row
        left = left - row**2
        basis = np.concatenate([basis, row[None]])
        taken.append(j)
    path = [np.array(taken, int)]
    while len(path[-1]) > 1:
        support = path[-1]
        inverse = np.linalg.pinv(gram[support[:, None], support], rcond=1e-14, hermitian=True)
        w = inverse @ mixed[support]
        raised = w**2 / np.maximum(np.diag(inverse), np.finfo(float).tiny)
        path.append(np.delete(support, np.argmin(raised)))
    return path


def _shortest(moments: _Moments, without: int | None = None, most: int = MOST) -> tuple[np.ndarray, np.ndarray]:
    """The shortest sum that predicts no worse than the best, and the mean squares of its residuals by block."""
    allowed = np.ones(len(moments.gram[0]), bool)
    if without is not None:
        allowed[without] = False
    path = _path(moments, allowed, min(most, int(moments.rows.sum()) // 4))
    errors = np.stack([moments.errors(support) for support in path])
    best = errors[np.argmin(errors.mean(axis=1))]
    worse = errors - best
    within = worse.mean(axis=1) <= worse.std(axis=1, ddof=1) / np.sqrt(errors.shape[1])
    last = int(np.flatnonzero(within).max())
    return np.sort(path[last]), errors[last]


def _varied(moments, table, rough, target, support, w, parts) -> tuple[list[np.ndarray], list[float]]:
    """The same terms without each block, and at less resolution; and each other term by what it may count."""
    out, shares = [], []
    for b in range(len(parts)):
        other = np.zeros_like(w)
        other[support] = moments.fit(support, b)
        out.append(other)
        shares.append((len(parts) - 1) / len(parts))
    other = np.zeros_like(w)
    other[support] = np.linalg.lstsq(rough[:, support], target, rcond=1e-12)[0]
    out.append(other)
    shares.append(1.0)
    gram, mixed = moments.gram.sum(axis=0), moments.mixed.sum(axis=0)
    within = np.linalg.lstsq(gram[support[:, None], support], gram[support], rcond=1e-14)[0]
    left = np.diag(gram) - np.sum(gram[support] * within, axis=0)
    known = left > DEPENDENT * np.diag(gram)
    known[support] = False
    each = np.stack([m - g @ w for m, g in zip(moments.mixed, moments.gram, strict=True)])
    each = each - each[:, support] @ within
    size = np.linalg.norm(each, axis=0) / np.where(known, left, 1.0)
    size = np.hypot(size, (mixed - gram @ w) / np.where(known, left, 1.0))
    each = np.zeros((int(known.sum()), len(w)))
    each[:, known] = np.diag(size[known])
    each[:, support] = -(size * within).T[known]
    # Their sum of squares along anything, from few: the principal ones.
    _, lengths, axes = np.linalg.svd(each, full_matrices=False)
    for length, axis in zip(lengths, axes, strict=True):
        if length > LEAST * lengths[0]:
            out.append(w + length * axis)
            shares.append(1.0)
    return out, shares


def _rivals(moments, table, rough, targets, support, squares) -> list[np.ndarray]:
    """What vanishes on the data: differences from sums that do without a term found, and misfit by no more than the
    measurement of their terms explains; as large as it may be to vanish so far."""
    out, w = [], np.zeros(table.shape[1])
    w[support] = moments.fit(support)
    contribution = np.abs(w) * np.sqrt(np.mean(table**2, axis=0))
    unknown = targets[0] - table @ w - (targets[1] - rough @ w)
    # A term that counts for less than what is not known of the rest is none that another could stand in for.
    least = EXPLAINED * max(np.sqrt(squares.mean()), np.sqrt(np.mean(unknown**2)))
    for j in support[contribution[support] > least]:
        kept, errors = _shortest(moments, int(j), len(support) + RESERVE)
        other = np.zeros_like(w)
        other[kept] = moments.fit(kept)
        fine, coarse = (y - part @ other for part, y in zip((table, rough), targets, strict=True))
        worse = errors - squares
        noise = worse.std(ddof=1) / np.sqrt(len(worse))
        explained = EXPLAINED * np.sqrt(np.mean((fine - coarse) ** 2))
        if worse.mean() <= noise or np.sqrt(errors.mean()) <= explained:
            left = np.sqrt(np.mean((table @ (other - w)) ** 2))
            out.append((other - w) * max(1.0, least / max(left, np.finfo(float).tiny)))
    return out


def _shared(features: np.ndarray, residual: np.ndarray, y: np.ndarray, parts: list[np.ndarray]) -> float:
    """The relative misfit that a row shares with the nearest row of another block, whose noise is its own."""
    spread = features.std(axis=0)
    z = features[:, spread > 0] / spread[spread > 0]
    variation = np.sum((y - y.mean(axis=0)) ** 2) / len(y)
    if z.shape[1] == 0 or variation == 0 or len(parts) < 2:
        return 0.0
    products = []
    for part in parts:
        others = np.setdiff1d(np.arange(len(z)), part)
        near = neighbors.NearestNeighbors(n_neighbors=1).fit(z[others]).kneighbors(z[part], return_distance=False)[:, 0]
        products.append(np.mean(np.sum(residual[part] * residual[others[near]], axis=1)))
    mean = float(np.mean(products) - np.std(products, ddof=1) / np.sqrt(len(products)))
    return float(np.sqrt(max(mean, 0.0) / variation))
