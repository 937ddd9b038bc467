"""Foreign objects in, batches of values and Jacobians out: scikit-learn, torch, dask, pysindy, gplearn."""

from ._dask import cluster as cluster
from ._dask import is_dask as is_dask
from ._dask import tables_on_workers as tables_on_workers
from ._differences import central_differences as central_differences
from ._differences import coarser as coarser
from ._estimators import estimator_inputs as estimator_inputs
from ._estimators import estimator_outputs as estimator_outputs
from ._foreign import ForeignModel as ForeignModel
from ._gplearn import ARITIES as ARITIES
from ._gplearn import Program as Program
from ._gplearn import programs as programs
from ._mapped import is_tree as is_tree
from ._mapped import mapped as mapped
from ._mapped import tree as tree
from ._pysindy import from_pysindy as from_pysindy
from ._pysindy import is_pysindy as is_pysindy
from ._recognised import adapted as adapted
from ._recognised import from_numpy as from_numpy
from ._recognised import is_foreign as is_foreign
from ._recognised import is_numpy as is_numpy
from ._rows import is_spread as is_spread
from ._rows import rows_of as rows_of
from ._sklearn import from_sklearn as from_sklearn
from ._sklearn import is_sklearn as is_sklearn
from ._torch import from_torch as from_torch
from ._torch import is_torch as is_torch
