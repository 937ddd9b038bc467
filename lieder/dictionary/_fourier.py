"""Trigonometric polynomials of bounded degree."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int, Shaped

from ..late import sympy
from ..linalg import MatrixStack
from ._dictionary import AbstractDictionary, example, variables, whole

_WHOLE = 1e-9  # departure from whole numbers up to which a map is said to send waves to waves


@jax.tree_util.register_static
@dataclass(frozen=True)
class Fourier(AbstractDictionary):
    """All trigonometric polynomials of total degree <= degree: 1, cos(w_k . x), sin(w_k . x) for whole k.

        w_k = 2 pi (k_1 / period_1, .., k_n / period_n),   |k_1| + .. + |k_n| <= degree

    with one of k, -k each (they span the same functions), ordered by degree, cosine before sine. The family is closed
    under every translation, so translations act on it by exact matrices.

    Fields: `width`; `degree`; `period`, one for each variable.
    """

    width: int
    degree: int
    period: tuple[float, ...]

    @property
    def size(self) -> int:
        return 1 + 2 * len(_frequencies(self.width, self.degree))

    @property
    def frequencies(self) -> Int[np.ndarray, "waves width"]:
        """The whole vectors k, one for each pair of a cosine and a sine."""
        return _frequencies(self.width, self.degree).copy()

    def __call__(self, x: Shaped[Array | np.ndarray, " width"]) -> Shaped[Array, " size"]:
        x = example(x, self.width)
        waves = 2 * np.pi * _frequencies(self.width, self.degree) / np.array(self.period)
        phase = jnp.asarray(waves, x.dtype) @ x
        pairs = jnp.stack([jnp.cos(phase), jnp.sin(phase)], axis=1)
        return jnp.concatenate([jnp.ones((1,), x.dtype), pairs.reshape(-1)])

    def symbols(self, names: "Sequence[str | sympy.Symbol]") -> "list[sympy.Expr]":
        x = variables(names, self.width)
        # The default period stays 2 pi, so that its waves print as cos(x), not as cos(1.0*x).
        step = [1 if p == 2 * math.pi else 2 * sympy.pi / sympy.nsimplify(p) for p in self.period]
        terms: list[sympy.Expr] = [sympy.Integer(1)]
        for k in _frequencies(self.width, self.degree):
            phase = sum(int(number) * unit * symbol for number, unit, symbol in zip(k, step, x, strict=True))
            terms += [sympy.cos(phase), sympy.sin(phase)]
        return terms

    def under_affine(self, moves, maps):
        """Translations by b turn (cos, sin)(w . x) at the rate w . b; x -> H x + h sends w to H^T w, phase w . h."""
        n, size = self.width, self.size
        if np.any(moves.index[2] < n):
            return None
        whole_ = self.frequencies
        waves = 2 * np.pi * whole_ / np.array(self.period)
        shift = np.zeros((moves.shape[0], n))
        shift[moves.index[0], moves.index[1]] = moves.value
        rate = shift @ waves.T
        generator, wave = np.nonzero(rate)
        cosine = 1 + 2 * wave
        index = np.concatenate([[generator, cosine, cosine + 1], [generator, cosine + 1, cosine]], axis=1)
        value = np.concatenate([-rate[generator, wave], rate[generator, wave]])
        turned = np.zeros((maps.shape[0], size, size))
        turned[:, 0, 0] = 1.0
        known = {tuple(k): place for place, k in enumerate(whole_.tolist())}
        for number, map_ in enumerate(maps.dense()):
            image = waves @ map_[:, :n] * np.array(self.period) / (2 * np.pi)
            if np.abs(image - np.round(image)).max(initial=0.0) > _WHOLE:
                return None
            for place, (k, phase) in enumerate(zip(np.round(image).astype(int), waves @ map_[:, n], strict=True)):
                sign = -1 if next((i for i in k if i), 0) < 0 else 1
                other = known.get(tuple((sign * k).tolist()))
                if other is None:
                    return None
                # cos(s v + p) and sin(s v + p) in cos v, sin v with s = sign.
                turn = np.array([[np.cos(phase), -sign * np.sin(phase)], [np.sin(phase), sign * np.cos(phase)]])
                turned[number, 1 + 2 * place : 3 + 2 * place, 1 + 2 * other : 3 + 2 * other] = turn
        return MatrixStack.from_entries((len(shift), size, size), index, value), MatrixStack.from_dense(turned)

    def written(self):
        return {"type": "Fourier", "width": self.width, "degree": self.degree, "period": list(self.period)}


def fourier(width: int, degree: int, period: float | Sequence[float] = 2 * math.pi) -> Fourier:
    """All trigonometric polynomials of total degree at most `degree`, the constant included.

    Arguments: `width` >= 1; `degree` >= 0; `period`, in the unit of the variables: one for all or one for each
    (default 2 pi: the variables are angles).
    Returns: the dictionary, of `size` 1 + 2 * (number of pairs k, -k).
    Raises: TypeError, ValueError when one of them is not of that kind.
    """
    width, degree = whole(width, "width", 1), whole(degree, "degree", 0)
    periods = tuple(float(p) for p in np.atleast_1d(np.asarray(period, dtype=np.float64)))
    periods = periods * width if len(periods) == 1 else periods
    if len(periods) != width or not all(0 < p < math.inf for p in periods):
        raise ValueError(f"period: expected one positive number, or {width} of them, got {period!r}.")
    return Fourier(width, degree, periods)


@lru_cache(maxsize=64)
def _frequencies(width: int, degree: int) -> np.ndarray:
    """Whole vectors k != 0 with |k|_1 <= degree whose first non-zero entry is positive, by degree."""
    found: list[tuple[int, ...]] = [()]
    # Grown one entry at a time: the box (2 degree + 1)^width would not fit in memory for many variables.
    for _ in range(width):
        found = [(*k, i) for k, i in product(found, range(-degree, degree + 1)) if sum(map(abs, k)) + abs(i) <= degree]
    half = [k for k in found if next((i for i in k if i), 0) > 0]
    half.sort(key=lambda k: (sum(map(abs, k)), tuple(-i for i in k)))
    return np.array(half, dtype=np.int64).reshape(-1, width)
