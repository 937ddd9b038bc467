"""Random elements of the algebra that matrices generate, the same ones in every representation."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse
from jaxtyping import Float

from ..linalg import MatrixStack

_SMALL = 256  # up to this size dense products of words are faster than sparse ones
_DENSE = 1024  # and up to this size the elements themselves are handled as dense arrays
_ELEMENTS = 5  # one to split the space, four to link the pieces and to tell real, complex and quaternionic type


@dataclass(frozen=True, eq=False)
class Probe:
    """Coefficients of fixed random elements P = sum over terms of products of (c_0 + sum_k c_k A_k).

    Equivalent representations give equivalent matrices for one probe: this is what lets pieces be decomposed one by
    one and matched afterwards.

    Fields: `words` (elements, terms, factors, 1 + k); `casimir` (p, p), the inverse of an invariant form on the first p
    matrices, so that sum_ij casimir_ij A_i A_j commutes with all of them, or None.
    """

    words: Float[np.ndarray, "elements terms factors operators"]
    casimir: Float[np.ndarray, "p p"] | None

    def elements(self, operators: MatrixStack) -> list:
        """The random elements for k matrices of one size: (n, n) arrays, sparse ones where n is large."""
        _, terms, factors, width = self.words.shape
        n = operators.shape[1]
        constant, linear = self.words.reshape(-1, width)[:, 0], operators.combine(self.words.reshape(-1, width)[:, 1:])
        if n <= _SMALL:
            dense = linear.dense().reshape(*self.words.shape[:3], n, n)
            dense[..., np.arange(n), np.arange(n)] += self.words[..., :1]
            product = dense[:, :, 0]
            for factor in range(1, factors):
                product = product @ dense[:, :, factor]
            return list(product.sum(axis=1))
        unit = scipy.sparse.eye_array(n, format="csr")
        made = [matrix + number * unit for matrix, number in zip(linear.each(), constant, strict=True)]
        products = []
        for start in range(0, len(made), factors):
            product = made[start]
            for factor in made[start + 1 : start + factors]:
                product = product @ factor
            products.append(product)
        sums = [sum(products[start + 1 : start + terms], products[start]) for start in range(0, len(products), terms)]
        return [total.toarray() for total in sums] if n <= _DENSE else sums

    def central(self, operators: MatrixStack) -> Float[np.ndarray, "n n"] | None:
        """The Casimir element, or None."""
        if self.casimir is None:
            return None
        size, axes = np.linalg.eigh(self.casimir)
        first = MatrixStack.from_entries((len(size), *operators.shape[1:]), *_first(operators, len(size)))
        total = scipy.sparse.csr_array(operators.shape[1:])
        for number, matrix in zip(size, first.combine(axes.T).each(), strict=True):
            total = total + number * (matrix @ matrix)
        return scipy.sparse.csr_array(total).toarray()


def _first(operators: MatrixStack, count: int) -> tuple[np.ndarray, np.ndarray]:
    keep = operators.index[0] < count
    return operators.index[:, keep], np.asarray(operators.value[keep])


def probe(operators: int, casimir: Float[np.ndarray, "p p"] | None, draw: int) -> Probe:
    """The probe of number `draw` for `operators` matrices.

    Arguments: `operators`, how many matrices; `casimir` as in Probe; `draw` 0, 1, ...: later draws use longer words, in
    case short ones are not generic.
    Returns: a Probe, the same on every machine.
    """
    random = np.random.default_rng((draw, operators))
    words = random.normal(size=(_ELEMENTS, 2, 2 + min(draw, 4), 1 + operators))
    return Probe(words, casimir)
