"""A mark of data and settings: by it a checkpoint knows what it belongs to."""

import hashlib

import numpy as np
from numpy.typing import ArrayLike


def fingerprint(*parts: ArrayLike) -> str:
    """A text that changes with any of these arrays, numbers and texts: their kinds, shapes and contents.

    Arguments: `parts`, whatever NumPy takes for an array.
    Returns: 64 hexadecimal digits (SHA-256).
    """
    digest = hashlib.sha256()
    for part in parts:
        array = np.asarray(part)
        digest.update(f"{array.dtype.kind}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
