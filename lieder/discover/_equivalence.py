"""How many defects lie below delta: tests whose null hypothesis is that they do not."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from ..linalg import Band, largest_eigenvalue

FAR = 3.0  # times delta: directions with defects surely above it take no part but for what they take up of the error
ROUNDS = 4  # of power iteration towards the function along which the error is largest
NOTHING = 1e-9  # share of the mean squared error that counts as none


class Sharp(NamedTuple):
    """`count` of defects that lie below delta; `least` (k,), the delta at which each of them would be found
    to, infinite where that is not known."""

    count: int
    least: Float[np.ndarray, " k"]


def below(
    defects: Float[np.ndarray, " k"],
    law: Float[np.ndarray, "R k"],
    errors: Float[np.ndarray, "G R k"],
    lower: Float[np.ndarray, " k"],
    denominator: Band,
    delta: float,
    level: float,
) -> Sharp:
    """How many defects are below delta, with a probability of at most `level` to count too many.

    Null hypothesis k is that the k-th defect of the law is delta or more. A law at its edge is made: the directions
    from k on that may have small defects are given defects of delta exactly, along orthonormal functions in which the
    error is largest, so that it hides them best. The errors are added, and the least defect in the span of these
    directions, which is never above the k-th of the whole, is compared with what was observed. What the others, whose
    defects are surely large, can take up of the error is taken out of it. All hypotheses are tested at the first, most
    cautious, law; those that are rejected leave fewer directions for the next. The hypotheses are nested, so that the
    count needs no further correction.

    This asks how far a sum of squares lies below what delta and noise together would give, where a band of the error
    asks for noise to be small against delta: it is by much the sharper where noise moves many functions a little.

    Arguments: `defects`, ascending, along directions in which the denominator is the identity; `law`, the rows L b^ of
        the fitted numerator along them; `errors`, draws of the rows' error; `lower`, bounds of the defects;
        `denominator`, the band of its error; `delta`; `level`, at least 1 / (G + 1).
    Returns: Sharp; `least` to first order about delta.
    Reference: Dette, Moellenhoff, Volgushev, Bretz (2018), Equivalence of regression curves, algorithm 1 (constrained
    bootstrap); Romano and Wolf (2005), exact and approximate stepdown methods.
    """
    draws, _, k = errors.shape
    place = int(np.floor((draws + 1) * level + 1e-9))
    observed, least = defects**2, np.full(k, np.inf)
    count = 0
    while count < k:
        near = count + np.flatnonzero(lower[count:] < FAR * delta)
        far = count + np.flatnonzero(lower[count:] >= FAR * delta)
        noise = denominator.scale[np.ix_(near, near)]
        kept = 1.0 - denominator.times * np.sqrt(largest_eigenvalue(noise))
        if not len(near) or not kept > 0.0:
            break
        cross, squares = _edge(law[:, far], np.ascontiguousarray(np.moveaxis(errors[:, :, near], 2, 0)))
        moved = (kept * delta) ** 2 * np.eye(len(near)) + kept * delta * cross + squares
        values, vectors = np.linalg.eigh(moved)
        along = vectors[:, :, 0]
        slope, size = (np.einsum("gi,gij,gj->g", along, form, along) for form in (cross, squares))
        # The delta at which the least defect of each draw would be the observed one.
        rest = slope[:, None] ** 2 - 4.0 * (size[:, None] - observed[count:])
        at = (np.sqrt(np.maximum(rest, 0.0)) - slope[:, None]) / (2.0 * kept)
        at = np.where(rest < 0.0, 0.0, np.maximum(at, 0.0))
        least[count:] = np.sort(at, axis=0)[draws - place]
        limit = np.sort(values[:, 0])[place - 1]
        more = int(np.sum(np.cumprod(observed[count:] < limit)))
        if not more:
            break
        count += more
    least = np.maximum.accumulate(least)
    return Sharp(count, np.where(np.arange(k) < count, np.minimum(least, delta), np.maximum(least, delta)))


def _edge(
    far: Float[np.ndarray, "R f"], errors: Float[np.ndarray, "w G R"]
) -> tuple[Float[np.ndarray, "G w w"], Float[np.ndarray, "G w w"]]:
    """The terms of first and of second degree in the error of |L b + error|^2, for each draw, with L b orthonormal, in
    turn for each direction where its error is largest; both without what the columns of `far` span."""
    width, draws, rows = errors.shape
    taken = np.linalg.qr(far)[0].T if far.shape[1] else np.zeros((0, rows))
    flat = errors.reshape(width, -1)
    size = np.einsum("wa,wa->", flat, flat)
    flat = (errors - (errors @ taken.T) @ taken).reshape(width, -1)
    # Along principal axes of the error, the widest first: what errs by next to nothing takes no function from others.
    axes = np.linalg.eigh(flat @ flat.T)[1][:, ::-1]
    errors = (axes.T @ flat).reshape(width, draws, rows)
    cross, start = np.zeros((draws, width, width)), len(taken)
    for i in range(width):
        left = errors[i] - (errors[i] @ taken[start:].T) @ taken[start:]
        norms = np.einsum("gr,gr->g", left, left)
        if norms.sum() <= NOTHING * size:
            continue  # the model cannot err so: any function will do that no error has a part in
        function = left[np.argmax(norms)]
        for _ in range(ROUNDS):
            function = (left @ (function / np.linalg.norm(function))) @ left
        function = function - taken.T @ (taken @ function)
        function /= np.linalg.norm(function)
        taken = np.concatenate([taken, function[None]])
        cross[:, i] = (errors @ function).T
    across = np.moveaxis(errors, 0, 1)
    return cross + cross.transpose(0, 2, 1), across @ across.transpose(0, 2, 1)
