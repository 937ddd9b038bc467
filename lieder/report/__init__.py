"""Tables, figures and the HTML page: arrays, strings and numbers in, something to look at out.

What sets formulas or draws is brought when it is first asked for, with sympy and matplotlib.
"""

from typing import TYPE_CHECKING

from ..late import door
from ..report._progress import progress as progress
from ..report._terminal import render as render
from ..report._terminal import table as table
from ..report._terminal import verdict_panel as verdict_panel

if TYPE_CHECKING:
    from ..report._bounds import bounds_figure as bounds_figure
    from ..report._explorer import Directions as Directions
    from ..report._explorer import Explorer as Explorer
    from ..report._explorer import Flow as Flow
    from ..report._explorer import explorable as explorable
    from ..report._field import field_figure as field_figure
    from ..report._generator_text import generator_text as generator_text
    from ..report._lattice import elements_figure as elements_figure
    from ..report._lattice import lattice_figure as lattice_figure
    from ..report._mathml import equations_html as equations_html
    from ..report._orbit import orbit_figure as orbit_figure
    from ..report._page import Code as Code
    from ..report._page import Download as Download
    from ..report._page import Equations as Equations
    from ..report._page import Figure as Figure
    from ..report._page import Section as Section
    from ..report._page import Table as Table
    from ..report._page import Text as Text
    from ..report._page import html as html
    from ..report._path import path_figure as path_figure
    from ..report._pictures import spreads_figure as spreads_figure
    from ..report._pictures import strips_figure as strips_figure
    from ..report._spectrum import spectrum_figure as spectrum_figure
    from ..report._traces import traces_figure as traces_figure

_LATE = {
    "field_figure": "_field",
    "generator_text": "_generator_text",
    "equations_html": "_mathml",
    "orbit_figure": "_orbit",
    **dict.fromkeys(("Directions", "Explorer", "Flow", "explorable"), "_explorer"),
    **dict.fromkeys(("Code", "Download", "Equations", "Figure", "Section", "Table", "Text", "html"), "_page"),
    **dict.fromkeys(("elements_figure", "lattice_figure"), "_lattice"),
    "path_figure": "_path",
    **dict.fromkeys(("spreads_figure", "strips_figure"), "_pictures"),
    "bounds_figure": "_bounds",
    "spectrum_figure": "_spectrum",
    "traces_figure": "_traces",
}

__getattr__ = door(__name__, _LATE)


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATE})
