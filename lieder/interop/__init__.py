"""Foreign objects in, batches of values and Jacobians out: scikit-learn, torch, dask."""

from ._dask import batches as batches
from ._dask import is_dask as is_dask
from ._differences import central_differences as central_differences
from ._foreign import ForeignModel as ForeignModel
from ._sklearn import from_sklearn as from_sklearn
from ._sklearn import is_sklearn as is_sklearn
from ._torch import from_torch as from_torch
from ._torch import is_torch as is_torch
