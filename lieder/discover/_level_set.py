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
from ._checks import all_rows, check_action, check_candidates, check_count, check_table, check_width, units_of_columns
from ._cloud import cloud_symmetries
from ._question import CERTIFICATE, Asked, Question, Rule
from ._reduce import units as units_of
from ._search import LEVELS, Search
from ._symmetries import Symmetries
from ._tangency import block_scales

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
    dictionary with b = 0 on the data, were they without noise, z_i moved onto the level set. Sharper than tangent
    spaces (`cloud`) where such functions exist; candidates need not be affine. `cloud(route="level set")` chooses the
    degree of polynomials itself.

    Noise is taken to be alike in all coordinates that the action mixes, and independent from point to point. "Cannot
    tell" where the points do not lie about the level set as such noise does, and where they spread along a part of it
    only, as a curve does on a surface: there may be functions besides that the dictionary lacks.

    Arguments:
        z: (N, n) points, N at least the size of the dictionary. action: how they are acted on.
        dictionary: in which vanishing functions are sought, e.g. lieder.dictionary.polynomials(n, 2).
        count: how many of them, if known; by default by the largest gap of singular values.
        tolerance, min_gap, names, seed: as in `function`.
        evidence, delta, alpha, groups: as in `dataset`; the error of the functions is drawn from those that vanish on
            all but a tenth of the points, or of the groups, and bounds are wider by the distance of the data from the
            level set, which may bend it without varying.
    Returns:
        Symmetries; the resolution of a direction is the error of the functions along it, found again without each
        tenth of the points, and how far neighbouring points lie on one side of the level set together.
    Raises:
        ValueError, TypeError: as `cloud`; no function of the dictionary vanishes on the data.
    Reference: Shaw, Magner, Moon (2024), sections 3 and 4; of the functions, see
        `lieder.models.level_functions`.
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
    question = Question(action, None, data.names, "symmetries of a level set", units=units_of_columns((z, data)))
    z = np.asarray(data.values, dtype=np.float64)
    search = Search(max_points=len(z), route=LEVELS, dictionary=dictionary, count=count)
    found = cloud_symmetries(question, replace(rule, evidence="gap"), search, z)
    if rule.evidence != CERTIFICATE:
        return found
    return replace(found, certificate=_certified(question, rule, dictionary, count, z))


def _certified(
    question: Question, rule: Rule, dictionary: AbstractDictionary, count: int | None, z: np.ndarray
) -> Certificate:
    """Of the functions as a model that the fields must not change."""
    if len(z) < 2 * dictionary.size:
        return uncertified(question, rule, len(z), f"{len(z)} points are too few to leave some of them out")
    levels = models.level_functions(z, dictionary, count, rule.min_gap, block_scales(z, question.source))
    names = question.names + tuple(f"b{k + 1}" for k in range(levels.count))
    lifted = Question(question.source, scalars(question.source.algebra, levels.count), names, question.method, True)
    groups = Groups(np.arange(len(z)), np.arange(len(z))) if rule.groups is None else rule.groups
    parted = 0 if rule.groups is None else groups.count
    with jax.enable_x64(True):
        refits = models.together(models.level_refits(z, dictionary, levels, groups.parts(PARTS, rule.seed)))
        estimate = models.Refits(levels.model, refits, levels.count)
        units = units_of(levels.model, stream(Table(z, question.names), "z"), lifted)[0]
        found = certificate(lifted, rule, estimate, units, z, np.ones(len(z)), levels.distance)
    found = replace(found, rows=len(z), groups=parted, family=f"{levels.count} functions that vanish on the points")
    return withheld(found, reason) if (reason := too_few(parted)) else found
