"""Discover, enforce, predict: the symmetry of 400 noisy transitions makes a better model of the same 400 transitions.

Two bodies circle their common centre of mass, as in two_body.py. A model learns the step from a state in R^8 (positions
and momenta of both bodies) to the next one, and is then applied again and again to its own output. First the symmetry
is sought in the transitions. Then networks that have it (`ld.nn.MLP`) and one that has not (`equinox.nn.MLP`), with the
same number of parameters, are trained on the same transitions for the same number of steps, each with the one of three
learning rates that is best on held-out orbits. A fourth is the plain one again, trained on transitions turned by
random angles. All are rolled out from new orbits.

    python examples/two_body_dynamics.py                   # 20 orbits x 20 steps, 0.1 % noise; 3 repetitions
    python examples/two_body_dynamics.py --quick           # one repetition, little training
    python examples/two_body_dynamics.py --figure two.png  # and draw the errors
"""

import argparse
import runpy
from pathlib import Path
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import scipy.linalg
from matplotlib.figure import Figure

import lieder as ld

two_body = runpy.run_path(str(Path(__file__).with_name("two_body.py")))
orbits, STEP = two_body["orbits"], two_body["STEP"]
NOISE = 0.001  # of the states' standard deviation
MODELS = {
    "plain MLP": ("#D55E00", (0, ())),
    "plain MLP, turned copies": ("#CC79A7", (0, (1, 1))),
    "equivariant, as found": ("#56B4E9", (0, (4, 2))),
    "equivariant, rounded": ("#0072B2", (0, ())),
}
SHOWN = (1, 5, 10, 20, 50, 100)


class Budget(NamedTuple):
    """How much of everything; a fifth of the orbits is held out."""

    repetitions: int = 3
    orbits: int = 20
    training: int = 3000
    rates: tuple[float, ...] = (3e-3, 1e-2, 3e-2)
    rollouts: int = 60
    steps: int = 100


def observed(count: int, steps: int, seed: int) -> np.ndarray:
    """Noisy states (count, steps + 1, 8)."""
    states = orbits(count, steps, seed)
    return states + NOISE * states.std() * np.random.default_rng([seed, 1]).standard_normal(states.shape)


def symmetry(states: np.ndarray) -> ld.Symmetries:
    """What of gl(2), moving all four 2-vectors at once, leaves the step as it is."""
    every_vector = 4 * ld.vectors(ld.algebra.gl(2))
    now, later = states[:, :-1].reshape(-1, 8), states[:, 1:].reshape(-1, 8)
    # So few noisy transitions leave no gap of five: what is asked for is a symmetry to within a tenth.
    return ld.discover.dataset(now, later, source=every_vector, target=every_vector, fit="mlp", tolerance=0.1)


def rounded(found: ld.Symmetries) -> ld.action.FieldAction:
    """The simplest matrix that the evidence cannot tell from the found one: [[0, -1], [1, 0]]."""
    return 4 * ld.vectors(ld.algebra.gl(2).subalgebra(found.sparse()))


def parameters(model) -> int:
    return sum(leaf.size for leaf in jax.tree.leaves(eqx.filter(model, eqx.is_inexact_array)))


def equivariant(action: ld.action.FieldAction, key, tolerance: float | None = None) -> ld.nn.MLP:
    """Hidden layers of 32 scalars and 16 vectors: scalars decide, vectors carry directions."""
    hidden = 32 * ld.scalars(action.algebra) + 4 * action
    return ld.nn.MLP(action, action, hidden=hidden, rank=8, depth=2, key=key, tolerance=tolerance)


def plain(count: int, key) -> eqx.nn.MLP:
    """Two hidden layers like the other's, as wide as `count` parameters allow."""
    width = next(w for w in range(1, 10_000) if (w + 1) ** 2 + 18 * (w + 1) + 8 > count)
    return eqx.nn.MLP(8, 8, width, 2, activation=jax.nn.silu, key=key)


class Step(eqx.Module):
    """A state and the next one: x + r M(x / s). One number scales all inputs, one all outputs, as fits a rotation."""

    model: eqx.Module
    size: float = eqx.field(static=True)
    reach: float = eqx.field(static=True)

    def __call__(self, x):
        return x + self.reach * self.model(x / self.size)


def pairs(states: np.ndarray) -> tuple[jax.Array, jax.Array]:
    return tuple(jnp.asarray(part.reshape(-1, 8), jnp.float32) for part in (states[:, :-1], states[:, 1:]))


def train(model: eqx.Module, states: np.ndarray, rate: float, steps: int, turns: np.ndarray | None = None) -> Step:
    """Adam with a cosine schedule, all transitions in every step, each turned by a random one of `turns`, (k, 8, 8)."""
    now, later = pairs(states)
    model = Step(model, float(now.std()), float((later - now).std()))
    parts, rest = eqx.partition(model, eqx.is_inexact_array)
    optimiser = optax.adam(optax.cosine_decay_schedule(rate, steps))

    def loss(parts, now, later):
        return jnp.mean((jax.vmap(eqx.combine(parts, rest))(now) - later) ** 2)

    def update(carry, key):
        parts, state = carry
        x, y = now, later
        if turns is not None:
            turn = jnp.asarray(turns, now.dtype)[jax.random.randint(key, (len(now),), 0, len(turns))]
            x, y = (jnp.einsum("nij,nj->ni", turn, part) for part in (now, later))
        change, state = optimiser.update(jax.grad(loss)(parts, x, y), state)
        return (optax.apply_updates(parts, change), state), None

    fit = jax.jit(lambda start, keys: jax.lax.scan(update, start, keys)[0][0])
    return eqx.combine(fit((parts, optimiser.init(parts)), jax.random.split(jax.random.key(0), steps)), rest)


def one_step(model: Step, states: np.ndarray) -> float:
    """Root mean square error of single steps, relative to that of their lengths."""
    now, later = pairs(states)
    return float(jnp.linalg.norm(jax.vmap(model)(now) - later) / jnp.linalg.norm(later - now))


def rollout(model: Step, starts: np.ndarray, steps: int) -> np.ndarray:
    """(count, steps + 1, 8) from starts (count, 8)."""

    def run(first):
        return jnp.concatenate([first[None], jax.lax.scan(lambda x, _: (model(x),) * 2, first, None, steps)[1]])

    return np.asarray(jax.jit(jax.vmap(run))(jnp.asarray(starts, jnp.float32)), np.float64)


def distance(states: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Of body 1 from where it should be; infinite where a rollout has left all bounds."""
    return np.nan_to_num(np.linalg.norm((states - others)[..., :2], axis=-1), nan=np.inf, posinf=np.inf)


def momentum(states: np.ndarray) -> np.ndarray:
    """Angular momentum of both bodies."""
    q1, q2, p1, p2 = np.moveaxis(states.reshape(*states.shape[:-1], 4, 2), -2, 0)
    with np.errstate(over="ignore", invalid="ignore"):
        return sum(q[..., 0] * p[..., 1] - q[..., 1] * p[..., 0] for q, p in ((q1, p1), (q2, p2)))


def repetition(seed: int, budget: Budget) -> dict[str, dict[str, np.ndarray | float]]:
    """Everything once: for each model the errors of its rollouts."""
    states = observed(budget.orbits, 20, seed)
    found = symmetry(states)
    cosine = found.similarity(np.array([0.0, -1.0, 1.0, 0.0]), dim=1)
    given = f"{20 * budget.orbits} transitions, {found.dim} symmetry"
    print(f"repetition {seed}: {given}, |cos| with the rotation {cosine:.5f}")
    if found.dim != 1:
        raise SystemExit(f"{found}\nno single symmetry was found, so there is none to enforce.")
    exact, key = rounded(found), jax.random.key(seed)
    turns = scipy.linalg.expm(2 * np.pi / 64 * np.arange(64)[:, None, None] * exact.matrices().dense())
    ours = equivariant(exact, key)
    other = plain(parameters(ours), key)
    starts = {
        "plain MLP": (other, None),
        "plain MLP, turned copies": (other, turns),
        "equivariant, as found": (equivariant(found.action, key, tolerance=0.1), None),
        "equivariant, rounded": (ours, None),
    }
    held = max(1, budget.orbits // 5)
    truth = orbits(budget.rollouts, budget.steps, seed=1000 + seed)
    out = {}
    for name, (start, copies) in starts.items():
        tried = [train(start, states[held:], rate, budget.training, copies) for rate in budget.rates]
        errors = [one_step(model, states[:held]) for model in tried]
        best = tried[int(np.argmin(errors))]
        run = rollout(best, truth[:, 0], budget.steps)
        turned = rollout(best, truth[:, 0] @ turns[16].T, budget.steps)  # by a quarter of a turn, and back
        out[name] = {
            "parameters": parameters(start),
            "rate": budget.rates[int(np.argmin(errors))],
            "one step": one_step(best, truth),
            "distance": distance(run, truth),
            "turned": distance(turned @ turns[16], run),
            "momentum": np.nan_to_num(np.abs(momentum(run) / momentum(truth) - 1), nan=np.inf, posinf=np.inf),
        }
    return out


def table(results: list[dict]) -> str:
    steps = [k for k in SHOWN if k < results[0]["plain MLP"]["distance"].shape[1]]
    marks = [k for k in (20, 50) if k in steps]
    head = ["model", "parameters", "one step", *(f"after {k}" for k in steps)]
    head += [f"L after {k}" for k in marks] + [f"turned, after {marks[0]}"]
    rows = [head]
    for name in MODELS:
        of = [result[name] for result in results]
        every = {key: np.concatenate([one[key] for one in of]) for key in ("distance", "momentum", "turned")}
        cells = [name, str(of[0]["parameters"]), f"{np.median([one['one step'] for one in of]):.3f}"]
        cells += [f"{np.median(every['distance'][:, k]):.2g}" for k in steps]
        cells += [f"{np.median(every['momentum'][:, k]):.2g}" for k in marks]
        rows.append([*cells, f"{np.median(every['turned'][:, marks[0]]):.1g}"])
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    lines = ["| " + " | ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "|".join("-" * (w + 2) for w in widths) + "|", *lines[1:]])


def draw(results: list[dict]) -> Figure:
    """Median and quartiles of the distance, and of the angular momentum's error, over time."""
    figure = Figure(figsize=(8.2, 3.4), layout="constrained", facecolor="white")
    left, right = figure.subplots(1, 2)
    for axes, key in ((left, "distance"), (right, "momentum")):
        for name, (colour, dashes) in MODELS.items():
            values = np.concatenate([result[name][key] for result in results])[:, 1:]
            time = STEP * np.arange(1, values.shape[1] + 1)
            low, middle, high = np.minimum(np.quantile(values, (0.25, 0.5, 0.75), axis=0, method="nearest"), 1e3)
            axes.fill_between(time, low, high, color=colour, alpha=0.13, lw=0)
            axes.plot(time, middle, color=colour, ls=dashes, lw=1.6, label=name)
        axes.set(xscale="log", yscale="log", xlabel="time (one revolution takes 3 to 6)")
        axes.spines[["top", "right"]].set_visible(False)
    left.set(ylabel="distance of body 1 from the true place", ylim=(2e-4, 5))
    right.set(ylabel="relative error of angular momentum", ylim=(2e-4, 5))
    left.legend(frameon=False, fontsize=8)
    return figure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one repetition, one learning rate, 50 training steps")
    parser.add_argument("--figure", help="where to save a figure")
    given = parser.parse_args()
    quick = Budget(repetitions=1, training=50, rates=(1e-2,), rollouts=6, steps=50)
    budget = quick if given.quick else Budget()
    results = [repetition(seed, budget) for seed in range(budget.repetitions)]
    print(
        f"\nmedians of {budget.rollouts * budget.repetitions} rollouts; distances of body 1 from its true place (orbits"
        f" are about 1 across) after so many\nsteps of {STEP}; L: relative error of angular momentum; turned: distance"
        " between a rollout and that of the start turned by 90 degrees\n"
    )
    print(table(results))
    if given.figure:
        draw(results).savefig(given.figure, dpi=130)


if __name__ == "__main__":
    main()
