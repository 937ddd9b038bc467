"""All matrices that intertwine two representations: by Schur's lemma where it holds, as a null space where not."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import scipy.sparse

from ..linalg import MatrixStack, axis_aligned, decide, stacked
from ._irreducible import NotSplit, Split, irreducible
from ._maps import AbstractMaps
from ._null_maps import NullMaps, Unfinished, candidates, cut
from ._probe import Probe, probe
from ._schur import SchurMaps, schur_maps
from ._summands import Summand, summands

_ADJOINT = 1e-12  # 1 - cosine between a generator's transpose and the algebra: rounding gives 1e-15
_ORTHOGONAL = 1e-10  # entries of H H^T - 1 for a finite element to count as orthogonal
_BRACKET = 1e-10  # what a commutator may have outside the span, relative to its factors: rounding gives 1e-14
_DRAWS = 4  # random elements tried; the first is nearly always generic
_WIDE = 1e-4  # the relative gap of eigenvalues at which no better draw is looked for: errors are then below 1e-12
_WORST = 1e-7  # the error of irreducible pieces above which a draw is refused; seen: 1e-11 at a gap of 1e-6
_CLEAR = 10.0  # the factor between the singular values on both sides of the cut
_ROUNDING = 1e-14  # singular values below it are zero but for rounding
_NEAR = 3.0  # the factor between the tolerance and the first singular value above it


def intertwiners(
    source: MatrixStack, target: MatrixStack, *, generators: int, form: np.ndarray, sizes: np.ndarray, tolerance: float
) -> AbstractMaps:
    """All W with B_k W = W A_k.

    The part of the algebra that is closed under transposition, and orthogonal finite elements, are solved by Schur's
    lemma, exactly; what is left (translations, nilpotent parts, generators known nearly) is a null space in what
    remains, cut at the tolerance.

    Arguments:
        source, target: matrices (k, n, n) and (k, m, m): first the generators, then the finite elements.
        generators: how many of the k are generators.
        form: (generators, generators), an invariant symmetric form, may be degenerate: it sharpens the split.
        sizes: (k,) positive, the size of each operator in the algebra itself, by which it is divided.
        tolerance: singular values of W -> B_k W - W A_k, operators scaled to unit root mean square, at or below it
            count as zero. It plays no role in the Schur route, which is exact.
    Returns:
        The maps, with an orthonormal basis.
    Raises:
        ValueError: singular values on both sides of the tolerance within a factor 10 of each other; more than 6,000
            connected unknowns outside the Schur route.
    Reference: Schur's lemma over the reals (Broecker and tom Dieck 1985, II.6); Finzi, Welling and Wilson (2021) for
        the constraints.
    """
    by, to = summands(source), summands(target)
    parts = _parted([*by, *to], generators, source.shape[0])
    units = 1 / (np.abs(parts.closed) @ sizes)
    closed = units[:, None] * parts.closed
    form = closed[: parts.generators, :generators] @ form @ closed[: parts.generators, :generators].T
    widths = (source.shape[1], target.shape[1])
    if len(parts.rest) == 0:
        found = _schur(_combined(by, closed), _combined(to, closed), widths, form)
        if found is not None:
            return found
        return _null(by, to, closed[:0], np.eye(source.shape[0]), form[:0, :0], widths, tolerance)
    return _null(by, to, closed, parts.rest, form, widths, tolerance)


class _Parts(NamedTuple):
    """Combinations of operators, as rows over k: closed under transposition (generators first), and the rest."""

    closed: np.ndarray
    generators: int
    rest: np.ndarray


def _parted(pieces: list[Summand], generators: int, k: int) -> _Parts:
    """Part the algebra into what is closed under transposition and a complement, and finite elements likewise.

    In a basis orthonormal for <A, B> = tr A^T B, the form tr A B is symmetric with eigenvalues in [-1, 1]; at 1 the
    element is a symmetric matrix, at -1 a skew one, and in between its transpose lies outside.
    """
    gram, product = np.zeros((generators, generators)), np.zeros((generators, generators))
    orthogonal = np.ones(k - generators, bool)
    for piece in pieces:
        flat, turned = piece.operators.flat(), piece.operators.transpose().flat()
        gram += piece.copies * (flat @ flat.T).toarray()[:generators, :generators]
        product += piece.copies * (flat @ turned.T).toarray()[:generators, :generators]
        for number, element in enumerate(piece.operators.each()[generators:]):
            off = abs(element @ element.T - scipy.sparse.eye_array(piece.size)).max()
            orthogonal[number] &= bool(off <= _ORTHOGONAL)
    size = np.sqrt(np.maximum(np.diag(gram), np.finfo(float).tiny))
    lengths, axes = np.linalg.eigh(gram / size[:, None] / size)
    moving = lengths > 1e-10 * max(lengths.max(initial=0.0), np.finfo(float).tiny)
    white = axes[:, moving] / np.sqrt(lengths[moving]) / size[:, None]  # generators, moving
    cosines, mixed = np.linalg.eigh(white.T @ product @ white)
    closed = np.abs(cosines) >= 1 - _ADJOINT
    if not _is_subalgebra(pieces, white @ mixed[:, closed]):
        closed = np.zeros(len(closed), bool)
    elements = np.eye(k)[generators:]
    if closed.all():
        rows = np.eye(generators)
    elif closed.any():
        span = np.linalg.qr(white @ mixed[:, closed])[0]
        rows = (span @ axis_aligned(span)).T
        rows[np.abs(rows) < 1e-14] = 0.0
    else:
        rows = np.zeros((0, generators))
    # A complement inside the span of what moves anything.
    others = (white @ mixed[:, ~closed]).T
    wide = ((0, 0), (0, k - generators))
    return _Parts(
        np.concatenate([np.pad(rows, wide), elements[orthogonal]]),
        len(rows),
        np.concatenate([np.pad(others, wide), elements[~orthogonal]]),
    )


def _is_subalgebra(pieces: list[Summand], span: np.ndarray) -> bool:
    """Whether the commutator of two random elements of a span, given by orthonormal columns, lies in it.

    Matrices known nearly may be closed under transposition by chance, as any 10 of the 16 of size 4 are in 4
    directions. What they generate is then all matrices, of which Schur's lemma leaves nothing to the tolerance.
    """
    generators, r = span.shape
    if r < 2:
        return True
    one, other = np.random.default_rng(r).normal(size=(2, r))
    sizes, outside, moved = np.zeros(2), 0.0, np.zeros(generators)
    commutators = []
    for piece in pieces:
        stack = piece.operators.combine(np.pad(np.stack([span @ one, span @ other]), _after(piece, generators)))
        a, b = stack.each()
        commutators.append(a @ b - b @ a)
        sizes += piece.copies * np.array([(a**2).sum(), (b**2).sum()])
        moved += piece.copies * (piece.operators.flat() @ commutators[-1].reshape(-1))[:generators]
    inside = span @ (span.T @ moved)
    for piece, commutator in zip(pieces, commutators, strict=True):
        known = piece.operators.combine(np.pad(inside[None], _after(piece, generators))).each()[0]
        outside += piece.copies * ((commutator - known) ** 2).sum()
    width = sum(piece.places.size for piece in pieces)
    return bool(np.sqrt(outside) <= _BRACKET * np.sqrt(sizes.prod() / width))


def _after(piece: Summand, generators: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Zeros for the finite elements, behind the coefficients of generators."""
    return (0, 0), (0, piece.operators.shape[0] - generators)


def _combined(pieces: tuple[Summand, ...], rows: np.ndarray) -> MatrixStack:
    """Combinations of the operators of all summands on the whole space."""
    n = sum(piece.places.size for piece in pieces)
    stacks = []
    for piece in pieces:
        mixed = piece.operators.combine(rows) if len(rows) else piece.operators
        which, row, column = mixed.index
        index = np.stack(
            [
                np.broadcast_to(which, (piece.copies, len(which))),
                piece.places[:, row],
                piece.places[:, column],
            ]
        ).reshape(3, -1)
        stacks.append((index, np.tile(mixed.value, piece.copies)))
    return MatrixStack.from_entries(
        (len(rows), n, n), np.concatenate([s[0] for s in stacks], 1), np.concatenate([s[1] for s in stacks])
    )


def _schur(source: MatrixStack, target: MatrixStack, widths: tuple[int, int], form: np.ndarray) -> SchurMaps | None:
    """By irreducible pieces, from the draw that splits them best; None when none does.

    The draw is chosen by gaps, which rounding hardly moves, and not by errors, which are rounding: every machine must
    choose the same one.
    """
    casimir = None
    if len(form) and np.linalg.cond(form) < 1e8:
        casimir = np.linalg.inv(form)
    by, to = summands(source), summands(target)
    best, widest = None, 0.0
    for draw in range(_DRAWS):
        chosen = probe(source.shape[0], casimir, draw)
        try:
            splits = [_known(summand, chosen, draw) for summand in (*by, *to)]
            gap = min(split.gap for split in splits)
            if gap <= widest or max(split.error for split in splits) > _WORST:
                continue
            found = [(summand, split.pieces) for summand, split in zip((*by, *to), splits, strict=True)]
            best, widest = schur_maps(found[: len(by)], found[len(by) :], widths), gap
        except NotSplit:
            continue
        if gap >= _WIDE:
            break
    return best


def _known(summand: Summand, chosen: Probe, draw: int) -> Split:
    casimir = None if chosen.casimir is None else chosen.casimir.tobytes()
    return _decomposed(summand.content, casimir, draw)


@lru_cache(maxsize=256)
def _decomposed(content: tuple, casimir: bytes | None, draw: int) -> Split:
    """The pieces of one representation, kept by its content: the layers of a network share their summands."""
    shape, index, value = content
    operators = MatrixStack(shape, np.frombuffer(index, np.int64).reshape(3, -1), np.frombuffer(value))
    square = None
    if casimir is not None:
        square = np.frombuffer(casimir)
        square = square.reshape(round(len(square) ** 0.5), -1)
    return irreducible(operators, probe(shape[0], square, draw))


def _null(
    by: tuple[Summand, ...],
    to: tuple[Summand, ...],
    good: np.ndarray,
    rest: np.ndarray,
    form: np.ndarray,
    widths: tuple[int, int],
    tolerance: float,
) -> NullMaps:
    left = {id(piece): Summand(piece.operators.combine(rest), piece.places) for piece in (*by, *to)}
    scale = np.zeros(len(rest))
    for piece in left.values():
        squares = np.bincount(piece.operators.index[0], piece.operators.value**2, minlength=len(rest))
        scale = np.maximum(scale, np.sqrt(squares / piece.size))
    scale = np.where(scale > 0, scale, 1.0)
    every: list[list[list[Unfinished]]] = []
    for t in to:
        row = []
        for s in by:
            given = None
            if len(good):
                one = (s.operators.combine(good), t.operators.combine(good))
                exact = _schur(*one, (s.size, t.size), form)
                given = None if exact is None else exact.dense()
                if given is None:
                    both = [
                        Summand(stacked([p.operators.combine(good), left[id(p)].operators], 0), p.places)
                        for p in (s, t)
                    ]
                    row.append(candidates(both[0], both[1], np.concatenate([np.ones(len(good)), scale]), None))
                    continue
            row.append(candidates(left[id(s)], left[id(t)], scale, given))
        every.append(row)
    values = [part.values for row in every for parts in row for part in parts]
    rank = decide(np.concatenate([np.zeros(0), *values]), resolution=_ROUNDING, tolerance=tolerance, min_gap=_CLEAR)
    if not rank.clear or rank.above < _NEAR * tolerance:
        below, above = rank.sides()
        raise ValueError(
            f"tolerance={tolerance:.3g} does not part the singular values of the constraints: below it {below}; above"
            f" it {above}. Choose a tolerance inside a gap: a factor {_CLEAR:g} between the two sides, and {_NEAR:g}"
            " times the tolerance at least above it; or measure the generators better."
        )
    bases = tuple(
        tuple(cut(parts, (t.size, s.size), rank.cut) for parts, s in zip(row, by, strict=True))
        for row, t in zip(every, to, strict=True)
    )
    return NullMaps(widths, tuple(p.places for p in by), tuple(p.places for p in to), bases)
