"""What may happen to a picture, as finite transformations: composed first, so that a picture is resampled once."""

import abc
from collections.abc import Mapping, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..action import AbstractAction, Sampled, flow
from ._resampling import bilinear, small_exponential

# Positions are (x, y, 1), x to the right and y upwards, in units of the longer side of the picture, (0, 0) its centre.
_PLANE: dict[str, tuple[list[list[float]], float, str]] = {
    "shift x": ([[0, 0, 1], [0, 0, 0], [0, 0, 0]], 0.15, "share"),
    "shift y": ([[0, 0, 0], [0, 0, 1], [0, 0, 0]], 0.15, "share"),
    "rotation": ([[0, -1, 0], [1, 0, 0], [0, 0, 0]], np.pi, "angle"),
    "scale x": ([[1, 0, 0], [0, 0, 0], [0, 0, 0]], 0.3, "factor"),
    "scale y": ([[0, 0, 0], [0, 1, 0], [0, 0, 0]], 0.3, "factor"),
    "shear": ([[0, 1, 0], [0, 0, 0], [0, 0, 0]], 0.4, "share"),
}
_STRETCHES = ("scale x", "scale y", "shear")
# Linear maps of (red, green, blue) that commute: a turn about the grey axis, a stretch away from it, one of all.
_GREY = np.full((3, 3), 1 / 3)
_ABOUT_GREY = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / np.sqrt(3)
_COLOUR: dict[str, tuple[np.ndarray, float, str]] = {
    "hue": (_ABOUT_GREY, np.pi, "angle"),
    "saturation": (np.eye(3) - _GREY, 0.6, "factor"),
    "value": (np.eye(3), 0.4, "factor"),
}
WORDS = (*_PLANE, *_COLOUR)
REACH = 0.25  # of the frame: how far a generator of unknown unit moves a place at its bound
CLOSED = 1e-6  # how near exp(2 pi G) is to 1 for a generator that turns


class Transformations(eqx.Module):
    """Transformations T_eta of a picture, of q coefficients.

    Fields: `names` of the q transformations; `bounds`, eta_k is sought within +-bounds; `kinds`, how each is told:
    "angle" (radians, periodic), "factor" (a logarithm), "share" (of the picture's longer side, or a slope) or "number";
    `shape` (channels, rows, columns) of a picture.
    """

    names: eqx.AbstractVar[tuple[str, ...]]
    bounds: eqx.AbstractVar[tuple[float, ...]]
    kinds: eqx.AbstractVar[tuple[str, ...]]
    shape: eqx.AbstractVar[tuple[int, int, int]]

    @property
    def count(self) -> int:
        """q."""
        return len(self.names)

    @property
    def turns(self) -> tuple[bool, ...]:
        """Which of them are periodic: eta_k and eta_k + 2 pi are one."""
        return tuple(kind == "angle" for kind in self.kinds)

    @abc.abstractmethod
    def both_ways(self, eta: Float[Array, " q"]) -> tuple[Any, Any]:
        """T_eta and its inverse, as arrays."""

    def element(self, eta: Float[Array, " q"]) -> Any:
        """T_eta."""
        return self.both_ways(eta)[0]

    def inverse(self, eta: Float[Array, " q"]) -> Any:
        """What undoes T_eta."""
        return self.both_ways(eta)[1]

    def further(self, eta: Float[Array, " q"], own: Float[Array, " q"]) -> tuple[Any, Any]:
        """What moves a picture T_own prototype on to another of the family, by eta, and its inverse."""
        return self.both_ways(eta)

    @abc.abstractmethod
    def product(self, first: Any, then: Any) -> Any:
        """The element that does `first`, and `then` the other."""

    @abc.abstractmethod
    def moved(self, element: Any, picture: Float[Array, "c h w"]) -> Float[Array, "c h w"]:
        """The picture under an element."""

    def away(self, element: Any) -> Float[Array, ""]:
        """How far an element is from the one that does nothing, in a measure that is smooth in eta and knows no
        picture: zero for the one that does nothing, and, by default, where there is no such measure."""
        return jnp.zeros((), jnp.float32)

    @abc.abstractmethod
    def written(self) -> dict | None:
        """Plain data from which `read_transformations` makes it again; None for what is known by code alone."""


class Composed(Transformations):
    """Affine maps of the plane and linear maps of the channels, which compose as matrices: exp(sum_k eta_k G_k).

    An element is (back, turn): where the values of each place come from, (3, 3), and what the channels are mapped by,
    (c, c): (T u)(x) = turn u(back x).

    Fields: `plane` (q, 3, 3) and `channels` (q, c, c), the generators; `frame` (3, 3), from positions to (row, column),
    and `positions` (3, places) of the pixels; `active`, whether places and whether channels are moved at all; the
    others as in `Transformations`.
    """

    names: tuple[str, ...] = eqx.field(static=True)
    bounds: tuple[float, ...] = eqx.field(static=True)
    kinds: tuple[str, ...] = eqx.field(static=True)
    shape: tuple[int, int, int] = eqx.field(static=True)
    plane: Float[np.ndarray, "q 3 3"]
    channels: Float[np.ndarray, "q c c"]
    frame: Float[np.ndarray, "3 3"]
    positions: Float[np.ndarray, "3 places"]
    active: tuple[bool, bool] = eqx.field(static=True)

    def both_ways(self, eta):
        turn = unturn = jnp.eye(self.shape[0], dtype=eta.dtype)
        if self.active[1]:
            turn, unturn = _both_exponentials(eta, self.channels)
        forward, backward = self.places(eta)
        return (backward, turn), (forward, unturn)

    def places(self, eta: Float[Array, " q"]) -> tuple[Float[Array, "3 3"], Float[Array, "3 3"]]:
        """Where places go, and where they come from."""
        if not self.active[0]:
            return jnp.eye(3, dtype=eta.dtype), jnp.eye(3, dtype=eta.dtype)
        return _both_exponentials(eta, self.plane)

    def product(self, first, then):
        return first[0] @ then[0], then[1] @ first[1]

    def moved(self, element, picture):
        back, turn = element
        if self.active[0]:
            to = jnp.asarray(self.frame, picture.dtype)
            places = to @ back @ jnp.asarray(self.positions, picture.dtype)
            picture = bilinear(picture, places[0], places[1]).reshape(picture.shape)
        return jnp.tensordot(turn, picture, 1) if self.active[1] else picture

    def away(self, element):
        """The mean square of how far places are moved, in sides, and of the change of the channels' map."""
        back, turn = element
        positions = jnp.asarray(self.positions, back.dtype)
        moved = jnp.mean(jnp.sum((back @ positions - positions) ** 2, axis=0))
        return moved + jnp.mean((turn - jnp.eye(len(turn), dtype=turn.dtype)) ** 2)

    def written(self):
        return {
            "type": type(self).__name__.lower(),
            "names": list(self.names),
            "bounds": list(self.bounds),
            "kinds": list(self.kinds),
            "shape": list(self.shape),
            "plane": self.plane,
            "channels": self.channels,
            "frame": self.frame,
        }


class Ordered(Composed):
    """Scales and shear along a picture's own axes, then a rotation, then shifts: T_eta = shifts rotation stretch.

    Rotations and scales make shears, so that exp(rotation + scales) is no group, and beside half a turn a stretch does
    nothing to it. The product is closed: shifts and rotations are multiplied from the left, stretches from the right
    (`further`). Colours are as in `Composed`.
    """

    def places(self, eta):
        parts = [("shift x", "shift y"), ("rotation",), _STRETCHES]
        within = np.array([np.isin(self.names, words) for words in parts])
        rates = jnp.tensordot(within * eta, jnp.asarray(self.plane, eta.dtype), 1)
        (shift, turn, stretch), (unshift, unturn, unstretch) = (jax.vmap(small_exponential)(r) for r in (rates, -rates))
        return shift @ turn @ stretch, unstretch @ unturn @ unshift

    def further(self, eta, own):
        """T_own = L U and T_eta = L' U', L of shifts and rotation, U of scales and shear: L' L U' L^-1, which of
        T_own prototype makes L' L U' U prototype. The picture is stretched along its own axes, as T_own has them."""
        stretches = np.isin(self.names, _STRETCHES)
        if stretches.all() or not stretches.any():
            return self.both_ways(eta)
        parts = jnp.where(stretches, 0, eta), jnp.where(stretches, eta, 0), jnp.where(stretches, 0, own)
        there, back = jax.vmap(self.both_ways)(jnp.stack(parts))
        turn, stretch, to = (jax.tree.map(lambda part, k=k: part[k], there) for k in range(3))
        unturn, unstretch, away = (jax.tree.map(lambda part, k=k: part[k], back) for k in range(3))
        there = self.product(self.product(away, stretch), self.product(to, turn))
        return there, self.product(self.product(unturn, away), self.product(unstretch, to))


def _both_exponentials(eta: Float[Array, " q"], generators: Float[np.ndarray, "q n n"]) -> tuple[Array, Array]:
    rate = jnp.tensordot(eta, jnp.asarray(generators, eta.dtype), 1)
    there, back = jax.vmap(small_exponential)(jnp.stack([rate, -rate]))
    return there, back


class Flowed(Transformations):
    """Any action on flattened pictures; the flows of a product follow one another.

    An element is a tuple of coefficients (q,), done from the first to the last.

    Fields: `action`, of width channels x rows x columns; the others as in `Transformations`.
    """

    names: tuple[str, ...] = eqx.field(static=True)
    bounds: tuple[float, ...] = eqx.field(static=True)
    kinds: tuple[str, ...] = eqx.field(static=True)
    shape: tuple[int, int, int] = eqx.field(static=True)
    action: AbstractAction

    def both_ways(self, eta):
        return (eta,), (-eta,)

    def product(self, first, then):
        return (*first, *then)

    def moved(self, element, picture):
        flat = picture.reshape(-1)
        for eta in element:
            flat = flow(self.action, eta, flat)
        return flat.reshape(picture.shape)

    def written(self):
        return None


def _pixels(rows: int, columns: int) -> Float[np.ndarray, "3 places"]:
    index = np.indices((rows, columns)).reshape(2, -1)
    return np.concatenate([index, np.ones((1, index.shape[1]))])


def named_transformations(
    given: "Sequence[str] | AbstractAction | Transformations",
    shape: tuple[int, int, int],
    bounds: Mapping[str, float] | None = None,
) -> Transformations:
    """The transformations that a user names.

    Arguments:
        given: words of `WORDS`, such as ("shift x", "rotation"), an action on the flattened pictures (a
            `lieder.action.grid`, or one of your own of width channels x rows x columns), or what this function returns.
        shape: (channels, rows, columns) of a picture.
        bounds: eta is sought within plus and minus these, by name, in radians (angles), shares of the picture's longer
            side (shifts), logarithms (scales, saturation, value) or the action's own unit. Default: the table's.
    Returns: the transformations.
    Raises: ValueError and TypeError, in words.
    """
    if isinstance(given, Transformations):
        if given.shape != shape:
            raise ValueError(f"transformations: they are of pictures of shape {given.shape}, and these have {shape}.")
        return given
    if isinstance(given, AbstractAction):
        sampled = given.sampled()
        _fits(given, sampled, shape)
        if sampled is not None and len(sampled.shape) == 3 and sampled.boundary == "zero":
            return _of_grid(given.algebra.names, sampled, dict(bounds or {}))
        return _of_action(given, shape, dict(bounds or {}))
    words = [given] if isinstance(given, str) else list(given)
    unknown = [word for word in words if word not in WORDS]
    if unknown or not words or len(set(words)) < len(words):
        raise ValueError(
            f"transformations: expected some of {', '.join(WORDS)}, each once, or an action on a grid; got {given!r}."
        )
    if shape[0] != 3 and any(word in _COLOUR for word in words):
        raise ValueError(
            f"transformations: {' and '.join(w for w in words if w in _COLOUR)} need pictures of 3 channels, (N, 3,"
            f" rows, columns); these have {shape[0]}."
        )
    q, c = len(words), shape[0]
    table = _PLANE | _COLOUR
    plane = np.stack([np.array(_PLANE[w][0], float) if w in _PLANE else np.zeros((3, 3)) for w in words])
    channels = np.stack([_COLOUR[w][0] if w in _COLOUR else np.zeros((c, c)) for w in words]).reshape(q, c, c)
    long, (rows, columns) = max(shape[1:]), shape[1:]
    frame = np.array([[0, -long, (rows - 1) / 2], [long, 0, (columns - 1) / 2], [0, 0, 1]], float)
    limits = _limits(words, [table[w][1] for w in words], dict(bounds or {}))
    return _composed(tuple(words), limits, tuple(table[w][2] for w in words), shape, (plane, channels, frame), Ordered)


def _composed(
    names, bounds, kinds, shape: tuple[int, int, int], parts: tuple[np.ndarray, ...], of: type[Composed]
) -> Composed:
    plane, channels, frame = parts
    positions = np.linalg.inv(frame) @ _pixels(*shape[1:])
    active = bool(plane.any()), bool(channels.any())
    return of(names, bounds, kinds, shape, plane, channels, frame, positions, active)


def _limits(names: Sequence[str], usual: Sequence[float], given: dict[str, float]) -> tuple[float, ...]:
    unknown = [name for name in given if name not in names]
    if unknown:
        raise ValueError(f"bounds: {unknown[0]!r} is none of the transformations, which are {', '.join(names)}.")
    limits = tuple(float(given.get(name, one)) for name, one in zip(names, usual, strict=True))
    if not all(np.isfinite(one) and one > 0 for one in limits):
        raise ValueError(f"bounds: expected positive numbers, got {given}.")
    return limits


def _of_grid(names: Sequence[str], sampled: Sampled, bounds: dict[str, float]) -> Transformations:
    move, turn = sampled.moves, sampled.turns
    shape = sampled.shape[0], sampled.shape[1], sampled.shape[2]
    plane = np.concatenate([move, np.zeros((len(move), 1, 3))], axis=1)
    frame = np.zeros((3, 3))
    for k, (axis, step) in enumerate(zip(sampled.axes, sampled.spacing, strict=True)):
        frame[axis, k], frame[axis, 2] = 1 / step, (shape[1 + axis] - 1) / 2
    frame[2, 2] = 1.0
    corners = np.linalg.inv(frame) @ _pixels(*shape[1:])
    speeds = np.linalg.norm(frame[:2, :2] @ (plane @ corners)[:, :2], axis=1).max(axis=1) / max(shape[1:])
    turning = [_turns(a) and _turns(b) and (a.any() or b.any()) for a, b in zip(plane, turn, strict=True)]
    usual = [
        np.pi if turns else min(REACH / max(speed, 1e-9), REACH / max(np.abs(b).max(), 1e-9), 1.0 / 1e-9)
        for turns, speed, b in zip(turning, speeds, turn, strict=True)
    ]
    names = tuple(names)
    kinds = tuple("angle" if turns else "number" for turns in turning)
    return _composed(names, _limits(names, usual, bounds), kinds, shape, (plane, turn, frame), Composed)


def _turns(generator: np.ndarray) -> bool:
    """Whether a turn by 2 pi, and none before that is a fixed move, is back where it began."""
    waves = np.linalg.eigvals(2 * np.pi * generator)
    powers = np.exp(waves)
    whole = np.abs(waves.real).max() < CLOSED and np.abs(powers - 1).max() < CLOSED
    return bool(whole and (not generator.any() or np.abs(waves.imag).max() > CLOSED))


def _of_action(action: AbstractAction, shape: tuple[int, int, int], bounds: dict[str, float]) -> Transformations:
    names = tuple(action.algebra.names)
    missing = [name for name in names if name not in bounds]
    if missing:
        raise ValueError(
            f"bounds: how far {', '.join(missing)} may go cannot be read off {action!r}; give bounds={{name: number}}."
        )
    return Flowed(names, _limits(names, [1.0] * len(names), bounds), ("number",) * len(names), shape, action)


def _fits(action: AbstractAction, sampled: Sampled | None, shape: tuple[int, int, int]) -> None:
    own = None if sampled is None else sampled.shape
    if action.width != np.prod(shape) or (own is not None and own != shape):
        raise ValueError(
            f"transformations: {action!r} acts on {own or action.width} numbers, and pictures are of shape {shape}."
        )
    if action.algebra.dim == 0:
        raise ValueError(f"transformations: {action.algebra.name} has no generators.")


def read_transformations(plain: dict) -> Transformations:
    """What `Transformations.written` wrote."""
    shape, of = tuple(plain["shape"]), Ordered if plain["type"] == "ordered" else Composed
    rest = plain["plane"], plain["channels"], plain["frame"]
    return _composed(tuple(plain["names"]), tuple(plain["bounds"]), tuple(plain["kinds"]), shape, rest, of)


def batched(transforms: Transformations, eta: Float[Array, "n q"], pictures: Float[Array, "n c h w"]):
    """T_eta of each picture: (n, c, h, w)."""
    return jax.vmap(lambda one, picture: transforms.moved(transforms.element(one), picture))(eta, pictures)
