"""A generator in one line of plain text: x d/dy - y d/dx."""

import re
from collections.abc import Sequence
from typing import Any

import sympy

from ..report._terms import FieldTerm, Term, field_terms
from ..report._words import clean

_WORD = re.compile(r"[^\W\d]\w*\Z")


def generator_text(
    exprs: Sequence[sympy.Expr | float],
    names: Sequence[str],
    *,
    digits: int = 3,
    negligible: float | None = None,
    scales: Sequence[float] | None = None,
) -> str:
    """The vector field sum_i exprs[i] d/d(names[i]) as text, such as `x d/dy - y d/dx`.

    Coordinates that turn into each other stay together, positive terms before negative ones. Names that are no plain
    word are bracketed: `[water level] d/d[air pressure]`.

    Arguments:
        `exprs`: one sympy expression (or number) per coordinate, in symbols called like the names.
        `names`: the coordinates.
        `digits`: significant digits of a coefficient; numbers that these digits cannot tell from an integer or a
            fraction by 2, 3 or 4 are written as such.
        `negligible`: terms below this share of the largest are left out; half a unit in the last digit by default, 0 to
            keep all.
        `scales`: a typical size of each coordinate, at which terms are compared; 1 by default. Give it when columns
            have different units, or when terms of different degree are to be compared fairly.
    Returns: the text; `0` for the zero field.
    Raises: `ValueError` if the lengths differ or a coefficient is not finite; `TypeError` for coefficients given as
        strings.
    """
    return parts_text(field_terms(exprs, names, digits, negligible, scales))


def parts_text(parts: Sequence[FieldTerm]) -> str:
    """The text of a generator that is already split into its terms."""
    out = ""
    for part in parts:
        inside = _sum(part.terms)
        only = part.terms[0].factor
        quotient = sympy.fraction(only, exact=True)[1] != 1
        if quotient or only.is_Add or len(part.terms) > 1:
            inside = f"({inside})"
        pieces = [_number(part.number)] if part.number != 1 else []
        pieces += [inside] if inside != "1" else []
        body = " ".join([*pieces, f"d/d{_name(part.name)}"])
        sign = ("- " if part.negative else "+ ") if out else ("-" if part.negative else "")
        out += f" {sign}{body}" if out else f"{sign}{body}"
    return out or "0"


def _sum(terms: Sequence[Term]) -> str:
    out = ""
    for term in terms:
        pieces = [_number(term.number)] if term.number != 1 or term.factor == 1 else []
        pieces += [_expression(term.factor, 2)] if term.factor != 1 else []
        sign = ("- " if term.negative else "+ ") if out else ("-" if term.negative else "")
        out += f" {sign}{' '.join(pieces)}" if out else f"{sign}{' '.join(pieces)}"
    return out


def _expression(expr: Any, level: int = 0) -> str:
    """Text of an expression, bracketed where it binds looser than `level` (1 sum, 2 product, 3 power)."""
    if expr.is_Symbol:
        return _name(str(expr))
    if expr.is_Number:
        text = _number(expr)
        return f"({text})" if level >= 2 and (text.startswith("-") or (level >= 3 and "/" in text)) else text
    if expr.is_Add:
        text = ""
        for term in expr.as_ordered_terms():
            piece = _expression(term, 1)
            text = piece if not text else text + (f" - {piece[1:]}" if piece.startswith("-") else f" + {piece}")
        return f"({text})" if level >= 2 else text
    if expr.is_Mul:
        return _product(expr, level)
    if expr.is_Pow:
        if expr.exp == sympy.Rational(1, 2):
            return f"sqrt({_expression(expr.base)})"
        if expr.exp.is_Number and expr.exp < 0:
            return _product(expr, level)
        text = f"{_expression(expr.base, 4)}^{_expression(expr.exp, 3)}"
        return f"({text})" if level >= 4 else text
    if isinstance(expr, sympy.exp | sympy.Function):
        return f"{clean(expr.func.__name__)}({', '.join(_expression(argument) for argument in expr.args)})"
    return clean(expr)


def _product(expr: sympy.Expr, level: int) -> str:
    number, rest = expr.as_coeff_Mul()
    top, bottom = sympy.fraction(rest, exact=True)
    sign = "-" if number < 0 else ""
    pieces = [_number(abs(number))] if abs(number) != 1 else []
    pieces += [_expression(factor, 2) for factor in sympy.Mul.make_args(top) if factor != 1]
    text = sign + (" ".join(pieces) or "1")
    if bottom != 1:
        below = _expression(bottom, 2)
        text += f"/({below})" if bottom.is_Mul else f"/{below}"
    return f"({text})" if level >= 3 or (level == 2 and sign) else text


def _number(value: sympy.Expr) -> str:
    return f"{float(value):g}" if value.is_Float else str(value)


def _name(name: str) -> str:
    name = clean(name)
    return name if _WORD.match(name) or name == "..." else f"[{name}]"
