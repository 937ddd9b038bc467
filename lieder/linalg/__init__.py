"""Matrices only: stacks of generators, reductions, spectra, rank rules, irreducible pieces, intertwining maps."""

from ._axes import axis_aligned as axis_aligned
from ._gap import Gap as Gap
from ._gap import largest_gap as largest_gap
from ._intertwiners import intertwiners as intertwiners
from ._irreducible import Isotypic as Isotypic
from ._irreducible import NotSplit as NotSplit
from ._irreducible import irreducible as irreducible
from ._maps import AbstractMaps as AbstractMaps
from ._probe import Probe as Probe
from ._probe import probe as probe
from ._rational import row_echelon as row_echelon
from ._rational import simplest_fraction as simplest_fraction
from ._rational import varimax as varimax
from ._spectrum import RelativeSpectrum as RelativeSpectrum
from ._spectrum import relative_spectrum as relative_spectrum
from ._stack import MatrixStack as MatrixStack
from ._stack import stacked as stacked
from ._summands import Summand as Summand
from ._summands import summands as summands
from ._triangular import TriangularFactor as TriangularFactor
