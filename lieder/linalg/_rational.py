"""The simplest numbers near given ones, and reduced row echelon form of a subspace."""

from fractions import Fraction

import numpy as np
from jaxtyping import Float


def simplest_fraction(value: float, within: float) -> Fraction:
    """The fraction of smallest denominator (then numerator) in [value - within, value + within].

    Found by walking the continued fractions of the two ends (Stern-Brocot order).

    Arguments: `value`; `within` >= 0, in its units.
    Returns: a Fraction.
    """
    low, high = Fraction(value) - Fraction(within), Fraction(value) + Fraction(within)
    if low <= 0 <= high:
        return Fraction(0)
    if high < 0:
        return -_between(-high, -low)
    return _between(low, high)


def _between(low: Fraction, high: Fraction) -> Fraction:
    whole = -(-low.numerator // low.denominator)  # ceiling
    if whole <= high:
        return Fraction(whole)
    below = whole - 1
    return below + 1 / _between(1 / (high - below), 1 / (low - below))


def simplest_numbers(
    values: Float[np.ndarray, " q"], within: Float[np.ndarray, " q"], largest: int
) -> Float[np.ndarray, " q"]:
    """`simplest_fraction` of many numbers at once, where its denominator is at most `largest`; others as they are.

    Arguments: `values` (q,); `within` (q,) >= 0, infinite where any number will do; `largest` >= 1.
    Returns: (q,).
    """
    size = np.abs(values)
    out, left = np.where(size <= within, 0.0, values), size > within
    for denominator in range(1, largest + 1):
        numerator = np.ceil(denominator * (size - within))
        fits = left & (numerator <= denominator * (size + within))
        out[fits] = np.sign(values[fits]) * numerator[fits] / denominator
        left &= ~fits
    return out


def row_echelon(rows: Float[np.ndarray, "r q"], weights: Float[np.ndarray, " q"]) -> Float[np.ndarray, "r q"]:
    """Reduced row echelon form of a span, pivots chosen by size and by how much their column matters.

    Arguments: `rows` (r, q) of full row rank; `weights` (q,), by which entries are multiplied in the choice of pivots.
    Returns: (r, q), one in each pivot and zero elsewhere in its column.
    """
    reduced = np.array(rows, dtype=np.float64)
    for step in range(len(reduced)):
        remaining = np.abs(reduced[step:]) * weights
        row, column = np.unravel_index(np.argmax(remaining), remaining.shape)
        reduced[[step, step + row]] = reduced[[step + row, step]]
        reduced[step] /= reduced[step, column]
        others = np.arange(len(reduced)) != step
        reduced[others] -= np.outer(reduced[others, column], reduced[step])
    return reduced


def varimax(rows: Float[np.ndarray, "r q"], sweeps: int = 200) -> Float[np.ndarray, "r q"]:
    """The orthogonal rotation of an orthonormal basis that makes the squares of its entries most unequal.

    Arguments: `rows` (r, q) orthonormal; `sweeps`, at most so many (default 200; a few dozen are the rule).
    Returns: (r, q), orthonormal rows of the same span.
    Reference: Kaiser (1958), the varimax criterion.
    """
    rotated = np.array(rows, dtype=np.float64)
    r = len(rotated)
    turn = np.eye(r)
    for _ in range(sweeps):
        current = turn @ rows
        gradient = (current**3 - current * (current**2).mean(axis=1, keepdims=True)) @ rows.T
        u, _, vt = np.linalg.svd(gradient)
        new = u @ vt
        if np.linalg.norm(new - turn) < 1e-12:
            break
        turn = new
    return turn @ rows
