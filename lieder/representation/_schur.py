"""Equivariant maps by Schur's lemma: one small matrix for each irreducible representation, never a dense basis."""

from dataclasses import dataclass
from functools import cached_property

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ._division import TURNS
from ._irreducible import Isotypic, NotSplit
from ._isotypic_basis import Piece, Side
from ._maps import AbstractMaps
from ._summands import Summand

_MOST_BYTES = 2**26  # of the maps between single summands, kept to assemble W
_ALIKE = (
    1e-6  # signatures and matrices of equivalent pieces agree to rounding, seen 1e-11; others differ by 1e-4 or more
)


@dataclass(frozen=True, eq=False)
class Block:
    """One irreducible representation that stands in source and target.

    Fields: `d` and `division` as in Isotypic; `source`, `target`: where; `inputs`, `outputs`: how many copies.
    """

    d: int
    division: int
    source: tuple[Piece, ...]
    target: tuple[Piece, ...]
    inputs: int
    outputs: int

    @property
    def size(self) -> int:
        """The number of coefficients, ordered (division, outputs, inputs)."""
        return self.division * self.outputs * self.inputs


@dataclass(frozen=True, eq=False)
class SchurMaps(AbstractMaps):
    """W = sum over irreducible representations of Q_target (1 (x) C) Q_source^T, C one matrix over R, C or H.

    Coefficients belong to a basis that is orthonormal in the Frobenius inner product.
    """

    source: Side
    target: Side
    blocks: tuple[Block, ...]

    @property
    def dim(self) -> int:
        return sum(block.size for block in self.blocks)

    @property
    def scales(self) -> Float[np.ndarray, " dim"]:
        parts = [np.full(block.size, np.sqrt(block.d / block.inputs)) for block in self.blocks]
        return np.concatenate([np.zeros(0), *parts])

    def apply(self, coefficients: Float[Array, " dim"], x: Float[Array, " n"]) -> Float[Array, " m"]:
        inputs = self.source.rotated(x)
        dtype = jnp.result_type(coefficients, x)
        shapes = [places.shape for places in self.target.places]
        rows: list[list[tuple[int, Array]]] = [[] for _ in shapes]
        start = 0
        for block in self.blocks:
            d, division = block.d, block.division
            own = coefficients[start : start + block.size].reshape(division, block.outputs, block.inputs)
            start += block.size
            turns = jnp.asarray(TURNS[division] / np.sqrt(d * division), dtype)
            if division == 1:
                matrix = own[0].T * turns[0, 0, 0]
            else:  # e: units, t, s: copies in target and source, a, b: components before and after
                matrix = jnp.einsum("ets,eab->satb", own, turns)
                matrix = matrix.reshape(block.inputs * division, block.outputs * division)
            moved = _gathered(inputs, block, self.source) @ matrix
            for piece, value in _parts(moved.reshape(d, block.outputs, division), block, self.target):
                rows[piece.summand].append((piece.start, value))
        outputs = []
        for shape, found in zip(shapes, rows, strict=True):
            outputs.append(_row(shape, sorted(found, key=lambda pair: pair[0]), dtype))
        return self.target.back(outputs)

    def matrix(self, coefficients: Float[Array, " dim"]) -> Float[Array, "m n"]:
        pairs = self.pairs(coefficients)
        if pairs is None:
            columns = jnp.eye(self.source.width, dtype=coefficients.dtype)
            return jax.vmap(lambda x: self.apply(coefficients, x), out_axes=1)(columns)
        rows = []
        for to, row in zip(self.target.places, pairs, strict=True):
            columns = []
            for by, (basis, own) in zip(self.source.places, row, strict=True):
                # r: basis of one pair of summands, t, s: their copies, i, j: their coordinates.
                block = jnp.einsum("rts,rij->tisj", own, jnp.asarray(basis, coefficients.dtype))
                columns.append(block.reshape(to.size, by.size))
            rows.append(columns[0] if len(columns) == 1 else jnp.concatenate(columns, axis=1))
        joined = rows[0] if len(rows) == 1 else jnp.concatenate(rows)
        for axis, side in ((0, self.target), (1, self.source)):
            order = np.concatenate([places.reshape(-1) for places in side.places])
            if not np.array_equal(order, np.arange(side.width)):
                joined = jnp.take(joined, np.argsort(order).astype(np.int32), axis=axis)
        return joined

    def pairs(
        self, coefficients: Float[Array, " dim"]
    ) -> list[list[tuple[Float[np.ndarray, "r i j"], Float[Array, "r t s"]]]] | None:
        if self._pairs is None:
            return None
        starts = np.cumsum([0, *(block.size for block in self.blocks)])
        out = []
        for to, row in zip(self.target.places, self._pairs, strict=True):
            found = []
            for by, (basis, parts) in zip(self.source.places, row, strict=True):
                own = [jnp.zeros((0, len(to), len(by)), coefficients.dtype)]
                for number, outputs, inputs in parts:
                    block = self.blocks[number]
                    part = coefficients[starts[number] : starts[number + 1]]
                    part = part.reshape(block.division, block.outputs, block.inputs)[:, outputs, inputs]
                    # Copies of the summand, and of the irreducible piece within it, on both sides.
                    part = part.reshape(block.division, len(to), -1, len(by), (inputs.stop - inputs.start) // len(by))
                    own.append(part.transpose(0, 2, 4, 1, 3).reshape(-1, len(to), len(by)))
                found.append((basis, own[1] if len(own) == 2 else jnp.concatenate(own)))
            out.append(found)
        return out

    @cached_property
    def _pairs(self) -> list[list[tuple[np.ndarray, list[tuple[int, slice, slice]]]]] | None:
        """For each pair of different summands the maps between one copy of each (r, size, size), and which coefficients
        of which blocks go with them; None where that would take more than 64 MB."""
        out, total = [], 0
        for t, to in enumerate(self.target.places):
            row = []
            for s, by in enumerate(self.source.places):
                bases, parts = [np.zeros((0, to.shape[1], by.shape[1]))], []
                for number, block in enumerate(self.blocks):
                    here, outputs = _within(block.target, t, self.target)
                    there, inputs = _within(block.source, s, self.source)
                    if here is None or there is None:
                        continue
                    total += 8 * block.division * here.multiplicity * there.multiplicity * to.shape[1] * by.shape[1]
                    if total > _MOST_BYTES:
                        return None
                    left = _columns(self.target.frames[t], here, block)
                    right = _columns(self.source.frames[s], there, block)
                    turns = TURNS[block.division] / np.sqrt(block.d * block.division)
                    basis = np.einsum("idtb,eab,jdsa->etsij", left, turns, right, optimize=True)
                    bases.append(basis.reshape(-1, to.shape[1], by.shape[1]))
                    parts.append((number, outputs, inputs))
                row.append((np.concatenate(bases), parts))
            out.append(row)
        return out

    def dense(self) -> Float[np.ndarray, "dim m n"]:
        out = np.empty((self.dim, self.target.width, self.source.width))
        start = 0
        for block in self.blocks:
            to = self._frame(self.target, block.target, block)
            by = self._frame(self.source, block.source, block)
            turns = TURNS[block.division] / np.sqrt(block.d * block.division)
            for turn in turns:
                # t, s: copies; m, n: coordinates; the matrix product runs over d and division.
                left = np.einsum("mdtb,ab->tmda", to, turn).reshape(block.outputs, 1, len(to), -1)
                right = by.transpose(2, 1, 3, 0).reshape(1, block.inputs, -1, len(by))
                stop = start + block.outputs * block.inputs
                np.matmul(left, right, out=out[start:stop].reshape(block.outputs, block.inputs, len(to), len(by)))
                start = stop
        return out

    def coefficients(self, matrix: Float[np.ndarray, "m n"]) -> Float[np.ndarray, " dim"]:
        rotated = self.target.matrix.T @ (self.source.matrix.T @ np.asarray(matrix).T).T
        out = [np.zeros(0)]
        for block in self.blocks:
            rows = self.target.columns(block.target, block.d, block.division)
            columns = self.source.columns(block.source, block.d, block.division)
            turns = TURNS[block.division] / np.sqrt(block.d * block.division)
            total = np.zeros((block.division, block.outputs, block.inputs))
            for row, column in zip(rows, columns, strict=True):
                total += np.einsum("tbsa,eab->ets", rotated[row[:, :, None, None], column], turns)
            out.append(total.reshape(-1))
        return np.concatenate(out)

    def _frame(self, side: Side, pieces: tuple[Piece, ...], block: Block) -> np.ndarray:
        columns = side.columns(pieces, block.d, block.division)
        return side.matrix[:, columns.reshape(-1)].toarray().reshape(side.width, *columns.shape)


def _within(pieces: tuple[Piece, ...], summand: int, side: Side) -> tuple[Piece | None, slice]:
    """The piece that stands in one summand, and which of all copies are its own."""
    start = 0
    for piece in pieces:
        stop = start + len(side.places[piece.summand]) * piece.multiplicity
        if piece.summand == summand:
            return piece, slice(start, stop)
        start = stop
    return None, slice(0)


def _columns(frame: np.ndarray, piece: Piece, block: Block) -> np.ndarray:
    """The columns of a frame that hold one piece, (size, d, multiplicity, division)."""
    count = block.d * piece.multiplicity * block.division
    shape = (len(frame), block.d, piece.multiplicity, block.division)
    return frame[:, piece.start : piece.start + count].reshape(shape)


def _gathered(inputs: list[Array], block: Block, side: Side) -> Array:
    """(d, inputs * division): all copies of one irreducible representation in the source."""
    d, division = block.d, block.division
    parts = []
    for piece in block.source:
        stop = piece.start + d * piece.multiplicity * division
        part = inputs[piece.summand][:, piece.start : stop].reshape(-1, d, piece.multiplicity * division)
        parts.append(jnp.swapaxes(part, 0, 1).reshape(d, -1))
    return parts[0] if len(parts) == 1 else jnp.concatenate(parts, axis=1)


def _parts(moved: Array, block: Block, side: Side) -> list[tuple[Piece, Array]]:
    """What belongs to each summand of the target, (copies, d * multiplicity * division)."""
    out, start = [], 0
    for piece in block.target:
        copies = len(side.places[piece.summand])
        stop = start + copies * piece.multiplicity
        part = moved[:, start:stop].reshape(block.d, copies, piece.multiplicity * block.division)
        out.append((piece, jnp.swapaxes(part, 0, 1).reshape(copies, -1)))
        start = stop
    return out


def _row(shape: tuple[int, ...], found: list[tuple[int, Array]], dtype) -> Array:
    """Parts of one summand side by side, zeros where no map reaches."""
    copies, size = shape
    pieces, start = [], 0
    for begin, value in found:
        if begin > start:
            pieces.append(jnp.zeros((copies, begin - start), dtype))
        pieces.append(value)
        start = begin + value.shape[1]
    if start < size:
        pieces.append(jnp.zeros((copies, size - start), dtype))
    return pieces[0] if len(pieces) == 1 else jnp.concatenate(pieces, axis=1)


def schur_maps(
    source: list[tuple[Summand, list[Isotypic]]], target: list[tuple[Summand, list[Isotypic]]], widths: tuple[int, int]
) -> SchurMaps:
    """The maps between two representations from the irreducible pieces of their summands.

    Arguments: `source`, `target`: summands with their pieces, all found with one probe; `widths` (n, m).
    Returns: SchurMaps.
    Raises: NotSplit when two pieces look equivalent and are not: another draw tells them apart.
    """
    kinds: list[Isotypic] = []
    sides = [_side(source, widths[0], kinds), _side(target, widths[1], kinds)]
    blocks = []
    for number, kind in enumerate(kinds):
        d, division = kind.basis.shape[1], kind.basis.shape[3]
        (inputs, by), (outputs, to) = (side[1].get(number, (0, ())) for side in sides)
        if inputs and outputs:
            blocks.append(Block(d, division, by, to, inputs, outputs))
    return SchurMaps(sides[0][0], sides[1][0], tuple(blocks))


def _side(
    summands: list[tuple[Summand, list[Isotypic]]], width: int, kinds: list[Isotypic]
) -> tuple[Side, dict[int, tuple[int, tuple[Piece, ...]]]]:
    frames, pieces = [], {}
    for number, (summand, isotypics) in enumerate(summands):
        start = 0
        for isotypic in isotypics:
            _, d, multiplicity, division = isotypic.basis.shape
            kind = _kind(isotypic, kinds)
            copies, known = pieces.get(kind, (0, ()))
            pieces[kind] = (copies + summand.copies * multiplicity, (*known, Piece(number, start, multiplicity)))
            start += d * multiplicity * division
        frames.append(np.concatenate([isotypic.basis.reshape(summand.size, -1) for isotypic in isotypics], axis=1))
    return Side(width, tuple(summand.places for summand, _ in summands), tuple(frames)), pieces


def _kind(isotypic: Isotypic, kinds: list[Isotypic]) -> int:
    """The number of the equivalence class of a piece, entered into the list when new."""
    for number, known in enumerate(kinds):
        if known.signature.shape != isotypic.signature.shape or known.basis.shape[3] != isotypic.basis.shape[3]:
            continue
        size = 1.0 + np.abs(known.signature).max()
        if np.abs(known.signature - isotypic.signature).max() > _ALIKE * size:
            continue
        if np.abs(known.matrices - isotypic.matrices).max(initial=0.0) > _ALIKE * size:
            raise NotSplit
        return number
    kinds.append(isotypic)
    return len(kinds) - 1
