"""What speaks against a certified space without the model's derivative: held-out rows, moved and looked at again."""

from collections.abc import Callable
from functools import partial

import numpy as np
from jaxtyping import Float, Int

from ..action import moved, velocities
from ..jobs import results
from ..late import ensemble
from ._finite import STEP, step
from ._question import Question

SIGNS = 999  # random signs: p-values from 1 / 1000
MOST = 4  # generators that are tried
FOLDS = 3
TREES = 60
ROWS = 2000  # that the classifier is shown
HALF = 0.5  # of the spread: by so much rows are moved either way when their distribution is asked about

Model = Callable[[Float[np.ndarray, "N n"]], Float[np.ndarray, "N m"]]


def missed(
    question: Question,
    model: Model,
    held: tuple[Float[np.ndarray, "N n"], Float[np.ndarray, "N m"], Int[np.ndarray, " N"]],
    generators: Float[np.ndarray, "a q"],
    allowed: Float[np.ndarray, " a"],
    outputs: Float[np.ndarray, " m"],
    seed: int,
) -> float:
    """p-value of the hypothesis that g^-1 F(g x) predicts held-out labels as well as F(x) does, to within what is
    allowed. `held`: inputs, labels and groups of these rows.

    Under it the excess of the squared residual of a row, less the square of what is `allowed` for each unit of time,
    has a mean of at most zero; its sign, the same for all rows of a group, is then drawn at random.

    Returns: the least over the generators, times their number; NaN where no row can be moved.
    Reference: Fisher (1935), The Design of Experiments, section 21 (random signs).
    """
    x, y, groups = held
    n = x.shape[1]
    pairs = np.concatenate([x, y], axis=1)
    before = np.sum((outputs * (model(x) - y)) ** 2, axis=1)
    found = []
    for xi, each in zip(generators[:MOST], allowed, strict=False):
        speed = velocities(question.both, xi[None], pairs)[0]
        time = step((x, speed[:, :n]), (y, speed[:, n:]))
        there = moved(question.both, xi[None], pairs, np.array([time]))[0]
        usable = np.isfinite(there).all(axis=1)
        if usable.sum() < max(2, len(x) // 2):
            continue
        there = there[usable]
        predicted = np.concatenate([there[:, :n], model(there[:, :n])], axis=1)
        back = moved(question.both, xi[None], predicted, np.array([-time]))[0]
        after = np.sum((outputs * (back[:, n:] - y[usable])) ** 2, axis=1)
        excess = after - before[usable] - (time * each) ** 2
        found.append(signs(excess, groups[usable], seed))
    return min(1.0, len(found) * min(found)) if found else float("nan")


def inputs_moved(
    question: Question,
    x: Float[np.ndarray, "N n"],
    y: np.ndarray,
    generators: np.ndarray,
    groups: np.ndarray,
    seed: int,
) -> float:
    """p-value of the hypothesis that inputs are distributed as they are when moved.

    Each row, with all of its group, is moved ahead or back by half of the spread, which a coin decides. Under the
    hypothesis where it lies then says nothing of the coin, so that what trees guess of the coins of other rows, added
    up, has the law that it has under coins tossed anew. Folds share what their trees were shown, so that each has a
    p-value of its own.

    Returns: the least over the generators, times their number; NaN where no row can be moved.
    Reference: Lopez-Paz and Oquab (2017), revisiting classifier two-sample tests; the randomisation given the rows:
    Fisher (1935), The Design of Experiments, section 21.
    """
    picked = np.linspace(0, len(x) - 1, min(len(x), ROWS)).astype(int)
    x, y, groups = x[picked], y[picked], np.unique(groups[picked], return_inverse=True)[1].reshape(-1)
    n = x.shape[1]
    pairs = np.concatenate([x, y], axis=1)
    found = []
    for xi in generators[:MOST]:
        speed = velocities(question.both, xi[None], pairs)[0]
        time = HALF / STEP * step((x, speed[:, :n]))
        ways = moved(question.both, np.tile(xi, (2, 1)), pairs, np.array([-time, time]))[:, :, :n]
        if not np.isfinite(ways).all() or not np.any(speed[:, :n]):
            continue
        found.append(_coins_told(ways, groups, seed))
    return min(1.0, len(found) * min(found)) if found else float("nan")


def _coins_told(ways: Float[np.ndarray, "2 N n"], groups: Int[np.ndarray, " N"], seed: int) -> float:
    """The least p-value of the folds, times their number."""
    random = np.random.default_rng([seed, 1])  # not the stream of the signs
    count = int(groups.max()) + 1
    fold = random.permutation(count)[groups] % min(FOLDS, count)
    coins = random.integers(0, 2, count)[groups]
    there = np.where(coins[:, None] == 1, ways[1], ways[0])
    told = partial(_told, ways, there, coins, groups, seed)
    found = results(told, [fold == k for k in range(fold.max() + 1)], "trees of folds")
    return min(1.0, len(found) * min(found))


def _told(ways: np.ndarray, there: np.ndarray, coins: np.ndarray, groups: np.ndarray, seed: int, mine: np.ndarray):
    """The p-value of a fold."""
    trees = ensemble.RandomForestClassifier(TREES, min_samples_leaf=5, random_state=seed)
    trees.fit(ways[:, ~mine].reshape(-1, ways.shape[2]), np.repeat([0, 1], np.sum(~mine)))
    guessed = np.asarray(trees.predict_proba(there[mine]))[:, 1]
    return signs((2 * coins[mine] - 1) * (guessed - guessed.mean()), groups[mine], seed)


def signs(excess: Float[np.ndarray, " N"], groups: Int[np.ndarray, " N"], seed: int) -> float:
    """p-value of a mean of at most zero, against random signs, one for all rows of a group."""
    sums = np.bincount(groups, excess)
    sums = sums[np.bincount(groups) > 0]
    drawn = np.random.default_rng(seed).choice([-1.0, 1.0], size=(SIGNS, len(sums))) @ sums
    return float((1 + np.sum(drawn >= sums.sum())) / (SIGNS + 1))
