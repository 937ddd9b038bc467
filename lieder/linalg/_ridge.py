"""Least squares with a ridge term, at every strength at once."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ._right import right_singular

_NOTHING = 1e-10  # singular values of a penalty, relative to the largest, that are rounding
_EXACT = 1e-12  # residuals, squared and relative, below it are rounding
_CERTAIN = 1e-9  # leverages are taken this far below one


@dataclass(frozen=True, eq=False)
class Ridge:
    """min |Z a - y|^2 + s |R a|^2 for any strength s, where Z may be the triangular factor of many rows.

    Fields: `free` (N, f), an orthonormal basis of what is fitted without penalty; `modes` (N, r), of the rest of the
        range of Z, in which the fitted values shrink by `squares` / (`squares` + s), (r,); `values` y (N,);
        `to_free` (d, f) and `to_modes` (d, r), by which rows of Z are multiplied to give those of `free` and `modes`.
    """

    free: Float[np.ndarray, "N f"]
    modes: Float[np.ndarray, "N r"]
    squares: Float[np.ndarray, " r"]
    values: Float[np.ndarray, " N"]
    to_free: Float[np.ndarray, "d f"]
    to_modes: Float[np.ndarray, "d r"]

    def left_out(
        self,
        strengths: Float[np.ndarray, " s"],
        design: Float[np.ndarray, "B d"],
        values: Float[np.ndarray, " B"],
    ) -> Float[np.ndarray, " s"]:
        """The sum of squared errors of rows, each predicted by the fit to all others: r_i / (1 - h_i) by leverages h.

        Arguments: `strengths`, >= 0; `design` and `values`, all rows of Z and y, or some of those that Z and y are the
            triangular factor of.
        Reference: Allen, The relationship between variable selection and data augmentation, 1974, section 4.
        """
        fixed, modes = design @ self.to_free, design @ self.to_modes
        c = self.modes.T @ self.values
        rest = values - fixed @ (self.free.T @ self.values) - modes @ c
        shrunk = _share(self.squares, strengths)  # r, s
        residuals = rest[:, None] + modes @ (c[:, None] * (1.0 - shrunk))
        leverages = (fixed**2).sum(axis=1)[:, None] + modes**2 @ shrunk
        return ((residuals / np.maximum(1.0 - leverages, _CERTAIN)) ** 2).sum(axis=0)

    def log_evidence(self, strengths: Float[np.ndarray, " s"], count: int) -> float:
        """How well the family explains y: the logarithm of its marginal likelihood, at the strength that is best.

            y = Z a + e,    e ~ N(0, t^2 1),    R a ~ N(0, t^2 / s 1)

        with a and the size t of the noise integrated out (t under Jeffreys' prior), but for a constant that depends on
        the number of equations and on `free` alone: families are compared that are given the same of both. A family
        pays for each direction that its prior allowed and the data did not need.

        Arguments: `strengths`, > 0; `count`, the number of equations, which may have been reduced to fewer rows, less
            the number of `free` directions.
        Reference: MacKay, Bayesian interpolation, 1992, section 4.
        """
        outside = self.values - self.free @ (self.free.T @ self.values)
        size = float(outside @ outside)
        if size <= _EXACT**2 * float(self.values @ self.values):
            return 0.0
        c = self.modes.T @ outside
        kept = 1.0 - _share(self.squares, strengths)
        misfit = max(size - float(c @ c), 0.0) + (c * c) @ kept
        found = 0.5 * np.log(kept).sum(axis=0) - 0.5 * count * np.log(np.maximum(misfit / size, _EXACT))
        return float(found.max())


def _share(squares: np.ndarray, strengths: np.ndarray) -> np.ndarray:
    total = squares[:, None] + strengths[None]
    return np.divide(squares[:, None], total, out=np.zeros_like(total), where=total > 0)


def ridge_regression(
    design: Float[np.ndarray, "N d"], penalty: Float[np.ndarray, "M d"], values: Float[np.ndarray, " N"]
) -> Ridge:
    """Set up min |Z a - y|^2 + s |R a|^2 for any strength.

    Arguments: `design` Z; `penalty` R; `values` y.
    Returns: Ridge.
    """
    s, turn = right_singular(penalty)
    seen = s > _NOTHING * s.max(initial=0.0)
    to_free = turn[~seen].T
    free, sizes, right = np.linalg.svd(design @ to_free, full_matrices=False)
    on = sizes > _NOTHING * sizes.max(initial=0.0)
    free, to_free = free[:, on], to_free @ (right[on].T / sizes[on])
    to_modes = turn[seen].T / s[seen]
    moved = design @ to_modes
    along = free.T @ moved
    modes, sizes, right = np.linalg.svd(moved - free @ along, full_matrices=False)
    on = sizes > np.finfo(float).eps * sizes.max(initial=0.0)
    to_modes = (to_modes - to_free @ along) @ (right[on].T / sizes[on])
    return Ridge(free, modes[:, on], sizes[on] ** 2, values, to_free, to_modes)
