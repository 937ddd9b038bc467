"""Fit a function to data, choose its family by cross-validation, and say how far it can be believed."""

import dataclasses
import difflib
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Num

from ..dictionary import AbstractDictionary, by_name
from ..interop import ForeignModel, is_sklearn
from ..sampling import Groups
from ._batches import values
from ._choice import preferred
from ._data import Data, checked, held
from ._doubt import added, alternatives, explained, neighbouring_error, no_worse, smooth_misfit
from ._family import AbstractFamily, Validated
from ._fitted import Fitted
from ._gaussian import EXACT_ROWS, GaussianProcess
from ._mlp import MLP
from ._regressor import regressor
from ._ridge import of_dictionary, polynomial, polynomial_size

DEGREES = (1, 2, 3, 4)
LARGEST = 800  # monomials in "auto": beyond, one decomposition a fold takes many seconds
CHOICE = 20_000  # rows on which families are compared: more would not change the choice
NETWORK_ENTRIES = 200_000  # largest N * n at which "auto" tries a network, where the Gaussian process is not exact
EXACT = 1e-6  # cross-validated error of a polynomial at which "auto" looks no further
FAMILIES = ("auto", "polynomial", "polynomial(3)", "kernel", "mlp")


def fit(
    x: Num[np.ndarray, "rows inputs"],
    y: Num[np.ndarray, "rows *outputs"],
    family: "str | AbstractDictionary | object" = "auto",
    *,
    weights: "str | Num[np.ndarray, ' rows'] | None" = None,
    folds: int = 5,
    held_out: float = 0.2,
    seed: int = 0,
    argument: str = "family",
    groups: Groups | None = None,
) -> Fitted:
    """Fit a smooth function y ~ F(x), to be differentiated.

        F = argmin over the family of sum_i w_i |F(x_i) - y_i|^2   (+ ridge)

    A random part of the rows is held out, rows of equal x together; on the rest, cross-validation chooses the
    hyperparameters and the family, and the model is fitted; the part held out gives its error.

    Arguments:
    `x` (N, n) and `y` (N, m) or (N,): the data, N >= 10; data frames are read too.
    `family`: "auto" (default) compares polynomial ridge of degrees 1 to 4 (as many monomials as 70 % of the training
    rows, and at most 800), a Gaussian process and, beyond 2,000 rows and up to N n = 200,000, a small network. It takes
    the simplest whose derivative is as well known as that of the best predictor, and agrees with it; nothing beyond
    polynomials where one is exact to 1e-6. "polynomial" (degree 1 to 4), "polynomial(3)", "kernel" (a Gaussian process,
    which is kernel ridge regression with lengths, directions and noise chosen by the marginal likelihood) and "mlp" are
    those families alone. An `AbstractDictionary`, or its text like "radial(-5,0)", is least squares in its functions.
    A scikit-learn regressor is cloned and fitted; its derivatives are central differences.
    `weights`: None, all rows count alike; "relative", each row is divided by |y_i|, so that w_i = 1 / |y_i|^2 (|y_i|
    not taken below its 1 % quantile, lest a few small rows decide), for data that span decades; an array (N,) of w_i.
    `folds`: of the cross-validation, 5 by default: the usual balance of cost against bias.
    `held_out`: the fraction of rows kept for the error, .2 by default.
    `seed`: of the split and the network.
    `argument`: what the caller calls the family, for messages.
    `groups`: rows that hang together are held out together, and left out together in cross-validation and jackknife.
    Returns: the model with its error, what it explains, and the alternatives that the data allow: `Fitted`.
    Raises: ValueError for rows that do not match, too few of them, NaN, an unknown family (with the nearest one);
    TypeError for complex numbers, text, or an estimator that cannot predict.
    Reference: Hastie, Tibshirani and Friedman, The Elements of Statistical Learning, 2009, section 7.10 (one standard
    error); 3.4.1 (ridge by one decomposition).
    """
    data = dataclasses.replace(checked(x, y, weights, folds, held_out), groups=groups)
    order = data.shuffled(seed)
    count = _apart(data, order, held(len(data), held_out))
    test, train = np.sort(order[:count]), np.sort(order[count:])
    known = data[train]
    chosen = known[known.shuffled(seed + 1)[:CHOICE]]

    def trained(best: AbstractFamily, setting):
        return best.train(known, setting, seed)

    split = Split(chosen, data[test], trained, len(chosen) / len(known), train, test, data.weight)
    return concluded(split, family, folds, seed, argument)


class Split(NamedTuple):
    """Rows parted for a fit.

    Fields: `chosen`, those on which families are compared; `tested`, those held out; `trained`, from a family and its
    setting to the model fitted to all that are not held out, and how its derivatives come about; `share`, of the chosen
    rows in these; `train`, `test`, `weights`, as of `Fitted`.
    """

    chosen: Data
    tested: Data
    trained: Callable[[Any, Any], tuple[Callable, str]]
    share: float
    train: np.ndarray
    test: np.ndarray
    weights: np.ndarray


def concluded(split: Split, family, folds: int, seed: int, argument: str) -> Fitted:
    """The family chosen by cross-validation, the model fitted, and how far it can be believed."""
    chosen, tested = split.chosen, split.tested
    parts = chosen.parts(folds)

    tried: dict[str, tuple[AbstractFamily, Validated]] = {}
    scores: dict[str, float] = {}
    scale = chosen.variation or chosen.square(chosen.y)
    for candidate in _candidates(family, chosen, folds, argument):
        if candidate is None:
            if min(scores.values()) < EXACT:
                break
            continue
        tried[candidate.name] = candidate, candidate.validate(chosen, parts, seed)
        scores[candidate.name] = float(np.sqrt(tried[candidate.name][1].squares.mean() / scale))
    name, leader = preferred(tried, chosen, seed)
    best, validated = tried[name]
    model, derivative = split.trained(best, validated.setting)

    # Only rows of zero weight held out, or all of one value: the scale of all rows then.
    error = float(np.sqrt(tested.square(values(model, tested.x) - tested.y) / (tested.variation or scale)))
    others = _rivals(name, leader, tried, chosen, seed)
    if (misfit := smooth_misfit(chosen, parts, validated.residual, seed)) is not None:
        others.append(added(model, misfit))
    return Fitted(
        model,
        name,
        error,
        neighbouring_error(chosen, parts, validated.residual) / float(np.sqrt(scale)),
        explained(chosen, parts, validated.residual),
        alternatives(best, validated, chosen, others, split.share, seed),
        best.train(_shuffled(chosen, seed), validated.setting, seed)[0],
        scores,
        split.train,
        split.test,
        derivative,
        split.weights,
    )


def _apart(data: Data, order: np.ndarray, count: int) -> int:
    """How many of the ordered rows are held out: where rows hang together, up to the end of the group nearest to it."""
    if data.groups is None:
        return count
    codes = data.groups.codes[order]
    ends = np.append(np.flatnonzero(np.diff(codes)) + 1, len(codes))
    return int(ends[np.argmin(np.abs(ends[:-1] - count))]) if len(ends) > 1 else count


def _rivals(
    name: str, leader: str, tried: dict[str, tuple[AbstractFamily, Validated]], data: Data, seed: int
) -> list[Callable | ForeignModel]:
    """The best predictor, or where that was taken the next richer family, fitted, where it predicts as well: the
    simplest is taken, the data do not refute it."""
    names = list(tried)
    models = []
    for rival in [leader] if leader != name else names[names.index(name) + 1 :][:1]:
        family, validated = tried[rival]
        if no_worse(data, tried[name][1], validated):
            models.append(validated.members[0] if validated.members else family.train(data, validated.setting, seed)[0])
    return models


def _shuffled(data: Data, seed: int) -> Data:
    """The same rows with their labels dealt out anew: nothing is left to be learnt."""
    return Data(data.x, data.y[np.random.default_rng(seed + 2).permutation(len(data))], data.weight)


def _candidates(family, data: Data, folds: int, argument: str) -> list[AbstractFamily | None]:
    """The families to compare, the simplest first; None where "auto" may stop if what came before is exact."""
    if isinstance(family, AbstractDictionary):
        if family.width != data.x.shape[1]:
            raise ValueError(
                f"{argument}: this dictionary takes {family.width} variables, but x has {data.x.shape[1]}."
            )
        return [of_dictionary(family, type(family).__name__.lower(), argument)]
    if is_sklearn(family) or not isinstance(family, str):
        return [regressor(family, argument)]
    name = re.sub(r"\s", "", family)
    # Singular or plural, with one number: the ridge family. All else in brackets is a dictionary's own text.
    if match := re.fullmatch(r"polynomials?\((?:degree=)?(\d+)\)", name):
        return [polynomial(int(match[1]))]
    rows = len(data) * (folds - 1) / folds
    fits = [d for d in DEGREES if d == 1 or polynomial_size(data.x.shape[1], d) <= min(0.7 * rows, LARGEST)]
    ridges: list[AbstractFamily | None] = [polynomial(degree) for degree in fits]
    if name in {"polynomial", "polynomials"}:
        return ridges
    if name == "kernel":
        return [GaussianProcess()]
    if name == "mlp":
        return [MLP()]
    if name == "auto":
        network = len(data) > EXACT_ROWS and data.x.size <= NETWORK_ENTRIES
        return [*ridges, None, GaussianProcess(), *([MLP()] if network else [])]
    try:
        return [of_dictionary(by_name(family, data.x.shape[1]), family, argument)]
    except ValueError as fault:
        near = difflib.get_close_matches(name.split("(")[0], [known.split("(")[0] for known in FAMILIES], n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"{argument}: {family!r} is none of {', '.join(FAMILIES)}.{hint} As a {fault}") from fault
