"""Tables, figures and the HTML page: arrays, strings and numbers in, something to look at out."""

from lieder.report._field import field_figure as field_figure
from lieder.report._generator_text import generator_text as generator_text
from lieder.report._mathml import equations_html as equations_html
from lieder.report._orbit import orbit_figure as orbit_figure
from lieder.report._page import Equations as Equations
from lieder.report._page import Figure as Figure
from lieder.report._page import Section as Section
from lieder.report._page import Table as Table
from lieder.report._page import Text as Text
from lieder.report._page import html as html
from lieder.report._path import path_figure as path_figure
from lieder.report._progress import progress as progress
from lieder.report._spectrum import spectrum_figure as spectrum_figure
from lieder.report._terminal import Verdict as Verdict
from lieder.report._terminal import render as render
from lieder.report._terminal import table as table
from lieder.report._terminal import verdict_panel as verdict_panel
