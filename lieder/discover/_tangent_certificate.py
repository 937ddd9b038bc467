"""From tangent spaces to a certificate: their noise drawn anew, their bias bounded by twice as large neighbourhoods."""

import dataclasses
from collections.abc import Callable

import jax
import numpy as np
from jaxtyping import Float, Int

from ..linalg import largest_eigenvalue, relative_spectrum
from ..sampling import LocalFits, Scale, apart, redrawn_tangents, spreads_beyond
from ._certificate import Bounds, Certificate, counted
from ._certified import uncertified, withheld
from ._certify import EACH, SQUARED, Drawn, stated
from ._equivalence import FAR
from ._identifiability import weak_directions
from ._question import Question, Rule
from ._symmetries import Symmetries
from ._tangency import Cloud, fields_across

POINTS = 256  # at which tangent spaces are drawn anew
NUMBERS = 2**24  # in the rows of all draws: fewer points where these are more
Bias = Callable[[Int[np.ndarray, " some"]], float]  # of the directions of these numbers, as a defect
TIMES = 2.0  # the bias that the comparison shows, and as much again that it does not


def tangent_certificate(question: Question, rule: Rule, found: Symmetries, cloud: Cloud, unknown: str) -> Certificate:
    """The certificate of a cloud, at its points and within the candidates that move it.

    Rows and denominators are those of `reduce_cloud`, from neighbourhoods so small that noise is most of the error.
    That is drawn: residuals with random signs, the same for all tangent spaces that share a point. What is wrong
    without being random is bounded: fits to twice as many neighbours have a bias that is larger by a known factor, so
    their difference, as far as noise does not make it, tells that of the smaller ones. It is taken TIMES, since third
    derivatives of a surface change from place to place, and off delta.

    Arguments: `question`, `rule` with delta and alpha; `found`, the answer without it; `cloud`, its tangent spaces;
        `unknown`, why nothing is known of it, or "".
    Returns: Certificate.
    """
    points, scale = len(cloud.kept), cloud.scale
    if unknown or cloud.unknown:
        return uncertified(question, rule, points, unknown or cloud.unknown)
    if scale is None:
        return uncertified(question, rule, points, "some columns hold classes, each of which has a surface of its own")
    try:
        with jax.enable_x64(True):
            drawn, bent, neighbours, doubtful = _drawn(question, rule, found, cloud, scale)
    except ValueError as reason:
        return uncertified(question, rule, points, str(reason))
    near = drawn.defects[: drawn.strong] < FAR * rule.delta
    bias = bent(np.flatnonzero(near))
    noise = np.sqrt(
        largest_eigenvalue(drawn.numerator.mean(axis=0)[: drawn.strong, : drawn.strong][np.ix_(near, near)])
    )
    told = stated(rule, drawn, bias)
    # What is far from delta may be so by bias: a lower bound is less by that of all directions from its own on.
    lower = told.lower.copy()
    for k in range(drawn.strong):
        lower[k] = max(lower[k] - max(bent(np.arange(k, drawn.strong)) - bias, 0.0), 0.0)
    stated_ = dataclasses.replace(
        told,
        lower=lower,
        at_most=counted(Bounds(lower, told.upper), rule.delta)[1],
        rows=points,
        against="the fields' length",
        family=f"fields tangent to a surface of dimension {scale.dimension} seen by {neighbours} neighbours",
    )
    if doubtful:
        return withheld(
            stated_,
            f"neighbourhoods of {neighbours} points spread in more directions than a surface of dimension"
            f" {scale.dimension} does, as rows of trajectories do: give dimension=",
        )
    if noise > rule.delta:
        return withheld(stated_, f"noise moves the tangent spaces by {noise:.2g}, more than delta")
    if bias >= rule.delta:
        return withheld(stated_, f"the surface bends between neighbours by up to {bias:.2g}, more than delta")
    return stated_


def _drawn(
    question: Question, rule: Rule, found: Symmetries, cloud: Cloud, scale: Scale
) -> tuple[Drawn, Bias, int, bool]:
    """What a certificate is read from; the bias, as a defect, of some of the directions and what they span; the number
    of neighbours; and whether the points among them lie as on a surface of more dimensions."""
    action, points = question.both, cloud.kept / cloud.units
    draws = int(np.ceil(1.0 / (EACH * rule.alpha) - 1e-9)) - 1
    most = NUMBERS // (draws * points.shape[1] * len(found.directions))
    queries = np.linspace(0, len(points) - 1, min(len(points), max(most, 32), POINTS)).astype(int)
    queries = queries[~apart(points, points[queries])]
    redrawn = redrawn_tangents(points, scale, queries, draws, rule.seed)

    def rows(fits: LocalFits) -> tuple[Float[np.ndarray, "R k"], Float[np.ndarray, "R k"]]:
        return tuple(
            np.swapaxes(part, 1, 2).reshape(-1, part.shape[1]) @ found.directions.T / np.sqrt(len(queries))
            for part in fields_across(action, fits.points, fits.bases, cloud.units)
        )

    size, law = rows(redrawn.chosen)
    factors = [np.asarray(np.linalg.qr(table, mode="r")) for table in (law, size)]
    spectrum = relative_spectrum(factors[0], factors[1], SQUARED)
    directions = spectrum.directions @ found.directions
    norms = np.linalg.norm(directions, axis=1)
    weak = weak_directions(action, directions / norms[:, None], cloud.kept[queries], question.names)[0]
    order = [*(k for k in range(len(norms)) if k not in weak), *weak]
    strong = len(order) - len(weak)
    lengths = np.linalg.norm(size @ spectrum.directions[order].T, axis=0)
    frame = (spectrum.directions[order] / lengths[:, None]).T
    law, size = law @ frame, size @ frame
    difference = rows(redrawn.wider)[1] @ frame - law
    errors, less, chances = [], [], []
    for chosen, wider in redrawn.draws:
        moved, across = (part @ frame for part in rows(chosen))
        errors.append(across - law)
        less.append((moved - size).T @ (moved - size))
        apart_by_chance = rows(wider)[1] @ frame - across - difference
        chances.append(apart_by_chance.T @ apart_by_chance)
    square = difference.T @ difference

    def bent(among: Int[np.ndarray, " some"]) -> float:
        shown, *chance = (largest_eigenvalue(form[np.ix_(among, among)]) for form in (square, *chances))
        # What noise makes of the difference at least, but for one draw in twenty, is no bias.
        return TIMES * redrawn.share * float(np.sqrt(max(shown - np.sort(chance)[draws // 20], 0.0)))

    half = np.linalg.norm(law[::2], axis=0) / np.maximum(np.linalg.norm(size[::2], axis=0), np.finfo(float).tiny)
    numerator = np.stack([e.T @ e for e in errors])
    return (
        Drawn(
            (directions / norms[:, None])[order],
            strong,
            spectrum.values[order],
            law,
            np.stack(errors),
            None,
            numerator,
            np.stack(less),
            lengths / norms[order],
            half,
        ),
        bent,
        redrawn.neighbours,
        spreads_beyond(points, queries, redrawn.neighbours, scale.dimension),
    )
