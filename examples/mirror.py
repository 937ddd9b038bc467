"""Mirror symmetries of parameters: where they come for free a network collapses, where they are made it simplifies.

Collapse. A tanh network with two hidden layers of 64 units learns 300 noisy samples, with more and more weight decay,
and again after `ld.promote.mirror.remove`. Counted are the units in use: units whose weights out times weights in
exceed 1 % of the largest, and the dimension of what the last hidden layer shows of the samples.

Constraints. The same kind of network with one hidden layer of 64 units, each with `ld.promote.mirror.constrain`: its
weights become sparse, or its units equal to each other; two linear layers become low rank. Beside it weight decay,
chosen on the same held-out samples from the same strengths.

    python examples/mirror.py                           # three repetitions of the first part, a few minutes
    python examples/mirror.py --quick                   # little training
    python examples/mirror.py --figures collapse.png dcs.png
"""

import argparse
from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array
from matplotlib.figure import Figure
from sklearn.linear_model import Lasso

import lieder as ld

mirror = ld.promote.mirror
UNITS, INPUTS, USED = 64, 20, 6
BLUE, ORANGE, INK, GREY = "#0072B2", "#E69F00", "#1f2430", "#9aa3af"


class Budget(NamedTuple):
    """How much of everything."""

    repetitions: int = 3
    steps: int = 4000  # of the first part; three times as many of the second
    decays: tuple[float, ...] = tuple(np.logspace(-5, -1, 13))
    strengths: tuple[float, ...] = tuple(np.logspace(-4.5, -2, 6))
    lasso: int = 100_000


QUICK = Budget(1, 100, (1e-4, 1e-2), (1e-3,), 5_000)


class Data(NamedTuple):
    """Samples to learn from, to choose by, and to test on."""

    x: Array
    y: Array
    held_x: Array
    held_y: Array
    test_x: Array
    test_y: Array


def teacher(seed: int, count: int = 300, noise: float = 0.1) -> Data:
    """Five tanh units of the first six of twenty inputs, of unit variance; the test samples without noise."""
    rng = np.random.default_rng(seed)
    into = np.zeros((5, INPUTS))
    into[:, :USED] = rng.normal(size=(5, USED)) / np.sqrt(USED) * 1.5
    out = rng.choice([-1.0, 1.0], 5) * rng.uniform(0.7, 1.3, 5)
    x = rng.normal(size=(2 * count + 2000, INPUTS))
    y = np.tanh(x @ into.T) @ out
    y = (y / y.std())[:, None]
    return split(x, y, y + noise * rng.normal(size=y.shape), count)


def rank_three(seed: int, count: int = 300, noise: float = 1.0) -> Data:
    """Twelve linear functions of twenty inputs that see three directions; large noise."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(2 * count + 2000, INPUTS))
    y = x @ rng.normal(size=(INPUTS, 3)) @ rng.normal(size=(3, 12)) / np.sqrt(3 * INPUTS)
    return split(x, y, y + noise * rng.normal(size=y.shape), count)


def split(x: np.ndarray, y: np.ndarray, noisy: np.ndarray, count: int) -> Data:
    ends = slice(0, count), slice(count, 2 * count), slice(2 * count, None)
    parts = [(x[end], (y if end.stop is None else noisy)[end]) for end in ends]
    return Data(*(jnp.asarray(part, jnp.float32) for pair in parts for part in pair))


def layers(widths: tuple[int, ...], key: Array, bias: bool = True) -> list[eqx.nn.Linear]:
    keys = jax.random.split(key, len(widths) - 1)
    return [eqx.nn.Linear(n, m, use_bias=bias, key=k) for n, m, k in zip(widths[:-1], widths[1:], keys, strict=True)]


def hidden(model: list[eqx.nn.Linear], x: Array, activation: Callable = jnp.tanh) -> Array:
    """What the last hidden layer shows of the samples."""
    for layer in model[:-1]:
        x = activation(x @ layer.weight.T + (0 if layer.bias is None else layer.bias))
    return x


def predict(model: list[eqx.nn.Linear], x: Array, activation: Callable = jnp.tanh) -> Array:
    last = model[-1]
    return hidden(model, x, activation) @ last.weight.T + (0 if last.bias is None else last.bias)


def error(model: Any, x: Array, y: Array, activation: Callable = jnp.tanh) -> Array:
    """Mean square error over the variance."""
    return jnp.mean((predict(model, x, activation) - y) ** 2) / jnp.mean(y**2)


def train(start: Any, value: Callable, penalty: Callable, data: Data, steps: int, activation: Callable = jnp.tanh):
    """Adam with a rate that falls to zero, on all samples at once."""
    adam = optax.adam(optax.cosine_decay_schedule(0.01, steps))
    trained, still = eqx.partition(start, eqx.is_inexact_array)

    def loss(trained):
        c = eqx.combine(trained, still)
        return error(value(c), data.x, data.y, activation) + penalty(c)

    def step(carry, _):
        trained, state = carry
        change, state = adam.update(jax.grad(loss)(trained), state)
        return (optax.apply_updates(trained, change), state), None

    (trained, _), _ = jax.lax.scan(step, (trained, adam.init(trained)), length=steps)
    return eqx.combine(trained, still)


# Part 1: collapse


def decay_of(model: Any) -> Array:
    return sum(jnp.sum(leaf**2) for leaf in jax.tree.leaves(eqx.filter(model, eqx.is_inexact_array)))


def in_use(model: list[eqx.nn.Linear], x: Array) -> tuple[int, int]:
    """Live units of both hidden layers, and the dimension of the last: singular values above 1 % of the largest."""
    live = 0
    for before, after in pairwise(model):
        strength = np.linalg.norm(before.weight, axis=1) * np.linalg.norm(after.weight, axis=0)
        live += int((strength > max(0.01 * strength.max(), 1e-6)).sum())
    shown = np.asarray(hidden(model, x), np.float64)
    values = np.linalg.svd(shown - shown.mean(axis=0), compute_uv=False)
    return live, int((values > max(0.01 * values[0], 1e-4)).sum())


def collapse(seed: int, budget: Budget) -> dict[str, np.ndarray]:
    """Live units, dimension and test error against weight decay, without and with removal."""
    data = teacher(seed)
    start = layers((INPUTS, UNITS, UNITS, 1), jax.random.key(seed))
    removed = mirror.remove(start, penalty=0.0, key=jax.random.key(100 + seed), scale=REMOVAL)
    decays = jnp.asarray(budget.decays)
    plain = eqx.filter_jit(
        eqx.filter_vmap(lambda a: train(start, lambda c: c, lambda c: a * decay_of(c), data, budget.steps))
    )(decays)
    shifted = eqx.filter_jit(
        eqx.filter_vmap(
            lambda a: train(removed, lambda c: c.value(), lambda c: c.penalty(a), data, budget.steps).value()
        )
    )(decays)
    out = {}
    for name, stack in (("weight decay", plain), ("symmetries removed", shifted)):
        rows = []
        for number in range(len(decays)):
            model = jax.tree.map(lambda leaf, i=number: leaf[i] if eqx.is_array(leaf) else leaf, stack)
            rows.append([*in_use(model, data.x), float(error(model, data.test_x, data.test_y))])
        out[name] = np.array(rows)
    return out


REMOVAL = 0.3  # standard deviation of theta_0, in that of the weights at the start


# Part 2: constraints


class Best(NamedTuple):
    """The model with the least held-out error, and how it was constrained."""

    model: Any
    strength: float
    test: float
    record: mirror.Projected | None


def choose(start: Any, made: Any, data: Data, budget: Budget, activation: Callable = jnp.tanh) -> Best:
    """One strength after the other, at once; `made` None for weight decay."""
    if made is None:
        run = lambda a: train(start, lambda c: c, lambda c: a * decay_of(c), data, 3 * budget.steps, activation)  # noqa: E731
    else:
        c = mirror.constrain(start, made, penalty=1.0)
        run = lambda a: train(c, lambda c: c.value(), lambda c: c.penalty(a), data, 3 * budget.steps, activation)  # noqa: E731
    stack = eqx.filter_jit(eqx.filter_vmap(run))(jnp.asarray(budget.strengths))
    found = []
    for number, strength in enumerate(budget.strengths):
        one = jax.tree.map(lambda leaf, i=number: leaf[i] if eqx.is_array(leaf) else leaf, stack)
        record = None if made is None else one.project()
        model = one if record is None else record.value
        held = float(error(model, data.held_x, data.held_y, activation))
        test = float(error(model, data.test_x, data.test_y, activation))
        found.append((held, Best(model, float(strength), test, record)))
    return min(found, key=lambda pair: pair[0])[1]


def sparse(budget: Budget) -> tuple[Best, Best]:
    data, start = teacher(0), layers((INPUTS, UNITS, 1), jax.random.key(0))
    every = mirror.entries(start, where=lambda m: (m[0].weight, m[1].weight))
    return choose(start, None, data, budget), choose(start, every, data, budget)


def low_rank(budget: Budget) -> tuple[Best, Best]:
    data, start = rank_three(0), layers((INPUTS, UNITS, 12), jax.random.key(0), bias=False)
    linear = lambda x: x  # noqa: E731
    turns = mirror.rotation(start, lambda m: m[0].weight, lambda m: m[1].weight)
    return choose(start, None, data, budget, linear), choose(start, turns, data, budget, linear)


def merged(decayed: Best, budget: Budget) -> tuple[Best, Best]:
    """tanh is odd: units are first turned so that their weights out are positive, or opposite ones could not merge."""
    data = teacher(0)
    first, last = decayed.model
    sign = jnp.where(last.weight[0] < 0, -1.0, 1.0)
    turned = eqx.tree_at(
        lambda m: (m[0].weight, m[0].bias, m[1].weight),
        decayed.model,
        (first.weight * sign[:, None], first.bias * sign, last.weight * sign),
    )
    units = mirror.permutation(turned, lambda m: (m[0].weight, m[0].bias), lambda m: m[1].weight)
    return Best(turned, decayed.strength, decayed.test, None), choose(turned, units, data, budget)


def rows(model: list[eqx.nn.Linear]) -> np.ndarray:
    """Each unit with all its weights."""
    return np.concatenate([model[0].weight, model[0].bias[:, None], model[1].weight.T], axis=1)


def against_lasso(steps: int) -> float:
    """The largest difference between the exact L1 solution and that of gradient descent, over the largest weight."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 50))
    y = x[:, :8] @ rng.normal(size=8) + 0.5 * rng.normal(size=200)
    exact = Lasso(alpha=0.2, tol=1e-15, max_iter=100_000, fit_intercept=False).fit(x, y).coef_
    with jax.enable_x64(True):
        c = mirror.constrain(jnp.zeros(50), mirror.entries(jnp.zeros(50)), penalty=0.1)
        descent = optax.sgd(0.1)

        @jax.jit
        def step(carry, _):
            c, state = carry
            slope = jax.grad(lambda c: jnp.sum((x @ c.value() - y) ** 2) / 400 + c.penalty())(c)
            change, state = descent.update(slope, state)
            return (optax.apply_updates(c, change), state), None

        (c, _), _ = jax.lax.scan(step, (c, descent.init(c)), length=steps)
        return float(np.abs(np.asarray(c.value()) - exact).max() / np.abs(exact).max())


# Figures


def draw_collapse(results: list[dict[str, np.ndarray]], decays: tuple[float, ...]) -> Figure:
    figure = Figure(figsize=(9.6, 3.1), layout="constrained", facecolor="white")
    titles = ("live units, of 128", "dimension of the last hidden layer, of 64", "test error over variance")
    for column, (axes, title) in enumerate(zip(figure.subplots(1, 3), titles, strict=True)):
        for name, colour, dashes in (("weight decay", ORANGE, "--"), ("symmetries removed", BLUE, "-")):
            values = np.stack([result[name][:, column] for result in results])
            axes.fill_between(decays, values.min(axis=0), values.max(axis=0), color=colour, alpha=0.2, lw=0)
            axes.plot(decays, np.median(values, axis=0), dashes, color=colour, lw=1.8, label=name)
        axes.set_xscale("log")
        axes.set(xlabel="weight decay", ylim=(0, None))
        axes.set_title(title, fontsize=10)
        axes.spines[["top", "right"]].set_visible(False)
        if column == 0:
            axes.legend(frameon=False, fontsize=9, loc="lower left")
    return figure


def draw_constraints(pairs: dict[str, tuple[Best, Best]]) -> Figure:
    """Above after weight decay, below constrained: weights, singular values, distances of units."""
    figure = Figure(figsize=(9.6, 5.6), layout="constrained", facecolor="white")
    panels = figure.subplots(2, 3)
    order = np.lexsort((np.arange(UNITS), -np.abs(pairs["sparse"][1].model[1].weight[0])))
    products = [np.asarray(best.model[1].weight @ best.model[0].weight) for best in pairs["low rank"]]
    values = [np.linalg.svd(product, compute_uv=False) for product in products]
    largest = max(part.max() for part in values)
    tree = np.lexsort(np.round(rows(pairs["merged"][1].model), 5).T)
    for row, title in enumerate(("weight decay", "constrained")):
        weights, spectrum, distances = panels[row]
        best = pairs["sparse"][row]
        shown = np.abs(np.asarray(best.model[0].weight))[order]
        image = weights.imshow(np.where(shown > 0, shown, np.nan), aspect="auto", cmap="viridis", vmin=0, vmax=1)
        figure.colorbar(image, ax=weights, label="size of the weight", extend="max" if shown.max() > 1 else "neither")
        weights.set(
            ylabel=f"{title}\n\nunit", xticks=[0, USED - 1, INPUTS - 1], xticklabels=[1, USED, INPUTS], yticks=[]
        )
        weights.axvline(USED - 0.5, color="#D55E00", lw=1)
        weights.set_title(f"{(shown > 0).sum()} of {shown.size} weights; test error {best.test:.3f}", fontsize=9)
        best = pairs["low rank"][row]
        spectrum.bar(np.arange(1, 13), values[row], color=BLUE if row else ORANGE)
        spectrum.set(ylabel="singular values of W₂W₁", ylim=(0, 1.08 * largest), xticks=[1, 3, 6, 9, 12])
        rank = int((values[row] > 1e-6 * largest).sum())
        spectrum.set_title(f"rank {rank}; test error {best.test:.3f}", fontsize=9)
        spectrum.spines[["top", "right"]].set_visible(False)
        best = pairs["merged"][row]
        units = rows(best.model)[tree]
        gaps = np.linalg.norm(units[:, None] - units[None], axis=2)
        image = distances.imshow(gaps, cmap="viridis", vmin=0, vmax=2)
        figure.colorbar(image, ax=distances, label="distance", extend="max" if gaps.max() > 2 else "neither")
        distances.set(ylabel="unit", xticks=[], yticks=[])
        different = len(np.unique(rows(best.model), axis=0))
        distances.set_title(f"{different} different units; test error {best.test:.3f}", fontsize=9)
    panels[1, 0].set_xlabel("input (used: left of the line); white: zero")
    panels[1, 1].set_xlabel("number")
    panels[1, 2].set_xlabel("unit (dark: equal)")
    for axes, title in zip(panels[0], ("sparse", "low rank", "merged"), strict=True):
        axes.annotate(title, (0.5, 1.16), xycoords="axes fraction", ha="center", fontsize=12, color=INK)
    return figure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one repetition, little training, few strengths")
    parser.add_argument("--figures", nargs=2, help="where to save the two figures")
    given = parser.parse_args()
    budget = QUICK if given.quick else Budget()
    print(f"gradient descent against the exact lasso: {against_lasso(budget.lasso):.1e}")
    pairs = {"sparse": sparse(budget), "low rank": low_rank(budget)}
    pairs["merged"] = merged(pairs["sparse"][0], budget)
    for name, (decayed, constrained) in pairs.items():
        print(f"\n{name}: test error {decayed.test:.4f} with weight decay {decayed.strength:.2g}")
        print(f"  {constrained.test:.4f} with the constraint at a = {constrained.strength:.2g}. {constrained.record}")
        if name == "merged":
            print(f"  different units: {len(np.unique(rows(constrained.model), axis=0))} of {UNITS}")
    results = [collapse(seed, budget) for seed in range(budget.repetitions)]
    print("\nmedians, without and with removal:\n     decay    live units       dimension         test error")
    for number, decay in enumerate(budget.decays):
        middle = [np.median([r[name][number] for r in results], axis=0) for name in results[0]]
        plain, removed = middle
        print(
            f"{decay:10.1e}{plain[0]:6.0f}{removed[0]:9.0f}{plain[1]:8.0f}{removed[1]:9.0f}{plain[2]:9.3f}{removed[2]:9.3f}"
        )
    if given.figures:
        draw_collapse(results, budget.decays).savefig(given.figures[0], dpi=130)
        draw_constraints(pairs).savefig(given.figures[1], dpi=130)


if __name__ == "__main__":
    main()
