"""Algebras written as text, as on the command line."""

import difflib
import inspect
import re
from collections.abc import Callable

from ._algebra import LieAlgebra
from ._product import product
from ._registry import FINITE, NAMED, SIZED

COMPLEX = ("su", "u")  # n complex coordinates are 2 n real ones


def by_name(text: str, degree: int | None = None) -> LieAlgebra:
    """The algebra written as text: "gl(3)", "so(1,3)", "poincare", "S_5", "so(3) + R^2".

    Arguments:
        text: a constructor of this room with its sizes; capitals do not matter, "sl(2, R)" is sl(2), "R^n" is t(n),
            "S_n", "C_n" and "D_n" are symmetric(n), cyclic(n) and dihedral(n), and "+" joins a direct sum, so that what
            `identify` answers can be read back.
        degree: how many coordinates the algebra shall act on, for a text that leaves its size open: "gl" with degree 3
            is gl(3), "su" with degree 4 is su(2). Sizes that are written stand, and parts of a sum must have theirs.
    Returns: the algebra.
    Raises: ValueError if the name is unknown (with the nearest known ones), or its sizes do not fit.
    """
    if not isinstance(text, str):
        raise TypeError(f"an algebra's name is text such as 'gl(3)', got {type(text).__name__}")
    parts = [part.strip() for part in text.split("+")]
    return product(*(_one(part, degree if len(parts) == 1 else None) for part in parts))


def _one(text: str, degree: int | None) -> LieAlgebra:
    if abelian := re.fullmatch(r"[Rr]\^(\d+)", text):
        return NAMED["t"](int(abelian[1]))
    if group := re.fullmatch(r"([A-Za-z])_(\d+)", text):
        if group[1].upper() not in FINITE:
            raise ValueError(f"unknown group {text!r}: finite groups are {', '.join(f'{key}_n' for key in FINITE)}")
        return FINITE[group[1].upper()](int(group[2]))
    known = NAMED | SIZED | {constructor.__name__: constructor for constructor in FINITE.values()}
    parsed = re.fullmatch(r"([A-Za-z_]+)\s*(?:\(([^()]*)\))?", text)
    name = parsed[1].lower() if parsed else text.split("(")[0].strip().lower()
    if name not in known:
        near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(near)}? " if near else ""
        raise ValueError(f"unknown algebra {text!r}: {hint}Known names: {', '.join(sorted(known))}")
    sizes = [part.strip() for part in (parsed[2] or "").split(",")] if parsed else [""]
    sizes = [part for part in sizes if part not in ("", "R")]
    wanted = inspect.signature(known[name])
    usage = f"{name}({', '.join(wanted.parameters)})"
    if parsed is None or not all(re.fullmatch(r"-?\d+", part) for part in sizes):
        raise ValueError(f"cannot read the sizes in {text!r}: write whole numbers, {usage}")
    needed = [name for name, one in wanted.parameters.items() if one.default is inspect.Parameter.empty]
    if degree is not None and not sizes and len(needed) == 1:
        return _acting_on(degree, name, known[name])
    try:
        wanted.bind(*sizes)
    except TypeError:
        raise ValueError(f"{text!r} has {len(sizes)} sizes; write {usage}") from None
    return known[name](*(int(part) for part in sizes))


def _acting_on(degree: int, name: str, constructor: Callable[[int], LieAlgebra]) -> LieAlgebra:
    """The algebra of one size that acts on so many coordinates; complex ones act on two for each."""
    if name == "conformal":  # its matrices act on the light cone, two coordinates more, and it on points
        return constructor(degree)
    if name in COMPLEX and degree % 2:
        raise ValueError(f"{name}(n) acts on pairs of real and imaginary parts, an even number; got {degree}")
    return constructor(degree // 2 if name in COMPLEX else degree)
