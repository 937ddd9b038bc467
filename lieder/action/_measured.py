"""Where measured generators come from: what a verb needs that may move a found symmetry within its error."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ..linalg import relative_spectrum
from ._abstract import AbstractFibreAction


@dataclass(frozen=True, eq=False)
class Measured:
    """The candidates among which generators were found, and how well the data tell these from their neighbours.

    Fields: `candidates`, the action of all q; `rows` (r, q), the coefficients found; `numerator`, `denominator`,
        factors whose quotient |numerator xi| / |denominator xi| is the relative defect; `limit`, the largest defect
        that cannot be told from those found; `points` (N, n), a sample of the inputs.
    """

    candidates: AbstractFibreAction
    rows: Float[np.ndarray, "r q"]
    numerator: Float[np.ndarray, "a q"]
    denominator: Float[np.ndarray, "b q"]
    limit: float
    points: Float[np.ndarray, "N n"]

    def motions(self) -> Float[np.ndarray, " q"]:
        """How much each candidate moves the data; one for those that do not."""
        size = np.linalg.norm(self.denominator, axis=0)
        return np.where(size > 1e-12 * size.max(initial=0.0), size, 1.0)

    def defect(self, rows: Float[np.ndarray, "r q"]) -> float:
        """The largest relative defect of any combination of other generators."""
        spectrum = relative_spectrum(self.numerator @ rows.T, self.denominator @ rows.T, 1e-7)
        return float(spectrum.values.max(initial=0.0))
