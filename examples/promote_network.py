"""A network that is encouraged to keep symmetries, and lets the data break those that it must not keep.

Inputs x in R^8; 36 candidates, rotations and translations, se(8). Three functions of them:

    a   sqrt(2) sin(sqrt(2) |x|): 28 candidates leave it as it is, so(8)
    b   the same and u . x, for a direction u that nobody is told: the 21 rotations of so(7) about u are left
    c   a sum of twelve waves in twelve directions: none is left

All with noise of standard deviation .2 on outputs of about 1. A perceptron (8-64-64-1) is trained on few samples and
stops early, where 100 other samples have the least error. The same is done with weight decay, and with
`ld.promote.penalty` on the inputs of 1,000 further samples whose outputs are not known. The weight of either is chosen
on the 100 samples too, out of a list that contains 0. What is reported are errors on 2,000 fresh inputs without noise,
and relative defects of the candidates as `ld.discover.function` gives them for the trained model.

    python examples/promote_network.py                          # some minutes
    python examples/promote_network.py --quick                  # one repetition, little training
    python examples/promote_network.py --figure penalty.png     # and draw it
"""

import argparse
from functools import cache
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array
from matplotlib.figure import Figure

import lieder as ld

WIDTH, NOISE, BATCH, MOST = 8, 0.2, 64, 1600
ALGEBRA = ld.algebra.se(WIDTH)
SOURCE, TARGET = ld.points(ALGEBRA), ld.scalars(ALGEBRA)
KEPT = {"a": 28, "b": 21, "c": 0}  # of 36, by the function itself
CUT = 0.1  # a candidate with a smaller relative defect counts as kept
PENALTIES, DECAYS = (0.0, 0.003, 0.01, 0.03, 0.1), (0.0, 1e-4, 3e-4, 1e-3, 3e-3)
COLOURS = {"plain": "#6b7280", "weight decay": "#D55E00", "penalty": "#0072B2"}


class Budget(NamedTuple):
    """How much of everything."""

    repetitions: int = 4
    steps: int = 3000
    sizes: tuple[int, ...] = (100, 200, 400, 800, MOST)
    penalties: tuple[float, ...] = PENALTIES
    decays: tuple[float, ...] = DECAYS


class Data(NamedTuple):
    """Samples to learn from, of which the first `count` are used, to choose by, and to test on; inputs alone."""

    learn: tuple[Array, Array]
    choose: tuple[Array, Array]
    test: tuple[Array, Array]
    inputs: Array
    count: Array


def function(kind: str, random: np.random.Generator):
    directions = random.normal(size=(12, WIDTH))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    phases = random.uniform(0, 2 * np.pi, 12)
    if kind == "c":
        return lambda x: np.sin(1.5 * x @ directions.T + phases).sum(axis=1) / 6**0.5
    extra = 1.0 if kind == "b" else 0.0
    return lambda x: 2**0.5 * np.sin(2**0.5 * np.linalg.norm(x, axis=1)) + extra * x @ directions[0]


def samples(kind: str, seed: int, count: int) -> Data:
    random = np.random.default_rng(seed)
    f = function(kind, random)

    def draw(number: int, noise: float) -> tuple[Array, Array]:
        x = random.normal(size=(number, WIDTH))
        y = f(x) + noise * random.normal(size=number)
        return jnp.asarray(x, jnp.float32), jnp.asarray(y, jnp.float32)

    # What is tested on and chosen by does not depend on how many there are to learn from, and neither does the shape.
    test, choose, inputs = draw(2000, 0.0), draw(100, NOISE), draw(1000, 0.0)[0]
    return Data(draw(MOST, NOISE), choose, test, inputs, jnp.asarray(count))


def error(model, x: Array, y: Array) -> Array:
    return jnp.mean((jax.vmap(model)(x) - y) ** 2)


@cache
def training(steps: int, promote: bool):
    """A compiled function of keys, weights and data sets to the best networks on the way, and their errors."""
    rest = eqx.filter(start(jax.random.key(0)), eqx.is_array, inverse=True)
    optimiser = optax.adam(optax.cosine_decay_schedule(3e-3, steps))

    def one(key: Array, weight: Array, data: Data):
        def loss(parts, x, y, inputs):
            model = eqx.combine(parts, rest)
            if promote:
                return error(model, x, y) + weight * ld.promote.penalty(model, inputs, source=SOURCE, target=TARGET)
            return error(model, x, y) + weight * sum(jnp.sum(leaf**2) for leaf in jax.tree.leaves(parts))

        def step(state, key):
            parts, memory = state
            first, second = jax.random.split(key)
            rows = jax.random.randint(first, (BATCH,), 0, data.count)
            free = data.inputs[jax.random.randint(second, (BATCH,), 0, len(data.inputs))]
            slope = jax.grad(loss)(parts, data.learn[0][rows], data.learn[1][rows], free)
            change, memory = optimiser.update(slope, memory)
            return (optax.apply_updates(parts, change), memory), None

        def round_(state, keys):
            (parts, memory), best, kept = state
            (parts, memory), _ = jax.lax.scan(step, (parts, memory), keys)
            now = error(eqx.combine(parts, rest), *data.choose)
            kept = jax.tree.map(lambda new, old: jnp.where(now < best, new, old), parts, kept)
            return ((parts, memory), jnp.minimum(now, best), kept), None

        parts = eqx.filter(start(key), eqx.is_array)
        keys = jax.random.split(jax.random.fold_in(key, 1), (20, steps // 20))
        (_, best, kept), _ = jax.lax.scan(round_, ((parts, optimiser.init(parts)), jnp.inf, parts), keys)
        return kept, best

    return jax.jit(jax.vmap(jax.vmap(one, (None, 0, None)), (0, None, 0)))


def trained(data: list[Data], weights: tuple[float, ...], steps: int, promote: bool) -> tuple[list, np.ndarray]:
    """For each data set the network of the best weight of the penalty, or of weight decay; and the weight."""
    rest = eqx.filter(start(jax.random.key(0)), eqx.is_array, inverse=True)
    keys = jax.vmap(jax.random.key)(jnp.arange(len(data)))
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *data)
    parts, best = training(steps, promote)(keys, jnp.asarray(weights, jnp.float32), stacked)
    chosen = np.argmin(best, axis=1)
    models = [eqx.combine(jax.tree.map(lambda a, i=i, j=j: a[i, j], parts), rest) for i, j in enumerate(chosen)]
    return models, np.asarray(weights)[chosen]


def start(key: Array) -> eqx.nn.MLP:
    return eqx.nn.MLP(WIDTH, "scalar", 64, 2, activation=jax.nn.gelu, key=key, dtype=jnp.float32)


def compare(kind: str, count: int, budget: Budget) -> dict[str, dict[str, np.ndarray]]:
    """Error on fresh inputs, chosen weight and defects of the 36 candidates, for each repetition."""
    data = [samples(kind, seed, count) for seed in range(budget.repetitions)]
    ways = {"plain": ((0.0,), False), "weight decay": (budget.decays, False), "penalty": (budget.penalties, True)}
    out = {}
    for name, (weights, promote) in ways.items():
        models, chosen = trained(data, weights, budget.steps, promote)
        errors = [float(error(model, *one.test)) ** 0.5 for model, one in zip(models, data, strict=True)]
        out[name] = {"error": np.array(errors), "weight": chosen}
        said = f"{kind}, {count} samples, {name}: error {np.mean(errors):.3f}, weights {chosen}"
        if name != "weight decay":
            found = [
                ld.discover.function(model, np.asarray(one.test[0]), source=SOURCE, target=TARGET, tolerance=CUT)
                for model, one in zip(models, data, strict=True)
            ]
            defects = np.array([s.defects for s in found])
            out[name] |= {"defects": defects, "kept": (defects < CUT).sum(axis=1)}
            said += f", kept {out[name]['kept']}"
        print(said, flush=True)
    return out


def table(results: dict[tuple[str, int], dict]) -> str:
    head = ["function", "samples", "plain", "weight decay", "penalty", "penalty / plain", "penalty / decay"]
    head += ["kept, plain", "kept, penalty", "true"]
    rows = [head, ["---"] * len(head)]
    for (kind, count), of in results.items():
        means = {name: of[name]["error"].mean() for name in COLOURS}
        kept = [f"{of[name]['kept'].mean():.1f}" for name in ("plain", "penalty")]
        ratios = [f"{means['penalty'] / means[name]:.2f}" for name in ("plain", "weight decay")]
        rows.append([kind, str(count), *(f"{means[name]:.3f}" for name in COLOURS), *ratios, *kept, str(KEPT[kind])])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def draw(results: dict[tuple[str, int], dict]) -> Figure:
    """Errors against samples; below, the defects of the candidates of a penalised network."""
    sizes = sorted({count for _, count in results})
    figure = Figure(figsize=(9.0, 6.0), layout="constrained", facecolor="white")
    panels = figure.subplots(2, 3, sharex=True, sharey="row")
    titles = {"a": "a: rotations are symmetries", "b": "b: a term breaks seven", "c": "c: nothing is a symmetry"}
    kept, broken, others = "#0072B2", "#D55E00", "#9ca3af"
    groups = {
        "a": ((28, kept, "28 rotations"), (36, others, "8 translations")),
        "b": ((21, kept, "21 rotations about u"), (28, broken, "7 other rotations"), (36, others, "8 translations")),
        "c": ((36, others, "36 candidates"),),
    }
    for column, (kind, title) in enumerate(titles.items()):
        upper, lower = panels[:, column]
        for name, colour in COLOURS.items():
            errors = np.array([results[kind, count][name]["error"] for count in sizes])
            dashes = {"plain": (0, (1, 1)), "weight decay": (0, (4, 2)), "penalty": (0, ())}[name]
            upper.fill_between(sizes, errors.min(axis=1), errors.max(axis=1), color=colour, alpha=0.12, lw=0)
            upper.plot(sizes, errors.mean(axis=1), color=colour, ls=dashes, lw=1.8, marker="o", ms=3, label=name)
        upper.set_title(title, fontsize=10)
        values = np.array([np.median(results[kind, count]["penalty"]["defects"], axis=0) for count in sizes])
        begin = 0
        for end, colour, text in groups[kind]:
            lower.plot(sizes, values[:, begin:end], color=colour, lw=0.8, alpha=0.7)
            place = (sizes[-1], np.exp(np.log(values[-1, begin:end]).mean()))
            patch = {"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 1.5}
            lower.annotate(text, place, fontsize=8, color=colour, ha="right", va="center", bbox=patch)
            begin = end
        lower.axhline(CUT, color="#1f2430", lw=0.7, ls=(0, (3, 3)))
        lower.set(xscale="log", xlabel="samples learnt from")
        lower.set_xticks(sizes, [str(count) for count in sizes])
    for row, ticks in ((panels[0], (0.1, 0.2, 0.4, 0.8)), (panels[1], (0.03, 0.1, 0.3, 1.0))):
        for axes in row:
            axes.set_yscale("log")
            axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
            axes.minorticks_off()
            axes.spines[["top", "right"]].set_visible(False)
    panels[0, 0].set_ylabel("error on fresh inputs")
    panels[0, 0].legend(frameon=False, fontsize=8, loc="lower left")
    panels[1, 0].set_ylabel("relative defect, with the penalty")
    return figure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one repetition of 100 steps, 200 samples")
    parser.add_argument("--figure", help="where to save a figure")
    given = parser.parse_args()
    budget = Budget(1, 100, (200,), (0.1,), (1e-3,)) if given.quick else Budget()
    results = {(kind, count): compare(kind, count, budget) for kind in KEPT for count in budget.sizes}
    print(f"\nmeans of {budget.repetitions}; kept: candidates of 36 with a relative defect below {CUT}\n")
    print(table(results))
    if given.figure:
        draw(results).savefig(given.figure, dpi=130)


if __name__ == "__main__":
    main()
