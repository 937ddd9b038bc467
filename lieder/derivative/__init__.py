"""The Lie derivative: the only place where a generator meets a model, or a family of models."""

from ._features import LieMatrices as LieMatrices
from ._features import lie_matrices as lie_matrices
from ._lie import PROBES as PROBES
from ._lie import Blocks as Blocks
from ._lie import Moves as Moves
from ._lie import blocks as blocks
from ._lie import check_model as check_model
from ._lie import expand as expand
from ._lie import feature_width as feature_width
from ._lie import lie_derivative as lie_derivative
from ._lie import lie_rows as lie_rows
from ._lie import moves as moves
from ._lie import slopes as slopes
from ._operator import SampledOperator as SampledOperator
from ._operator import family_operator as family_operator
from ._operator import sampled_operator as sampled_operator
from ._precision import full_precision as full_precision
from ._sampled import values as values
from ._section import section_blocks as section_blocks
from ._section import section_width as section_width
