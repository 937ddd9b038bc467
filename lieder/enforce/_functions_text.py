"""Equivariant functions as text, in a simple basis; and which invariants are products of others."""

from collections.abc import Sequence
from fractions import Fraction
from math import lcm

import jax
import numpy as np
from jaxtyping import Float

from ..action import AbstractFibreAction
from ..dictionary import AbstractDictionary, sum_text
from ..linalg import row_echelon, simplest_fraction

_NEAR = 1e-8  # a fraction this near to a coefficient is taken for it
_LARGEST = 1000  # common denominators and numerators above this are no simpler than the decimal number
_FIRST = 1e-6  # by so much earlier columns are preferred among equally large ones
_SPARE = 20


def simple_rows(rows: Float[np.ndarray, "dim k"]) -> Float[np.ndarray, "dim k"]:
    """Reduced row echelon form, rows scaled to whole numbers where all their ratios are rational.

    Arguments: `rows` (dim, k), orthonormal.
    Returns: (dim, k), the largest entry about 1 where ratios are irrational; the first entry positive.
    """
    dim, k = rows.shape
    if dim == 0:
        return rows
    occurring = np.flatnonzero(np.abs(rows).max(axis=0) > _NEAR)
    reduced = row_echelon(rows[:, occurring], 1 - _FIRST * np.arange(len(occurring)) / k)
    out = np.zeros((dim, k))
    out[:, occurring] = [_whole(row) for row in reduced]
    first = np.argmax(out != 0, axis=1)
    out *= np.sign(out[np.arange(dim), first])[:, None]
    return out[np.argsort(first, kind="stable")]


def _whole(row: np.ndarray) -> np.ndarray:
    row = np.where(np.abs(row) > _NEAR * np.abs(row).max(), row, 0.0)
    places = np.flatnonzero(row)
    fractions = [simplest_fraction(value, _NEAR * max(1.0, abs(value))) for value in row[places]]
    common = lcm(*(f.denominator for f in fractions))
    whole = [f * common for f in fractions]
    if common > _LARGEST or max(abs(w) for w in whole) > _LARGEST:
        return row / np.abs(row).max()
    shared = np.gcd.reduce([w.numerator for w in whole])
    out = np.zeros(len(row))
    out[places] = [float(Fraction(w, int(shared))) for w in whole]
    return out


def default_names(source: AbstractFibreAction) -> list[str]:
    """x, y, z for up to three inputs, u1 u2 u3 v1 v2 v3 for up to four equal vectors, else x1, x2, .."""
    n, widths = source.width, [width for _, width in source.blocks]
    if n <= 3:
        return list("xyz"[:n])
    if 2 <= len(widths) <= 4 and len(set(widths)) == 1 and widths[0] > 1 and sum(widths) == n:
        return [f"{letter}{i + 1}" for letter in "uvwa"[: len(widths)] for i in range(widths[0])]
    return [f"x{i + 1}" for i in range(n)]


def written(
    rows: Float[np.ndarray, "dim m D"],
    dictionary: AbstractDictionary,
    names: Sequence[str],
    outputs: Sequence[str] | None,
) -> list[str]:
    """Each row as text in the names of the variables."""
    texts = dictionary.texts(names)
    terms = {int(i): texts[i] for i in np.flatnonzero(np.any(rows != 0, axis=(0, 1)))}
    lines = []
    for row in rows:
        parts = [_sum(component, terms) for component in row]
        if outputs is not None:
            lines.append(", ".join(f"{name} = {part}" for name, part in zip(outputs, parts, strict=True)))
        else:
            lines.append(parts[0] if len(parts) == 1 else f"({', '.join(parts)})")
    return lines


def _sum(component: np.ndarray, terms: dict[int, str]) -> str:
    places = np.flatnonzero(component)
    if len(places) == 1 and component[places[0]] == 1:
        term = terms[int(places[0])]
        return term.removeprefix("(").removesuffix(")") if term.startswith("(") else term
    return sum_text(component[places], [terms[int(i)] for i in places], _number)


def _number(size: float) -> str:
    if size == 1:
        return ""
    return f"{size:g}" if size == round(size) else f"{size:.5g}"


def independent_products(
    rows: Float[np.ndarray, "dim m D"], dictionary: AbstractDictionary
) -> Float[np.ndarray, "count m D"]:
    """Rows that are no polynomial in those of lower degree, decided by rank over random points."""
    powers = dictionary.exponents
    if rows.shape[1] != 1 or powers is None:
        raise TypeError(
            f"generators: products are known for one invariant output of polynomials; this has {rows.shape[1]} outputs"
            f" of {type(dictionary).__name__}."
        )
    total = powers.sum(axis=1)
    degree = np.array([total[np.flatnonzero(row[0])].max() for row in rows], dtype=int)
    order = np.argsort(degree, kind="stable")
    x = np.random.default_rng(0).normal(size=(len(rows) + _SPARE, dictionary.width))
    with jax.enable_x64(True):
        values = np.asarray(jax.vmap(dictionary)(x)) @ rows[:, 0].T
    values = values / np.linalg.norm(values, axis=0)
    kept: list[int] = []
    # Columns of each degree: all products of kept generators; a new one adds itself to them.
    products: dict[int, list[np.ndarray]] = {0: [np.ones(len(x)) / np.sqrt(len(x))]}
    for i in order:
        d = int(degree[i])
        if d == 0:
            continue
        span = np.stack([column for low in range(d + 1) for column in products.get(low, [])], axis=1)
        left = values[:, i] - span @ np.linalg.lstsq(span, values[:, i], rcond=1e-11)[0]
        if np.linalg.norm(left) <= 1e-7:
            continue
        kept.append(int(i))
        _add(products, values[:, i], d, int(degree.max()))
    return rows[kept]


def _add(products: dict[int, list[np.ndarray]], new: np.ndarray, degree: int, most: int) -> None:
    """All products with the new column, normalised, up to the largest degree."""
    for low in range(most - degree + 1):
        # Ascending degree: products with its own powers are made from products already made.
        for column in list(products.get(low, [])):
            product = column * new
            products.setdefault(low + degree, []).append(product / np.linalg.norm(product))
