"""A self-contained HTML page: text, tables, figures and typeset generators, with no request to anywhere."""

import base64
import html as markup
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib.figure
import sympy

from ..files import check_path, write_text
from ..report._explorer import Explorer, explorer_html, script_policy, scripts
from ..report._mathml import equations_html
from ..report._sheet import SHEET
from ..report._terminal import check_kind, check_rows
from ..report._words import cell_text, clean, is_number

_HEAVY = 400_000  # bytes of a vector figure above which pixels are smaller and as legible


@dataclass(frozen=True)
class Text:
    """Paragraphs of plain text, parted by empty lines; with `verbatim`, set as it stands in a fixed-width font."""

    text: str
    verbatim: bool = False


@dataclass(frozen=True)
class Table:
    """Rows under headings; columns of numbers are set flush right."""

    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    caption: str | None = None


@dataclass(frozen=True)
class Figure:
    """A matplotlib figure; `alt` says in words what it shows, for those who cannot see it."""

    figure: matplotlib.figure.Figure
    alt: str
    caption: str | None = None


@dataclass(frozen=True)
class Equations:
    """Typeset generators: the arguments of `equations_html`."""

    equations: Sequence[tuple[str, Sequence[tuple[str, sympy.Expr | float]]]]
    digits: int = 3
    negligible: float | None = None
    scales: Sequence[float] | None = None


@dataclass(frozen=True)
class Code:
    """Python to take away, with a button that copies it on a page that has an `Explorer`."""

    text: str


@dataclass(frozen=True)
class Download:
    """A file that the page carries: its name, its content, and the words of the link."""

    name: str
    content: bytes
    words: str


Block = Text | Table | Figure | Equations | Code | Download | Explorer


@dataclass(frozen=True)
class Section:
    """A heading and its blocks, in order."""

    heading: str
    blocks: Sequence[Block]


def html(
    path: str | os.PathLike[str],
    *,
    title: str,
    summary: str,
    sections: Sequence[Section],
    kind: str | None = None,
    foot: str = "Relative defects: 0 is an exact symmetry, √2 the largest possible.",
) -> Path:
    """Write a self-contained HTML page: light and dark, wide and narrow, screen and paper.

    Everything given is escaped; figures are inside the file; a content policy forbids the page any request, and any
    script but those of an `Explorer`, which are named in it by their digests.

    Arguments:
        `path`: the file, replaced whole if it exists.
        `title`: of the page.
        `summary`: the answer in words, shown first.
        `sections`: what follows.
        `kind`: which of the answers of `verdict_panel` the summary is; it is then said above the summary, in words and
            colour.
        `foot`: what stands below all of it.
    Returns: the path written.
    Raises: `OSError` (the kind that fits) if the path cannot be written; `TypeError` for an unknown block;
        `ValueError` for a table whose rows do not fit its columns, or an unknown `kind`; `ImportError` for an
        `Explorer` where plotly is not installed.
    """
    check_path(path)
    if kind is not None:
        check_kind(kind)
    for section in sections:
        if not isinstance(section, Section):
            raise TypeError(f"`sections` must hold Section objects, got {type(section).__name__}.")
    word = "" if kind is None else f'<p class="kind">{_MARK[kind]} {escape(_SAID[kind])}</p>'
    name = "" if kind is None else f" {kind.replace(' ', '-')}"
    body = "".join(
        f'<section id="s{place}"><h2>{escape(section.heading)}</h2>{"".join(map(_block, section.blocks))}</section>'
        for place, section in enumerate(sections, 1)
    )
    contents = "".join(f'<li><a href="#s{place}">{escape(s.heading)}</a></li>' for place, s in enumerate(sections, 1))
    navigation = f'<nav aria-label="Contents"><ol>{contents}</ol></nav>' if len(sections) > 1 else ""
    moving = any(isinstance(block, Explorer) for section in sections for block in section.blocks)
    running = scripts() if moving else ()
    images, policy = ("data: blob:", f"script-src {script_policy(running)}; ") if moving else ("data:", "")
    page = (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        f"img-src {images}; {policy}"
        "style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">"
        f"<title>{escape(title)}</title><style>{SHEET}</style></head>\n<body><main>"
        f"<header><h1>{escape(title)}</h1></header>"
        f'<div class="summary{name}">{word}{_paragraphs(summary)}</div>{navigation}\n{body}'
        f"<footer>Made by lieder. {escape(foot)}</footer>"
        f"</main>{''.join(f'<script>{script}</script>' for script in running)}</body></html>\n"
    )
    return write_text(path, page)


_SAID = {
    "symmetries": "Symmetries found",
    "no symmetry": "No symmetry",
    "conserved": "Conserved quantities found",
    "none in this family": "None in this family",
    "cannot tell": "Cannot tell",
}
_MARK = {"symmetries": "✓", "no symmetry": "✕", "conserved": "✓", "none in this family": "✕", "cannot tell": "?"}


def escape(text: object) -> str:
    """Text for a page: no markup, no control characters."""
    return markup.escape(clean(text, lines=True), quote=True)


def _paragraphs(text: str) -> str:
    return "".join(f"<p>{escape(part.strip())}</p>" for part in str(text).split("\n\n") if part.strip())


def _block(block: Block) -> str:
    if isinstance(block, Text):
        return f"<pre>{escape(block.text)}</pre>" if block.verbatim else _paragraphs(block.text)
    if isinstance(block, Table):
        return _table(block)
    if isinstance(block, Figure):
        return _figure(block)
    if isinstance(block, Equations):
        return equations_html(block.equations, digits=block.digits, negligible=block.negligible, scales=block.scales)
    if isinstance(block, Code):
        button = '<button class="copy" type="button" hidden>Copy</button>'
        return f'<div class="code">{button}<pre>{escape(block.text)}</pre></div>'
    if isinstance(block, Download):
        held = base64.b64encode(block.content).decode("ascii")
        target = f'download="{escape(block.name)}" href="data:application/octet-stream;base64,{held}"'
        return f"<p><a {target}>{escape(block.words)}</a></p>"
    if isinstance(block, Explorer):
        return explorer_html(block)
    raise TypeError(
        f"`blocks` must hold Text, Table, Figure, Equations, Code, Download or Explorer, got {type(block).__name__}."
        " Wrap it in one."
    )


def _table(block: Table) -> str:
    rows = [list(row) for row in block.rows]
    check_rows(rows, block.columns)
    kinds = [
        ' class="number"' if rows and all(is_number(row[place]) for row in rows) else ""
        for place in range(len(block.columns))
    ]
    head = "".join(
        f'<th scope="col"{kind}>{escape(name)}</th>' for name, kind in zip(block.columns, kinds, strict=True)
    )
    lines = "".join(
        "<tr>"
        + "".join(f"<td{kind}>{escape(cell_text(cell))}</td>" for cell, kind in zip(row, kinds, strict=True))
        + "</tr>"
        for row in rows
    )
    caption = f"<caption>{escape(block.caption)}</caption>" if block.caption else ""
    table = f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>"
    return f'<div class="wide" tabindex="0">{table}</div>'


def _figure(block: Figure) -> str:
    """The figure as an image holding its data: unlike inline SVG, two of them share no names and run nothing."""
    vector = io.BytesIO()
    block.figure.savefig(vector, format="svg", dpi=160, facecolor="white", metadata={"Date": None, "Creator": None})
    kind, data = "svg+xml", vector.getvalue()
    if len(data) > _HEAVY:
        pixels = io.BytesIO()
        block.figure.savefig(pixels, format="png", dpi=180, facecolor="white")
        kind, data = "png", pixels.getvalue()
    width, height = (round(96 * float(side)) for side in block.figure.get_size_inches())
    caption = f"<figcaption>{escape(block.caption)}</figcaption>" if block.caption else ""
    source = f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}"
    size = f'width="{width}" height="{height}" style="--wide:{width}px"'
    return f'<figure><img src="{source}" alt="{escape(block.alt)}" {size}>{caption}</figure>'
