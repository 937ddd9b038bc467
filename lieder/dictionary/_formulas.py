"""Functions written as formulas of the columns: "log(x)", "1/sqrt(x^2 + y^2)"."""

import ast
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Shaped

from ..late import sympy
from ._dictionary import AbstractDictionary, example, variables

_SIGNS: dict[type, Callable] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
_CALLS = ("sin", "cos", "tan", "exp", "log", "sqrt", "sinh", "cosh", "tanh", "arctan", "abs")
_SYMPY = {"arctan": "atan", "abs": "Abs"}


@jax.tree_util.register_static
@dataclass(frozen=True)
class Formulas(AbstractDictionary):
    """Functions given as texts in named columns; unlike functions of your own they can be written to a file.

    Fields: `formulas`, the texts; `columns`, the names that stand in them, in the order of x.
    """

    formulas: tuple[str, ...]
    columns: tuple[str, ...]

    @property
    def width(self) -> int:
        return len(self.columns)

    @property
    def size(self) -> int:
        return len(self.formulas)

    def __call__(self, x: Shaped[Array | np.ndarray, " width"]) -> Shaped[Array, " size"]:
        x = example(x, self.width)
        named = {name: x[i] for i, name in enumerate(self.columns)}
        values = [_value(_tree(text), named, _jax) for text in self.formulas]
        return jnp.stack([jnp.asarray(value, x.dtype) for value in values])

    def symbols(self, names: "Sequence[str | sympy.Symbol]") -> "list[sympy.Expr]":
        named: dict[str, Any] = dict(zip(self.columns, variables(names, self.width), strict=True))
        return [sympy.sympify(_value(_tree(text), named, _symbolic)) for text in self.formulas]

    def texts(self, names: Sequence[str]) -> list[str]:
        """As for every dictionary; as they were written, where the columns have the names that stand in them."""
        if tuple(names) == self.columns:
            return [f"({text})" if _is_sum(text) else text for text in self.formulas]
        return AbstractDictionary.texts(self, names)

    def written(self):
        return {"type": "Formulas", "formulas": list(self.formulas), "columns": list(self.columns)}


def formulas(texts: Sequence[str], columns: Sequence[str]) -> Formulas:
    """A dictionary of functions written as formulas.

    Arguments: `texts`, such as "log(x)", "x^2 * cos(y)", "1/sqrt(x^2 + y^2)": names of columns, numbers, + - * / ^,
        brackets and sin, cos, tan, exp, log, sqrt, sinh, cosh, tanh, arctan, abs; `columns`, all names of columns, in
        order.
    Returns: the dictionary, of `width` len(columns).
    Raises: ValueError for a formula that cannot be read, naming what and where; TypeError when one is no text.
    """
    columns, found = tuple(columns), tuple(texts)
    if isinstance(texts, str) or not found:
        raise ValueError(f"texts: expected a list of formulas, such as ['log(x)', 'x*y'], got {texts!r}.")
    ones: dict[str, Any] = dict.fromkeys(columns, 1.0)
    for text in found:
        if not isinstance(text, str):
            raise TypeError(f"texts: expected formulas as texts, got {text!r}; for functions use dictionary.functions.")
        _value(_tree(text), ones, lambda name: lambda value: value)
    return Formulas(found, columns)


def _tree(text: str) -> ast.expr:
    try:
        return ast.parse(text.replace("^", "**").strip(), mode="eval").body
    except SyntaxError:
        raise ValueError(
            f"formula '{text}' cannot be read; write it like 'x^2 * cos(y)' or '1/sqrt(x^2 + y^2)'."
        ) from None


def _value(node: ast.expr, named: dict[str, Any], call: Callable[[str], Callable]) -> Any:
    """What a formula is where its columns have the given values; nothing but arithmetic is done."""
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool):
        return node.value
    if isinstance(node, ast.Name) and node.id in named:
        return named[node.id]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        value = _value(node.operand, named, call)
        return -value if isinstance(node.op, ast.USub) else value
    if isinstance(node, ast.BinOp) and type(node.op) in _SIGNS:
        left, right = _value(node.left, named, call), _value(node.right, named, call)
        return _SIGNS[type(node.op)](left, right)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _CALLS:
        if len(node.args) == 1 and not node.keywords:
            return call(node.func.id)(_value(node.args[0], named, call))
    written = ast.unparse(node).replace("**", "^")
    raise ValueError(
        f"formula: '{written}' is neither a column ({', '.join(named)}), a number, + - * / ^, nor one of"
        f" {', '.join(_CALLS)} of one argument."
    )


def _jax(name: str) -> Callable:
    return getattr(jnp, name)


def _symbolic(name: str) -> Callable:
    return getattr(sympy, _SYMPY.get(name, name))


def _is_sum(text: str) -> bool:
    node = _tree(text)
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub)
