"""Matrices only: stacks of generators, triangular reductions, relative spectra, rank rules, simple bases."""

from ._gap import Gap as Gap
from ._gap import largest_gap as largest_gap
from ._rational import row_echelon as row_echelon
from ._rational import simplest_fraction as simplest_fraction
from ._rational import varimax as varimax
from ._spectrum import RelativeSpectrum as RelativeSpectrum
from ._spectrum import relative_spectrum as relative_spectrum
from ._stack import MatrixStack as MatrixStack
from ._stack import stacked as stacked
from ._triangular import TriangularFactor as TriangularFactor
