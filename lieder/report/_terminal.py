"""Tables and verdicts for the terminal; everything the user wrote is literal text, never markup."""

import io
import os
import shutil
import sys
from collections.abc import Sequence

import rich.box
from rich.console import Console, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from ..report._words import cell_text, clean, is_number

# The kinds of answers. Title, colour and box differ together, so that the meaning survives without colour.
_LOOK = {
    "symmetries": ("SYMMETRIES FOUND", "green", rich.box.HEAVY),
    "conserved": ("CONSERVED QUANTITIES FOUND", "green", rich.box.HEAVY),
    "none in this family": ("NONE IN THIS FAMILY", "red", rich.box.DOUBLE),
    "no symmetry": ("NO SYMMETRY", "red", rich.box.DOUBLE),
    "cannot tell": ("CANNOT TELL", "yellow", rich.box.ROUNDED),
}


def table(rows: Sequence[Sequence[object]], columns: Sequence[str], title: str | None = None) -> Table:
    """A table for the terminal; columns whose cells are all numbers are set flush right.

    Arguments:
        `rows`: one sequence of cells per row; floats are written with three significant digits, the rest by `str`.
        `columns`: the headings.
        `title`: a line above the table, or none.
    Returns: a `rich.table.Table`, for `render` or any rich console.
    Raises: `ValueError` if a row has another length than `columns`.
    """
    rows = [list(row) for row in rows]
    check_rows(rows, columns)
    out = Table(title=None if title is None else Text(clean(title)), box=rich.box.SIMPLE_HEAD, title_justify="left")
    for place, heading in enumerate(columns):
        numeric = bool(rows) and all(is_number(row[place]) for row in rows)
        out.add_column(Text(clean(heading)), justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        out.add_row(*(Text(cell_text(cell)) for cell in row))
    return out


def verdict_panel(text: str, kind: str) -> Panel:
    """The answer in a box: its title says which answer it is, colour and frame only repeat it.

    Arguments:
        `text`: the answer and its evidence, in words.
        `kind`: `"symmetries"`, `"no symmetry"`, `"conserved"`, `"none in this family"` or `"cannot tell"`.
    Returns: a `rich.panel.Panel`.
    Raises: `ValueError` if `kind` is none of these.
    """
    check_kind(kind)
    heading, colour, box = _LOOK[kind]
    return Panel(
        Text(clean(text, lines=True)),
        title=Text(heading, style=f"bold {colour}"),
        title_align="left",
        border_style=colour,
        box=box,
        padding=(0, 1),
    )


def render(*renderables: RenderableType, width: int | None = None) -> str:
    """What a rich console would print, as a string; plain text unless the standard output is a terminal.

    Arguments:
        `renderables`: tables, panels, strings (strings are literal, not markup).
        `width`: characters in a line; the terminal's by default, 100 where there is none.
    Returns: the text, without a final newline. Characters the standard output cannot encode are replaced, so that
        printing it never fails.
    Raises: `ValueError` if `width` is below 20.
    """
    if width is None:
        width = max(20, shutil.get_terminal_size((100, 24)).columns)
    if width < 20:
        raise ValueError(
            f"`width` must be at least 20 characters to hold a table, got {width}. Leave it out, or widen it."
        )
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    unicode = encoding.lower().startswith("utf")
    terminal = sys.stdout is not None and sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
    console = Console(
        file=io.StringIO(),
        width=width,
        force_terminal=terminal,
        color_system="auto" if terminal else None,
        force_jupyter=False,
        legacy_windows=False,
        markup=False,
        highlight=False,
        emoji=False,
        _environ={name: os.environ[name] for name in ("TERM", "COLORTERM", "NO_COLOR") if name in os.environ},
    )
    with console.capture() as capture:
        for item in renderables:
            console.print(item if unicode else _plain_box(item))
    text = "\n".join(line.rstrip() for line in capture.get().splitlines())
    return text if unicode else text.encode(encoding, "replace").decode(encoding)


def _plain_box(item: RenderableType) -> RenderableType:
    """The same table or panel, framed in ASCII, for an output that has no box-drawing characters."""
    if isinstance(item, Table | Panel):
        item.box = rich.box.ASCII
    return item


def check_rows(rows: Sequence[Sequence[object]], columns: Sequence[str]) -> None:
    for number, row in enumerate(rows):
        if len(row) != len(columns):
            raise ValueError(
                f"`rows`: row {number} has {len(row)} cells but there are {len(columns)} columns "
                f"({', '.join(map(str, columns))}). Give every row one cell per column."
            )


def check_kind(kind: str) -> None:
    if kind not in _LOOK:
        raise ValueError(f"`kind` must be one of {', '.join(map(repr, _LOOK))}; got {kind!r}.")
