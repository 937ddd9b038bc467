"""All monomials of bounded degree."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations_with_replacement
from math import comb

import jax
import jax.numpy as jnp
import numpy as np
import scipy.sparse
from jaxtyping import Array, Int, Shaped

from ..late import sympy
from ._dictionary import AbstractDictionary, example, variables, whole


@jax.tree_util.register_static
@dataclass(frozen=True)
class Polynomials(AbstractDictionary):
    """All monomials x^a = x_1^a_1 .. x_n^a_n of total degree |a| <= degree.

    Ordered by degree; within a degree as `itertools.combinations_with_replacement` orders the factors, so that for two
    variables: 1, x, y, x^2, x y, y^2. Each monomial is a lower one times one variable: no powers, so values and all
    derivatives are exact at x = 0.

    Fields: `width`, the number of variables; `degree`, the largest total degree (0: the constant only).
    """

    width: int
    degree: int

    @property
    def size(self) -> int:
        return comb(self.width + self.degree, self.degree)

    @property
    def exponents(self) -> Int[np.ndarray, "size width"]:
        """The exponents a of the monomials x^a, in order."""
        return _exponents(self.width, self.degree).copy()

    def __call__(self, x: Shaped[Array | np.ndarray, " width"]) -> Shaped[Array, " size"]:
        x = example(x, self.width)
        degrees = [jnp.ones((1,), x.dtype)]
        for variable, lower in _factors(self.width, self.degree):
            degrees.append(x[variable] * degrees[-1][lower])
        return jnp.concatenate(degrees)

    def symbols(self, names: "Sequence[str | sympy.Symbol]") -> "list[sympy.Expr]":
        x = variables(names, self.width)
        degrees = [[sympy.Integer(1)]]
        for variable, lower in _factors(self.width, self.degree):
            degrees.append([x[v] * degrees[-1][i] for v, i in zip(variable, lower, strict=True)])
        return [term for terms in degrees for term in terms]

    def substitution(self, shift, scale):
        powers = _exponents(self.width, self.degree)
        # The exponents of a function as one number, so that a lower power is a difference.
        code = np.random.default_rng(0).integers(1, 2**40, self.width)
        key = powers @ code
        order = np.argsort(key)
        total = scipy.sparse.csr_array(scipy.sparse.eye_array(self.size))
        for i in range(self.width):
            rows, columns, entries = [], [], []
            binomial = np.ones(self.size)
            for less in range(int(powers[:, i].max(initial=0)) + 1):
                on = np.flatnonzero(powers[:, i] >= less)
                kept = powers[on, i] - less
                rows.append(on)
                columns.append(order[np.searchsorted(key[order], key[on] - less * code[i])])
                entries.append(binomial[on] * shift[i] ** less * scale[i] ** kept)
                binomial = binomial * (powers[:, i] - less) / (less + 1)
            place = np.concatenate(rows), np.concatenate(columns)
            single = scipy.sparse.csr_array((np.concatenate(entries), place), shape=total.shape)
            single.eliminate_zeros()
            total = total @ single
        return total

    def written(self):
        return {"type": "Polynomials", "width": self.width, "degree": self.degree}


def polynomials(width: int, degree: int) -> Polynomials:
    """All monomials in `width` variables of total degree at most `degree`, the constant first.

    Arguments: `width` >= 1; `degree` >= 0.
    Returns: the dictionary, of `size` comb(width + degree, degree).
    Raises: TypeError, ValueError when one of them is not such a whole number.
    """
    return Polynomials(whole(width, "width", 1), whole(degree, "degree", 0))


@lru_cache(maxsize=64)
def _factors(width: int, degree: int) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
    """For each degree 1..degree: the variable and the position (one degree lower) whose product each monomial is."""
    # int32: JAX keeps what it once traced for int64 indices in scoped float64, and then fails outside that scope.
    tables: list[tuple[np.ndarray, np.ndarray]] = []
    below: dict[tuple[int, ...], int] = {(): 0}
    for k in range(1, degree + 1):
        here = {term: i for i, term in enumerate(combinations_with_replacement(range(width), k))}
        variable, lower = [term[0] for term in here], [below[term[1:]] for term in here]
        tables.append((np.array(variable, np.int32), np.array(lower, np.int32)))
        below = here
    return tuple(tables)


@lru_cache(maxsize=64)
def _exponents(width: int, degree: int) -> np.ndarray:
    degrees = [np.zeros((1, width), np.int64)]
    unit = np.eye(width, dtype=np.int64)
    for variable, lower in _factors(width, degree):
        degrees.append(degrees[-1][lower] + unit[variable])
    return np.concatenate(degrees)
