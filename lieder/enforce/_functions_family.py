"""Whether a family of functions is linear in its parameters."""

from collections.abc import Callable
from typing import NoReturn

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

_DRAWS = 4


def linear_in_parameters(F: Callable, parameters, x: Float[np.ndarray, "N n"], *, seed: int = 0) -> float:
    """How far F is from being linear in its parameters: zero, up to rounding, when it is.

    The largest |F(a p + b r, x) - a F(p, x) - b F(r, x)| over draws of p, r, a, b, relative to |F(p, x)| + |F(r, x)|.

    Arguments: `F`, from parameters and one example (n,) to an array; `parameters`, any pytree of arrays, of which only
        the shapes are used; `x` (N, n) examples; `seed` of the draws.
    Returns: the deviation: about 1e-16 (1e-7 in float32) or about 1.
    Raises: ValueError for x of another shape, or parameters without a floating-point array.
    """
    x = np.asarray(x, dtype=np.float64)
    if x.ndim != 2 or len(x) == 0:
        raise ValueError(f"x must hold examples as rows, (N, n), got shape {x.shape}.")
    arrays, rest = eqx.partition(parameters, eqx.is_inexact_array_like)
    leaves, tree = jax.tree_util.tree_flatten(arrays)
    if not leaves:
        raise ValueError("parameters hold no floating-point array.")
    rng = np.random.default_rng(seed)

    def at(values) -> np.ndarray:
        made = eqx.combine(jax.tree_util.tree_unflatten(tree, [jnp.asarray(v) for v in values]), rest)
        return np.asarray(jax.vmap(lambda z: F(made, z))(jnp.asarray(x)), dtype=np.float64)

    worst = 0.0
    with jax.enable_x64(True):
        for _ in range(_DRAWS):
            p, r = ([rng.normal(size=np.shape(leaf)) for leaf in leaves] for _ in range(2))
            a, b = rng.normal(size=2)
            first, second, both = at(p), at(r), at([a * u + b * v for u, v in zip(p, r, strict=True)])
            size = np.linalg.norm(first) + np.linalg.norm(second)
            if size > 0:
                worst = max(worst, float(np.linalg.norm(both - a * first - b * second) / size))
    return worst


def refuse(family, source) -> NoReturn:
    """The error for something that is no dictionary, with the measured deviation from linearity where there is one."""
    name = getattr(family, "__name__", type(family).__name__)
    if not callable(family):
        raise TypeError(f"dictionary: expected one such as ld.dictionary.polynomials(3, degree=2), got {family!r}.")
    deviation = None
    if jax.tree_util.tree_leaves(eqx.filter(family, eqx.is_inexact_array)):
        x = np.random.default_rng(1).normal(size=(16, source.width))
        try:
            deviation = linear_in_parameters(lambda model, z: model(z), family, x)
        # The user's model may fail on our examples in any way; it is refused all the same.
        except Exception:
            deviation = None
    if deviation is not None and deviation < 1e-5:
        raise TypeError(
            f"dictionary: {name} is linear in its parameters, but is no dictionary. Write F(x) = W f(x) with the"
            f" functions f: ld.dictionary.functions([f1, f2, ..], width={source.width}); for a linear layer,"
            " ld.dictionary.linear or affine."
        )
    if deviation is not None:
        raise TypeError(
            f"dictionary: {name} is not linear in its parameters (deviation {deviation:.2g} of its output): its"
            " equivariant members form no vector space. Use ld.nn for equivariant networks, ld.promote.penalty to"
            " encourage the symmetry, or ld.enforce.project for its linear layers."
        )
    raise TypeError(
        f"dictionary: {name} is a callable, and functions needs a family linear in its parameters, F(x) = W f(x). Give"
        f" the functions f, ld.dictionary.functions([f1, f2, ..], width={source.width}). Whether F(parameters, x) is"
        " linear is measured by ld.enforce.linear_in_parameters. For networks use ld.nn or ld.promote.penalty."
    )
