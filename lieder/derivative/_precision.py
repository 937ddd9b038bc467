"""Arithmetic in which rounding is that of the numbers themselves."""

from collections.abc import Iterator
from contextlib import contextmanager

import jax


@contextmanager
def full_precision() -> Iterator[None]:
    """Products of matrices in the precision of their entries, also inside a user's model; also a decorator.

    On accelerators JAX multiplies single-precision matrices with fewer digits (TF32: 3e-4 where rounding is 1e-7). A
    derivative taken so has exact symmetries at a hundred times the defect that rounding explains.
    """
    with jax.default_matmul_precision("highest"):
        yield
