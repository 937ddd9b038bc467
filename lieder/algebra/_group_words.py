"""A finite element in words: cycles of a permutation, a rotation by an angle, a mirror, a shift."""

import numpy as np
from jaxtyping import Float

_NEAR = 1e-6


def element_in_words(map_: Float[np.ndarray, "n n+1"]) -> str:
    """What an affine map x -> A x + b does: "(1 2)(3 4)", "rotation by 51.4 deg", "inversion", "shift (0.5, 0)".

    Coordinates are counted from 1.
    Returns: the text; "linear map" for one that is none of the known kinds.
    """
    a, b = map_[:, :-1], map_[:, -1]
    moved = f"shift ({', '.join(f'{v:.3g}' for v in b)})" if np.abs(b).max(initial=0.0) > _NEAR else ""
    linear = _linear(a)
    if not moved:
        return linear
    return moved if linear == "identity" else f"{linear}, {moved}"


def _linear(a: np.ndarray) -> str:
    n = len(a)
    if np.abs(a - np.eye(n)).max() < _NEAR:
        return "identity"
    if np.abs(a + np.eye(n)).max() < _NEAR:
        return "inversion" if n != 2 else "rotation by 180 deg"
    if np.abs(a - np.diag(np.diag(a))).max() < _NEAR and np.abs(np.abs(np.diag(a)) - 1).max() < _NEAR:
        return "sign of " + ", ".join(f"x{k + 1}" for k in np.flatnonzero(np.diag(a) < 0))
    if (
        np.all(np.isclose(a, 0, atol=_NEAR) | np.isclose(np.abs(a), 1, atol=_NEAR))
        and np.all(np.isclose(np.abs(a).sum(axis=0), 1, atol=_NEAR))
        and (n > 3 or a.min() > -_NEAR)
    ):
        return _cycles(np.round(a).astype(int))
    if np.abs(a @ a.T - np.eye(n)).max() < 1e-3 and n in (2, 3):
        return _orthogonal(a)
    return "linear map"


def _cycles(a: np.ndarray) -> str:
    """Cycles of a permutation with signs: entry k goes to the row that holds it."""
    goes = np.abs(a).argmax(axis=0)
    seen, out = set(), ""
    for start in range(len(goes)):
        cycle, at = [], start
        while at not in seen:
            seen.add(at)
            cycle.append(str(at + 1))
            at = int(goes[at])
        if len(cycle) > 1:
            out += f"({' '.join(cycle)})"
    turned = [f"x{k + 1}" for k in np.flatnonzero(a.sum(axis=1) < 0)]
    return out + (f", sign of {', '.join(turned)}" if turned else "")


def _orthogonal(a: np.ndarray) -> str:
    if len(a) == 2:
        if np.linalg.det(a) > 0:
            return f"rotation by {np.degrees(np.arctan2(a[1, 0], a[0, 0])):.4g} deg"
        angle = np.degrees(np.arctan2(a[1, 0], a[0, 0])) / 2 % 180
        return f"mirror along {angle:.4g} deg"
    proper = np.linalg.det(a) > 0
    turn = a if proper else -a
    values, columns = np.linalg.eigh((turn + turn.T) / 2)
    axis = columns[:, np.argmax(values)]
    axis = axis * np.sign(axis[np.argmax(np.abs(axis))])
    angle = np.degrees(np.arccos(np.clip((np.trace(turn) - 1) / 2, -1, 1)))
    along = f"({', '.join(f'{v + 0.0:.3g}' for v in np.round(axis, 6))})"
    if not proper and abs(angle - 180) < 1e-3:
        return f"mirror across {along}"
    return f"rotation by {angle:.4g} deg about {along}" + ("" if proper else ", inverted")
