"""The published recovery experiment, draw for draw, and the least numbers of samples that it found.

    problem = instance("ortho", "t", 6, 1, 3, seed=0)

F = phi(y), phi a polynomial of degree d in r features with coefficients U(0, 1): y = U^T x with orthonormal U
("ortho") or y_k = |x - c_k|^2 with c_k uniform in [-1, 1]^m ("quad"). Random numbers as published: NumPy's legacy
generator for the polynomial and the inputs, JAX's threefry (not partitionable) for the collocation points, one more
than the monomials of the derivative.

Source of the experiment and its figures: Otto, Zolman, Kutz, Brunton, A unified framework to enforce, discover, and
promote symmetry in machine learning, 2025.
"""

from math import comb
from typing import NamedTuple

import jax
import numpy as np

from lieder import dictionary

# (family, algebra, m, r, d, seed): least N with a relative largest coefficient error below 5e-3, by bisection.
PUBLISHED = {
    ("ortho", "t", 5, 1, 2, 0): 13,
    ("ortho", "t", 5, 1, 2, 1): 13,
    ("ortho", "t", 5, 2, 2, 0): 18,
    ("ortho", "t", 6, 1, 3, 0): 30,
    ("ortho", "t", 10, 2, 2, 0): 53,
    ("ortho", "t", 20, 2, 2, 0): 108,
    ("ortho", "se", 5, 1, 2, 0): 13,
    ("ortho", "se", 5, 1, 2, 1): 13,
    ("ortho", "se", 6, 1, 3, 0): 47,
    ("ortho", "se", 6, 2, 3, 1): 69,
    ("ortho", "se", 10, 2, 2, 0): 53,
    ("quad", "se", 5, 1, 1, 0): 17,
    ("quad", "se", 5, 1, 2, 0): 86,
    ("quad", "se", 5, 2, 2, 0): 109,
}

# (family, algebra, m, r, d): median of ten seeds, where it was published.
MEDIANS = {
    ("ortho", "t", 10, 1, 2): 32,
    ("ortho", "t", 20, 1, 2): 72,
    ("ortho", "t", 30, 1, 2): 136,
    ("ortho", "t", 20, 2, 2): 108,
    ("ortho", "t", 20, 3, 2): 132,
    ("ortho", "t", 10, 1, 3): 79,
    ("ortho", "t", 8, 1, 4): 185,
    ("ortho", "se", 10, 1, 2): 31,
    ("ortho", "se", 20, 1, 2): 62,
    ("ortho", "se", 30, 1, 2): 118,
    ("ortho", "se", 10, 1, 3): 79,
    ("quad", "se", 10, 1, 1): 30,
    ("quad", "se", 20, 1, 1): 53,
    ("quad", "se", 30, 1, 1): 71,
    ("quad", "se", 6, 1, 2): 111,
    ("quad", "se", 10, 1, 2): 209,
    ("quad", "se", 6, 2, 2): 169,
}


class Instance(NamedTuple):
    """`degree` of the library of monomials, D of them; `coefficients` (D,); `x` (D + 1, m), `y` (D + 1,), in the order
    in which samples are taken; `collocation` (C, m).
    """

    degree: int
    coefficients: np.ndarray
    x: np.ndarray
    y: np.ndarray
    collocation: np.ndarray


def library(m: int, degree: int) -> dictionary.Polynomials:
    """All monomials in m variables up to a degree."""
    return dictionary.polynomials(m, degree)


def values(x: np.ndarray, powers: np.ndarray) -> np.ndarray:
    """Monomials with exponents `powers` (D, m) at points x (N, m)."""
    return np.prod(x[:, None, :] ** powers[None], axis=-1)


def instance(family: str, algebra: str, m: int, r: int, d: int, seed: int) -> Instance:
    """One published problem."""
    np.random.seed(seed)
    inner = library(r, d).exponents
    weights = np.random.rand(len(inner))
    if family == "ortho":
        axes = np.linalg.svd(np.random.normal(size=(m, r)))[0][:r]
        degree = d

        def features(x):
            return x @ axes.T
    else:
        centres = np.random.uniform(-1, 1, r * m).reshape(r, m)
        degree = 2 * d

        def features(x):
            return ((x[:, None, :] - centres[None]) ** 2).sum(-1)

    powers = library(m, degree).exponents
    x = np.random.uniform(-1.0, 1.0, size=(len(powers) + 1, m))
    dense = np.random.default_rng(0).uniform(-1, 1, (3 * len(powers) + 20, m))
    at_dense = values(features(dense), inner) @ weights
    coefficients = np.linalg.lstsq(values(dense, powers), at_dense, rcond=None)[0]
    count = comb(m + (degree - 1 if algebra == "t" else degree), m) + 1
    with jax.enable_x64(True), jax.threefry_partitionable(False):
        points = np.asarray(jax.random.uniform(jax.random.PRNGKey(seed), (count, m), minval=-1, maxval=1))
    return Instance(degree, coefficients, x, values(features(x), inner) @ weights, points)
