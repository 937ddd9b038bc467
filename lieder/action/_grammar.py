"""Candidates written as text over column names: "gl(3) on vectors(x,y,z); gl(3) on vectors(ax,ay,az)"."""

import difflib
import re
from dataclasses import dataclass

import numpy as np

from .. import algebra as algebras
from .. import dictionary as families
from ..algebra import LieAlgebra, Span
from ..linalg import MatrixStack
from ._families import dictionary_fields
from ._fields import FieldAction, concatenated, over_product, scalars
from ._representations import covectors, points, product, vectors

_KINDS = {"points": points, "vectors": vectors, "covectors": covectors}
_HELP = (
    'Write "algebra on kind(columns), kind(columns); algebra on ...", for example '
    '"so(3) on vectors(x,y,z), vectors(ax,ay,az)".'
)
_PRIVATE = 0xE000  # first of the characters that Unicode leaves without a meaning


@dataclass(frozen=True)
class _Piece:
    factor: int
    columns: tuple[str, ...]
    action: FieldAction


def parse(text: str, inputs: list[str], outputs: list[str] | None = None) -> tuple[FieldAction, FieldAction | None]:
    """Source and target actions from a text over column names.

    Independent algebras are separated by `;`. Inside one, each block says what its columns are: points, vectors,
    covectors or scalars. Columns in no block are scalars. Instead of an algebra "polynomial(d)" gives all polynomial
    fields of degree d on one block. An algebra without its size has that of its first block, and a kind without columns
    takes all inputs: "se on points" are the rigid motions of however many columns there are. A column whose name holds
    brackets, commas, semicolons or quotes is written in single or double quotes: "so(2) on vectors('x (m)', 'y (m)')".

    Arguments:
        text: the candidates.
        inputs, outputs: column names in the order of the data; outputs None when there are none (a cloud or a vector
            field).
    Returns:
        (source, target), target None when outputs is None; widths are those of the data.
    Raises:
        ValueError: an unknown algebra, kind or column (each with the nearest known), a block of the wrong width, a
            column used twice, a block that mixes inputs and outputs.
    """
    if not isinstance(text, str):
        raise TypeError(f"candidates must be a text, got {type(text).__name__}. {_HELP}")
    outputs_or_none, outputs = outputs, list(outputs or [])
    if twice := [name for name in dict.fromkeys([*inputs, *outputs]) if [*inputs, *outputs].count(name) > 1]:
        raise ValueError(
            f"candidates: column '{twice[0]}' occurs twice among inputs and outputs; a column is one or the other."
        )
    spaces: list[LieAlgebra | Span] = []
    pieces: list[_Piece] = []
    text, quoted = _without_quotes(text)
    for number, clause in enumerate(part for part in text.split(";") if part.strip()):
        match = re.fullmatch(r"\s*(.+?)\s+on\s+(.+)", clause, flags=re.DOTALL)
        if match is None:
            raise ValueError(f"candidates: cannot read '{_written(clause.strip(), quoted)}'. {_HELP}")
        space, build = _space(match[1])
        for kind, given in _blocks(match[2], quoted, [*inputs, *outputs]):
            columns = tuple(inputs) if given is None else given
            known = list(inputs) + outputs
            if "" in columns:
                raise ValueError(f"candidates: {kind}({','.join(columns)}) holds an empty column name. {_HELP}")
            for column in columns:
                if column not in known:
                    raise ValueError(
                        f"candidates: no column '{column}'{_nearest(column, known)} Columns in use: {', '.join(known)}."
                    )
            if any(column in piece.columns for piece in pieces for column in columns) or len(set(columns)) < len(
                columns
            ):
                raise ValueError(
                    f"candidates: {kind}({','.join(columns)}) uses a column twice; each column belongs to one block."
                )
            sides = {column in outputs and column not in inputs for column in columns}
            if len(sides) > 1:
                raise ValueError(
                    f"candidates: {kind}({','.join(columns)}) mixes inputs and outputs; give each its own block."
                )
            space, action = build(space, kind, columns)
            pieces.append(_Piece(number, columns, action))
        spaces.append(pieces[-1].action.algebra)
    if not pieces:
        raise ValueError(f"candidates: nothing given. {_HELP}")
    whole = spaces[0] if len(spaces) == 1 else product(spaces)
    placed = _over(pieces, spaces, whole)
    source = _side(placed, inputs, whole)
    return source, None if outputs_or_none is None else _side(placed, outputs, whole)


def _space(name: str):
    """The generators named in the text, and how a block of columns is acted on by them."""
    polynomial = re.fullmatch(r"polynomials?\((\d+)\)", name.strip())
    if polynomial:
        degree = int(polynomial[1])

        def fields(space, kind, columns):
            if kind != "points":
                raise ValueError(f"candidates: polynomial fields act on points(...), got {kind}({','.join(columns)}).")
            if space is not None:
                raise ValueError("candidates: polynomial fields act on one block of columns; separate several by ';'.")
            action = dictionary_fields(families.polynomials(len(columns), degree))
            return action.algebra, action

        return None, fields
    if re.match(r"polynomials?\b", name.strip()):
        raise ValueError(
            f"candidates: cannot read '{name.strip()}'; write polynomial(2), the number being the largest degree."
        )

    def named(degree: int | None) -> LieAlgebra:
        try:
            return algebras.by_name(name.strip(), degree)
        except (TypeError, ValueError) as fault:
            raise type(fault)(f"candidates: {fault}") from None

    try:
        known = algebras.by_name(name.strip())
    except (TypeError, ValueError):
        named(2)  # refuses in words what no size mends
        known = None  # the size is that of the first block

    def representation(space, kind, columns):
        if space is None and kind == "scalars":
            raise ValueError(f"candidates: give {name.strip()} its size, or begin with a block that it moves.")
        algebra = named(len(columns)) if space is None else space
        if kind == "scalars":
            return algebra, scalars(algebra, len(columns))
        action = _KINDS[kind](algebra)
        if action.width != len(columns):
            raise ValueError(
                f"candidates: {kind}({','.join(columns)}) has {len(columns)} column{'s' * (len(columns) != 1)}, but"
                f" {algebra.name} acts on {kind} of width {action.width}. Give {action.width} columns or another"
                " algebra."
            )
        return algebra, action

    return known, representation


def _without_quotes(text: str) -> tuple[str, dict[str, str]]:
    """The text with each quoted name as one character of no meaning, and what these stand for."""
    quoted: dict[str, str] = {}

    def stand_in(match: re.Match) -> str:
        sign = chr(_PRIVATE + len(quoted))
        quoted[sign] = match[1] if match[1] is not None else match[2]
        return sign

    return re.sub(r"""(?<=[(,\s])(?:"([^"]*)"|'([^']*)')(?=\s*[,)])""", stand_in, text), quoted


def _written(text: str, quoted: dict[str, str]) -> str:
    """The text as the user wrote it."""
    return "".join(f'"{quoted[sign]}"' if sign in quoted else sign for sign in text)


def _blocks(text: str, quoted: dict[str, str], known: list[str]) -> list[tuple[str, tuple[str, ...] | None]]:
    """The kind of each block and its columns; None for a kind that stands alone."""
    block = r"\s*([A-Za-z_]+)\s*\(([^()]*)\)\s*"
    if alone := re.fullmatch(r"\s*([A-Za-z_]+)\s*", text):
        _check_kind(alone[1])
        return [(alone[1], None)]
    if re.fullmatch(f"{block}(?:,{block})*", text) is None:
        awkward = [name for name in known if re.search(r"[(),;]", name) and name in text]
        advice = f'Put names with brackets, commas or semicolons in quotes: "{awkward[0]}".' if awkward else _HELP
        raise ValueError(f"candidates: cannot read the blocks '{_written(text.strip(), quoted)}'. {advice}")
    blocks = []
    for kind, columns in re.findall(block, text):
        _check_kind(kind)
        names = (column.strip() for column in columns.split(","))
        blocks.append((kind, tuple(quoted.get(name, name) for name in names)))
    return blocks


def _check_kind(kind: str) -> None:
    known = [*_KINDS, "scalars"]
    if kind not in known:
        raise ValueError(f"candidates: no kind '{kind}'{_nearest(kind, known)} Kinds: {', '.join(known)}.")


def _nearest(word: str, known: list[str]) -> str:
    plain = {name.lower(): name for name in known}
    close = difflib.get_close_matches(word.lower(), plain, n=1)
    return f"; did you mean '{plain[close[0]]}'?" if close else "."


def _over(pieces: list[_Piece], spaces: list, whole) -> list[_Piece]:
    if len(spaces) == 1:
        return pieces
    out = []
    for piece in pieces:
        fillers = [scalars(space, 1) for space in spaces]
        fillers[piece.factor] = piece.action
        out.append(_Piece(0, piece.columns, over_product(fillers, whole)[piece.factor]))
    return out


def _side(pieces: list[_Piece], columns: list[str], whole: LieAlgebra | Span) -> FieldAction:
    """The blocks of one side, free columns as scalars, put into the order of the data."""
    used = [piece for piece in pieces if piece.columns[0] in columns]
    free = tuple(column for column in columns if not any(column in piece.columns for piece in used))
    if free:
        used.append(_Piece(0, free, scalars(whole, len(free))))
    written = [column for piece in used for column in piece.columns]
    action = concatenated([piece.action for piece in used])
    if written == list(columns):
        return action
    return _permuted(action, np.array([written.index(column) for column in columns]))


def _permuted(action: FieldAction, order: np.ndarray) -> FieldAction:
    """The same action on coordinates taken in another order; blocks that stay together keep their name."""
    if not action.is_affine:
        raise ValueError("candidates: with polynomial fields give the columns of --inputs in the order of the blocks.")
    position = np.argsort(order)
    stacks = []
    for stack in (action.generators, action.elements):
        index = stack.index.copy()
        index[1] = position[index[1]]
        index[2] = np.where(index[2] < action.width, position[np.minimum(index[2], action.width - 1)], index[2])
        stacks.append(MatrixStack.from_entries(stack.shape, index, stack.value))
    starts = np.cumsum([0] + [width for _, width in action.blocks])
    contiguous = all(
        np.array_equal(order[position[a] : position[a] + w], np.arange(a, a + w))
        for a, (_, w) in zip(starts, action.blocks, strict=False)
    )
    moved = sorted(zip(starts, action.blocks, strict=False), key=lambda b: position[b[0]])
    blocks = tuple(block for _, block in moved) if contiguous else tuple(("mixed", 1) for _ in order)
    return FieldAction(action.algebra, stacks[0], action.dictionary, blocks, stacks[1])
