"""What data say of how combinations of functions change, along an exact field or along noisy trajectories."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True, eq=False)
class Changing:
    """What data say of all combinations c of a dictionary, in standard units (`Family`).

    Fields:
        numerator, denominator: factors; the relative defect of c is |numerator c| / |denominator c|.
        defects: (k,) ascending; directions: (k, D); constant: (r, D), combinations that are one constant on the data.
        resolutions: (k,) the defect below which each direction is not told from a conserved one.
        open: (k,) by how much the square of a defect may grow before noise tells the difference: coefficients are
            rounded within it; of a field its error.
        hidden: how many directions were left aside because noise makes up most of them.
    """

    numerator: Float[np.ndarray, "r D"]
    denominator: Float[np.ndarray, "s D"]
    defects: Float[np.ndarray, " k"]
    directions: Float[np.ndarray, "k D"]
    constant: Float[np.ndarray, "c D"]
    resolutions: Float[np.ndarray, " k"]
    open: Float[np.ndarray, " k"]
    hidden: int = 0
