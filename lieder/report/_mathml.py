"""Generators typeset as MathML, which browsers set by themselves: no script, no network.

sympy's own MathML printer writes symbol names into the page unescaped, so a column called `<script>` would run; the
writer below knows the expressions a dictionary makes and escapes every letter that is not its own.
"""

import html
import re
from collections.abc import Sequence
from typing import Any

import sympy

from ..report._generator_text import parts_text
from ..report._terms import Term, field_terms
from ..report._words import clean

_GREEK = {
    **{
        name: chr(0x3B1 + place)
        for place, name in enumerate(
            "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho".split()
        )
    },
    **{name: chr(0x3C3 + place) for place, name in enumerate("sigma tau upsilon phi chi psi omega".split())},
    **{
        "Gamma": "Γ",
        "Delta": "Δ",
        "Theta": "Θ",
        "Lambda": "Λ",
        "Xi": "Ξ",
        "Pi": "Π",
        "Sigma": "Σ",
        "Phi": "Φ",
        "Psi": "Ψ",
        "Omega": "Ω",
    },
}
_INDEXED = re.compile(r"([^\W\d_]+)_?(\d{1,3})\Z|([^\W\d_]+)_([^\W_]{1,8})\Z")
_WORD = re.compile(r"[^\W\d_]+\Z")
_MINUS, _CROSS = "\N{MINUS SIGN}", "\N{MULTIPLICATION SIGN}"
# A thin space, because two names of several letters would otherwise run together.
_TIMES = '<mo>&#x2062;</mo><mspace width="0.17em"></mspace>'


def equations_html(
    equations: Sequence[tuple[str, Sequence[tuple[str, sympy.Expr | float]]]],
    *,
    digits: int = 3,
    negligible: float | None = None,
    scales: Sequence[float] | None = None,
) -> str:
    """Generators as a list of typeset formulas, each with its plain text underneath, to copy or to read without MathML.

    A generator is written x ∂/∂y - y ∂/∂x, with the terms, rounding and order of `generator_text`.

    Arguments:
        `equations`: pairs (label, [(coordinate name, coefficient), ...]). Labels and names may hold any characters.
        `digits`, `negligible`, `scales`: as in `generator_text`, `scales` by coordinate, the same for all generators.
    Returns: HTML to put into a page; everything the caller gave is escaped.
    Raises: as `generator_text`.
    """
    rows = []
    for label, terms in equations:
        names = [str(name) for name, _ in terms]
        exprs = [expr for _, expr in terms]
        parts = field_terms(exprs, names, digits, negligible, scales)
        plain = parts_text(parts)
        # One <math> per term, so that a long generator wraps between its terms.
        pieces = []
        for place, part in enumerate(parts):
            sign = (_MINUS if part.negative else "+") if place else (_MINUS if part.negative else "")
            pieces.append(_math(_operator(sign, bool(place)) + _part(part)))
        body = " ".join(pieces) or _math("<mn>0</mn>")
        rows.append(
            f'<div class="equation"><dt>{_escape(label)}</dt><dd>'
            f'<div class="formula">{body}</div>'
            f'<code class="plain">{_escape(plain)}</code></dd></div>'
        )
    return f'<dl class="equations">{"".join(rows)}</dl>'


def _math(inside: str) -> str:
    return f'<math display="inline"><mrow>{inside}</mrow></math>'


def _operator(sign: str, infix: bool) -> str:
    if not sign:
        return ""
    return f'<mo form="infix" lspace="0.2em" rspace="0.3em">{sign}</mo>' if infix else f'<mo form="prefix">{sign}</mo>'


def _part(part) -> str:
    inside = _sum(part.terms)
    if len(part.terms) > 1 or part.terms[0].factor.is_Add:
        inside = _bracket(inside)
    single = part.terms[0]
    pieces = [_number(part.number)] if part.number != 1 else []
    pieces += [inside] if len(part.terms) > 1 or single.factor != 1 or single.number != 1 else []
    name = _symbol(part.name)
    pieces.append(f"<mfrac><mo>∂</mo><mrow><mo>∂</mo>{name}</mrow></mfrac>")
    return _TIMES.join(pieces)


def _sum(terms: Sequence[Term]) -> str:
    out = ""
    for term in terms:
        pieces = [_number(term.number)] if term.number != 1 or term.factor == 1 else []
        pieces += [_expression(term.factor, 1)] if term.factor != 1 else []
        sign = (_MINUS if term.negative else "+") if out else (_MINUS if term.negative else "")
        out += (f"<mo>{sign}</mo>" if sign else "") + _TIMES.join(pieces)
    return out


def _expression(expr: Any, level: int = 0) -> str:
    """MathML of an expression, bracketed where it binds looser than `level` (1 product, 2 power's base)."""
    if expr.is_Symbol:
        return _symbol(str(expr))
    if expr.is_Number:
        out = ("<mo>\N{MINUS SIGN}</mo>" if expr < 0 else "") + _number(abs(expr))
        return _bracket(out) if (level and expr < 0) or (level == 2 and not expr.is_Integer) else out
    if expr.is_Add:
        out = ""
        for term in expr.as_ordered_terms():
            number, _ = term.as_coeff_Mul()
            sign = _MINUS if number < 0 else "+" if out else ""
            out += (f"<mo>{sign}</mo>" if sign else "") + _expression(-term if number < 0 else term)
        return _bracket(out) if level else out
    if expr.is_Mul or (expr.is_Pow and expr.exp.is_Number and expr.exp < 0):
        out = _product(expr)
        return _bracket(out) if level == 2 else out
    if isinstance(expr, sympy.exp):
        return f"<msup><mi>e</mi><mrow>{_expression(expr.args[0])}</mrow></msup>"
    if expr.is_Pow:
        if expr.exp == sympy.Rational(1, 2):
            return f"<msqrt>{_expression(expr.base)}</msqrt>"
        out = f"<msup><mrow>{_expression(expr.base, 2)}</mrow><mrow>{_expression(expr.exp)}</mrow></msup>"
        return _bracket(out) if level == 2 else out
    if isinstance(expr, sympy.Abs):
        return f"<mrow><mo>|</mo>{_expression(expr.args[0])}<mo>|</mo></mrow>"
    if isinstance(expr, sympy.Function):
        inside = "<mo>,</mo>".join(_expression(argument) for argument in expr.args)
        return f"<mrow><mi>{_escape(expr.func.__name__)}</mi><mo>&#x2061;</mo>{_bracket(inside)}</mrow>"
    return f"<mtext>{_escape(expr)}</mtext>"


def _product(expr: sympy.Expr) -> str:
    number, rest = expr.as_coeff_Mul()
    top, bottom = sympy.fraction(rest, exact=True)
    pieces = [_number(abs(number))] if abs(number) != 1 else []
    pieces += [_expression(factor, 1) for factor in sympy.Mul.make_args(top) if factor != 1]
    out = _TIMES.join(pieces) or "<mn>1</mn>"
    if bottom != 1:
        out = f"<mfrac><mrow>{out}</mrow><mrow>{_expression(bottom)}</mrow></mfrac>"
    return f"<mo>{_MINUS}</mo>{out}" if number < 0 else out


def _number(value: sympy.Expr) -> str:
    if isinstance(value, sympy.Rational) and value.q != 1:
        return f"<mfrac><mn>{value.p}</mn><mn>{value.q}</mn></mfrac>"
    digits, _, exponent = (f"{float(value):g}" if value.is_Float else str(value)).partition("e")
    if not exponent:
        return f"<mn>{digits}</mn>"
    sign = "<mo>\N{MINUS SIGN}</mo>" if exponent.startswith("-") else ""
    power = f"<msup><mn>10</mn><mrow>{sign}<mn>{int(exponent.lstrip('+-'))}</mn></mrow></msup>"
    return f"<mrow><mn>{digits}</mn><mo>{_CROSS}</mo>{power}</mrow>"


def _symbol(name: str) -> str:
    """A name as a variable, with an index if it ends in one, greek letters as such; anything else verbatim."""
    found = _INDEXED.match(name)
    if found:
        base, index = found.group(1) or found.group(3), found.group(2) or found.group(4)
        below = f"<mn>{index}</mn>" if index.isdigit() else f"<mi>{_escape(_GREEK.get(index, index))}</mi>"
        return f"<msub><mi>{_escape(_GREEK.get(base, base))}</mi>{below}</msub>"
    if _WORD.match(name):
        return f"<mi>{_escape(_GREEK.get(name, name))}</mi>"
    return f"<mtext>{_escape(name)}</mtext>"


def _bracket(inside: str) -> str:
    return f"<mrow><mo>(</mo>{inside}<mo>)</mo></mrow>"


def _escape(text: object) -> str:
    return html.escape(clean(text), quote=True)
