"""A generator split into signed terms, coefficient d/dname, rounded and ordered for reading."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import cast

import sympy


@dataclass(frozen=True)
class Term:
    """One term of a sum, sign * number * factor: `number` > 0, `factor` carries no number of its own."""

    negative: bool
    number: sympy.Expr
    factor: sympy.Expr


@dataclass(frozen=True)
class FieldTerm:
    """One coordinate's part of a generator: sign * number * (sum of `terms`) d/d`name`.

    A single term has `number` inside it (and 1 here), so only a true sum carries a common number outside its bracket.
    """

    negative: bool
    number: sympy.Expr
    terms: tuple[Term, ...]
    name: str


def field_terms(
    exprs: Sequence[sympy.Expr | float],
    names: Sequence[str],
    digits: int = 3,
    negligible: float | None = None,
    scales: Sequence[float] | None = None,
) -> list[FieldTerm]:
    """Split, round, drop the negligible, and order: linked coordinates together, plus before minus."""
    names = [str(name) for name in names]
    exprs = _checked(exprs, names, digits, scales)
    if negligible is None:
        negligible = 0.5 * 10.0**-digits
    size = dict(zip(names, [1.0] * len(names) if scales is None else map(float, scales), strict=True))
    raw = [_raw_terms(expr, names) for expr in exprs]
    sizes = [
        [abs(number) * _magnitude(factor, size) / size[name] for number, factor in terms]
        for terms, name in zip(raw, names, strict=True)
    ]
    largest = max((value for row in sizes for value in row), default=0.0)
    parts = []
    for place, (terms, row) in enumerate(zip(raw, sizes, strict=True)):
        kept = [term for term, value in zip(terms, row, strict=True) if value > negligible * largest]
        part = _field_term([_rounded(number, factor, digits) for number, factor in kept], names, place)
        if part is not None:
            parts.append((place, part))
    return _ordered(parts, names)


def simple_number(value: float | sympy.Expr, digits: int) -> sympy.Expr:
    """A number to so many significant digits; an integer or a fraction by 2, 3 or 4 where those digits say so."""
    if isinstance(value, sympy.Rational):
        return value
    value = float(value)
    shown = f"{value:.{digits}g}"
    for whole in (Fraction(value).limit_denominator(bottom) for bottom in (1, 2, 3, 4)):
        if abs(whole) < 1000 and whole and f"{float(whole):.{digits}g}" == shown:
            return sympy.Rational(whole.numerator, whole.denominator)
    exact = Fraction(value).limit_denominator(12)
    if exact and abs(float(exact) - value) <= 1e-9 * abs(value):
        return sympy.Rational(exact.numerator, exact.denominator)
    return sympy.Float(shown)


def _checked(exprs, names, digits, scales) -> list[sympy.Expr]:
    if len(exprs) != len(names):
        raise ValueError(
            f"`exprs` must have one coefficient per name: got {len(exprs)} for {len(names)} names ({names})."
        )
    if not isinstance(digits, int) or digits < 1:
        raise ValueError(f"`digits` must be a whole number >= 1, got {digits!r}.")
    if scales is not None:
        if len(scales) != len(names):
            raise ValueError(f"`scales` must have one entry per name: got {len(scales)} for {len(names)}.")
        if not all(math.isfinite(scale) and scale > 0 for scale in scales):
            raise ValueError(f"`scales` must be finite and > 0, got {list(scales)}.")
    out = []
    for expr, name in zip(exprs, names, strict=True):
        # A string would be run as code by sympy.
        if isinstance(expr, str):
            raise TypeError(f"`exprs`: the coefficient of d/d{name} is the string {expr!r}. Give a sympy expression.")
        expr = sympy.sympify(expr)
        if expr.has(sympy.nan, sympy.zoo, sympy.oo, -sympy.oo):
            raise ValueError(f"`exprs`: the coefficient of d/d{name} is not finite: {expr}.")
        out.append(expr)
    return out


def _raw_terms(expr: sympy.Expr, names: list[str]) -> list[tuple[sympy.Expr, sympy.Expr]]:
    """(number, factor) of each term: monomials by falling degree, in the order of the names, then all other terms."""
    place = {name: position for position, name in enumerate(names)}

    def key(pair: tuple[sympy.Expr, sympy.Expr]) -> tuple:
        powers = {base: power for base, power in pair[1].as_powers_dict().items() if base != 1}
        if not all(base.is_Symbol and sympy.sympify(power).is_Integer and power > 0 for base, power in powers.items()):
            return (1, 0, (), sympy.default_sort_key(pair[1]))
        spots = sorted(place.get(str(base), len(names)) for base, power in powers.items() for _ in range(int(power)))
        return (0, -len(spots), tuple(spots), sympy.default_sort_key(pair[1]))

    terms = [term.as_coeff_Mul() for term in sympy.Add.make_args(expr)]
    return sorted(((number, factor) for number, factor in terms if number != 0), key=key)


def _magnitude(factor: sympy.Expr, size: dict[str, float]) -> float:
    """|factor| where every symbol has its scale; 1 where that is no number."""
    value = factor.subs({symbol: size.get(str(symbol), 1.0) for symbol in factor.free_symbols})
    try:
        out = abs(complex(value))
    except (TypeError, ValueError, OverflowError):
        return 1.0
    return out if math.isfinite(out) and out > 0 else 1.0


def _rounded(number: sympy.Expr, factor: sympy.Expr, digits: int) -> Term:
    inner = {value: simple_number(value, digits) for value in factor.atoms(sympy.Float)}
    return Term(bool(number < 0), simple_number(abs(number), digits), cast(sympy.Expr, factor.xreplace(inner)))


def _field_term(terms: list[Term], names: list[str], place: int) -> FieldTerm | None:
    if not terms:
        return None
    if len(terms) == 1:
        only = Term(False, terms[0].number, terms[0].factor)
        return FieldTerm(terms[0].negative, sympy.Integer(1), (only,), names[place])
    negative = all(term.negative for term in terms)
    common = terms[0].number if len({term.number for term in terms}) == 1 else sympy.Integer(1)
    inside = [
        Term(t.negative and not negative, t.number / common if common != 1 else t.number, t.factor) for t in terms
    ]
    inside.sort(key=lambda term: term.negative)
    return FieldTerm(negative, common, tuple(inside), names[place])


def _ordered(parts: list[tuple[int, FieldTerm]], names: list[str]) -> list[FieldTerm]:
    """Plus before minus within each group of linked coordinates; groups that start with plus first."""
    group = {place: place for place, _ in parts}
    where = {names[place]: place for place, _ in parts}

    def root(place: int) -> int:
        while group[place] != place:
            place = group[place]
        return place

    for place, part in parts:
        for symbol in {str(s) for term in part.terms for s in term.factor.free_symbols} & where.keys():
            a, b = sorted((root(place), root(where[symbol])))
            group[b] = a
    groups: dict[int, list[FieldTerm]] = {}
    for place, part in parts:
        groups.setdefault(root(place), []).append(part)
    inside = [sorted(members, key=lambda part: part.negative) for members in groups.values()]
    inside.sort(key=lambda members: members[0].negative)
    return [part for members in inside for part in members]
