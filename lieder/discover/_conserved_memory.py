"""Whether what a function does along trajectories is motion: noise with a memory is not white, and looks like it."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

LEAST = 0.1  # share of the changes that the states must explain; motion has 0.6 and more, noise with a memory nothing
NEAR = 0.3  # defects above it are no matter of noise
_WINDOWS = (24, 12, 6)  # of a trajectory, over which changes are looked at
_RIDGE = 1e-6
NOTE = (
    "the states do not explain how the function that changes least changes along trajectories, so that it may be noise"
    " with a memory, as of columns that were smoothed or differentiated, which no row shows. Give columns as they were"
    " measured, or the error that is left in them as error="
)


def explained(values: Sequence[Float[np.ndarray, "_ D"]], direction: Float[np.ndarray, " D"]) -> float:
    """The share of a function's changes from one window of time to the next that functions of the state predict.

    Of a motion x' = U(x) the change of I is DI U, a function of the state; of noise it is none. The prediction is
    linear in the functions themselves, made from every other trajectory and judged on the rest.

    Arguments: `values` (T, D) of the functions along each trajectory; `direction`, I = values @ direction.
    Returns: at most 1, the best over three lengths of windows; 1 where there are too few rows to say.
    """
    best = []
    for windows in _WINDOWS:
        changes, states, owner = [], [], []
        for k, one in enumerate(values):
            if len(one) < 2 * windows:
                continue
            means = np.array([piece.mean(axis=0) for piece in np.array_split(one, windows)])
            changes.append(np.diff(means @ direction))
            states.append((means[1:] + means[:-1]) / 2)
            owner.append(np.full(windows - 1, k % 2))
        if len(changes) < 4:
            continue
        y, x, half = np.concatenate(changes), np.concatenate(states), np.concatenate(owner)
        x = x - x.mean(axis=0)
        size = np.linalg.norm(x, axis=0)
        x = np.column_stack([np.full(len(x), len(x) ** -0.5), x[:, size > 0] / size[size > 0]])
        if min(np.sum(half == 0), np.sum(half == 1)) <= 2 * x.shape[1]:
            continue
        missed = 0.0
        for out in (0, 1):
            a, b = x[half != out], y[half != out]
            fitted = np.linalg.solve(a.T @ a + _RIDGE * np.eye(a.shape[1]), a.T @ b)
            missed += float(np.sum((y[half == out] - x[half == out] @ fitted) ** 2))
        total = float(y @ y)
        best.append(1.0 - missed / total if total > 0 else 1.0)
    return max(best, default=1.0)
