"""Matrices only: stacks of generators, triangular reductions, null spaces, rank rules."""

from ._stack import MatrixStack as MatrixStack
from ._stack import stacked as stacked
