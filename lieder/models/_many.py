"""Families that are linear in their parameters, fitted to more rows than are held in memory."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from ..dictionary import AbstractDictionary
from ..linalg import TriangularFactor
from ..sampling import SINGLY, Pairs, Stream, Together, row_keys, shuffled
from ._data import Data, check_outputs, held, relative
from ._fit import CHOICE, Split, concluded
from ._fitted import Fitted
from ._ridge import Ridge

MANY = SINGLY  # rows up to which all are held
_BLOCK = 2**13  # rows read at a time
_OTHERS = ("auto", "graph", "kernel", "mlp")


def is_linear(family) -> bool:
    """Whether a family, as a user names it, is linear in its parameters: a triangular factor of all rows is enough.

    Arguments: `family`, of `fit`.
    Returns: True for dictionaries and polynomials, also as text.
    """
    return isinstance(family, AbstractDictionary) or (isinstance(family, str) and family not in _OTHERS)


def fit_stream(
    x: Stream,
    y: Stream,
    family: str | AbstractDictionary,
    weights: str | Float[np.ndarray, " N"] | None = None,
    seed: int = 0,
    argument: str = "family",
) -> tuple[Fitted, Float[np.ndarray, "k n"], Float[np.ndarray, "k m"]]:
    """As `fit`, for a family that is linear in its parameters and streams of more than MANY rows, which can be read
    twice.

    A uniform sample of MANY rows is held. Of these some are held out, a fifth of all rows at most; on others the
    hyperparameters are chosen by cross-validation. The model is fitted to all rows that are not held out. What is drawn
    follows from the number of the row and the seed, so that nothing depends on how rows come.

    Arguments: `x`, `y`; `family`, `weights`, `seed` and `argument` as for `fit`.
    Returns: Fitted, whose rows are those of the sample, and the inputs and outputs of the sample.
    Raises: as `fit`; ValueError where x and y differ in length.
    """
    both = Together(x, y, weights if isinstance(weights, np.ndarray) else None)
    sample, count = both.sample(MANY, seed)
    inputs, outputs, drawn = sample.columns
    check_outputs(outputs, y.argument)
    floor = relative(outputs)[1] if isinstance(weights, str) else 0.0
    drawn = relative(outputs, floor)[0] if isinstance(weights, str) else drawn
    unit = float(drawn.mean()) or 1.0
    data = Data(inputs, outputs, drawn / unit)
    order = np.argsort(sample.keys, kind="stable")
    cut = min(held(count, 0.2), MANY - CHOICE)
    test, rest = np.sort(order[:cut]), np.sort(order[cut : cut + CHOICE])
    last = float(sample.keys[order[cut - 1]])
    chosen = data[rest[shuffled(inputs[rest], seed + 1)]]

    on = _On(seed, last, floor if isinstance(weights, str) else None, unit)

    def trained(best: Ridge, setting):
        features = best.features_of(chosen, setting, seed)
        factor = both.over(partial(_factored, best, features, on), TriangularFactor.merge, _BLOCK)
        return best.solved(features, factor, setting, y.width)

    split = Split(chosen, data[test], trained, len(chosen) / (count - cut), rest, test, data.weight)
    return concluded(split, family, 5, seed, argument), inputs, outputs


class _On(NamedTuple):
    """Which rows are fitted: those whose key, of the `seed`, is above the `last` that is held out. Weights are relative
    to the sizes of outputs above a `floor`, where there is one, in a `unit`."""

    seed: int
    last: float
    floor: float | None
    unit: float

    def rows(self, batch: Pairs) -> Data:
        first, a, b, given = batch
        on = row_keys(first, first + len(a), self.seed) > self.last
        w = np.ones(len(a)) if given is None else given
        w = w if self.floor is None else relative(b, self.floor)[0]
        return Data(a[on], b[on], w[on] / self.unit)


def _factored(best: Ridge, features: Callable, on: _On, batches: Iterable[Pairs]) -> TriangularFactor:
    return best.factored(features, map(on.rows, batches))
