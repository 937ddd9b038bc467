"""Handwritten digits, learnt upright and read at every angle: a rotation-steerable network against three others.

The data are real: 8 x 8 scans from scikit-learn. They are enlarged by cubic interpolation to 15 x 15 and set in a
canvas of 23 x 23, so that nothing is cut off when they turn or shift. Four networks with the same number of parameters
are trained on upright digits only:

    MLP          a perceptron on every second sample (12 x 12), which holds all of an enlarged 8 x 8 picture
    CNN          two layers of free 5 x 5 kernels, maxima of 2 x 2 samples, a dense head
    translation  `ld.nn.IntegralOperator` and `ld.nn.Bilinear` over t(2), which commute with shifts; canvas means
    rotation     the same over se(2), which commute with shifts and turns: fields of angular frequencies 0 to 3

A network that ignores turns cannot tell a 6 from a 9 turned by 180 degrees, save by habits of handwriting. So accuracy
is also given with 6 and 9 taken as one class, for all networks.

    python examples/digits.py                      # three repetitions
    python examples/digits.py --quick              # one, little training
    python examples/digits.py --figure digits.png  # and draw accuracy over the angle
"""

import argparse
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import scipy.ndimage
from jaxtyping import Array
from matplotlib.figure import Figure
from sklearn.datasets import load_digits

import lieder as ld

CANVAS, MARGIN = 23, 4
STYLES = {"MLP": ("#D55E00", (0, (1, 1))), "CNN": ("#CC79A7", (0, (4, 2)))}
STYLES |= {"translation": ("#56B4E9", (0, (6, 1, 1, 1))), "rotation": ("#0072B2", (0, ()))}


# For each the best of two or three rates between .01 and .1 on upright digits held out from another split.
RATES = {"MLP": 0.1, "CNN": 0.1, "translation": 0.05, "rotation": 0.05}


class Budget(NamedTuple):
    """How much of everything."""

    repetitions: int = 3
    training: int = 800
    tested: int = 400
    angles: tuple[int, ...] = tuple(range(0, 360, 30))


def digits() -> tuple[np.ndarray, np.ndarray]:
    """Pictures (1797, 23, 23) from 0 to 1, and labels."""
    small, labels = load_digits(return_X_y=True)
    fine = np.arange(15) / 2
    places = np.stack(np.meshgrid(fine, fine, indexing="ij"))
    large = [scipy.ndimage.map_coordinates(p, places, order=3, mode="nearest") for p in small.reshape(-1, 8, 8) / 16]
    return np.pad(np.clip(large, 0, 1), ((0, 0), (MARGIN, MARGIN), (MARGIN, MARGIN))), labels


def turned(pictures: np.ndarray, angle: float) -> np.ndarray:
    return scipy.ndimage.rotate(pictures, angle, axes=(1, 2), reshape=False, order=3)


def shifted(pictures: np.ndarray, pixels: int) -> list[np.ndarray]:
    """By so many of the original pixels, in four directions."""
    return [np.roll(pictures, sign * 2 * pixels, axis=axis) for axis in (1, 2) for sign in (1, -1)]


def frequency(algebra: ld.algebra.LieAlgebra, m: int) -> ld.action.FieldAction:
    """Pairs of numbers that turn m times as fast as the plane; shifts leave them as they are."""
    return ld.action.linear(algebra, m * ld.vectors(algebra).matrices().dense())


class Fields(eqx.Module):
    """Picture -> fields -> invariant products of their values at each place -> means over the canvas -> ten scores.

    The operator and the products commute with all moves of the algebra, and a mean over the canvas does not change when
    its values are moved about. So the scores are those of the upright picture, up to the error of sampling.
    """

    operator: ld.nn.IntegralOperator
    products: ld.nn.Bilinear
    centre: Array
    spread: Array
    head: eqx.nn.MLP

    def __init__(self, values: ld.action.FieldAction, pictures, key, invariants: int = 40, rank: int = 16):
        keys = jax.random.split(key, 3)
        picture = ld.scalars(values.algebra)
        operator = ld.nn.IntegralOperator(picture, values, key=keys[0], size=17, degree=3, scales=(1.5, 2.2, 3.2))
        # Pictures are smooth, so kernels add up more than they do for noise: to unit variance on some pictures.
        size = jax.vmap(operator)(pictures[:, None]).std()
        self.operator = eqx.tree_at(lambda one: one.coefficients, operator, operator.coefficients / size)
        self.products = ld.nn.Bilinear(values, invariants * picture, rank=rank, key=keys[1])
        self.head = eqx.nn.MLP(invariants, 10, 32, 1, activation=jax.nn.silu, key=keys[2])
        means = jax.vmap(self.means)(pictures)
        self.centre, self.spread = means.mean(axis=0), means.std(axis=0)

    def means(self, picture: Array) -> Array:
        fields = self.operator(picture[None])[:, ::2, ::2]  # smooth: every second sample is enough
        return jax.nn.silu(jax.vmap(jax.vmap(self.products, 1, 1), 1, 1)(fields)).mean(axis=(1, 2))

    def __call__(self, picture: Array) -> Array:
        centre, spread = jax.lax.stop_gradient((self.centre, self.spread))  # not trained
        return self.head((self.means(picture) - centre) / spread)


class Convolutional(eqx.Module):
    """Two convolutions with free 5 x 5 kernels, maxima of 2 x 2 samples after each, one dense layer."""

    first: eqx.nn.Conv2d
    second: eqx.nn.Conv2d
    head: eqx.nn.Linear

    def __init__(self, key):
        keys = jax.random.split(key, 3)
        self.first = eqx.nn.Conv2d(1, 8, 5, key=keys[0])
        self.second = eqx.nn.Conv2d(8, 19, 5, key=keys[1])
        self.head = eqx.nn.Linear(76, 10, key=keys[2])

    def __call__(self, picture: Array) -> Array:
        largest = eqx.nn.MaxPool2d(2, 2)
        u = largest(jax.nn.silu(self.first(picture[None])))
        return self.head(largest(jax.nn.silu(self.second(u))).reshape(-1))


class Perceptron(eqx.Module):
    """One hidden layer on every second sample."""

    layers: eqx.nn.MLP

    def __init__(self, key):
        self.layers = eqx.nn.MLP(144, 10, 31, 1, activation=jax.nn.silu, key=key)

    def __call__(self, picture: Array) -> Array:
        return self.layers(picture[::2, ::2].reshape(-1))


def networks(pictures: np.ndarray, key) -> dict[str, eqx.Module]:
    some = jnp.asarray(pictures[:100], jnp.float32)
    shifts, moves = ld.algebra.t(2), ld.algebra.se(2)
    turning = 4 * ld.scalars(moves)
    for m in (1, 2, 3):
        turning = turning + 4 * frequency(moves, m)
    return {
        "MLP": Perceptron(key),
        "CNN": Convolutional(key),
        "translation": Fields(40 * ld.scalars(shifts), some, key),
        "rotation": Fields(turning, some, key),
    }


def parameters(model: eqx.Module) -> int:
    counted = [leaf.size for leaf in jax.tree.leaves(eqx.filter(model, eqx.is_inexact_array))]
    return sum(counted) - (model.centre.size + model.spread.size if isinstance(model, Fields) else 0)


def train(model: eqx.Module, pictures: np.ndarray, labels: np.ndarray, steps: int, rate: float, key) -> eqx.Module:
    """Adam with a cosine schedule, 32 pictures a step; the rate is relative to the size of each array."""
    x, y = jnp.asarray(pictures, jnp.float32), jnp.asarray(labels, jnp.int32)
    parts, rest = eqx.partition(model, eqx.is_inexact_array)
    sizes = jax.tree.map(lambda part: jnp.maximum(jnp.sqrt(jnp.mean(part**2)), 0.02), parts)
    optimiser = optax.adam(optax.cosine_decay_schedule(rate, steps))

    def loss(parts, rows):
        scores = jax.vmap(eqx.combine(parts, rest))(x[rows])
        return optax.softmax_cross_entropy_with_integer_labels(scores, y[rows]).mean()

    @jax.jit
    def update(parts, state, key):
        change, state = optimiser.update(jax.grad(loss)(parts, jax.random.randint(key, (32,), 0, len(x))), state)
        return jax.tree.map(lambda part, one, size: part + size * one, parts, change, sizes), state

    state = optimiser.init(parts)
    for one in jax.random.split(key, steps):
        parts, state = update(parts, state, one)
    return eqx.combine(parts, rest)


def repetition(seed: int, pictures: np.ndarray, labels: np.ndarray, budget: Budget) -> dict[str, dict]:
    """For each network: hits, of pictures at each angle, with 6 and 9 apart and as one, and of shifted pictures."""
    order = np.random.default_rng(seed).permutation(len(labels))
    fit, test = order[: -budget.tested], order[-budget.tested :]
    turns = [turned(pictures[test], angle) for angle in budget.angles]
    shifts = [np.stack(shifted(pictures[test], pixels)) for pixels in (1, 2)]
    out = {}
    for name, start in networks(pictures[fit], jax.random.key(seed)).items():
        model = train(start, pictures[fit], labels[fit], budget.training, RATES[name], jax.random.key(100 + seed))
        read = jax.jit(jax.vmap(lambda picture, model=model: jnp.argmax(model(picture))))
        answers = np.stack([np.asarray(read(jnp.asarray(turn, jnp.float32))) for turn in turns])
        moved = [
            np.mean([np.asarray(read(jnp.asarray(one, jnp.float32))) == labels[test] for one in four])
            for four in shifts
        ]
        merged = np.where(labels == 9, 6, labels)[test]
        out[name] = {
            "parameters": parameters(start),
            "hits": (answers == labels[test]).mean(axis=1),
            "merged": (np.where(answers == 9, 6, answers) == merged).mean(axis=1),
            "shifted": np.array(moved),
            "nines": (answers[budget.angles.index(180)][labels[test] == 6] == 9).mean(),
        }
        print(f"repetition {seed}, {name}: upright {out[name]['hits'][0]:.3f}, turned {out[name]['hits'].mean():.3f}")
    return out


def table(results: list[dict]) -> str:
    head = ["network", "parameters", "upright", "turned", "upright, 6 = 9", "turned, 6 = 9"]
    head += ["shifted by 1", "shifted by 2", "6 at 180° read as 9"]
    rows = [head]
    for name in STYLES:
        of = [result[name] for result in results]
        columns = [
            [one["hits"][0] for one in of],
            [one["hits"].mean() for one in of],
            [one["merged"][0] for one in of],
            [one["merged"].mean() for one in of],
            *([one["shifted"][k] for one in of] for k in (0, 1)),
            [one["nines"] for one in of],
        ]
        cells = [f"{100 * np.mean(c):.1f} ± {100 * np.std(c):.1f}" for c in columns]
        rows.append([name, str(of[0]["parameters"]), *cells])
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    lines = ["| " + " | ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "|".join("-" * (w + 2) for w in widths) + "|", *lines[1:]])


def draw(results: list[dict], angles: tuple[int, ...], pictures: np.ndarray) -> Figure:
    """Some digits as they were turned, and accuracy over the angle."""
    figure = Figure(figsize=(8.2, 4.6), layout="constrained", facecolor="white")
    grid = figure.add_gridspec(2, 6, height_ratios=(1, 3))
    for k, angle in enumerate((0, 30, 60, 90, 120, 180)):
        axes = figure.add_subplot(grid[0, k])
        axes.imshow(turned(pictures[6:7], angle)[0], cmap="gray_r", vmin=0, vmax=1)
        axes.set_title(f"{angle}°", fontsize=9)
        axes.set(xticks=[], yticks=[])
    for side, (key, title) in enumerate((("hits", "ten digits"), ("merged", "6 and 9 as one"))):
        axes = figure.add_subplot(grid[1, 3 * side : 3 * side + 3])
        for name, (colour, dashes) in STYLES.items():
            values = 100 * np.stack([result[name][key] for result in results])
            values = np.concatenate([values, values[:, :1]], axis=1)
            around = [*angles, 360]
            axes.fill_between(around, values.min(axis=0), values.max(axis=0), color=colour, alpha=0.15, lw=0)
            axes.plot(around, values.mean(axis=0), color=colour, ls=dashes, lw=1.6, label=name)
        axes.axhline(10, color="#6b7280", lw=0.6, ls=(0, (3, 3)))
        axes.set(ylim=(0, 101), xlim=(0, 360), xticks=range(0, 361, 60), xlabel="turned by (degrees)")
        axes.set_title(title, fontsize=10)
        axes.spines[["top", "right"]].set_visible(False)
        if side == 0:
            axes.set_ylabel("read correctly (%)")
            axes.legend(frameon=False, fontsize=8, loc="lower right", bbox_to_anchor=(0.9, 0.3))
    return figure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one repetition, 60 training steps, 100 test digits")
    parser.add_argument("--figure", help="where to save a figure")
    given = parser.parse_args()
    budget = Budget(1, 60, 100, (0, 90, 180)) if given.quick else Budget()
    pictures, labels = digits()
    results = [repetition(seed, pictures, labels, budget) for seed in range(budget.repetitions)]
    print(
        f"\nread correctly, %, mean and standard deviation over repetitions; {len(labels) - budget.tested} upright"
        f" digits learnt, {budget.tested} others tested;\nturned: mean over {len(budget.angles)} angles; shifted by 1"
        " or 2 of the original 8 x 8 pixels\n"
    )
    print(table(results))
    if given.figure:
        draw(results, budget.angles, pictures).savefig(given.figure, dpi=130)


if __name__ == "__main__":
    main()
