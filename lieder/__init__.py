"""Discover, enforce and promote continuous symmetries of models, data and dynamical systems.

Everything is carried by one map, the Lie derivative of a model F along a generator xi:

    (L_xi F)(x) = DF(x) theta_xi(x) - phi_xi(x, F(x)),

which is zero for every xi exactly when F is equivariant under the connected group.

Rooms and words are imported when first used (PEP 562), so that `import lieder` and `lieder --help` are quick.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lieder import action as action
    from lieder import algebra as algebra
    from lieder import derivative as derivative
    from lieder import dictionary as dictionary
    from lieder import discover as discover
    from lieder import enforce as enforce
    from lieder import files as files
    from lieder import interop as interop
    from lieder import jobs as jobs
    from lieder import learn as learn
    from lieder import linalg as linalg
    from lieder import models as models
    from lieder import nn as nn
    from lieder import promote as promote
    from lieder import report as report
    from lieder import representation as representation
    from lieder import sampling as sampling
    from lieder.action import covectors as covectors
    from lieder.action import points as points
    from lieder.action import scalars as scalars
    from lieder.action import vectors as vectors
    from lieder.derivative import lie_derivative as lie_derivative
    from lieder.discover import Symmetries as Symmetries

__version__ = "0.1.0"

_ROOMS = (
    "action",
    "algebra",
    "derivative",
    "dictionary",
    "discover",
    "enforce",
    "files",
    "interop",
    "jobs",
    "learn",
    "linalg",
    "models",
    "nn",
    "promote",
    "report",
    "representation",
    "sampling",
)

# The few words used everywhere, and the room each lives in.
_WORDS = {
    "Symmetries": "discover",
    "covectors": "action",
    "lie_derivative": "derivative",
    "points": "action",
    "scalars": "action",
    "vectors": "action",
}

__all__ = [  # noqa: RUF022 - rooms first, then words, as the reader meets them
    "action",
    "algebra",
    "derivative",
    "dictionary",
    "discover",
    "enforce",
    "files",
    "interop",
    "jobs",
    "learn",
    "linalg",
    "models",
    "nn",
    "promote",
    "report",
    "representation",
    "sampling",
    "Symmetries",
    "covectors",
    "lie_derivative",
    "points",
    "scalars",
    "vectors",
    "__version__",
]


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return import_module(f"lieder.{name}")
    if name in _WORDS:
        return getattr(import_module(f"lieder.{_WORDS[name]}"), name)
    raise AttributeError(f"module 'lieder' has no attribute {name!r}; it has {', '.join(__all__)}")


def __dir__() -> list[str]:
    return sorted(__all__)
