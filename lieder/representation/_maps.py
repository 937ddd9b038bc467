"""A space of matrices that intertwine two representations, whatever way it was found."""

import abc

import numpy as np
from jaxtyping import Array, Float


class AbstractMaps(abc.ABC):
    """All W with B_k W = W A_k, as combinations of an orthonormal basis (Frobenius)."""

    @property
    @abc.abstractmethod
    def dim(self) -> int:
        """The number of independent maps."""

    @property
    @abc.abstractmethod
    def scales(self) -> Float[np.ndarray, " dim"]:
        """Standard deviations of random coefficients that turn inputs of unit variance into outputs of unit
        variance."""

    @abc.abstractmethod
    def apply(self, coefficients: Float[Array, " dim"], x: Float[Array, " n"]) -> Float[Array, " m"]:
        """W x for one example, without W."""

    @abc.abstractmethod
    def matrix(self, coefficients: Float[Array, " dim"]) -> Float[Array, "m n"]:
        """W itself."""

    @abc.abstractmethod
    def pairs(
        self, coefficients: Float[Array, " dim"]
    ) -> list[list[tuple[Float[np.ndarray, "r i j"], Float[Array, "r t s"]]]] | None:
        """W by target and source summand: its block is sum_r kron(copies[r], basis[r]) for (basis, copies).

        Lists go over the summands of the target, then of the source. None where such bases would take too much room.
        """

    @abc.abstractmethod
    def dense(self) -> Float[np.ndarray, "dim m n"]:
        """The basis."""

    @abc.abstractmethod
    def coefficients(self, matrix: Float[np.ndarray, "m n"]) -> Float[np.ndarray, " dim"]:
        """Coefficients of the nearest map to a matrix."""
