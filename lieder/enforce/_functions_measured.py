"""Equivariant functions of a measured symmetry: symmetry and functions are moved, within its error, until they fit."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import scipy.sparse
from jaxtyping import Float

from ..action import AbstractAction, AbstractFibreAction, Measured, origin, scalars
from ..dictionary import AbstractDictionary
from ..linalg import joint_null, right_singular
from ._functions_null import Constraint, Coordinates, fibre_operator

NEAR = 0.3  # relative size of L up to which a function may turn out to be invariant under a symmetry moved a little
REACH = 10.0  # the same as a multiple of the symmetry's own defects
APART = 1.3  # ratio of neighbouring sizes from which a count may fall between them
WITHIN = 2.0  # multiple of the limit up to which a moved symmetry counts as the one that was measured
FITTED = 1e-9  # residual of a pair that fits: far above rounding, far below any measured defect
_LARGEST = 1e8  # numbers of the sampled constraints: .8 GB
_SPARE = 50


@dataclass(frozen=True, eq=False)
class MeasuredNull:
    """Fields: `rows` (r, q), the symmetry that is enforced; `basis` (dim, m r), coefficients in `coordinates`;
    `constraints`; how many `points` the functions were compared at."""

    rows: Float[np.ndarray, "r q"]
    basis: Float[np.ndarray, "dim unknowns"]
    coordinates: Coordinates
    constraints: tuple[Constraint, ...]
    points: int


def shared_origin(source: AbstractAction, target: AbstractFibreAction) -> tuple[Measured, AbstractFibreAction] | None:
    """Where a measured symmetry comes from, and its candidates' action on outputs; None unless both sides know."""
    own, other = origin(source), origin(target)
    if own is None:
        return None
    if other is not None and np.array_equal(other.rows, own.rows):
        return own, other.candidates
    if target.is_trivial:
        return own, scalars(own.candidates.algebra, target.width)
    return None


def measured_null(
    dictionary: AbstractDictionary, measured: Measured, target: AbstractFibreAction
) -> MeasuredNull | None:
    """The largest space of functions that is exactly invariant under some symmetry next to the measured one.

    Of the functions that the measured symmetry changes least, as many as possible are kept such that a symmetry whose
    defects stay near `measured.limit` leaves all of them exactly as they are (`joint_null`).

    Arguments: `dictionary` of D functions; `measured`; `target`, the candidates on outputs, linear in them.
    Returns: MeasuredNull, or None where the constraints of all candidates would not fit into memory.
    Raises: ValueError when functions that the measured symmetry nearly leaves cannot be made to fit.
    """
    q, m = measured.rows.shape[1], target.width
    x = _sample(dictionary, measured)
    if len(x) * m * q * m * dictionary.size > _LARGEST:
        return None
    coordinates = Coordinates.at(dictionary, x)
    stack = fibre_operator(dictionary, measured.candidates, target, coordinates, x).rows()[:q]
    motions = measured.motions()
    unknowns = stack.shape[2]
    flat = _compressed(np.moveaxis(stack / motions[:, None, None], 1, 0).reshape(-1, q * unknowns))
    size = np.linalg.norm(flat) / np.sqrt(q * unknowns)
    if size == 0:
        return _result(measured.rows, np.eye(unknowns), coordinates, [], len(x))
    operators = (flat / size).reshape(len(flat), q, unknowns).transpose(1, 0, 2)
    rows = np.linalg.qr((measured.rows * motions).T)[0].T
    changed = np.tensordot(rows, operators, axes=1).reshape(-1, unknowns) / np.sqrt(len(rows))
    values, vectors = (part[::-1] for part in right_singular(changed))
    exact, near = int((values <= FITTED).sum()), int((values <= min(NEAR, REACH * measured.limit)).sum())
    # Functions that are changed alike belong together: a count that parts them is not tried.
    apart = [k for k in range(near, exact, -1) if k == unknowns or values[k] > APART * values[k - 1]]
    # A symmetry moved until its defect is `limit` costs as much as a function that changes altogether.
    factors = np.concatenate([measured.numerator / measured.limit, measured.denominator]) / motions
    metric = np.asarray(np.linalg.qr(np.concatenate([factors, 1e-3 * np.eye(q)]), mode="r"))
    together = scipy.sparse.csr_array(operators.reshape(-1, unknowns))
    for count in apart:
        found = joint_null(together, rows, vectors[:count], metric)
        moved = found.rows / motions
        if found.residual <= FITTED and measured.defect(moved) <= WITHIN * measured.limit:
            return _result(moved, found.null, coordinates, np.tensordot(found.rows, operators, axes=1), len(x))
    suspicious = int((values <= min(measured.limit, NEAR)).sum())
    if suspicious > exact:
        shown = ", ".join(f"{v:.2g}" for v in values[exact:suspicious][:4])
        raise ValueError(
            f"source: the symmetry was measured, and {suspicious} functions of the dictionary are nearly invariant"
            f" under it (relative change {shown}), but no symmetry within its error ({measured.limit:.2g}) leaves"
            " exactly these as they are. Give more or better data, pass a tolerance to keep them nearly invariant, or"
            " enforce the named algebra that you recognise."
        )
    return _result(measured.rows, vectors[:exact], coordinates, np.tensordot(rows, operators, axes=1), len(x))


def _compressed(flat: np.ndarray) -> np.ndarray:
    """Few rows with the same products: what the generators make of the functions spans a space of its own size."""
    rng, count = np.random.default_rng(0), 64
    while 2 * count < min(flat.shape):
        frame = np.linalg.qr(flat @ rng.normal(size=(flat.shape[1], count)))[0]
        short = frame.T @ flat
        if np.linalg.norm(flat - frame @ short) <= 1e-13 * np.linalg.norm(flat):
            return short
        count *= 2
    return np.asarray(np.linalg.qr(flat, mode="r")) if len(flat) > flat.shape[1] else flat


def _result(rows, basis, coordinates, images, points) -> MeasuredNull:
    constraints = tuple(Constraint(scipy.sparse.csr_array(image), 1.0) for image in images)
    return MeasuredNull(rows, basis, coordinates, constraints, points)


def _sample(dictionary: AbstractDictionary, measured: Measured) -> np.ndarray:
    """Points that tell the functions apart, distributed like the inputs as far as these spread."""
    points = np.asarray(measured.points, np.float64)
    n = points.shape[1]
    count = 3 * dictionary.size * (1 + n) + _SPARE
    spread = points.std(axis=0)
    spread = np.where(spread > 1e-9 * np.abs(points).max(axis=0, initial=0.0), spread, 1.0)
    x = points.mean(axis=0) + spread * np.random.default_rng(0).normal(size=(count, n))
    with jax.enable_x64(True):
        good = np.isfinite(np.asarray(jax.vmap(dictionary)(jnp.asarray(x)))).all(axis=1)
    return x if good.all() else np.concatenate([points, x[good]])
