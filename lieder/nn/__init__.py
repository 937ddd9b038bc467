"""Layers that respect a symmetry exactly, as equinox modules on one example, and a check that says whether a model
does."""

from ._linear import Linear as Linear
