"""Candidate fields beyond any named algebra: polynomial fields, fields in a dictionary, the user's own."""

from collections.abc import Callable, Sequence

import jax.numpy as jnp
import numpy as np

from .. import dictionary as families
from ..algebra import Span
from ..linalg import MatrixStack
from ._fields import FieldAction


def polynomial_fields(dim: int, degree: int) -> FieldAction:
    """All vector fields on R^dim whose components are polynomials up to `degree`.

    theta = monomial d/dx_i; not closed under the bracket for degree > 1, hence a Span.

    Arguments: `dim` n >= 1; `degree` >= 0 (1 gives the affine fields).
    Returns: a FieldAction of width n with n * binomial(n + degree, degree) generators.
    Reference: Shaw, Magner, Moon (2024), section 3.
    """
    return dictionary_fields(families.polynomials(dim, degree))


def dictionary_fields(dictionary: families.AbstractDictionary) -> FieldAction:
    """All vector fields whose components lie in the span of a dictionary: f_a(z) d/dz_i, i outer, a inner.

    Arguments: `dictionary` of D functions of n variables.
    Returns: a FieldAction of width n with n * D generators.
    """
    n, size = dictionary.width, dictionary.size
    coordinates = [f"z{i}" for i in range(n)]
    names = tuple(f"{f} d/d{c}" for c in coordinates for f in dictionary.symbols(coordinates))
    every = np.arange(n * size)
    stack = MatrixStack.from_entries(
        (n * size, n, size), np.stack([every, every // size, every % size]), np.ones(n * size)
    )
    return FieldAction(Span(f"fields in {dictionary}", names), stack, dictionary, (("points", n),))


def fields(functions: Sequence[Callable], width: int, names: Sequence[str] | None = None) -> FieldAction:
    """The user's own vector fields as candidates.

    Arguments:
        functions: callables z (n,) -> (n,), differentiable by JAX.
        width: n.
        names: one a field; default the functions' own names, field1, field2, .. for lambdas.
    Returns: a FieldAction of width n with one generator a function.
    Raises: ValueError when a field returns another shape, or there is none; TypeError when one is not callable.
    """
    if len(functions) == 0:
        raise ValueError("functions is empty: give at least one vector field.")
    names = tuple(names) if names is not None else tuple(_own_name(f, k) for k, f in enumerate(functions))
    components: list[Callable] = []
    labels: list[str] = []
    if len(names) != len(functions):
        raise ValueError(f"names holds {len(names)} names for {len(functions)} fields: give one a field.")
    for f, name in zip(functions, names, strict=True):
        if not callable(f):
            raise TypeError(f"functions must hold callables z (n,) -> (n,), got {f!r}.")
        shape = np.shape(f(jnp.ones(width)))
        if shape != (width,):
            raise ValueError(
                f"field '{name}' returns shape {shape} for a point of width {width}: it must return ({width},)."
            )
        components += [lambda z, f=f, i=i: f(z)[i] for i in range(width)]
        labels += [f"{name}_{i}" for i in range(width)]
    every = np.arange(len(components))
    stack = MatrixStack.from_entries(
        (len(functions), width, len(components)), np.stack([every // width, every % width, every]), np.ones(len(every))
    )
    own = families.Functions(width, tuple(components), tuple(labels))
    return FieldAction(Span("user fields", names), stack, own, (("points", width),))


def _own_name(f: Callable, k: int) -> str:
    name = getattr(f, "__name__", "")
    return name if name.isidentifier() else f"field{k + 1}"
