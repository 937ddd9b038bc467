"""The count as a statement with an error rate: at least so many symmetries, at most so many."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from ..linalg import Band, largest_eigenvalue


@dataclass(frozen=True, eq=False)
class Certificate:
    """Which directions are symmetries to within delta, which are not, and which the data leave open.

    With a probability of at least 1 - alpha all of it holds at once: the candidates hold a space of `at_least`
    dimensions on which every relative defect of the law is at most `delta`, no such space has more than `at_most`, and
    where no direction is weak the law's k-th relative defect lies between `lower[k]` and `upper[k]`, for every k. It is
    the law at these rows, within the family that is named; how rows further away behave is not said.

    Fields:
        delta: the relative defect up to which a direction counts as a symmetry; alpha: the probability of an error,
            0 where the function is given and taken at its word.
        at_least, at_most: how many symmetries there are.
        directions: (k, q) generators as rows of unit norm, by ascending defect; those that are `weak` come last.
        defects: (k,) of the model fitted without penalty; debiased: (k,) without the share that the noise of the labels
            has in numerator and denominator.
        lower, upper: (k,) simultaneous bounds. `upper[k]` bounds all defects in the span of the first k + 1 directions,
            `lower[k]` all in the span of the others that are not weak. Of what is certified `upper` is at most `delta`:
            the test that counts is sharper than the bounds of all.
        least: (k,) the delta at which so many would be certified, had it been chosen: to first order about `delta`.
        lengths: (k,) root mean square of the denominator along each direction.
        weak: how many directions, the last ones, the data can hardly judge: they are never certified.
        rows, groups: behind it; groups 0 where rows were taken to be independent.
        family: the model in words.
        misfit: p-value of the hypothesis that the family holds the law; NaN where nothing richer could be fitted.
        coverage: by which factor the model's error at the least certain of the rows exceeds that at a typical one.
        halved: by how much the certified defect (the first, where none is) changes when it is taken at half of the
            rows.
        flows: p-value of the hypothesis that held-out rows, moved by what was certified, are predicted to within
            delta as well as they are where they are; NaN where nothing was certified or moved.
        inputs: p-value of the hypothesis that the inputs moved so are distributed as before: whether the rows
            themselves have the symmetry, which is another question; NaN likewise.
        against: what defects are relative to, in words.
        reason: why nothing can be certified, whatever the bounds; "" where they decide.
    """

    delta: float
    alpha: float
    at_least: int
    at_most: int
    directions: Float[np.ndarray, "k q"]
    defects: Float[np.ndarray, " k"]
    debiased: Float[np.ndarray, " k"]
    lower: Float[np.ndarray, " k"]
    upper: Float[np.ndarray, " k"]
    least: Float[np.ndarray, " k"]
    lengths: Float[np.ndarray, " k"]
    weak: int = 0
    rows: int = 0
    groups: int = 0
    family: str = ""
    misfit: float = float("nan")
    coverage: float = float("nan")
    halved: float = float("nan")
    flows: float = float("nan")
    inputs: float = float("nan")
    against: str = "|DF|"
    reason: str = ""

    @property
    def readings(self) -> list[str]:
        """What each direction is: "symmetric", "broken" or "undecided"."""
        strong = len(self.directions) - self.weak
        return [
            "symmetric" if k < self.at_least else "broken" if self.at_most - self.weak <= k < strong else "undecided"
            for k in range(len(self.directions))
        ]

    def read(self, reading: str) -> Float[np.ndarray, "some q"]:
        """Generators of the directions with this reading."""
        return self.directions[np.array(self.readings, dtype=object) == reading]

    @property
    def symmetric(self) -> Float[np.ndarray, "a q"]:
        """Generators of the space that is certified: every defect in it is at most delta."""
        return self.read("symmetric")

    @property
    def broken(self) -> Float[np.ndarray, "b q"]:
        """Generators of the space in which every defect is above delta."""
        return self.read("broken")

    @property
    def undecided(self) -> Float[np.ndarray, "u q"]:
        """The directions between, and those that are weak."""
        return self.read("undecided")

    def least_delta(self, count: int = 1) -> float:
        """The least delta at which so many symmetries would be certified, all else equal; infinite where none is."""
        return float(self.least[count - 1]) if 1 <= count <= len(self.least) - self.weak else float("inf")

    def __str__(self) -> str:
        return " ".join(sentences(self))


class Bounds(NamedTuple):
    """Of the law's k-th relative defect: (k,) each."""

    lower: Float[np.ndarray, " k"]
    upper: Float[np.ndarray, " k"]


def bounded(defects: Float[np.ndarray, " k"], numerator: Band, denominator: Band, floor: float = 0.0) -> Bounds:
    """Bounds of relative defects from bands about numerator and denominator, along directions that the denominator
    makes orthonormal.

    Along all xi at once | |L b| - |L b^| | <= c t(xi) and | |M b| - |M b^| | <= d u(xi). On the span of the first k
    directions |L b^| + c t is at most the root of the largest eigenvalue of s^2 / w + c^2 t^2 / (1 - w), for any w, and
    |M b| at least 1 - d u. On the span of the others |L b| is at least 1 - h times |L b^|, with h the largest c t / s.
    By the principle of Courant and Fischer what bounds all of a space of k dimensions from above bounds the k-th
    defect, and what bounds all but k - 1 of them from below.

    Arguments: `defects`, ascending; `numerator`, `denominator`, of their errors; `floor`, of defects, by which
        the bounds are wider: what is wrong without being random.
    Returns: Bounds.
    Reference: Horn and Johnson (2013), theorem 4.2.6 (Courant, Fischer).
    """
    count = len(defects)
    squares = np.diag(defects**2)
    noise, less = numerator.times**2 * numerator.scale, denominator.times**2 * denominator.scale
    lower, upper, most = np.zeros(count), np.full(count, np.inf), np.inf
    if np.isfinite(denominator.times):
        most = largest_eigenvalue(less)
    longer, shorter = 1.0 + np.sqrt(most), np.sqrt(np.minimum(np.cumsum(np.diag(less)), most))
    for k in range(count):
        among = slice(0, k + 1)
        off, at = np.sqrt(np.max(np.diag(noise)[among])), float(shorter[k])
        if at < 1.0 and np.isfinite(off):
            # Any share makes a bound; this one would make the least were the two along one direction.
            share = np.clip(defects[k] / max(defects[k] + off, np.finfo(float).tiny), 1e-9, 1.0 - 1e-9)
            sure = largest_eigenvalue(squares[among, among] / share + noise[among, among] / (1.0 - share))
            upper[k] = np.sqrt(sure) / (1.0 - at)
        rest = slice(k, count)
        if defects[k] > 0.0 and np.isfinite(numerator.times) and np.isfinite(denominator.times):
            inverse = 1.0 / defects[rest]
            lost = inverse[:, None] * noise[rest, rest] * inverse
            if np.max(np.diag(lost)) < 1.0:  # else its largest eigenvalue is not below one, and the bound is zero
                lower[k] = max(1.0 - np.sqrt(largest_eigenvalue(lost)), 0.0) * defects[k] / longer
    return Bounds(np.maximum(lower - floor, 0.0), upper + floor)


def counted(bounds: Bounds, delta: float) -> tuple[int, int]:
    """How many defects lie below delta, at least and at most."""
    return int(np.sum(np.cumprod(bounds.upper <= delta))), int(np.sum(bounds.lower <= delta))


def sentences(c: Certificate) -> list[str]:
    """The statement, and what it stands on."""
    if c.reason:
        return [f"Nothing can be certified: {c.reason}.", *_checks(c)]
    sure = f"with {100 * (1 - c.alpha):g} % confidence" if c.alpha else "for certain"
    within = f"to within {c.delta:g} of {c.against}"
    if c.at_least == c.at_most:
        many = f"{c.at_least} symmetr{'y' if c.at_least == 1 else 'ies'}"
        told = f"Exactly {many} {within}, {sure}." if c.at_least else f"No symmetry {within}, {sure}."
    elif c.at_least == 0 and c.at_most == len(c.directions):
        told = (
            f"Nothing is certified and nothing ruled out {within}, {sure}: anything from 0 to {c.at_most} symmetries."
        )
    else:
        told = f"At least {c.at_least}, at most {c.at_most} symmetries {within}, {sure}."
    least = c.least_delta(max(c.at_least, 1))
    support = (
        f"The least delta at which {max(c.at_least, 1)} would be certified is {least:.2g}."
        if np.isfinite(least)
        else "No delta would certify one."
    )
    return [told, support, *_checks(c)]


def _checks(c: Certificate) -> list[str]:
    out = []
    made = f"{c.groups} groups of {c.rows} rows" if c.groups else f"{c.rows} rows, taken to be independent"
    if c.family and not c.alpha:
        out.append(f"It is for {c.family}, at these {c.rows} points and but for rounding.")
    elif c.family:
        out.append(f"It is for {c.family}, from {made}.")
    if np.isfinite(c.misfit):
        out.append(f"Lack of fit against one richer: p = {c.misfit:.2g}.")
    if np.isfinite(c.coverage):
        out.append(f"The model's error at the least certain row is {c.coverage:.2g} times the typical one.")
    if np.isfinite(c.halved):
        out.append(f"At half of the rows the defect changes by {c.halved:.2g}.")
    if np.isfinite(c.flows):
        out.append(f"Held-out rows moved by what is certified are predicted to within delta: p = {c.flows:.2g}.")
    if np.isfinite(c.inputs):
        alike = "are distributed as before" if c.inputs > 0.05 else "are distributed differently"
        out.append(f"The inputs themselves, moved so, {alike} (p = {c.inputs:.2g}): that is another question.")
    return out
