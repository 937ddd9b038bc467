"""One representation as its summands, each with the rotation to its irreducible pieces."""

from dataclasses import dataclass
from functools import cached_property

import jax.numpy as jnp
import numpy as np
import scipy.sparse
from jaxtyping import Array


@dataclass(frozen=True, eq=False)
class Piece:
    """Where copies of one irreducible representation stand: columns `start` and on of one summand's frame."""

    summand: int
    start: int
    multiplicity: int


@dataclass(frozen=True, eq=False)
class Side:
    """The source or the target, summand by summand, with the rotation of each to its irreducible pieces.

    Fields: `width`; `places` (copies, size) and `frames` (size, size) of each summand.
    """

    width: int
    places: tuple[np.ndarray, ...]
    frames: tuple[np.ndarray, ...]

    def rotated(self, x: Array) -> list[Array]:
        """(copies, size) of each summand in its own frame."""
        out = []
        for places, frame in zip(self.places, self.frames, strict=True):
            block = _taken(x, places)
            out.append(block if len(frame) == 1 else block @ jnp.asarray(frame, x.dtype))
        return out

    def back(self, blocks: list[Array]) -> Array:
        """The vector of given blocks (copies, size): the inverse of `rotated`."""
        flat = [
            (block if len(frame) == 1 else block @ jnp.asarray(frame.T, block.dtype)).reshape(-1)
            for block, frame in zip(blocks, self.frames, strict=True)
        ]
        joined = flat[0] if len(flat) == 1 else jnp.concatenate(flat)
        order = np.concatenate([places.reshape(-1) for places in self.places])
        if np.array_equal(order, np.arange(self.width)):
            return joined
        return joined[np.argsort(order).astype(np.int32)]

    @cached_property
    def matrix(self) -> scipy.sparse.csr_array:
        """(width, width), orthogonal: columns in the order of summands, copies, frame."""
        blocks = []
        for places, frame in zip(self.places, self.frames, strict=True):
            row = np.repeat(places, len(frame), axis=1).reshape(-1)
            column = np.tile(np.arange(len(frame)), places.size).reshape(len(places), -1)
            column = (column + len(frame) * np.arange(len(places))[:, None]).reshape(-1)
            value = np.tile(frame.reshape(-1), len(places))
            block = scipy.sparse.coo_array((value, (row, column)), shape=(self.width, places.size))
            blocks.append(block)
        return scipy.sparse.csr_array(scipy.sparse.hstack(blocks))

    def columns(self, pieces: tuple[Piece, ...], d: int, division: int) -> np.ndarray:
        """Columns of `matrix` that hold one irreducible representation, as (d, copies, division)."""
        starts = np.cumsum([0, *(places.size for places in self.places)])
        out = []
        for piece in pieces:
            copies, size = self.places[piece.summand].shape
            inside = np.arange(d * piece.multiplicity * division).reshape(d, 1, piece.multiplicity, division)
            copy = (size * np.arange(copies))[None, :, None, None]
            out.append((starts[piece.summand] + piece.start + copy + inside).reshape(d, -1, division))
        return np.concatenate(out, axis=1)


def _taken(x: Array, places: np.ndarray) -> Array:
    """x[places], as a slice where the places are consecutive."""
    first, count = int(places[0, 0]), places.size
    if np.array_equal(places.reshape(-1), np.arange(first, first + count)):
        return x[first : first + count].reshape(places.shape)
    return x[places.astype(np.int32)]
