"""Promote: encourage the symmetries that a model may have, and let the data break those that it must not."""

from . import mirror as mirror
from ._candidates import orthonormal as orthonormal
from ._elements import element_penalty as element_penalty
from ._path import RegressionPath as RegressionPath
from ._penalty import layer_penalty as layer_penalty
from ._penalty import penalty as penalty
from ._regression import Regression as Regression
