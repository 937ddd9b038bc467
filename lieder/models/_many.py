"""Families that are linear in their parameters, fitted to more rows than are held in memory."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float

from lieder.dictionary import AbstractDictionary

from ..sampling import SINGLY, Sample, Stream, row_keys, shuffled
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


def paired(x: Stream, y: Stream) -> Iterator[tuple[Float[np.ndarray, "B n"], Float[np.ndarray, "B m"]]]:
    """Batches of inputs and outputs that belong together, in float64.

    Arguments: `x`, `y`, streams.
    Returns: an iterator over pairs (B, n), (B, m).
    Raises: ValueError where they differ in length, and for what is not finite.
    """
    inputs, outputs = x.batches(_BLOCK, piece=True), y.batches(_BLOCK, piece=True)
    seen = [0, 0]
    for a in inputs:
        b = next(outputs, a[:0])
        seen = [seen[0] + len(a), seen[1] + len(b)]
        if seen[0] != seen[1]:
            break
        yield a.astype(np.float64, copy=False), b.astype(np.float64, copy=False)
    seen = [count + sum(map(len, rest)) for count, rest in zip(seen, (inputs, outputs), strict=True)]
    if seen[0] != seen[1]:
        raise ValueError(f"{x.argument} has {seen[0]} rows and {y.argument} has {seen[1]}: rows must belong together.")


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
    sample, count = Sample.empty(MANY), 0
    for a, b in paired(x, y):
        stop = count + len(a)
        w = weights[count:stop] if isinstance(weights, np.ndarray) else np.ones(len(a))
        sample, count = sample.absorb(np.arange(count, stop), row_keys(count, stop, seed), a, b, w), stop
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

    def blocks() -> Iterator[Data]:
        begin = 0
        for a, b in paired(x, y):
            end = begin + len(a)
            on = row_keys(begin, end, seed) > last
            w = weights[begin:end] if isinstance(weights, np.ndarray) else np.ones(len(a))
            w = relative(b, floor)[0] if isinstance(weights, str) else w
            yield Data(a[on], b[on], w[on] / unit)
            begin = end

    def trained(best: Ridge, setting):
        return best.train_blocks(chosen, blocks(), setting, seed)

    split = Split(chosen, data[test], trained, len(chosen) / (count - cut), rest, test, data.weight)
    return concluded(split, family, 5, seed, argument), inputs, outputs
