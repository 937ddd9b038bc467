"""Symmetries of the distribution that points are drawn from, not of a surface that they lie on."""

from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..action import AbstractAction
from ..dictionary import polynomials
from ..linalg import FoldFactors, TriangularFactor
from ..sampling import drawn_in
from ._accumulator import SHOWN, Reduction
from ._certified import AGAINST
from ._decision import conclude
from ._doubt import Doubt
from ._evidence import rounding_floor
from ._falsify import inputs_moved
from ._question import Question, Rule
from ._reduce import batch_size
from ._symmetries import Symmetries

DEGREES = (4, 3, 2)  # of the test functions; a square is told from a disc by degree 4
ROWS_EACH = 20  # points for each test function, at least
BOUND = 3.0  # spreads at which test functions level off, so that no few points far away decide
STEADY = 1e-3  # of the largest variance of test functions: combinations of less are left out


def density_symmetries(question: Question, rule: Rule, points: Float[np.ndarray, "N n"]) -> Symmetries:
    """The fields v that leave the density p of the points as it is: div(p v) = 0.

    Tested against functions f that is E[v . grad f] = 0, a mean over the points: no density is fitted, and nothing is
    divided by one. rho(xi)^2 is the part of div(p v) / p that test functions of variance one see, over the mean square
    of v in spreads of the points: a translation has 1 at least where they see all. The error of each mean is that of N
    independent points.

    What no test function sees is then looked for by a classifier of points moved ahead from points moved back.

    Arguments: `question`, without target; `rule`; `points` (N, n), that vary in every column that is moved.
    Returns: Symmetries.
    Raises: ValueError for too few points.
    Reference: Hyvaerinen (2005), of which it is the weak form; Lopez-Paz and Oquab (2017), classifier two-sample tests.
    """
    N, n = points.shape
    action = question.source
    degree = next((d for d in DEGREES if ROWS_EACH * polynomials(n, d).size <= N), None)
    if degree is None:
        least = ROWS_EACH * polynomials(n, DEGREES[-1]).size
        raise ValueError(f"z: {N} points are too few for the distribution in {n} columns: give at least {least}.")
    near = np.stack([drawn_in(column[:, None])[:, 0] for column in points.T], axis=1)
    size, axes = np.linalg.eigh(np.cov(near.T).reshape(n, n))
    kept = size > 1e-12 * size[-1]
    white = axes[:, kept] / np.sqrt(size[kept])  # (n, r)
    centre = np.median(points, axis=0)
    with jax.enable_x64(True):
        law, error, moved, count = _moments(action, points, centre, white, degree)
    reduction = Reduction(
        FoldFactors((TriangularFactor(np.sqrt(N) * law, N),)),
        FoldFactors((TriangularFactor(moved, N),)),
        N,
        float(N),
        points[:SHOWN],
        np.zeros((min(N, SHOWN), 0)),
        np.ones(min(N, SHOWN)),
        points[:SHOWN],
        np.ones(min(N, SHOWN)),
        np.dtype(np.float64),
        np.ones(0),
    )
    doubt = Doubt(rounding_floor(np.dtype(np.float64)), f"the error of {count} means over {N} points", error)
    described = f"none; means of {count} test functions of degree {degree} at most"
    found = conclude(question, rule, reduction, doubt, None, described)
    if not found.dim:
        return found
    told = inputs_moved(question, points, np.zeros((N, 0)), found.generators, np.arange(N), rule.seed)
    if told < AGAINST:
        note = f"a classifier tells points moved by it ahead from points moved back (p = {told:.2g})"
        return conclude(question, rule, reduction, replace(doubt, unknown=note), None, described)
    note = f"points moved by it ahead are not told from points moved back by a classifier (p = {told:.2g})"
    return replace(found, evidence=replace(found.evidence, notes=(*found.evidence.notes, note)))


def _moments(
    action: AbstractAction, points: np.ndarray, centre: np.ndarray, white: np.ndarray, degree: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Means over test functions of variance one (r, q), their standard error and the size of the fields as factors, and
    the number of test functions."""
    q, dictionary = action.algebra.dim, polynomials(white.shape[1], degree)

    def tests(z: Array) -> Array:
        return dictionary(BOUND * jnp.tanh((z - centre) @ white / BOUND))[1:]

    values = np.concatenate([np.asarray(part) for part in _batched(jax.jit(jax.vmap(tests)), points, dictionary.size)])
    variance, turn = np.linalg.eigh(np.cov(values.T).reshape(values.shape[1], -1))
    kept = variance > STEADY * variance[-1]
    turn = turn[:, kept] / np.sqrt(variance[kept])
    each = jax.jit(jax.vmap(partial(_along, action, tests, turn)))
    total, error, moved = 0.0, TriangularFactor.empty(q), TriangularFactor.empty(q)
    for rows, fields in _batched(each, points, q * (turn.shape[1] + white.shape[0])):
        rows, fields = np.asarray(rows), np.asarray(fields)
        total = total + rows.sum(axis=0)
        error = error.absorb(rows.reshape(-1, q))
        moved = moved.absorb(np.swapaxes(fields @ white, 1, 2).reshape(-1, q))
    law = np.asarray(total) / len(points)
    law = np.asarray(np.linalg.qr(law, mode="r")) if len(law) > q else law
    return law, error.factor / len(points), moved.factor, turn.shape[1]


def _along(action: AbstractAction, tests, turn: np.ndarray, z: Array) -> tuple[Array, Array]:
    """The change of each test function along each candidate (J, q), and the candidates (q, n)."""
    fields = action.fields(z)
    slopes = jax.vmap(lambda v: jax.jvp(tests, (z,), (v,))[1])(fields)  # (q, D)
    return (slopes @ turn).T, fields


def _batched(function, points: np.ndarray, numbers: int):
    size = batch_size(len(points), 8 * numbers)
    for begin in range(0, len(points), size):
        yield function(jnp.asarray(points[begin : begin + size], jnp.float64))
