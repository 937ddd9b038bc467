"""The symmetry is known: the maps, functions and dynamics that have it exactly."""

from ._homogeneous import homogeneous as homogeneous
from ._maps import EquivariantMaps as EquivariantMaps
from ._maps import maps as maps
