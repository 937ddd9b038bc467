"""From a fitted linear family to a certificate: its error drawn at random, and carried to every candidate at once."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from ..derivative import Moves, moves
from ..linalg import relative_spectrum, right_singular, simultaneous_band
from ..models import LeastSquares, Posterior, Refits
from ._certificate import Bounds, Certificate, bounded, counted
from ._equivalence import below
from ._evidence import TOP
from ._identifiability import weak_directions
from ._question import Question, Rule
from ._reduce import Units

POINTS = 512  # at which the law is judged
ENTRIES = 2**19  # of the rows of all draws: fewer points where these are more
LEAST = 128  # points however many the entries
EACH = (
    0.2  # share of alpha that goes to the denominator's band, which decides little, and to the lower bounds; the rest
)
# to what is certified
NULL = 1e-12  # share of the largest below which a candidate's motion counts as none
SQUARED = 1e-7  # the same of forms, which hold half of the digits

Estimate = LeastSquares | Posterior | Refits


def certificate(
    question: Question,
    rule: Rule,
    estimate: Estimate,
    units: Units,
    x: Float[np.ndarray, "N n"],
    weights: Float[np.ndarray, " N"],
    floor: float = 0.0,
) -> Certificate:
    """The certificate of a model whose errors can be drawn at random, at its rows.

    L_xi F and the terms of the denominator are linear in F, so an error of F makes one of these, along every candidate:
    sums of influences with random multipliers give the law of all of them together, and `simultaneous_band` what holds
    for all candidates at once.

    Arguments: `question`, `rule` with delta and alpha; `estimate`; `units` of inputs and outputs; `x`, `weights` of the
        rows that it was fitted to; `floor`, of defects, what is wrong without being random.
    Returns: Certificate, without its name and what is tested besides.
    """
    return stated(rule, drawn(question, rule, estimate, units, x, weights), floor)


class Drawn(NamedTuple):
    """The model's directions (k, q) by ascending defect, the weak ones last, and how many are `strong`; `defects` (k,);
    the rows (R, k) of the numerator along them in a frame in which the denominator is the identity, and draws (G, R, k)
    of their `errors`; `laws` (G, s), the defects of the model with a drawn error each, or None for least squares, whose
    errors can be tested; draws of the errors of numerator and denominator as quadratic forms (G, k, k); `lengths` (k,)
    of the denominator; `halved` (k,), the defects at half of the points."""

    directions: Float[np.ndarray, "k q"]
    strong: int
    defects: Float[np.ndarray, " k"]
    rows: Float[np.ndarray, "R k"]
    errors: Float[np.ndarray, "G R k"]
    laws: Float[np.ndarray, "G s"] | None
    numerator: Float[np.ndarray, "G k k"]
    denominator: Float[np.ndarray, "G k k"]
    lengths: Float[np.ndarray, " k"]
    halved: Float[np.ndarray, " k"]


def drawn(
    question: Question,
    rule: Rule,
    estimate: Estimate,
    units: Units,
    x: Float[np.ndarray, "N n"],
    weights: Float[np.ndarray, " N"],
) -> Drawn:
    """What a certificate is read from."""
    draws = int(np.ceil(1.0 / (EACH * rule.alpha) - 1e-9)) - 1
    each = draws * question.onto.width * question.source.algebra.dim
    chosen = np.flatnonzero(weights > 0)
    count = min(len(chosen), max(LEAST, min(POINTS, ENTRIES // each)))
    chosen = chosen[np.linspace(0, len(chosen) - 1, count).astype(int)]
    at, values = _met(question, estimate, units, x[chosen], weights[chosen])
    basis = at.moving(estimate.coefficients)
    at = at.within(basis)
    law, denominator = (of[0] for of in at.forms(estimate.coefficients[None], at.moves.turns))
    spectrum = relative_spectrum(np.asarray(np.linalg.qr(law, mode="r")), _root(denominator), SQUARED)
    examples = np.concatenate([x[chosen], values], axis=1)
    directions = spectrum.directions @ basis.T
    norms = np.linalg.norm(directions, axis=1)
    weak = list(weak_directions(question.both, directions / norms[:, None], examples, question.names)[0])
    strong = [k for k in range(len(directions)) if k not in weak]
    order = [*strong, *weak]
    # Columns in which the denominator is the identity and the numerator diagonal.
    lengths = np.sqrt(_along(denominator, spectrum.directions[order]))
    frame = (spectrum.directions[order] / lengths[:, None]).T
    framed, drawn_errors = at.within(frame), estimate.errors(draws, rule.seed)
    errors, less = framed.forms(drawn_errors)
    laws = None
    if not isinstance(estimate, LeastSquares):
        offset = framed.offset(estimate.coefficients)
        sizes = framed.forms(estimate.coefficients + drawn_errors, offset=offset)[1]
        laws = _defects(law @ frame + errors, sizes, len(strong))
    fewer = at.every(2).within(frame)
    half = fewer.forms(estimate.coefficients[None], fewer.moves.turns)
    unit, norms = (directions / norms[:, None])[order], norms[order]
    changed = np.sqrt(np.sum(half[0][0] ** 2, axis=0) / np.maximum(np.diag(half[1][0]), np.finfo(float).tiny))
    squares = errors.transpose(0, 2, 1) @ errors
    return Drawn(
        unit, len(strong), spectrum.values[order], law @ frame, errors, laws, squares, less, lengths / norms, changed
    )


def _defects(
    rows: Float[np.ndarray, "G R k"], denominators: Float[np.ndarray, "G k k"], strong: int
) -> Float[np.ndarray, "G s"]:
    """The relative defects of many models within the span of the first directions, ascending."""
    judged = slice(0, strong)
    roots = np.linalg.cholesky(denominators[:, judged, judged] + NULL * np.eye(strong))
    inverses = np.linalg.inv(roots)
    squares = inverses @ (rows.transpose(0, 2, 1) @ rows)[:, judged, judged] @ inverses.transpose(0, 2, 1)
    return np.sqrt(np.maximum(np.linalg.eigvalsh(squares), 0.0))


def stated(rule: Rule, of: Drawn, floor: float = 0.0) -> Certificate:
    """The counts and bounds.

    A band about the numerator gives bounds of all defects at once. Where the errors are those of least squares, what is
    below delta is tested besides, and the bands keep a small share of alpha. Else the upper bounds are quantiles of the
    defects of the model with a drawn error: the model has an error of its own already, and a second one makes a defect
    larger yet. They hold one by one, which is enough for a count from the smallest defect up: there is one defect that
    is the first above delta.
    """
    count, judged = len(of.defects), slice(0, of.strong)
    lower, upper, least = np.zeros(count), np.full(count, np.inf), np.full(count, np.inf)
    if of.strong:
        level = (1.0 - 2.0 * EACH) * rule.alpha
        bands = [
            simultaneous_band(form[:, judged, judged], 1.0 - EACH * rule.alpha)
            for form in (of.numerator, of.denominator)
        ]
        lower[judged], upper[judged] = bounded(of.defects[judged], bands[0], bands[1], floor)
        if of.laws is not None:
            place = int(np.ceil((len(of.laws) + 1) * (1.0 - level) - 1e-9))
            upper[judged] = np.maximum(np.sort(of.laws, axis=0)[place - 1], of.defects[judged]) + floor
        least[judged] = upper[judged]
        if of.laws is None and floor < rule.delta:
            rows, errors = of.rows[:, judged], of.errors[:, :, judged]
            sharp = below(of.defects[judged], rows, errors, lower[judged], bands[1], rule.delta - floor, level)
            least[judged] = np.where(np.isfinite(sharp.least), sharp.least + floor, upper[judged])
            upper[: sharp.count] = np.minimum(upper[: sharp.count], rule.delta)
            upper[sharp.count : of.strong] = np.maximum(upper[sharp.count : of.strong], np.nextafter(rule.delta, 1.0))
    certain, most = counted(Bounds(lower, upper), rule.delta)
    noise, less = (np.einsum("gkk->k", form) / len(form) for form in (of.numerator, of.denominator))
    kept = np.maximum(1.0 - less, np.finfo(float).tiny)
    debiased = np.minimum(np.sqrt(np.maximum(of.defects**2 - noise, 0.0) / kept), TOP)
    return Certificate(
        rule.delta,
        rule.alpha,
        certain,
        most,
        of.directions,
        of.defects,
        debiased,
        lower,
        upper,
        least,
        of.lengths,
        weak=count - of.strong,
        halved=float(abs(of.halved - of.defects)[max(certain, 1) - 1]) if count else float("nan"),
    )


@dataclass(frozen=True, eq=False)
class _Met:
    """The generators and a linear family at some points, in common units and times the roots of weights.

    Fields: `features` (B, r), `slopes` (B, n, r); `moves`; `inputs` (n,) and `outputs` (m,), units; `root` (B,).
    """

    features: Float[np.ndarray, "B r"]
    slopes: Float[np.ndarray, "B n r"]
    moves: Moves
    units: Units
    root: Float[np.ndarray, " B"]

    def within(self, frame: Float[np.ndarray, "q k"]) -> "_Met":
        """For combinations of the generators, columns of the frame."""
        combined = Moves(*(np.moveaxis(np.moveaxis(part, 1, -1) @ frame, -1, 1) for part in self.moves))
        return replace(self, moves=combined)

    def moving(self, coefficients: Float[np.ndarray, "r m"]) -> Float[np.ndarray, "q k"]:
        """Combinations of the generators along which the denominator is one, without those that move nothing.

        From rows and not from their products: far from the origin a turn about the points is what turns and shifts
        leave of each other, and products would lose it.
        """
        jacobians = self.slopes @ coefficients
        sizes = np.einsum("bnm,n,m->b", jacobians**2, self.units.inputs**2, self.units.outputs**2)
        motion = self.moves.fields / self.units.inputs * (np.sqrt(sizes) * self.root)[:, None, None]
        turned = self.moves.turns * self.units.outputs * self.root[:, None, None]
        rows = np.concatenate([np.moveaxis(part, 1, -1).reshape(-1, part.shape[1]) for part in (motion, turned)])
        lengths, axes = right_singular(rows)
        kept = lengths > NULL * lengths.max(initial=0.0)
        return (axes[kept] / lengths[kept, None]).T

    def every(self, step: int) -> "_Met":
        """At a part of the points."""
        part = Moves(*(each[::step] for each in self.moves))
        return replace(
            self, features=self.features[::step], slopes=self.slopes[::step], moves=part, root=self.root[::step]
        )

    def offset(self, coefficients: Float[np.ndarray, "r m"]) -> Float[np.ndarray, "B q m"]:
        """By what outputs are turned where the model is zero: shifts of outputs."""
        values = self.features @ coefficients
        return self.moves.turns - (self.moves.turning @ values[:, None, :, None])[..., 0]

    def forms(
        self,
        coefficients: Float[np.ndarray, "G r m"],
        turns: Float[np.ndarray, "B q m"] | None = None,
        offset: Float[np.ndarray, "B q m"] | None = None,
    ) -> tuple[Float[np.ndarray, "G R q"], Float[np.ndarray, "G q q"]]:
        """The numerator of the relative defect as rows, one for each point and output, and the denominator as a
        quadratic form, weighted means over the points, of models or of their errors; `turns` of outputs, by default
        those of the linear part and the `offset`."""
        count, _, m = coefficients.shape
        points, n, r = self.slopes.shape
        fields, _, turning = self.moves
        q = fields.shape[1]
        # In common units and times the roots of weights from the first: these tables are small, those of draws are not.
        flat = np.moveaxis(coefficients, 0, 1).reshape(r, count * m)
        scaled = (np.moveaxis(coefficients, 0, 1) * self.units.outputs).reshape(r, count * m)
        slopes = self.slopes * self.root[:, None, None]
        jacobians = (slopes.reshape(points * n, r) @ scaled).reshape(points, n, count * m)
        along = jacobians.transpose(0, 2, 1) @ fields.transpose(0, 2, 1)
        sizes = np.einsum("bngm,n->gb", jacobians.reshape(points, n, count, m) ** 2, self.units.inputs**2)
        measured = fields / self.units.inputs
        outer = measured @ np.ascontiguousarray(measured.transpose(0, 2, 1))  # small ones: a copy is the faster product
        denominator = (sizes @ outer.reshape(points, q * q)).reshape(count, q, q)
        if turns is None and (turning.any() or offset is not None):
            values = (self.features @ flat).reshape(points, count, m)
            turned = (turning.reshape(points, q * m, m) @ values.transpose(0, 2, 1)).reshape(points, q, m, count)
            turned = turned.transpose(0, 3, 2, 1)
            turned = turned if offset is None else turned + offset.transpose(0, 2, 1)[:, None]
        else:
            turned = None if turns is None or not turns.any() else turns.transpose(0, 2, 1)[:, None]
        if turned is not None:
            turned = turned * (self.units.outputs[:, None] * self.root[:, None, None, None])
            along = along - turned.reshape(points, count * m, q)
            less = _rows(turned)
            denominator = denominator + less.transpose(0, 2, 1) @ less
        return _rows(along.reshape(points, count, m, q)), denominator


def _rows(parts: Float[np.ndarray, "B G m q"]) -> Float[np.ndarray, "G R q"]:
    points, count, outputs, width = parts.shape
    return np.moveaxis(parts, 1, 0).reshape(count, points * outputs, width)


def _met(
    question: Question, estimate: Estimate, units: Units, x: np.ndarray, weights: np.ndarray
) -> tuple[_Met, Float[np.ndarray, "B m"]]:
    """And the model's values."""
    features, slopes = estimate.at(x)
    values = features @ estimate.coefficients
    root = np.sqrt(weights / weights.sum())
    return _Met(features, slopes, moves(question.source, question.onto, x, values), units, root), values


def _along(form: np.ndarray, directions: np.ndarray) -> np.ndarray:
    return np.einsum("kq,qr,kr->k", directions, form, directions)


def _root(form: np.ndarray) -> np.ndarray:
    """R with R^T R the form."""
    values, vectors = np.linalg.eigh(form)
    return np.sqrt(np.maximum(values, 0.0))[:, None] * vectors.T
