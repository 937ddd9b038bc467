"""Functions along an exact field: how fast each combination changes, beside its spread over the points."""

from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ..interop import ForeignModel, is_numpy
from ..linalg import relative_spectrum
from ._conserved_family import Family, check_finite

NULL = 1e-10  # singular value of the functions' spread, of the largest, below which a combination is constant
_ROUNDING = 32.0  # units in the last place that a sum of a few dozen terms may lose


@dataclass(frozen=True, eq=False)
class Changing:
    """What data say of all combinations c of a dictionary, in standard units (`Family`).

    Fields:
        numerator, denominator: factors; the relative defect of c is |numerator c| / |denominator c|.
        defects: (k,) ascending; directions: (k, D); constant: (r, D), combinations that are one constant on the data.
        resolutions: (k,) the defect below which each direction is not told from a conserved one.
        open: (k,) by how much the square of a defect may grow before noise tells the difference: coefficients are
            rounded within it; of a field its error.
        hidden: how many directions were left aside because noise makes up most of them.
    """

    numerator: Float[np.ndarray, "r D"]
    denominator: Float[np.ndarray, "s D"]
    defects: Float[np.ndarray, " k"]
    directions: Float[np.ndarray, "k D"]
    constant: Float[np.ndarray, "c D"]
    resolutions: Float[np.ndarray, " k"]
    open: Float[np.ndarray, " k"]
    hidden: int = 0


def velocities(U: Callable | ForeignModel, x: Float[np.ndarray, "N n"], argument: str) -> Float[np.ndarray, "N n"]:
    """The field at the points, checked.

    Raises: ValueError for another shape, for NaN, and for a field that is zero at all points.
    """
    if isinstance(U, ForeignModel):
        found = U.values(x)
    elif is_numpy(U, x):
        found = np.stack([np.asarray(U(row), np.float64) for row in x])
    else:
        with jax.enable_x64(True):
            found = np.asarray(jax.jit(jax.vmap(U))(jnp.asarray(x, jnp.float64)))
    if found.shape != x.shape:
        raise ValueError(
            f"{argument}: a field gives one velocity a column, ({x.shape[1]},) for one state; it gave shape"
            f" {found.shape[1:]}."
        )
    if not np.isfinite(found).all():
        row = int(np.argwhere(~np.isfinite(found).all(axis=1))[0, 0])
        raise ValueError(f"{argument} is not finite at row {row} of x, {x[row]}. Leave such rows out.")
    if not found.any():
        raise ValueError(f"{argument} is zero at every row of x: everything is conserved there. Give other states.")
    return np.asarray(found, np.float64)


def along_fields(
    family: Family,
    x: Float[np.ndarray, "N n"],
    u: Float[np.ndarray, "fields N n"],
    error: float,
    names: tuple[str, ...],
) -> Changing:
    """rho(c) = |DI U| / (omega |I - mean I|) over the points, I = c . h, omega the rms of |U| in standard units.

    The share of its own spread by which a function changes in the time that states take for theirs. Of several fields
    the squares are added.

    Arguments: `family`; `x` (N, n) states and `u` (k, N, n) their velocities along each field, none zero everywhere;
        `error`, the relative error of the fields, by which defects are not told from zero, over rounding.
    Returns: Changing.
    """
    speed = u / family.scale
    speed = speed / np.sqrt(np.mean(np.sum(speed**2, axis=2), axis=1))[:, None, None]
    gradients = family.gradients(x)
    check_finite(gradients, family.dictionary, names, x)
    values = family.values(x)
    check_finite(values, family.dictionary, names, x)
    rates = np.einsum("ndi,kni->knd", gradients, speed).reshape(-1, gradients.shape[1])
    sizes = np.linalg.norm(gradients, axis=2) * np.sqrt(np.sum(speed**2, axis=(0, 2)))[:, None]
    numerator = np.linalg.qr(rates)[1]
    denominator = np.linalg.qr(values - values.mean(axis=0))[1]
    spectrum = relative_spectrum(numerator, denominator, NULL)
    # What rounding of single terms makes of a sum that is zero.
    lost = np.linalg.norm(sizes @ np.abs(spectrum.directions).T, axis=0)
    spread = np.linalg.norm(denominator @ spectrum.directions.T, axis=0)
    rounding = _ROUNDING * np.finfo(float).eps * np.maximum(lost / spread, spectrum.values.max(initial=1.0))
    return Changing(
        numerator,
        denominator,
        spectrum.values,
        spectrum.directions,
        spectrum.null,
        np.hypot(rounding, error),
        np.full(len(spectrum.values), error**2),
    )
