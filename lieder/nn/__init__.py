"""Layers that respect a symmetry exactly, as equinox modules on one example, and a check that says whether a model
does."""

from ._bilinear import Bilinear as Bilinear
from ._check import check as check
from ._check_record import Check as Check
from ._gated import Gated as Gated
from ._gated import Norm as Norm
from ._hidden import hidden as hidden
from ._integral import IntegralOperator as IntegralOperator
from ._integral import neighbours as neighbours
from ._linear import Linear as Linear
from ._mlp import MLP as MLP
from ._quadratic import Quadratic as Quadratic
