"""Derivatives of samples along one axis: Fourier series where it is periodic, polynomials fitted nearby where not."""

from dataclasses import dataclass
from math import factorial

import numpy as np
from jaxtyping import Float

DEGREES = (4, 6, 8)  # of local polynomials
WIDER = 1.5  # by which windows grow from one that is tried to the next
SMOOTH = 3.0  # second differences across a period's end, in their rms elsewhere, up to which it is periodic
STANDING_OUT = (4.0, 25.0)  # times the power of the noise: what is kept, and what to compare with
LINES = 64  # along which a smoother is chosen
EVEN = 1e-6  # share of a step by which steps of a regular grid may differ: what tables print


@dataclass(frozen=True, eq=False)
class Along:
    """How samples along one axis are smoothed and differentiated.

    Fields: `derivatives`, matrices (N, N) that take N samples to the values and derivatives of order 0, 1, ...;
    `margin`, how many samples at each end are known less well; `described`, in words; `wavelength`, of the shortest
    waves that are left, in samples; `periodic`, whether the last sample comes before the first.
    """

    derivatives: tuple[Float[np.ndarray, "N N"], ...]
    margin: int
    described: str
    wavelength: float
    periodic: bool = False


def is_periodic(x: Float[np.ndarray, " N"], u: Float[np.ndarray, "lines N"]) -> bool:
    """Whether samples on a regular grid go on at its start after its end, the step between being one of the grid's.

    The second differences across the end are then no larger than elsewhere.
    """
    if len(x) < 8 or not is_regular(x):
        return False
    bent = np.roll(u, -1, axis=1) - 2 * u + np.roll(u, 1, axis=1)
    inside = np.sqrt(np.mean(bent[:, 1:-1] ** 2))
    return bool(inside > 0 and np.sqrt(np.mean(bent[:, [0, -1]] ** 2)) <= SMOOTH * inside)


def is_regular(x: Float[np.ndarray, " N"]) -> bool:
    """Whether all steps are alike.

    Arguments: `x` (N,), increasing.
    Returns: True where they differ by no more than a table's rounding.
    """
    step = np.diff(x)
    return bool(np.ptp(step) <= EVEN * np.abs(step).mean() + 8 * np.finfo(float).eps * np.abs(x).max())


def spectral(x: Float[np.ndarray, " N"], u: Float[np.ndarray, "lines N"], order: int) -> list[Along]:
    """Fourier series, cut where the samples carry no more than noise; and one cut where noise is a fifth of them, to
    compare.

    Arguments: `x` (N,), regular, one period without its last point; `u`, samples; `order`, of the highest derivative.
    Returns: two.
    """
    count, step = len(x), (x[-1] - x[0]) / (len(x) - 1)
    power = np.mean(np.abs(np.fft.rfft(u, axis=1)) ** 2, axis=0)
    # Above the last frequency that stands out of the noise there is nothing to be differentiated.
    waves = np.arange(len(power))
    noise = np.median(power[-max(3, len(power) // 4) :])
    cuts = [int(np.flatnonzero(power > share * noise).max(initial=1)) for share in STANDING_OUT]
    cuts = [min(max(cut, 2), (count - 1) // 2) for cut in cuts]
    signs = 2j * np.pi * np.fft.fftfreq(count, 1 / count) / (count * step)
    out = []
    for last in cuts:
        # All up to the cut counts in full: what is left out there would be missed by every derivative.
        on = np.abs(np.fft.fftfreq(count, 1 / count)) <= last
        basis = np.fft.fft(np.eye(count), axis=0)
        matrices = tuple(np.fft.ifft((on * signs**k)[:, None] * basis, axis=0).real for k in range(order + 1))
        share = "all" if last >= waves[-1] - 1 else f"the first {last} of {waves[-1]}"
        out.append(Along(matrices, 0, f"Fourier series, {share} frequencies", count / last, periodic=True))
    return out


def local(x: Float[np.ndarray, " N"], u: Float[np.ndarray, "lines N"], order: int) -> list[Along]:
    """Polynomials fitted to the nearest samples (Savitzky and Golay), finite differences where they pass through all.

    Degree and window are those of the least generalised cross-validation error. The second that is returned has a
    window that is wider by half, to compare.

    Arguments: `x` (N,), increasing; `u`, samples; `order`, of the highest derivative.
    Returns: two.
    Reference: Savitzky, Golay, Analytical Chemistry 36, 1964; Craven, Wahba, Numerische Mathematik 31, 1979.
    """
    count = len(x)
    u = u[np.linspace(0, len(u) - 1, min(len(u), LINES)).astype(int)]
    tried = []
    for degree in sorted({max(d, order + 1 + order % 2) for d in DEGREES}):
        width = degree + 3
        while width <= count:
            matrices = _windows(x, degree, width, order)
            tried.append((_validation(matrices[0], u, width), degree, width, matrices))
            width = _odd(width * WIDER)
    if not tried:
        return differences(x, u, order)
    _, degree, width, matrices = min(tried, key=lambda one: one[0])
    wider = min(_odd(width * WIDER), count)
    words = "polynomials of degree {} fitted to {} samples each"
    return [
        Along(each, min(width // 2, count // 4), words.format(degree, samples), _wavelength(degree, samples))
        for each, samples in ((matrices, width), (_windows(x, degree, wider, order), wider))
    ]


def differences(x: Float[np.ndarray, " N"], u: Float[np.ndarray, "lines N"], order: int) -> list[Along]:
    """Finite differences: polynomials through the nearest samples, which smooth nothing; and of a lower degree, to
    compare.

    Arguments: as `local`.
    Returns: two.
    """
    most = min((len(x) - 1) // 2 * 2, max(DEGREES[-1], order + 1 + order % 2))
    out = []
    for degree in (most, max(most - 2, order)):
        matrices = _windows(x, degree, degree + 1, order)
        words = f"finite differences of {degree + 1} samples"
        out.append(Along(matrices, min(most // 2, len(x) // 4), words, _wavelength(degree, degree + 1)))
    return out


def _wavelength(degree: int, width: int) -> float:
    """At which a local polynomial halves the power of waves (Schafer, IEEE Signal Processing Magazine 28, 2011)."""
    return max((3.2 * width - 12.4) / (degree + 1), 2.0)


def _odd(width: float) -> int:
    return int(width) // 2 * 2 + 1


def _windows(x: np.ndarray, degree: int, width: int, order: int) -> tuple[np.ndarray, ...]:
    """Matrices of values and derivatives: at each sample those of the polynomial fitted to the `width` nearest."""
    count = len(x)
    out = np.zeros((order + 1, count, count))
    first = np.clip(np.arange(count) - width // 2, 0, count - width)
    columns = first[:, None] + np.arange(width)
    near = x[columns] - x[:, None]
    size = np.abs(near).max(axis=1)
    powers = (near / size[:, None])[:, :, None] ** np.arange(degree + 1)
    fits = np.linalg.pinv(powers, rcond=1e-12)
    for k in range(order + 1):
        out[k][np.arange(count)[:, None], columns] = factorial(k) * fits[:, k] / size[:, None] ** k
    return tuple(out)


def _validation(smoother: np.ndarray, u: np.ndarray, width: int) -> float:
    """The mean square of what each sample, left out of its own fit, differs from it."""
    inside = slice(width // 2, len(smoother) - width // 2)
    own = 1 - np.diag(smoother)[inside]
    return float(np.mean(((u - u @ smoother.T)[:, inside] / own) ** 2))
