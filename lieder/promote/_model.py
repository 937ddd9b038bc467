"""The function that a regression found."""

from collections.abc import Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import sympy
from jaxtyping import Array, Float

from ..dictionary import AbstractDictionary

_NEGLIGIBLE = 1e-6  # of the largest coefficient: smaller ones are left out of the text


@jax.tree_util.register_static
@dataclass(frozen=True, eq=False)
class DictionaryModel:
    """F(x) = W f(x) + b.

    Fields: `dictionary` of D functions f; `coefficients` W (m, D); `intercept` b (m,).
    """

    dictionary: AbstractDictionary
    coefficients: Float[np.ndarray, "m D"]
    intercept: Float[np.ndarray, " m"]

    def __call__(self, x: Float[Array | np.ndarray, " n"]) -> Float[Array, " m"]:
        f = self.dictionary(x)
        return jnp.asarray(self.coefficients, f.dtype) @ f + jnp.asarray(self.intercept, f.dtype)

    def equations(self, names: Sequence[str] | None = None, digits: int = 4) -> list[str]:
        """The functions in words.

        Arguments: `names` of the inputs (default x1, x2, ..); `digits` of the coefficients.
        Returns: one line an output; coefficients below a millionth of the largest are left out.
        Raises: ValueError for another number of names.
        """
        names = [f"x{i + 1}" for i in range(self.dictionary.width)] if names is None else list(names)
        terms = [*self.dictionary.symbols(names), sympy.Integer(1)]
        lines = []
        for i, row in enumerate(np.concatenate([self.coefficients, self.intercept[:, None]], axis=1)):
            least = _NEGLIGIBLE * np.abs(row).max(initial=0.0)
            parts = [
                (value, str(term).replace("**", "^").replace("*", " "))
                for value, term in zip(row, terms, strict=True)
                if abs(value) > least
            ]
            text = ""
            for value, term in parts:
                sign = ("-" if value < 0 else "") if not text else (" - " if value < 0 else " + ")
                text += f"{sign}{abs(value):.{digits}g}" + ("" if term == "1" else f" {term}")
            lines.append(f"y{i + 1} = {text or '0'}")
        return lines
