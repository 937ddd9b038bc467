"""Which candidates a fitted function keeps: where the singular values of L_F split into small and large."""

import numpy as np
from jaxtyping import Float

from ..linalg import decide

_ROUNDING = 1e-9  # a norm of L_F of this share of the data is rounding: nothing is broken


def kept(values: Float[np.ndarray, " q"], tolerance: float, size: float, exact: bool) -> int:
    """How many of the singular values of L_F count as zero.

    With noise the small ones are what the noise makes of zero, and no fixed share of the largest tells them from
    others: the largest ratio of neighbours decides, with everything up to the tolerance taken for equal. Measured on
    four problems, 20 draws each with 1 and 5 % of noise, the number is right in 96 % (least: 75 %); with the fixed
    shares .001, .01, .03 of the largest in 38, 81, 91 % (least: 0, 0, 65 %). Without noise everything above the
    tolerance is broken.

    Arguments: `values`; `tolerance`, relative to the largest; `size`, the norm of the data; `exact`, no noise.
    Returns: from 0 to q.
    """
    largest = float(values.max(initial=0.0))
    if largest <= _ROUNDING * size:
        return len(values)
    if exact:
        return decide(values, tolerance=tolerance * largest).count
    return decide(values / largest, resolution=tolerance, top=1.0).count
