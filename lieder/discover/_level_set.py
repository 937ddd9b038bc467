"""Symmetries of a point cloud described by functions that vanish on it."""

from dataclasses import replace

import jax
import numpy as np

from .. import models
from ..action import AbstractAction, scalars
from ..dictionary import AbstractDictionary
from ..sampling import Groups, Table, groups_of, stream
from ._certificate import Certificate
from ._certified import too_few, uncertified, withheld
from ._certify import certificate
from ._checks import all_rows, check_action, check_candidates, check_count, check_table, check_width
from ._doubt import Known
from ._model import model_symmetries
from ._question import CERTIFICATE, Asked, Question, Rule
from ._reduce import units as units_of
from ._symmetries import Symmetries

PARTS = 10  # of the points, each left out in turn


def level_set(
    z,
    *,
    action: AbstractAction,
    dictionary: AbstractDictionary,
    count: int | None = None,
    tolerance: float | None = None,
    min_gap: float = 5.0,
    names: list[str] | None = None,
    seed: int = 0,
    evidence: Asked = "gap",
    delta: float = 0.05,
    alpha: float = 0.05,
    groups=None,
) -> Symmetries:
    """The symmetries of a point cloud, as fields along which the functions vanishing on it keep vanishing.

    rho(xi)^2 = sum_i |Db(z_i) theta_xi(z_i)|^2 / sum_i |Db(z_i)|^2 |theta_xi(z_i)|^2 for functions b of the
    dictionary with b = 0 on the data. Sharper than tangent spaces (`cloud`) where such functions exist and noise is
    small; candidates need not be affine.

    Arguments:
        z: (N, n) points, N at least the size of the dictionary. action: how they are acted on.
        dictionary: in which vanishing functions are sought, e.g. lieder.dictionary.polynomials(n, 2).
        count: how many of them, if known; by default by the largest gap of singular values.
        tolerance, min_gap, names, seed: as in `function`.
        evidence, delta, alpha, groups: as in `dataset`; the error of the functions is drawn from those that vanish on
            all but a tenth of the points, or of the groups, and bounds are wider by the distance of the data from the
            level set, which may bend it without varying.
    Returns:
        Symmetries; the resolution is the data's distance from the level set, in units of their spread.
    Raises:
        ValueError, TypeError: as `cloud`; no function of the dictionary vanishes on the data.
    Reference: Shaw, Magner, Moon (2024), sections 3 and 4.
    """
    check_action(action, "action")
    rule = Rule(tolerance, min_gap, seed, evidence, delta, alpha)
    check_count(count, "count")
    data = all_rows(z, "z", names)
    check_width(data.names, len(data.values), action, "z", "action")
    check_table(data, "z")
    if groups is not None:
        rule = replace(rule, groups=groups_of(groups, len(data.values)))
    if dictionary.width != action.width:
        raise ValueError(f"dictionary has functions of {dictionary.width} variables, but z has {action.width} columns.")
    check_candidates(len(data.values), count or 1, action.algebra.dim, "z")
    levels = models.level_functions(np.asarray(data.values, dtype=np.float64), dictionary, count, min_gap)
    question = Question(
        action,
        scalars(action.algebra, levels.count),
        data.names + tuple(f"b{k + 1}" for k in range(levels.count)),
        "symmetries of a level set",
        lifted=True,
    )
    known = Known(
        levels.distance,
        "distance of the data from the level set, in units of their spread",
        described=f"{levels.count} of {dictionary.size} functions vanish on the data, relative singular values "
        f"{levels.spectrum[0]:.2g} to {levels.spectrum[levels.count - 1]:.2g}, "
        f"the next {levels.spectrum[levels.count]:.2g}",
    )
    nothing = np.zeros(action.width, bool)  # the level functions know what lies off the data
    found = model_symmetries(question, rule, levels.model, stream(data, "z"), known, needed=nothing)
    return (
        replace(found, certificate=_certified(question, rule, dictionary, levels, data))
        if evidence == CERTIFICATE
        else found
    )


def _certified(
    question: Question, rule: Rule, dictionary: AbstractDictionary, levels: models.Levels, data: Table
) -> Certificate:
    z = data.values.astype(np.float64)
    groups = Groups(np.arange(len(z)), np.arange(len(z))) if rule.groups is None else rule.groups
    count = 0 if rule.groups is None else groups.count
    if len(z) < 2 * dictionary.size:
        return uncertified(question, rule, len(z), f"{len(z)} points are too few to leave some of them out")
    with jax.enable_x64(True):
        refits = models.level_refits(z, dictionary, levels, groups.parts(PARTS, rule.seed))
        estimate = models.Refits(levels.model, refits, levels.count)
        units = units_of(levels.model, stream(data, "z"), question)[0]
        found = certificate(question, rule, estimate, units, z, np.ones(len(z)), levels.distance)
    family = f"{levels.count} functions that vanish on the points"
    found = replace(found, rows=len(z), groups=count, family=family)
    return withheld(found, reason) if (reason := too_few(count)) else found
