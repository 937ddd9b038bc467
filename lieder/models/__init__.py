"""Functions fitted to data: what a symmetry is read from when there is no model yet."""

from ._batches import values as values
from ._doubt import Alternatives as Alternatives
from ._family import FeatureModel as FeatureModel
from ._fit import fit as fit
from ._fitted import Fitted as Fitted
from ._judge import Judged as Judged
from ._judge import judge as judge
from ._levels import Levels as Levels
from ._levels import level_functions as level_functions
from ._levels import level_refits as level_refits
from ._many import MANY as MANY
from ._many import fit_stream as fit_stream
from ._many import is_linear as is_linear
from ._mlp import Network as Network
from ._nearest import followed as followed
from ._refit import Design as Design
from ._refit import LeastSquares as LeastSquares
from ._refit import Undetermined as Undetermined
from ._refit import design as design
from ._refit import least_squares as least_squares
from ._refit import linear_features as linear_features
from ._refit import named as named
from ._refit import richer as richer
from ._refits import Refits as Refits
from ._terms import Terms as Terms
from ._terms import terms as terms
