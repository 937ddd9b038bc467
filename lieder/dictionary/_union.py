"""Several dictionaries on the same variables: all functions of each."""

from collections.abc import Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import scipy.sparse
from jaxtyping import Array, Shaped

from ..late import sympy
from ._dictionary import AbstractDictionary, example, variables


@jax.tree_util.register_static
@dataclass(frozen=True)
class Union(AbstractDictionary):
    """The features of each part, one after the other, all of the same x: f(x) = (f1(x), f2(x), ..).

    Fields: `parts`, the dictionaries, of one width; `width`.
    """

    parts: tuple[AbstractDictionary, ...]

    @property
    def width(self) -> int:
        return self.parts[0].width

    @property
    def size(self) -> int:
        return sum(part.size for part in self.parts)

    def __call__(self, x: Shaped[Array | np.ndarray, " width"]) -> Shaped[Array, " size"]:
        x = example(x, self.width)
        return jnp.concatenate([part(x) for part in self.parts])

    def symbols(self, names: "Sequence[str | sympy.Symbol]") -> "list[sympy.Expr]":
        x = variables(names, self.width)
        return [term for part in self.parts for term in part.symbols(x)]

    def texts(self, names):
        return [term for part in self.parts for term in part.texts(names)]

    @property
    def exponents(self):
        known = [part.exponents for part in self.parts]
        powers = [one for one in known if one is not None]
        return np.concatenate(powers) if len(powers) == len(known) else None

    @property
    def depends(self):
        return scipy.sparse.csr_array(scipy.sparse.vstack([part.depends for part in self.parts]))

    def substitution(self, shift, scale):
        found = [part.substitution(shift, scale) for part in self.parts]
        known = [one for one in found if one is not None]
        return scipy.sparse.csr_array(scipy.sparse.block_diag(known)) if len(known) == len(found) else None

    def written(self):
        parts = [part.written() for part in self.parts]
        return None if any(part is None for part in parts) else {"type": "Union", "parts": parts}


def union(parts: Sequence[AbstractDictionary]) -> Union:
    """Dictionaries together, all on the same columns: polynomials and functions of your own, say.

    A function that is in two parts is there twice; leave it out of one where coefficients shall be unique.

    Arguments: `parts`, at least one dictionary, all of one width.
    Returns: the dictionary, of `size` the sum of the parts' sizes.
    Raises: TypeError when a part is not a dictionary; ValueError when there is none, or widths differ.
    """
    parts = tuple(parts)
    for i, part in enumerate(parts):
        if not isinstance(part, AbstractDictionary):
            raise TypeError(f"parts[{i}]: expected a dictionary such as polynomials(3, 2), got {part!r}.")
    if not parts:
        raise ValueError("parts: expected at least one dictionary, got none.")
    if len(widths := {part.width for part in parts}) > 1:
        raise ValueError(
            f"parts: all must take the same variables, got widths {', '.join(map(str, sorted(widths)))}. Dictionaries"
            " on different columns are put side by side by lieder.dictionary.blocks."
        )
    return Union(parts)
