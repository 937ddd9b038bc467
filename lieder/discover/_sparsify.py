"""The simplest generators that the evidence cannot tell from the found ones."""

import numpy as np
from jaxtyping import Float

from ..action import AbstractAction
from ..late import sympy
from ..linalg import row_echelon, simplest_numbers, varimax

LADDER = (0.3, 0.2, 0.1, 0.05, 0.02, 0.01, 1e-3, 1e-4, 1e-6, 1e-8, 1e-10)
DENOMINATOR = 12  # larger ones are no simpler than the decimal number
NEGLIGIBLE = 1e-9  # share of the largest term of a printed field below which a term is what rounding left
ALIKE = 0.98  # least cosine, in the action on the data, between a found generator and its simple form


def simple_basis(
    found: Float[np.ndarray, "dim q"],
    numerator: Float[np.ndarray, "r q"],
    denominator: Float[np.ndarray, "s q"],
    limit: float,
) -> Float[np.ndarray, "dim q"]:
    """A basis of nearly the same space with few non-zeros and simple fractions.

    Three bases are tried (as found, varimax rotation, row echelon form). In each, every generator is rounded as
    coarsely as its relative defect (measured, not assumed) stays below `limit` and its action on the data stays
    alike; the basis with fewest non-zeros wins.

    Arguments: `found`, rows of coefficients; `numerator`, `denominator`, the factors of the relative defect; `limit`,
        the largest defect allowed.
    Returns: (dim, q), each row with largest entry 1 in size.
    """
    if len(found) == 0:
        return found
    weights = np.linalg.norm(denominator, axis=0)
    orthonormal = np.linalg.qr(found.T)[0].T
    bases = [row_echelon(found, weights), varimax(orthonormal), found]
    if len(found) == 1:
        bases = bases[-1:]
    simple = [np.array([_rounded(row, numerator, denominator, limit) for row in basis]) for basis in bases]
    independent = [rows for rows in simple if np.linalg.matrix_rank(rows, tol=1e-6) == len(found)]
    best = min(
        independent or [found], key=lambda rows: (np.count_nonzero(rows), np.sum(np.abs(rows) != np.round(rows)))
    )
    return best[np.argsort(np.argmax(best != 0, axis=1), kind="stable")]


def printable(
    row: Float[np.ndarray, " q"],
    digits: int,
    numerator: Float[np.ndarray, "r q"],
    denominator: Float[np.ndarray, "s q"],
    limit: float,
) -> tuple[Float[np.ndarray, " q"], int]:
    """A generator without what its digits would hide, and digits that do not make it another one.

    Coefficients whose motion of the data is below half a unit in the last digit are left out, and numbers are written
    as the whole number that they round to, only while the relative defect of what is then printed stays below `limit`
    (or below that of the row itself).

    Arguments: `row` (q,); `digits` asked for; the factors of the relative defect; `limit`.
    Returns: the row to be printed; digits, at most three more than asked for.
    """
    limit = max(limit, 1.01 * _defect(row, numerator, denominator))
    moved = np.abs(row) * np.linalg.norm(denominator, axis=0)
    short = np.where(moved > 0.5 * 10.0**-digits * moved.max(initial=0.0), row, 0.0)
    if _defect(short, numerator, denominator) <= limit:
        row = short
    for more in range(4):
        text = np.array([float(f"{value:.{digits + more}g}") for value in row])
        whole = np.where(text == np.round(text), text, row)
        if _defect(whole, numerator, denominator) <= limit:
            return row, digits + more
    return row, digits + 3


def _defect(row: np.ndarray, numerator: np.ndarray, denominator: np.ndarray) -> float:
    size = np.linalg.norm(denominator @ row)
    return float(np.linalg.norm(numerator @ row) / size) if size > 0 else np.inf


def _rounded(row: np.ndarray, numerator: np.ndarray, denominator: np.ndarray, limit: float) -> np.ndarray:
    row = row / np.abs(row).max()
    length = np.linalg.norm(denominator @ row)
    # Coefficients are rounded by how much it changes the motion of the data, whatever the units of their columns.
    weight = np.linalg.norm(denominator, axis=0)
    moved = np.abs(row) * weight
    step = np.divide(moved.max(), weight, out=np.full_like(weight, np.inf), where=weight > 0)
    for within in LADDER:
        rounded = simplest_numbers(row, within * step, DENOMINATOR)
        size = np.linalg.norm(denominator @ rounded)
        if size == 0 or np.abs(rounded).max() == 0:
            continue
        alike = np.dot(denominator @ rounded, denominator @ row) / (size * length)
        if np.linalg.norm(numerator @ rounded) <= limit * size and alike >= ALIKE:
            return rounded / np.abs(rounded).max()
    return row


def orientation(action: AbstractAction, row: Float[np.ndarray, " q"]) -> float:
    """The sign that writes scalings and translations with a plus and rotations as x d/dy - y d/dx."""
    symbols: list[sympy.Symbol]
    if own := action.own_coordinates(row):  # those it is printed in: of the data's columns there may be thousands
        symbols, written = [sympy.Symbol(name, real=True) for name in own[0]], own[1]
    else:
        symbols = [sympy.Dummy(real=True) for _ in range(action.width)]
        written = action.symbolic(row, symbols, symbols)
    components = [sympy.expand(c) for c in written]
    signs = []
    for symbol, component in zip(symbols, components, strict=True):
        used = component.free_symbols  # fields on grids have hundreds of columns and use a few in each component
        for along in (component.coeff(symbol), component.subs(dict.fromkeys(used, 0))):
            if along.is_number and along.is_real and along != 0:  # not the infinity of 1 / tan(0)
                return 1.0 if along > 0 else -1.0
        linear = [component.coeff(other) for other in symbols if other in used]
        terms = [c for c in linear if c.is_number and c != 0] or sympy.Add.make_args(component)
        signs += [term.as_coeff_Mul()[0] > 0 for term in terms if term != 0]
    if not signs or all(signs):
        return 1.0
    # Mixed signs are a turn: the first coordinate then loses what the second gains.
    return -1.0 if signs[0] or not any(signs) else 1.0
