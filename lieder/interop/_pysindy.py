"""Feature libraries of pysindy: their functions and Jacobians, in their own column order."""

import copy
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from ._differences import central_differences
from ._foreign import ForeignModel, ancestors


def is_pysindy(obj) -> bool:
    """Whether an object is a feature library of pysindy.

    Returns: True for instances of its `BaseFeatureLibrary`; pysindy is not imported for it.
    """
    return any(module.split(".")[0] == "pysindy" and name == "BaseFeatureLibrary" for module, name in ancestors(obj))


def from_pysindy(library, width: int, seed: int = 0) -> ForeignModel:
    """The functions of a library as one model of `width` states.

    Polynomial libraries have exact Jacobians; of all others they are central differences.

    Arguments: `library`, which stays as it is (a copy is fitted); `width` n; `seed`, of the points at which the steps
    of differences are chosen.
    Returns: the model, from (N, n) to (N, D), columns in the order of the library.
    Raises: TypeError when it is no library of pysindy; ValueError when it cannot be fitted to `width` states.
    """
    if not is_pysindy(library):
        raise TypeError(f"library: expected a feature library of pysindy, got {type(library).__name__}.")
    points = np.random.default_rng(seed).standard_normal((64, width))
    own = copy.deepcopy(library)
    try:
        own.fit(points)
    except Exception as fault:
        raise ValueError(f"library: {type(library).__name__} cannot be fitted to {width} states: {fault}") from fault
    if any(name == "PolynomialLibrary" for _, name in ancestors(own)):
        monomials = _Monomials(np.asarray(own.powers_, np.int64))
        return ForeignModel(monomials, monomials.jacobians, "monomials of pysindy, exact Jacobians")
    return central_differences(_Library(own), points, seed)


@dataclass(frozen=True, eq=False)
class _Library:
    """A fitted library as a plain function of a batch."""

    library: object

    def __call__(self, x: np.ndarray) -> np.ndarray:
        return np.asarray(self.library.transform(x), np.float64)  # pyright: ignore[reportAttributeAccessIssue]


@dataclass(frozen=True, eq=False)
class _Monomials:
    """Products of powers, with their Jacobians."""

    powers: Int[np.ndarray, "size width"]

    def __call__(self, x: np.ndarray) -> np.ndarray:
        return np.prod(x[:, None, :] ** self.powers, axis=2)

    def jacobians(self, x: np.ndarray) -> np.ndarray:
        """(N, D, n)."""
        slopes = []
        for j in range(x.shape[1]):
            lower = self.powers.copy()
            lower[:, j] = np.maximum(lower[:, j] - 1, 0)
            slopes.append(self.powers[:, j] * np.prod(x[:, None, :] ** lower, axis=2))
        return np.stack(slopes, axis=2)
