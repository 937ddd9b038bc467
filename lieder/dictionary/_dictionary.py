"""What every dictionary is: D functions of n variables, evaluated together on one example."""

import abc
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
import scipy.sparse
from jaxtyping import Array, Float, Int, Shaped

from ..late import sympy
from ..linalg import MatrixStack


class AbstractDictionary(abc.ABC):
    """A family of functions F_W(x) = W f(x), linear in W, given by its features f(x) = (f_1(x), .., f_D(x)).

    Every dictionary here is a frozen dataclass, a static pytree (it has no leaves, and may be closed over or passed
    under `jax.jit`) and equal to any other of the same content.

    A dictionary of your own needs `width`, `size` and a value, `__call__`, written with jax.numpy. What it knows
    exactly besides it may say by the other methods, which know nothing by default; results are then faster and exact,
    and the same otherwise.

    Fields: `width`, the number n of input variables.
    """

    width: int

    @property
    @abc.abstractmethod
    def size(self) -> int:
        """The number D of functions."""

    @abc.abstractmethod
    def __call__(self, x: Shaped[Array | np.ndarray, " width"]) -> Shaped[Array, " size"]:
        """All features of one example.

        Arguments: `x` (width,), one example; the caller vmaps. Integers are promoted to floats.
        Returns: (size,) in the dtype of `x`.
        Raises: ValueError when `x` has another shape.
        """

    def symbols(self, names: "Sequence[str | sympy.Symbol]") -> "list[sympy.Expr]":
        """The features as sympy expressions; by default f1(x, y), f2(x, y), ...

        Arguments: `names`, `width` names (or sympy symbols) of the input variables.
        Returns: `size` expressions, in the order of the evaluation.
        Raises: ValueError when there are not `width` names.
        """
        x = variables(names, self.width)
        return [sympy.Function(f"f{number + 1}")(*x) for number in range(self.size)]

    def texts(self, names: Sequence[str]) -> list[str]:
        """The features as they are printed in equations: x^2 y, with brackets about sums.

        Arguments: `names` (width,).
        Returns: `size` texts.
        """
        return [text(symbol) for symbol in self.symbols(names)]

    def jacobian(self, x: Float[Array, " width"]) -> Float[Array, "size width"]:
        """The derivatives of all features at one example.

        Arguments: `x` (width,).
        Returns: (size, width).
        """
        return jax.jacfwd(self)(x)

    @property
    def exponents(self) -> Int[np.ndarray, "size width"] | None:
        """The exponents a of features that are all monomials x^a; None where some are not, or it is not known."""
        return None

    def split(self) -> "tuple[AbstractDictionary, ...]":
        """The dictionaries of which this one consists, each on its own consecutive slice of x; by default itself."""
        return (self,)

    @property
    def coordinates(self) -> Int[np.ndarray, " width"] | None:
        """The place of each coordinate x_i among the features; None where one is missing, or it is not known."""
        powers = self.exponents
        if powers is None:
            return None
        first = np.flatnonzero(powers.sum(axis=1) == 1)
        return first[np.argmax(powers[first], axis=0)] if len(first) else None

    @property
    def depends(self) -> scipy.sparse.csr_array:
        """(size, width), one where a feature depends on a variable; by default each on all."""
        return scipy.sparse.csr_array(np.ones((self.size, self.width)))

    def substitution(
        self, shift: Float[np.ndarray, " width"], scale: Float[np.ndarray, " width"]
    ) -> scipy.sparse.csr_array | None:
        """T with f(shift + scale x) = T f(x): what another origin and other units do to coefficients.

        Arguments: `shift`, `scale` (width,).
        Returns: (size, size); None where the features are not closed under such changes, or it is not known.
        """
        return None

    def under_affine(self, moves: MatrixStack, maps: MatrixStack) -> tuple[MatrixStack, MatrixStack] | None:
        """Exact matrices of affine fields and maps: J_f(x) (A_k x + b_k) = T_k f(x) and f(H_j x + h_j) = S_j f(x).

        Arguments: `moves` (q, width, width + 1), the matrices [A_k | b_k]; `maps` (c, width, width + 1), [H_j | h_j].
        Returns: T (q, size, size) and S (c, size, size); None where the features are not closed under these, or it is
        not known.
        """
        return None

    def written(self) -> dict | None:
        """The dictionary in numbers, texts, lists and tuples, from which `lieder.dictionary.read` makes it again.

        Returns: the plain data; None for what is known by code alone, such as functions of your own.
        """
        return None


def text(symbol: "sympy.Expr") -> str:
    """A feature as it is printed."""
    written = str(symbol).replace("**", "^").replace("*", " ")
    return f"({written})" if symbol.is_Add else written


def example(x, width: int) -> Array:
    """The argument of a dictionary as a floating vector of `width` entries, or an error that says what came."""
    x = jnp.asarray(x)
    if x.shape != (width,):
        raise ValueError(
            f"x: this dictionary takes one example of shape ({width},), got {x.shape}. "
            "For many examples use jax.vmap(dictionary)(x)."
        )
    return x if jnp.issubdtype(x.dtype, jnp.inexact) else x.astype(float)


def variables(names: "Sequence[str | sympy.Symbol]", width: int) -> "list[sympy.Symbol]":
    """The names as sympy symbols, or an error that says how many are needed."""
    if isinstance(names, str) or len(names) != width:
        raise ValueError(f"names: expected {width} names, one for each input variable, got {names!r}.")
    return [sympy.Symbol(name) if isinstance(name, str) else name for name in names]


def whole(value, name: str, least: int) -> int:
    """`value` as an integer of at least `least`, or an error that names the argument."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(f"{name}: expected a whole number, got {value!r}.")
    if value < least:
        raise ValueError(f"{name}: expected at least {least}, got {value}.")
    return int(value)
