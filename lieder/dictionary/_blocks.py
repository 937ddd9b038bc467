"""A direct sum: each dictionary on its own slice of the input."""

from collections.abc import Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import scipy.linalg
import scipy.sparse
from jaxtyping import Array, Shaped

from ..late import sympy
from ._dictionary import AbstractDictionary, example, variables


@jax.tree_util.register_static
@dataclass(frozen=True)
class Blocks(AbstractDictionary):
    """The features of each part on its own consecutive slice of x, one after the other: f(x) = (f1(x1), f2(x2), ..).

    Fields: `parts`, the dictionaries in the order of the input; `width`, the sum of theirs.
    """

    parts: tuple[AbstractDictionary, ...]

    @property
    def width(self) -> int:
        return sum(part.width for part in self.parts)

    @property
    def size(self) -> int:
        return sum(part.size for part in self.parts)

    def __call__(self, x: Shaped[Array | np.ndarray, " width"]) -> Shaped[Array, " size"]:
        pieces = self._slices(example(x, self.width))
        return jnp.concatenate([part(piece) for part, piece in zip(self.parts, pieces, strict=True)])

    def symbols(self, names: "Sequence[str | sympy.Symbol]") -> "list[sympy.Expr]":
        pieces = self._slices(variables(names, self.width))
        return [term for part, piece in zip(self.parts, pieces, strict=True) for term in part.symbols(piece)]

    def split(self):
        return self.parts

    @property
    def exponents(self):
        known = [part.exponents for part in self.parts]
        if any(powers is None for powers in known):
            return None
        return np.asarray(scipy.linalg.block_diag(*known), np.int64)

    @property
    def coordinates(self):
        places = [part.coordinates for part in self.parts]
        starts = np.cumsum([0] + [part.size for part in self.parts])
        known = [start + place for start, place in zip(starts, places, strict=False) if place is not None]
        return np.concatenate(known) if len(known) == len(places) else None

    @property
    def depends(self):
        return scipy.sparse.csr_array(scipy.sparse.block_diag([part.depends for part in self.parts]))

    def substitution(self, shift, scale):
        pairs = zip(self._slices(shift), self._slices(scale), strict=True)
        found = [part.substitution(*pair) for part, pair in zip(self.parts, pairs, strict=True)]
        if any(one is None for one in found):
            return None
        return scipy.sparse.csr_array(scipy.sparse.block_diag(found))

    def written(self):
        parts = [part.written() for part in self.parts]
        return None if any(part is None for part in parts) else {"type": "Blocks", "parts": parts}

    def _slices(self, x) -> list:
        stops = np.cumsum([part.width for part in self.parts])
        return [x[stop - part.width : stop] for part, stop in zip(self.parts, stops, strict=True)]


def blocks(parts: Sequence[AbstractDictionary]) -> Blocks:
    """Dictionaries side by side, each on its own columns: the direct sum.

    Arguments: `parts`, at least one dictionary, in the order of the columns.
    Returns: the dictionary, of `size` the sum of the parts' sizes.
    Raises: TypeError when a part is not a dictionary; ValueError when there is none.
    """
    parts = tuple(parts)
    for i, part in enumerate(parts):
        if not isinstance(part, AbstractDictionary):
            raise TypeError(f"parts[{i}]: expected a dictionary such as polynomials(3, 2), got {part!r}.")
    if not parts:
        raise ValueError("parts: expected at least one dictionary, got none.")
    return Blocks(parts)
