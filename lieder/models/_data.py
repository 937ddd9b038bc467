"""The user's arrays, checked; their weights, their scale, and the split into folds."""

from dataclasses import dataclass

import numpy as np

from ..sampling import Groups, real_numbers, shuffled

LEAST_ROWS = 10
FLOOR = 0.01  # quantile of |y| below which relative weights stop growing: the smallest rows must not decide the fit


@dataclass(frozen=True, eq=False)
class Data:
    """Rows (x_i, y_i) with weights w_i >= 0 of mean one: x (N, n), y (N, m), weight (N,); `groups`, which of them hang
    together, None where each stands for itself."""

    x: np.ndarray
    y: np.ndarray
    weight: np.ndarray
    groups: Groups | None = None

    def __getitem__(self, rows: np.ndarray) -> "Data":
        groups = None if self.groups is None else self.groups.among(rows)
        return Data(self.x[rows], self.y[rows], self.weight[rows], groups)

    def shuffled(self, seed: int) -> np.ndarray:
        """The rows in random order, such as hang together or are equal next to each other."""
        return shuffled(self.x, seed) if self.groups is None else self.groups.shuffled(seed)

    def parts(self, count: int) -> list[np.ndarray]:
        """The rows in so many parts, in their order; with groups whole ones, in fewer parts where these are fewer."""
        if self.groups is None or self.groups.count < 2:
            return np.array_split(np.arange(len(self)), count)
        part = self.groups.parts(min(count, self.groups.count), 0)
        return [np.flatnonzero(part == k) for k in range(part.max() + 1)]

    def __len__(self) -> int:
        return len(self.x)

    @property
    def root(self) -> np.ndarray:
        """sqrt(w_i) as a column: what rows of a least-squares problem are multiplied by."""
        return np.sqrt(self.weight)[:, None]

    def square(self, residual: np.ndarray) -> float:
        """The weighted mean of |r_i|^2."""
        return float(np.mean(self.weight * np.sum(residual**2, axis=1)))

    @property
    def variation(self) -> float:
        """The weighted mean of |y_i - mean|^2: a constant part is nothing to be explained. Zero but for rounding counts
        as zero."""
        if not self.weight.any():
            return 0.0
        around = self.square(self.y - np.average(self.y, axis=0, weights=self.weight))
        return around if around > 1e-28 * self.square(self.y) else 0.0


def checked(x, y, weights, folds: int, held_out: float, outputs: str = "y") -> Data:
    """The data of a fit, or an error that says what is wrong with them; `outputs`, what the caller calls y."""
    x, y = _table(x, "x"), _table(y, outputs)
    if len(x) != len(y):
        raise ValueError(
            f"x, {outputs}: expected the same number of rows, got {len(x)} in x and {len(y)} in {outputs}."
        )
    if isinstance(folds, bool) or not isinstance(folds, int | np.integer) or folds < 2:
        raise ValueError(f"folds: expected a whole number of at least 2, got {folds!r}.")
    if not 0 < held_out < 1:
        raise ValueError(f"held_out: expected a fraction of the rows between 0 and 1, got {held_out!r}.")
    if len(x) < LEAST_ROWS:
        raise ValueError(f"x: expected at least {LEAST_ROWS} rows to fit a model and to test it, got {len(x)}.")
    if (kept := len(x) - held(len(x), held_out)) < folds:
        raise ValueError(f"folds: {folds} folds need as many training rows, but only {kept} of {len(x)} rows remain.")
    check_outputs(y, outputs)
    return Data(x, y, _weights(y, weights))


def check_outputs(y: np.ndarray, argument: str) -> None:
    """A ValueError where there is nothing to be fitted."""
    if not np.any(y):
        raise ValueError(f"{argument}: every entry is zero, so there is nothing to fit, and no error relative to it.")


def relative(y: np.ndarray, floor: float | None = None) -> tuple[np.ndarray, float]:
    """Weights 1 / |y_i|^2, where |y_i| is not taken below a floor, and this: by default a quantile."""
    size = np.linalg.norm(y, axis=1)
    floor = float(np.quantile(size[size > 0], FLOOR)) if floor is None else floor
    return 1 / np.maximum(size, floor) ** 2, floor


def held(rows: int, held_out: float) -> int:
    """The number of rows held out: at least one."""
    return max(1, round(rows * held_out))


def standard(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Centre and inverse scale of each column; a constant column has inverse scale zero, and so drops out."""
    centre, scale = x.mean(axis=0), x.std(axis=0)
    moving = scale > 1e-13 * np.abs(centre)
    return centre, np.where(moving, 1 / np.where(moving, scale, 1.0), 0.0)


def _table(a, name: str) -> np.ndarray:
    a = real_numbers(a, name)[0].astype(np.float64)
    a = a[:, None] if a.ndim == 1 else a
    if a.ndim != 2 or a.shape[1] == 0:
        raise ValueError(f"{name}: expected a table of shape (rows, columns), got shape {a.shape}.")
    if not np.isfinite(a).all():
        bad = int(np.sum(~np.isfinite(a).all(axis=1)))
        raise ValueError(f"{name}: {bad} of {len(a)} rows have NaN or infinite entries; drop or repair them first.")
    return a


def _weights(y: np.ndarray, weights) -> np.ndarray:
    if weights is None:
        return np.ones(len(y))
    if isinstance(weights, str):
        if weights != "relative":
            raise ValueError(f"weights: expected None, 'relative' or an array, got {weights!r}.")
        w = relative(y)[0]
    else:
        w = np.asarray(weights, dtype=np.float64)
        if w.shape != (len(y),):
            raise ValueError(f"weights: expected one weight for each of {len(y)} rows, got shape {w.shape}.")
        if not np.isfinite(w).all() or w.min() < 0 or w.max() == 0:
            raise ValueError("weights: expected finite weights of at least zero, not all of them zero.")
    return w / w.mean()
