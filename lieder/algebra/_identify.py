"""Which named algebra is it: split into ideals, compare invariants with the library's own constructors."""

from collections import Counter
from functools import cache
from itertools import count

import numpy as np

from ._invariants import Invariants, invariants, lower_central_series, signature
from ._registry import NAMED
from ._split import split
from ._subspace import Constants, complement, radical, restrict

LARGEST = 36  # beyond this dimension the centroid (q^2 unknowns) takes longer than a second
_EXACT = 1e-8  # tolerance for the library's own algebras
_ABELIAN = {"t", "scalings"}


def name_of(constants: Constants, tolerance: float) -> str:
    """The name of the isomorphism class; see `LieAlgebra.identify`."""
    q = len(constants)
    if q == 0:
        return "trivial"
    constants = (constants - constants.transpose(1, 0, 2)) / 2
    if np.abs(constants).max() <= tolerance:
        return f"R^{q}"
    abelian, pieces = split(_scaled(constants), tolerance)
    named = [(len(piece), _piece_name(_scaled(piece), tolerance)) for piece in pieces]
    return _joined(named, abelian)


def describe(constants: Constants, tolerance: float) -> str:
    """What is cheap to know of an algebra without a name: "unnamed, dim k, solvable"."""
    q = len(constants)
    if np.abs(constants).max(initial=0.0) <= tolerance:
        return f"R^{q}"
    constants = _scaled(constants)
    solvable = radical(constants, tolerance)
    if len(solvable) == 0:
        return f"unnamed, dim {q}, semisimple"
    if len(solvable) == q:
        nilpotent = lower_central_series(constants, tolerance)[-1] == 0
        return f"unnamed, dim {q}, {'nilpotent' if nilpotent else 'solvable'}"
    levi = complement(solvable)
    part = name_of(restrict(constants, levi), tolerance) if len(levi) <= LARGEST else f"dim {len(levi)}"
    return f"unnamed, dim {q}, mixed: semisimple part {part}, radical of dim {len(solvable)}"


@cache
def _named(dim: int) -> tuple[tuple[str, Constants, tuple[int, int]], ...]:
    """Named algebras of one dimension: name, constants and Killing signature, the preferred name first."""
    found = [(algebra.name, _scaled(np.asarray(algebra.structure))) for algebra in _candidates(dim)]
    return tuple((name, constants, signature(constants, _EXACT)) for name, constants in found)


@cache
def _reference(dim: int, number: int) -> Invariants:
    return invariants(_named(dim)[number][1], _EXACT)


def _candidates(dim: int):
    """Named algebras of one dimension: compact rotations, sl, so(p, q), then the others in order of entry."""
    yield from _of_dimension("so", dim)
    yield from _of_dimension("sl", dim)
    n = next(n for n in count(1) if n * (n - 1) // 2 >= dim)
    if n * (n - 1) // 2 == dim:
        yield from (NAMED["so"](p, n - p) for p in range(1, n // 2 + 1))
    for name in NAMED:
        if name not in _ABELIAN | {"so", "sl"}:
            yield from _of_dimension(name, dim)


def _of_dimension(name: str, dim: int):
    for n in range(2 if name == "sp" else 1, dim + 3, 2 if name == "sp" else 1):
        algebra = NAMED[name](n)
        if algebra.dim == dim and dim > 1:
            yield algebra
        if algebra.dim >= dim:
            return


def _piece_name(constants: Constants, tolerance: float) -> str:
    dim = len(constants)
    if dim <= LARGEST:
        mine, killing = invariants(constants, tolerance), signature(constants, tolerance)
        for number, (name, _, theirs) in enumerate(_named(dim)):
            if killing == theirs and mine.agrees(_reference(dim, number), tolerance):
                return name
    return describe(constants, tolerance)


def _joined(named: list[tuple[int, str]], abelian: int) -> str:
    """The sum, largest first, with so(3) + so(3) = so(4), sl(n) + R = gl(n) and su(n) + R = u(n)."""
    if Counter(name for _, name in named)["so(3)"] == 2:
        named = [(d, name) for d, name in named if name != "so(3)"] + [(6, "so(4)")]
    merged = []
    for d, name in sorted(named, key=lambda piece: (-piece[0], piece[1])):
        whole = {"sl": "gl", "su": "u"}.get(name.split("(")[0])
        if abelian and whole:
            name, d, abelian = name.replace(name.split("(")[0], whole), d + 1, abelian - 1
        merged.append((d, name))
    merged.sort(key=lambda piece: (-piece[0], piece[1]))
    if len(merged) == 1 and abelian == 0:
        return merged[0][1]
    terms = [f"({name})" if "unnamed" in name else name for _, name in merged]
    return " + ".join(terms + ([f"R^{abelian}"] if abelian else []))


def _scaled(constants: Constants) -> Constants:
    """Constants times a number: the largest singular value of x -> ad x becomes one."""
    return constants / np.linalg.norm(constants.reshape(len(constants), -1), 2)
