"""Dictionaries from text, for the command line and for configuration files."""

import ast
import difflib
from collections.abc import Callable

from ._dictionary import AbstractDictionary
from ._fourier import fourier
from ._linear import affine, linear
from ._polynomials import polynomials
from ._radial import radial

# Name -> (the needed and the optional arguments in the order in which the user writes them, the factory).
_KNOWN: dict[str, tuple[tuple[str, ...], tuple[str, ...], Callable]] = {
    "polynomials": (("degree",), (), polynomials),
    "fourier": (("degree",), ("period",), fourier),
    "radial": (("low", "high"), (), radial),
    "linear": ((), (), linear),
    "affine": ((), (), affine),
}


def by_name(text: str, width: int) -> AbstractDictionary:
    """The dictionary that a text such as "radial(-5, 0)" names, on `width` variables.

    Arguments: `text`, one of polynomials(degree), fourier(degree) or fourier(degree, period), radial(low, high),
    linear, affine; the singular "polynomial" is understood, and arguments may be named, as in "polynomials(degree=3)".
    `width`, the number of input variables, never part of the text.
    Returns: the dictionary.
    Raises: TypeError when `text` is not a text; ValueError when the name is not known (with the nearest known one) or
    when its arguments do not fit.
    """
    if not isinstance(text, str):
        raise TypeError(f"dictionary: expected a text such as 'polynomials(3)', got {text!r}.")
    name, positional, named = _parsed(text)
    singular = {known.rstrip("s"): known for known in _KNOWN}
    name = singular.get(name.rstrip("s"), name)
    if name not in _KNOWN:
        near = difflib.get_close_matches(name, [*_KNOWN, *singular], n=1, cutoff=0.4)
        hint = f" Did you mean {_form(singular.get(near[0], near[0]))}?" if near else ""
        raise ValueError(
            f"dictionary: {text!r} is not known.{hint} Known: {', '.join(_form(known) for known in _KNOWN)}."
        )
    needed, optional, factory = _KNOWN[name]
    allowed = needed + optional
    given = dict(zip(allowed, positional, strict=False))
    if len(positional) > len(allowed) or given.keys() & named.keys() or not named.keys() <= set(allowed):
        raise ValueError(f"dictionary: {text!r} has arguments that do not fit; write {_form(name)}.")
    given |= named
    if missing := [argument for argument in needed if argument not in given]:
        raise ValueError(f"dictionary: {text!r} lacks {', '.join(missing)}; write {_form(name)}.")
    return factory(width=width, **given)


def _form(name: str) -> str:
    needed, optional, _ = _KNOWN[name]
    inside = ", ".join([*needed, *(f"{argument}=.." for argument in optional)])
    return f"{name}({inside})" if inside else name


def _parsed(text: str) -> tuple[str, list, dict]:
    """The name, the positional and the named arguments of a call written as text; only literals are evaluated."""
    try:
        node = ast.parse(text.strip(), mode="eval").body
        if isinstance(node, ast.Name):
            return node.id, [], {}
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            named = {keyword.arg: ast.literal_eval(keyword.value) for keyword in node.keywords}
            return node.func.id, [ast.literal_eval(argument) for argument in node.args], named
    except (SyntaxError, ValueError):
        pass
    raise ValueError(
        f"dictionary: cannot read {text!r}; write a name with numbers in brackets, such as 'polynomials(3)' "
        "or 'radial(-5, 0)'."
    )
