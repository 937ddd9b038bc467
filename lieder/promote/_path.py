"""A path over strengths, from nothing broken to nothing promoted, with cross-validated errors."""

import os
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, Float, Int

from .. import report
from ..files import read_record, write_record
from ._checkpoint import FORMAT

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SLIGHT = 1.0  # log odds that are not worth more than a bare mention
_STRONG = 3.0  # log odds that are strong; the best strength alone brings more than 1 by chance in 8 % of draws


@dataclass(frozen=True, eq=False)
class RegressionPath:
    """The fits for descending strengths alpha.

    Fields: `alphas` (s,); `coefficients` W (s, m, D); `intercepts` (s, m); `singular_values` (s, q) of L_F; `kept`
        (s,), how many generators are not broken; `violations` (s, c), |K_g F - F| / |g - 1| of finite elements, one
        for each cyclic group of them, and `holding` (s, c), which of these are kept; `gaps` (s,), relative duality
        gaps; `iterations` (s,); `losses` (s,), mean squared errors on the data; `errors` (folds, s), those on examples
        left out; `ridges` (s,), the strength of the ridge term; `evidence` (s,), the logarithm of the odds of what
        refits keep, else NaN; `refitted`, whether coefficients, losses, errors and what is kept are those of refits,
        among functions that keep exactly what each fit proposes, the last of which, strength 0, keep nothing;
        `kept_tolerance`; `examples`, their number.
    """

    alphas: Float[np.ndarray, " s"]
    coefficients: Float[np.ndarray, "s m D"]
    intercepts: Float[np.ndarray, "s m"]
    singular_values: Float[np.ndarray, "s q"]
    kept: Int[np.ndarray, " s"]
    violations: Float[np.ndarray, "s c"]
    holding: Bool[np.ndarray, "s c"]
    gaps: Float[np.ndarray, " s"]
    iterations: Int[np.ndarray, " s"]
    losses: Float[np.ndarray, " s"]
    errors: Float[np.ndarray, "folds s"]
    ridges: Float[np.ndarray, " s"]
    evidence: Float[np.ndarray, " s"]
    refitted: bool
    kept_tolerance: float
    examples: int

    @property
    def error(self) -> Float[np.ndarray, " s"]:
        """The mean over folds of the error on examples left out."""
        return self.errors.mean(axis=0)

    @property
    def deviation(self) -> Float[np.ndarray, " s"]:
        """The standard error of that mean."""
        return self.errors.std(axis=0, ddof=1) / np.sqrt(len(self.errors))

    @property
    def best(self) -> int:
        """The position of the least error."""
        return int(np.argmin(self.error))

    @property
    def position(self) -> int:
        """The position that is chosen.

        Of fits: the largest strength whose error is within one standard error of the least. Of refits: that with most
        evidence, the first of equals, in which what is kept has the prior probability that the number of choices
        leaves it; but nothing is broken unless that is e times as likely, and finite elements not all at once unless
        that is 20 times as likely. Of fewer examples than functions evidence is mostly prior: finite elements are kept
        then only where the refit errs less on examples left out than that which keeps nothing, by more than one
        standard error of the difference.

        Reference: Breiman, Friedman, Olshen, Stone, Classification and regression trees, 1984, section 3.4.3; MacKay,
        Bayesian interpolation, 1992.
        """
        if not self.refitted:
            return int(np.flatnonzero(self.error <= self.error[self.best] + self.deviation[self.best])[0])
        found = int(np.argmax(self.evidence))
        whole = np.flatnonzero((self.kept == self.singular_values.shape[1]) & self.holding.all(axis=1))
        none = self.holding.shape[1] > 0 and self.kept[found] + self.holding[found].sum() == 0
        if len(whole) and self.evidence[found] < self.evidence[whole[0]] + (_STRONG if none else _SLIGHT):
            found = int(whole[0])
        if self.holding.shape[1] > 0 and self.alphas[-1] == 0.0 and self.examples < self.coefficients.shape[2]:
            more = self.errors[:, found] - self.errors[:, -1]
            if more.mean() > -more.std(ddof=1) / np.sqrt(len(more)):
                return len(self.alphas) - 1
        return found

    @property
    def chosen(self) -> float:
        """The strength at `position`."""
        return float(self.alphas[self.position])

    def plot(self, title: str = "Regression over strengths") -> "Figure":
        """The errors on examples left out, and what is kept, over the strength.

        Arguments: `title`.
        Returns: a matplotlib Figure of two panels: the mean squared error on examples left out with its standard error,
            the least and the chosen one marked; and the singular values of L_F, relative to the largest, in two colours
            for kept and broken candidates.
        """
        drawn = np.arange(len(self.alphas))
        if len(drawn) > 1 and self.alphas[-1] == 0.0:  # no place on a logarithmic axis, unless it is the answer
            drawn = drawn[:-1]
        alphas = self.alphas[drawn]
        position = min(self.position, len(drawn) - 1)
        values = np.concatenate([self.singular_values, self.violations], axis=1)[drawn]
        kept = (self.kept + self.holding.sum(axis=1))[drawn]
        return report.path_figure(alphas, self.error[drawn], self.deviation[drawn], values, kept, position, title=title)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write to a file (.npz), in one step: a reader finds the old file or the new one.

        Arguments: `path`.
        Returns: it.
        Raises: OSError for a folder, or a file in one that does not exist.
        """
        return write_record(path, {"path": self.content()}, FORMAT)

    def content(self) -> dict[str, Any]:
        """The fields by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "RegressionPath":
        """Read what `save` wrote, or the checkpoint of a path that is finished.

        Arguments: `path`.
        Returns: the path.
        Raises: FileNotFoundError; ValueError for a file that holds something else.
        """
        found = read_record(path, FORMAT, "RegressionPath.save")["path"]
        if found is None:
            raise ValueError(f"path: '{path}' holds no finished RegressionPath; pass it as `checkpoint` to go on.")
        return cls(**found)
