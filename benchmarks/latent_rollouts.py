"""Equations in the latent of a pendulum, with the symmetry that was found and without; and of a SINDy autoencoder.

python benchmarks/latent_rollouts.py --keep rollouts.json --seeds 3    # 2 CPU minutes a seed
python benchmarks/latent_rollouts.py --keep rollouts.json --quick      # one case, 600 steps

All is trained, and fitted, on the rows of a case. Errors are those of the columns (without noise) of twenty solutions
from starts that were not trained on, relative to the columns' spread: their median at each time.
The SINDy autoencoder has the same networks and the same normalisation; in place of a symmetry it asks that the latent's
velocity be a sparse polynomial, and that the decoder give the next row (Champion, Lusch, Kutz, Brunton 2019).
"""

import argparse
import json
import sys
from functools import partial
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax

import lieder as ld
from lieder.learn._autoencoder import Normal, autoencoder, finished

sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))

from latent_tasks import observed, pendulum

STEP, LONG, DEGREE, STARTS = 0.25, 240, 7, 20
TIMES = {"5": 20, "15": 60, "30": 120, "60": 239}
CASES = {  # trajectories, of 60 rows, and noise in spreads of the columns
    "60 trajectories": (60, 0.0),
    "60, noise .05": (60, 0.05),
    "8 trajectories": (8, 0.0),
    "8, noise .05": (8, 0.05),
}


def sindy_autoencoder(x: np.ndarray, steps: int, seed: int, velocity: float = 0.3, onward: float = 0.3, sparse=1e-3):
    """Encoder and decoder of trajectories (count, T, n), trained with a sparse polynomial for the latent's velocity."""
    how = ld.discover.Encoding()
    n, k = x.shape[-1], 2
    centre, spread = x.reshape(-1, n).mean(axis=0), x.reshape(-1, n).std(axis=0)
    rows = jnp.asarray((x - centre) / spread, jnp.float32)
    first, then = rows[:, :-1].reshape(-1, n), rows[:, 1:].reshape(-1, n)
    model = autoencoder(n, k, how.widths, jax.random.key(seed), None, None)
    numbers, rest = eqx.partition(model, eqx.is_inexact_array)
    powers = np.array([(i, j) for i in range(6) for j in range(6) if i + j <= 5])
    optimiser = optax.chain(
        optax.clip_by_global_norm(1.0), optax.adam(optax.cosine_decay_schedule(how.rates[0], steps))
    )
    start = numbers, jnp.zeros((len(powers), k), jnp.float32)

    def loss(given, which, done):
        model, weights = eqx.combine(given[0], rest), given[1]
        x, y = first[which], then[which]
        raw = model.raw(jnp.concatenate([x, y]))
        z, w = jnp.split(Normal.of(raw, jnp.zeros(k, jnp.float32))(raw), 2)
        middle = (z + w) / 2
        change = jnp.prod(middle[:, None, :] ** powers, axis=2) @ weights
        size = jnp.mean((w - z) ** 2)
        miss = jnp.mean((model.decoded(jnp.concatenate([z, w])) - jnp.concatenate([x, y])) ** 2)
        broken = jnp.mean((w - z - change) ** 2) / size + onward / velocity * jnp.mean(
            (model.decoded(z + change) - y) ** 2
        )
        return miss + jnp.clip((done - 0.15) / 0.15, 0, 1) * (velocity * broken + sparse * jnp.mean(jnp.abs(weights)))

    @jax.jit
    def trained(state, keys):
        def step(state, given):
            key, done = given
            which = jax.random.randint(key, (how.batch,), 0, len(first))
            change, memory = optimiser.update(jax.grad(loss)(state[0], which, done), state[1])
            return (optax.apply_updates(state[0], change), memory), None

        return jax.lax.scan(step, state, (keys, jnp.linspace(0, 1, steps)))[0]

    (numbers, _), _ = trained((start, optimiser.init(start)), jax.random.split(jax.random.key(seed + 1), steps))
    model = eqx.combine(numbers, rest)
    return finished(model, Normal.of(model.raw(rows.reshape(-1, n)), jnp.zeros(k, jnp.float32)), centre, spread)


def cell(case: str, seed: int, steps: int) -> dict:
    """Of each way the fields allowed and the errors at `TIMES`."""
    count, noise = CASES[case]
    states = pendulum(count)
    clean = observed(states)
    x = clean + noise * clean.std(axis=(0, 1)) * np.random.default_rng(seed).normal(size=clean.shape)
    fresh = pendulum(count=100 + STARTS, steps=LONG)[100:]
    y = observed(fresh, like=states)
    found = ld.discover.latent(x, latent_dim=2, training=ld.discover.Encoding(steps=steps), seed=seed)
    ours = found.source.encoder, found.source.decoder  # pyright: ignore
    turn = found.action.base if found.dim else ld.vectors(ld.algebra.so(2))  # pyright: ignore
    plain = sindy_autoencoder(x, steps, seed)
    ways = {"none": (ours, None), "found": (ours, turn), "SINDy autoencoder": (plain, None)}
    return {"defect": float(found.defects[0])} | {
        name: rollout(maps, symmetry, x, y) | {"verdict": found.evidence.verdict}
        for name, (maps, symmetry) in ways.items()
    }


def rollout(maps, symmetry, x: np.ndarray, y: np.ndarray) -> dict:
    encode, decode = (jax.jit(jax.vmap(one)) for one in maps)
    n = x.shape[-1]
    latent = np.asarray(encode(jnp.asarray(x.reshape(-1, n))), float).reshape(*x.shape[:2], 2)
    model = ld.enforce.sparse_dynamics(list(latent), None, f"polynomials({DEGREE})", t=STEP, symmetry=symmetry)
    start = np.asarray(encode(jnp.asarray(y[:, 0])), float)
    solutions = np.stack([_solution(model, one) for one in start])
    rows = np.asarray(decode(jnp.asarray(solutions.reshape(-1, 2)))).reshape(y.shape)
    errors = np.minimum(np.nan_to_num(np.sqrt(np.mean((rows - y) ** 2, axis=2)) / y.std(), nan=9.0), 9.0)
    return {"fields": int(model.dimension_), "errors": [float(np.median(errors[:, k])) for k in TIMES.values()]}


def _solution(model, start: np.ndarray) -> np.ndarray:
    """One, or numbers that are none where it grows beyond bounds."""
    try:
        return np.asarray(model.simulate(start[None], STEP * np.arange(LONG)))[0]
    except (ArithmeticError, RuntimeError, ValueError):
        return np.full((LONG, 2), np.nan)


def table(done: dict) -> str:
    lines = ["| rows | symmetry | fields allowed | " + " | ".join(f"t = {t}" for t in TIMES) + " |", "|" + " --- |" * 7]
    for case in CASES:
        of = [one for key, one in done.items() if key.rsplit("|", 1)[0] == case]
        for way in ("none", "found", "SINDy autoencoder") if of else ():
            errors = np.median([one[way]["errors"] for one in of], axis=0)
            told = " | ".join(f"{error:.2g}" for error in errors)
            lines.append(f"| {case} | {way} | {of[0][way]['fields']} | {told} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description="Long rollouts of equations in a latent, with a symmetry and without")
    parser.add_argument("--keep", type=Path, required=True, help="a JSON file; what is in it is not run again")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--cases", nargs="+", choices=list(CASES), default=list(CASES))
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    done = json.loads(given.keep.read_text()) if given.keep.exists() else {}
    run = partial(cell, steps=600 if given.quick else 3000)
    for seed in range(1 if given.quick else given.seeds):
        for case in given.cases[: 1 if given.quick else None]:
            if f"{case}|{seed}" not in done:
                done[f"{case}|{seed}"] = run(case, seed)
                given.keep.write_text(json.dumps(done, indent=1))
    print(table(done))


if __name__ == "__main__":
    main()
