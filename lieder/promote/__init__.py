"""Promote: encourage the symmetries that a model may have, and let the data break those that it must not."""

from ._candidates import orthonormal as orthonormal
