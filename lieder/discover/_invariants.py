"""Functions of the inputs that found symmetries leave as they are."""

import numpy as np
from jaxtyping import Float

from ..action import AbstractAction, velocities
from ..dictionary import AbstractDictionary
from ..sampling import Table, check_varying
from ._conserved import Given, of_fields
from ._conserved_record import Conserved


def invariants(
    action: AbstractAction,
    generators: Float[np.ndarray, "dim q"],
    inputs: Table,
    dictionary: AbstractDictionary | str,
    known: tuple[float, float],
) -> Conserved:
    """What is constant along all of some generators, as far as these are known.

    Arguments: `action` of the candidates on inputs; `generators` (dim, q), rows over them; `inputs`, where it is asked;
        `dictionary` of functions of the inputs; `known`, the relative error of the generators, and the least gap.
    Returns: Conserved.
    Raises: ValueError where no generator moves the inputs, for columns that do not vary, and for too few rows.
    """
    points = np.asarray(inputs.values, np.float64)
    check_varying(points.min(axis=0), points.max(axis=0), inputs.names, "x")
    u = velocities(action, generators, points)
    moving = np.abs(u).max(axis=(1, 2), initial=0.0) > 0
    if not moving.any():
        raise ValueError("invariants: no symmetry moves the inputs, so that every function of them is one.")
    error, min_gap = known
    given = Given(error, "the defects of the symmetries", min_gap)
    return of_fields(Table(points, inputs.names), u[moving], dictionary, given, "invariants of the symmetries found")
