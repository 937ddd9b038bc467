"""Equations in the latent of a pendulum, with the symmetry that was found and without: how long their solutions hold.

python benchmarks/latent_rollouts.py FILE    # the record of `discover.latent`; trained where it is not there
"""

import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

import lieder as ld

sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))

from latent_tasks import observed, pendulum

STEP, LONG, DEGREE = 0.25, 240, 5


def main(file: Path) -> None:
    states = pendulum()
    if not file.exists():
        ld.discover.latent(observed(states), latent_dim=2).save(file)
    found = ld.Symmetries.load(file)
    encode, decode = (jax.jit(jax.vmap(one)) for one in (found.source.encoder, found.source.decoder))
    x = observed(states)
    fresh = pendulum(count=len(states) + 20, steps=LONG)[len(states) :]  # from starts that were not trained on
    y = observed(fresh, like=states)
    latent = np.asarray(encode(jnp.asarray(x.reshape(-1, 50))), float).reshape(*states.shape)
    start = np.asarray(encode(jnp.asarray(y[:, 0])), float)
    print("| symmetry | fields allowed | t = 5 | 15 | 30 | 60 |\n" + "|" + " --- |" * 6)
    for name, symmetry in (("none", None), ("found", found.action.base)):
        model = ld.enforce.sparse_dynamics(
            list(latent), None, f"polynomials({DEGREE})", t=STEP, derivative="spline", symmetry=symmetry
        )
        solutions = model.simulate(start, STEP * np.arange(LONG))
        rows = np.asarray(decode(jnp.asarray(solutions.reshape(-1, 2)))).reshape(y.shape)
        errors = np.sqrt(np.mean((rows - y) ** 2, axis=2)) / x.std()
        told = " | ".join(f"{np.median(errors[:, k]):.2g}" for k in (20, 60, 120, 239))
        print(f"| {name} | {model.dimension_} | {told} |")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
