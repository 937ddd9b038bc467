"""Finite groups of space: sign flips, inversion, rotations and mirrors of a polygon, point groups, lattices."""

import re

import numpy as np
from numpy.typing import ArrayLike

from ..sampling import checked_flag
from ._algebra import LieAlgebra
from ._finite import finite_group
from ._registry import size, sized


@sized
def signs(n: int) -> LieAlgebra:
    """Every coordinate turned round by itself: Z2 x ... x Z2 of 2^n elements, the reflections in the axes.

    Arguments: n: number of coordinates.
    Returns: an algebra without generators and n discrete elements.
    """
    n = size(n, "signs(n)")
    return finite_group(f"signs({n})", n, [np.diag(np.where(np.arange(n) == k, -1.0, 1.0)) for k in range(n)])


@sized
def inversion(n: int) -> LieAlgebra:
    """Parity, x -> -x.

    Arguments: n: number of coordinates.
    Returns: an algebra without generators and one discrete element.
    """
    n = size(n, "inversion(n)")
    return finite_group(f"inversion({n})", n, [-np.eye(n)])


@sized
def polygon(n: int, mirrors: bool = True, angle: float = 0.0) -> LieAlgebra:
    """The symmetries of a regular polygon in the plane: n rotations about the origin and, with mirrors, n reflections.

    Arguments: n: number of corners. mirrors: D_n of 2 n elements (default), or C_n without them. angle: of one mirror
        line with the first axis, in radians.
    Returns: an algebra without generators on R^2.
    """
    n, mirrors = size(n, "polygon(n)"), checked_flag(mirrors, "mirrors")
    turn = [_turn(2 * np.pi / n)] if n > 1 else []
    c, s = np.cos(2 * angle), np.sin(2 * angle)
    return finite_group(
        f"{'D' if mirrors else 'C'}{n}", 2, [*turn, *([np.array([[c, s], [s, -c]])] if mirrors else [])]
    )


_PRINCIPAL = re.compile(r"(C|D|S)(\d+)(v|h|d|)")
_TETRAHEDRAL, _GOLD = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]), (1 + np.sqrt(5)) / 2


def point_group(symbol: str) -> LieAlgebra:
    """A point group of three dimensions by its Schoenflies symbol, the principal axis along z.

    "C1", "Ci", "Cs" (mirror z -> -z), "Cn", "Cnv", "Cnh", "S2n", "Dn", "Dnh", "Dnd", "T", "Td", "Th", "O", "Oh",
    "I", "Ih"; mirrors "v" hold the x axis, two-fold axes of "D" are along x, and cubes stand along the axes.

    Arguments: symbol: such as "D4h".
    Returns: an algebra without generators on R^3.
    Raises: ValueError for a symbol that is none.
    Reference: Cotton, Chemical Applications of Group Theory, 3rd ed. 1990, chapter 3.
    """
    maps = _generators(symbol) if isinstance(symbol, str) else None
    if maps is None:
        raise ValueError(
            f"point_group: {symbol!r} is no Schoenflies symbol; write C1, Ci, Cs, Cn, Cnv, Cnh, S2n, Dn, Dnh, Dnd, T,"
            " Td, Th, O, Oh, I or Ih, such as 'C3v'."
        )
    return finite_group(symbol, 3, maps)


def lattice(cell: ArrayLike) -> LieAlgebra:
    """The translations of a lattice, x -> x + a for each of its basis vectors a.

    The group is infinite; `discover.finite` and `generated` take it modulo a period.

    Arguments: cell: (d, n), one basis vector a row.
    Returns: an algebra without generators and d discrete elements.
    Raises: ValueError for vectors that are dependent or not finite.
    """
    rows = np.atleast_2d(np.asarray(cell, dtype=np.float64))
    if rows.ndim != 2 or not np.isfinite(rows).all() or np.linalg.matrix_rank(rows) < len(rows):
        raise ValueError(f"cell must hold independent lattice vectors, one a row, got {rows.tolist()}")
    n = rows.shape[1]
    return finite_group("lattice", n, [np.concatenate([np.eye(n), row[:, None]], axis=1) for row in rows])


def _turn(angle: float) -> np.ndarray:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s], [s, c]])


def _generators(symbol: str) -> list[np.ndarray] | None:
    flip_z, flip_y, turn_x = np.diag([1.0, 1.0, -1.0]), np.diag([1.0, -1.0, 1.0]), np.diag([1.0, -1.0, -1.0])
    quarter = _axis(4)
    diagonal = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    fifth = 0.5 * np.array([[1.0, -_GOLD, 1 / _GOLD], [_GOLD, 1 / _GOLD, -1.0], [1 / _GOLD, 1.0, _GOLD]])
    fixed = {
        "Ci": [-np.eye(3)],
        "Cs": [flip_z],
        "T": [_TETRAHEDRAL, turn_x],
        "Td": [_TETRAHEDRAL, turn_x, diagonal],
        "Th": [_TETRAHEDRAL, turn_x, -np.eye(3)],
        "O": [_TETRAHEDRAL, quarter],
        "Oh": [_TETRAHEDRAL, quarter, -np.eye(3)],
        "I": [_TETRAHEDRAL, turn_x, fifth],
        "Ih": [_TETRAHEDRAL, turn_x, fifth, -np.eye(3)],
    }
    if symbol in fixed:
        return fixed[symbol]
    match = _PRINCIPAL.fullmatch(symbol)
    if match is None or int(match[2]) == 0:
        return None
    letter, n, more = match[1], int(match[2]), match[3]
    turn = [_axis(n)]
    if letter == "S":
        return [flip_z @ turn[0]] if n % 2 == 0 and not more else None
    if letter == "C":
        extra = {"": [], "v": [flip_y], "h": [flip_z]}.get(more)
    else:
        extra = {"": [turn_x], "h": [turn_x, flip_z], "d": [turn_x, flip_z @ _axis(2 * n)]}.get(more)
    return None if extra is None else [*turn, *extra]


def _axis(n: int) -> np.ndarray:
    out = np.eye(3)
    out[:2, :2] = _turn(2 * np.pi / n)
    return out
