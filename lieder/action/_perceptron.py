"""Networks that an action can hold and a file can keep."""

from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float


class Perceptron(eqx.Module):
    """Layers W h + b with SiLU, h / (1 + exp(-h)), between them: smooth, since fields are made of its derivative.

    Fields: `weights`, (out, in) of each layer; `biases`, (out,).
    """

    weights: tuple[Float[Array | np.ndarray, "_ _"], ...]
    biases: tuple[Float[Array | np.ndarray, " _"], ...]

    def __call__(self, x: Float[Array, " n"]) -> Float[Array, " m"]:
        x = jnp.asarray(x)
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            x = jax.nn.silu(jnp.asarray(weight, x.dtype) @ x + jnp.asarray(bias, x.dtype))
        return jnp.asarray(self.weights[-1], x.dtype) @ x + jnp.asarray(self.biases[-1], x.dtype)

    def after(self, size: Float[np.ndarray, " n"], shift: Float[np.ndarray, " n"]) -> "Perceptron":
        """x -> self(size x + shift) as one perceptron, in double precision."""
        weights, biases = self._doubled(self.weights), self._doubled(self.biases)
        biases[0] = biases[0] + weights[0] @ shift
        weights[0] = weights[0] * size
        return Perceptron(tuple(weights), tuple(biases))

    def before(self, scale: Float[np.ndarray, "k *m"], shift: Float[np.ndarray, " k"]) -> "Perceptron":
        """x -> scale self(x) + shift as one perceptron, in double precision; `scale` a matrix, or a number a row."""
        weights, biases = self._doubled(self.weights), self._doubled(self.biases)
        if scale.ndim == 1:
            weights[-1], biases[-1] = scale[:, None] * weights[-1], scale * biases[-1] + shift
        else:
            weights[-1], biases[-1] = scale @ weights[-1], scale @ biases[-1] + shift
        return Perceptron(tuple(weights), tuple(biases))

    @staticmethod
    def _doubled(arrays: Sequence) -> list[np.ndarray]:
        return [np.asarray(one, float) for one in arrays]

    def written(self) -> dict:
        """The network in arrays and texts, from which `read_perceptron` makes it again.

        Returns: the plain data.
        """
        return {
            "type": "Perceptron",
            "weights": [np.asarray(one) for one in self.weights],
            "biases": [np.asarray(one) for one in self.biases],
        }


def read_perceptron(plain: dict) -> Perceptron:
    """What `Perceptron.written` wrote."""
    return Perceptron(tuple(plain["weights"]), tuple(plain["biases"]))
