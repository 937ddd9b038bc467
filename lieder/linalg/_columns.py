"""Maps from coefficients to matrices, w -> [R K_1 w .. R K_q w], with sparse K: where nuclear norms are taken."""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import scipy.sparse
from jaxtyping import Float

from ._stack import MatrixStack


@dataclass(frozen=True, eq=False)
class Columns:
    """A(w) = [R K_1 w .. R K_q w], a (p, q) matrix for coefficients w (D,).

    Never formed as a (p q, D) matrix: K is sparse and R small.

    Fields: `stack` K (q, E, D); `factor` R (p, E).
    """

    stack: MatrixStack
    factor: Float[np.ndarray, "p E"]

    @property
    def shape(self) -> tuple[int, int]:
        """(p, q), of the matrices."""
        return len(self.factor), self.stack.shape[0]

    @property
    def size(self) -> int:
        """D, the number of coefficients."""
        return self.stack.shape[2]

    @cached_property
    def tall(self) -> scipy.sparse.csr_array:
        """K_1 .. K_q below each other, (q E, D)."""
        q, E, D = self.stack.shape
        k, e, d = self.stack.index
        return scipy.sparse.csr_array((self.stack.value, (k * E + e, d)), shape=(q * E, D))

    @cached_property
    def _wide(self) -> scipy.sparse.csr_array:
        return scipy.sparse.csr_array(self.tall.T)

    @cached_property
    def _by_entry(self) -> scipy.sparse.csr_array:
        q, E, D = self.stack.shape
        k, e, d = self.stack.index
        return scipy.sparse.csr_array((self.stack.value, (e * D + d, k)), shape=(E * D, q))

    def apply(self, w: Float[np.ndarray, " D"]) -> Float[np.ndarray, "p q"]:
        """A(w)."""
        q, E, _ = self.stack.shape
        return self.factor @ (self.tall @ w).reshape(q, E).T

    def adjoint(self, X: Float[np.ndarray, "p q"]) -> Float[np.ndarray, " D"]:
        """A^T(X): <A(w), X> = <w, A^T(X)>."""
        return self._wide @ (self.factor.T @ X).T.reshape(-1)

    @cached_property
    def gram(self) -> Float[np.ndarray, "D D"]:
        """A^T A, the sum over k of K_k^T R^T R K_k."""
        product = self.factor.T @ self.factor
        total = np.zeros((self.size, self.size))
        k, e, d = self.stack.index
        ends = np.searchsorted(k, np.arange(self.stack.shape[0] + 1))
        for start, stop in pairwise(ends):
            # Dense, but only the rows and columns where this generator has entries.
            rows, i = np.unique(e[start:stop], return_inverse=True)
            columns, j = np.unique(d[start:stop], return_inverse=True)
            small = np.zeros((len(rows), len(columns)))
            small[i, j] = self.stack.value[start:stop]
            total[np.ix_(columns, columns)] += small.T @ product[np.ix_(rows, rows)] @ small
        return total

    def dense(self, basis: Float[np.ndarray, "D k"]) -> Float[np.ndarray, "p q k"]:
        """A(c_l) for the columns c_l of `basis`, as one array."""
        (q, E, _), k = self.stack.shape, basis.shape[1]
        moved = (self.tall @ basis).reshape(q, E, k).swapaxes(0, 1)
        return (self.factor @ moved.reshape(E, q * k)).reshape(len(self.factor), q, k)

    def left(self, U: Float[np.ndarray, "p r"], basis: Float[np.ndarray, "D k"]) -> Float[np.ndarray, "r q k"]:
        """u_i^T A(c_l) for the columns c_l of `basis`, in its precision."""
        q, _, D = self.stack.shape
        k, e, d = self.stack.index
        weights = self.factor.T @ U
        value = self.stack.value.astype(basis.dtype)
        weights = weights.astype(basis.dtype)
        out = np.empty((U.shape[1], q, basis.shape[1]), basis.dtype)
        for i in range(U.shape[1]):
            rows = scipy.sparse.csr_array((value * weights[e, i], (k, d)), shape=(q, D))
            out[i] = rows @ basis
        return out

    def right(
        self, V: Float[np.ndarray, "q r"], rows: Float[np.ndarray, "s p"], basis: Float[np.ndarray, "D k"]
    ) -> Float[np.ndarray, "r s k"]:
        """`rows` A(c_l) v_j for the columns c_l of `basis`, in its precision."""
        _, E, D = self.stack.shape
        turned = (rows @ self.factor).astype(basis.dtype)
        out = np.empty((V.shape[1], len(rows), basis.shape[1]), basis.dtype)
        for j in range(V.shape[1]):
            combined = scipy.sparse.csr_array((self._by_entry @ V[:, j]).reshape(E, D).astype(basis.dtype))
            out[j] = turned @ (combined @ basis)
        return out
