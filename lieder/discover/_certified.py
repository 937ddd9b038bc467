"""The certificate of a model that was fitted to a table: which family it is for, how far it is believed, and what
speaks against it."""

import dataclasses
from functools import partial

import jax
import numpy as np
from jaxtyping import Float

from .. import models
from ..sampling import Table, stream
from ._certificate import Certificate
from ._certify import certificate
from ._falsify import inputs_moved, missed
from ._question import Question, Rule
from ._reduce import Units
from ._reduce import units as units_of

FEW = 10  # groups below which nothing is certified: how much groups differ is hardly known from so few
LACK = 0.01  # p-value of the family's fit below which it is not believed
AGAINST = 0.01  # p-value of moved rows below which what was certified is withdrawn


def certified(
    question: Question, rule: Rule, fitted: models.Fitted, tables: tuple[Table, Table], unknown: str
) -> Certificate:
    """The certificate of a fitted model.

    A family that is linear in its parameters is fitted once more, without penalty and to all rows. Where its degree was
    chosen by cross-validation it is the family of one degree more, if there are rows enough: that a polynomial of
    degree 2 predicts best does not say that the law is none of degree 3. Every other model is taken as it is, with the
    fits without a part of the rows.

    Arguments: `tables` of inputs and outputs; `unknown`, why nothing is known of the model, or "".
    Returns: Certificate.
    """
    x, y = (table.values.astype(np.float64) for table in tables)
    with jax.enable_x64(True):
        units = units_of(fitted.model, stream(Table(x, tables[0].names), "x"), question)[0]
        codes = None if rule.groups is None else rule.groups.codes
        floor = 0.0
        try:
            features = models.linear_features(fitted)
            if features is None:
                # A posterior takes rows to be independent; what groups share only fits without groups can show.
                process = models.posterior(fitted, x, y) if codes is None else None
                estimate = process or models.Refits(fitted.model, fitted.alternatives, len(fitted.gain))
                family, floor = fitted.family, 2.0 * fitted.resolution
            else:
                features = (models.richer(features, len(x)) or features) if len(fitted.scores) > 1 else features
                estimate = models.least_squares(x, y, fitted.weights, features, codes, rule.seed)
                family = models.named(features, fitted.family)
        except models.Undetermined as reason:
            return uncertified(question, rule, len(x), str(reason))
        found = certificate(question, rule, estimate, units, x, fitted.weights, floor)
        groups = 0 if rule.groups is None else rule.groups.count
        found = dataclasses.replace(
            found, rows=len(x), groups=groups, family=family, misfit=estimate.misfit, coverage=estimate.leverage
        )
        if unknown:
            return withheld(found, unknown)
        if reason := too_few(groups):
            return withheld(found, reason)
        if found.misfit <= LACK:
            return withheld(found, f"the data contradict the family, {family} (p = {found.misfit:.2g})")
        return _tried(question, rule, fitted, units, found, (x, y)) if found.at_least else found


def too_few(groups: int) -> str:
    """Why so many groups certify nothing, or ""."""
    return f"{groups} groups are too few to tell how much groups differ, {FEW} are needed" if 0 < groups < FEW else ""


def withheld(found: Certificate, reason: str) -> Certificate:
    """With nothing certified, for a reason."""
    count = len(found.directions)
    none, all_ = np.zeros(count), np.full(count, np.inf)
    return dataclasses.replace(found, at_least=0, at_most=count, lower=none, upper=all_, least=all_, reason=reason)


def uncertified(question: Question, rule: Rule, rows: int, reason: str) -> Certificate:
    """The certificate that says why there is none."""
    q = question.source.algebra.dim
    zero = np.zeros(q)
    groups = 0 if rule.groups is None else rule.groups.count
    unknown, most = zero + np.nan, zero + np.inf
    empty = Certificate(rule.delta, rule.alpha, 0, q, np.eye(q), unknown, unknown, zero, most, most, zero, rows=rows)
    return withheld(dataclasses.replace(empty, groups=groups), reason)


def _tried(
    question: Question,
    rule: Rule,
    fitted: models.Fitted,
    units: Units,
    found: Certificate,
    data: tuple[Float[np.ndarray, "N n"], Float[np.ndarray, "N m"]],
) -> Certificate:
    """With what held-out rows say of it once moved."""
    x, y = data
    test = fitted.test
    codes = np.arange(len(x)) if rule.groups is None else rule.groups.codes
    groups = np.unique(codes[test], return_inverse=True)[1].reshape(-1)
    predict = partial(models.values, fitted.model)
    allowed = rule.delta * found.lengths[: found.at_least]
    flows = missed(question, predict, (x[test], y[test], groups), found.symmetric, allowed, units.outputs, rule.seed)
    alike = inputs_moved(question, x, y, found.symmetric, codes, rule.seed)
    found = dataclasses.replace(found, flows=flows, inputs=alike)
    if flows < AGAINST:
        return withheld(found, f"held-out rows moved by what would be certified are missed (p = {flows:.2g})")
    return found
