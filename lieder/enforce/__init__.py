"""The symmetry is known: the maps, functions and dynamics that have it exactly."""

from ._dynamics import SparseDynamics as SparseDynamics
from ._dynamics import sparse_dynamics as sparse_dynamics
from ._dynamics_constraints import Constraints as Constraints
from ._dynamics_constraints import constraints as constraints
from ._functions import EquivariantFunctions as EquivariantFunctions
from ._functions import functions as functions
from ._functions_family import linear_in_parameters as linear_in_parameters
from ._functions_sklearn import FunctionFeatures as FunctionFeatures
from ._homogeneous import homogeneous as homogeneous
from ._kernels import EquivariantKernels as EquivariantKernels
from ._kernels import kernels as kernels
from ._maps import EquivariantMaps as EquivariantMaps
from ._maps import maps as maps
from ._projection import Projection as Projection
from ._projection import project as project
from ._slopes import AbstractSlopes as AbstractSlopes
from ._slopes import Smoothed as Smoothed
from ._slopes import SmoothingSpline as SmoothingSpline
from ._slopes import TotalVariation as TotalVariation
from ._slopes import WeakForm as WeakForm
from ._symbolic import SymbolicDynamics as SymbolicDynamics
from ._symbolic import symbolic_dynamics as symbolic_dynamics
