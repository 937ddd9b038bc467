"""What a user's function computes, as a formula: JAX's trace of it, carried out with symbols."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import Literal

from ..late import sympy

_ONE = {
    **{
        name: name
        for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh", "asin", "acos", "atan", "exp", "log", "sqrt")
    },
    "abs": "Abs",
    "sign": "sign",
}
_MORE: dict[str, Callable] = {
    "add": lambda a, b: a + b,
    "add_any": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "pow": lambda a, b: a**b,
    "neg": lambda a: -a,
    "square": lambda a: a**2,
    "rsqrt": lambda a: 1 / sympy.sqrt(a),
    "log1p": lambda a: sympy.log(1 + a),
    "expm1": lambda a: sympy.exp(a) - 1,
    "logistic": lambda a: 1 / (1 + sympy.exp(-a)),
    "max": lambda a, b: sympy.Max(a, b),
    "min": lambda a, b: sympy.Min(a, b),
    "atan2": lambda a, b: sympy.atan2(a, b),
}
# What only carries entries from place to place.
_JOINS = {"concatenate", "stack"}
_MOVES = _JOINS | {
    "slice",
    "squeeze",
    "reshape",
    "broadcast_in_dim",
    "transpose",
    "rev",
    "expand_dims",
    "split",
    "unstack",
}
_SAME = {"convert_element_type", "copy", "copy_p", "stop_gradient", "optimization_barrier"}
_LONGEST = 40  # operations of a formula that is still read at a glance


class _Unknown(Exception):
    """An operation without a formula."""


def traced(f: Callable, x: "list[sympy.Symbol]") -> "sympy.Expr | None":
    """The formula of a function of one example.

    Arguments: `f`, one (n,) -> a number, written with jax.numpy; `x`, n symbols.
    Returns: the expression; None where an operation has no formula (a loop, a branch), or the formula is too long to be
        read.
    """
    try:
        with jax.enable_x64(True):
            closed = jax.make_jaxpr(f)(jnp.ones(len(x)))
            (value,) = _run(closed.jaxpr, closed.consts, [np.array(x, dtype=object)])
        found = sympy.sympify(np.asarray(value, dtype=object).reshape(-1)[0])
    # The user's code may raise anything when it is traced; none of it is a fault.
    except Exception:
        return None
    whole = {value: sympy.Integer(int(value)) for value in found.atoms(sympy.Float) if float(value).is_integer()}
    found = found.xreplace(whole)
    return found if found.count_ops() <= _LONGEST else None


def _run(jaxpr: Any, consts: Any, arguments: list) -> list:
    known: dict = dict(zip(jaxpr.constvars, consts, strict=True)) | dict(zip(jaxpr.invars, arguments, strict=True))
    for line in jaxpr.eqns:
        given = [one.val if isinstance(one, Literal) else known[one] for one in line.invars]
        out = _one(line, given)
        known |= dict(zip(line.outvars, out, strict=True))
    return [one.val if isinstance(one, Literal) else known[one] for one in jaxpr.outvars]


def _one(line: Any, given: list) -> list:
    name = line.primitive.name
    inner = line.params.get("jaxpr", line.params.get("call_jaxpr"))
    if inner is not None and name in ("pjit", "jit", "closed_call", "custom_jvp_call", "custom_vjp_call", "remat"):
        return _run(getattr(inner, "jaxpr", inner), getattr(inner, "consts", []), given)
    if not any(_symbolic(one) for one in given):
        out = line.primitive.bind(*given, **line.params)
        return list(out) if line.primitive.multiple_results else [out]
    if name in _SAME:
        return [given[0]]
    if name in _ONE:
        return [_each(getattr(sympy, _ONE[name]), given)]
    if name == "integer_pow":
        return [_each(lambda a: a ** line.params["y"], given)]
    if name in _MORE:
        return [_each(_MORE[name], given)]
    if name in _MOVES or (name in ("dynamic_slice", "gather") and not any(map(_symbolic, given[1:]))):
        return _moved(line, given)
    if name in ("reduce_sum", "reduce_prod"):
        join = np.add if name == "reduce_sum" else np.multiply
        return [join.reduce(given[0], axis=tuple(line.params["axes"]))]
    if name == "dot_general":
        (left, right), batch = line.params["dimension_numbers"]
        if not any(batch):
            return [np.tensordot(*map(_objects, given), axes=(list(left), list(right)))]
    raise _Unknown(name)


def _symbolic(value: Any) -> bool:
    return isinstance(value, sympy.Basic) or (isinstance(value, np.ndarray) and value.dtype == object)


def _objects(value: Any) -> np.ndarray:
    """Symbols as they are, numbers as Python's, which sympy prints plainly."""
    if _symbolic(value):
        return np.asarray(value, dtype=object)
    return np.asarray(np.asarray(value).tolist(), dtype=object)


def _each(function: Callable, given: list) -> np.ndarray:
    out = np.frompyfunc(function, len(given), 1)(*map(_objects, given))
    return np.asarray(out, dtype=object)


def _moved(line: Any, given: list) -> list:
    """The primitive carried out on the numbers of entries, which says where each goes."""
    joined = line.primitive.name in _JOINS
    moving = [_objects(one) for one in (given if joined else given[:1])]
    starts = np.cumsum([0, *(one.size for one in moving)])
    numbers = [start + np.arange(one.size).reshape(one.shape) for start, one in zip(starts, moving, strict=False)]
    places = line.primitive.bind(*map(jnp.asarray, numbers), *([] if joined else given[1:]), **line.params)
    pool = np.concatenate([one.reshape(-1) for one in moving])
    return [pool[np.asarray(one)] for one in (places if line.primitive.multiple_results else [places])]
