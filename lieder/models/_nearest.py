"""Whether outputs follow their inputs at all, asked without a model."""

import numpy as np
from jaxtyping import Float

from ..late import neighbors
from ..sampling import drawn_in
from ._data import Data
from ._doubt import explained, standard
from ._ridge import polynomial

FOLDS = 5
ROWS = 5000  # that are asked
NEIGHBOURS = (4, 16)  # few where labels are exact, more where they are noisy


def followed(
    x: Float[np.ndarray, "rows inputs"], y: Float[np.ndarray, "rows outputs"], seed: int = 0
) -> Float[np.ndarray, " outputs"]:
    """By how many standard errors each output is predicted better from x than by its mean: by a few neighbours in
    standardised inputs, by more of them, or by a plane, whichever does best, at rows that these have not seen.

    Arguments: `x` (N, n), `y` (N, m), N >= 5.
    Returns: (m,), at most about two where outputs do not depend on inputs.
    """
    order = np.random.default_rng(seed).permutation(len(x))[:ROWS]
    # One output far from the others would draw their mean to where everything predicts better.
    labels = np.column_stack([drawn_in(column[:, None]) for column in y[order].T])
    data = Data(x[order], labels, np.ones(len(order)))
    folds = np.array_split(np.arange(len(data)), FOLDS)
    residuals = [polynomial(1).validate(data, folds, seed).residual]
    centre, inverse = standard(data.x)
    z = (data.x - centre) * inverse
    for count in NEIGHBOURS:
        residual = np.empty_like(data.y)
        for fold in folds:
            others = np.delete(np.arange(len(data)), fold)
            finder = neighbors.NearestNeighbors(n_neighbors=min(count, len(others))).fit(z[others])
            index = finder.kneighbors(z[fold], return_distance=False)
            residual[fold] = data.y[others][index].mean(axis=1) - data.y[fold]
        residuals.append(residual)
    return np.max([explained(data, folds, residual) for residual in residuals], axis=0)
