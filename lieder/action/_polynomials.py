"""Polynomial vector fields by their coefficients, and their brackets, exactly."""

from collections import defaultdict

import numpy as np
from jaxtyping import Float

from .. import dictionary as families
from ..algebra import Span
from ..linalg import MatrixStack
from ._fields import FieldAction

# Exponents of a monomial, and its coefficient in each component.
Polynomial = dict[tuple[int, ...], Float[np.ndarray, " n"]]
_ROUNDING = 1e-13  # share of the largest coefficient that is left of terms that cancel


def polynomials_of(action: FieldAction) -> list[Polynomial]:
    """The fields of an action in a dictionary of monomials."""
    powers, matrices = action.dictionary.exponents, action.generators.dense()
    assert powers is not None  # our own bug
    keys = [tuple(int(a) for a in row) for row in powers]
    return [{key: one[:, a] for a, key in enumerate(keys) if one[:, a].any()} for one in matrices]


def polynomial_bracket(x: Polynomial, y: Polynomial) -> tuple[Polynomial, float]:
    """DY X - DX Y with its largest coefficient one, and the size of both terms in this unit."""
    first, second = _along(y, x), _along(x, y)
    nothing = np.zeros(len(next(iter({**x, **y}.values()), [])))
    total = {key: first.get(key, nothing) - second.get(key, nothing) for key in first.keys() | second.keys()}
    size = sum(float(np.linalg.norm([np.linalg.norm(c) for c in one.values()])) for one in (first, second) if one)
    largest = max((float(np.abs(c).max()) for c in total.values()), default=0.0)
    if largest <= _ROUNDING * size:
        return {}, 0.0
    kept = {key: c / largest for key, c in total.items() if np.abs(c).max() > _ROUNDING * size}
    return kept, size / largest


def _along(field: Polynomial, direction: Polynomial) -> Polynomial:
    """The derivative of one field along another."""
    out: Polynomial = defaultdict(float)  # type: ignore[assignment]
    for a, c in field.items():
        for j, power in enumerate(a):
            if power == 0:
                continue
            lower = (*a[:j], power - 1, *a[j + 1 :])
            for b, d in direction.items():
                if d[j] != 0:
                    key = tuple(p + q for p, q in zip(lower, b, strict=True))
                    out[key] = out[key] + power * d[j] * c
    return dict(out)


def coefficients(fields: list[Polynomial]) -> Float[np.ndarray, "r k"]:
    """All coefficients, one column a field."""
    keys = sorted(set().union(*fields))
    n = len(keys[0]) if keys else 1
    nothing = np.zeros(n)
    return np.stack([np.concatenate([one.get(key, nothing) for key in keys]) for one in fields], axis=1)


def polynomial_action(fields: list[Polynomial], n: int, span: Span) -> FieldAction:
    """The fields as an action in the polynomials of the degree that they need."""
    degree = max(1, *(sum(key) for one in fields for key in one))
    functions = families.polynomials(n, degree)
    where = {tuple(int(a) for a in row): k for k, row in enumerate(functions.exponents)}
    matrices = np.zeros((len(fields), n, functions.size))
    for k, one in enumerate(fields):
        for key, c in one.items():
            matrices[k, :, where[key]] = c
    return FieldAction(span, MatrixStack.from_dense(matrices), functions, (("points", n),))
