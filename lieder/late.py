"""Packages that are heavy and needed late, or never: each is imported when something in it is first used.

Formulas need sympy, pictures matplotlib, networks optax, neighbours and clusters their trees, files of
other formats than text their readers. What is annotated by their classes is annotated in quotes.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any


class _Late:
    """A module that is imported when it is first asked for something."""

    def __init__(self, name: str):
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(import_module(self._name), attribute)


if TYPE_CHECKING:
    import optax as optax
    import scipy.cluster.hierarchy as hierarchy
    import sklearn.ensemble as ensemble
    import sklearn.neighbors as neighbors
    import sympy as sympy

    compute: Any  # of pyarrow; what is in an extra is not there for the types
    h5py: Any
    ipc: Any
    parquet: Any
    pyarrow: Any
    xarray: Any
else:
    compute = _Late("pyarrow.compute")
    ensemble = _Late("sklearn.ensemble")
    h5py = _Late("h5py")
    hierarchy = _Late("scipy.cluster.hierarchy")
    ipc = _Late("pyarrow.ipc")
    neighbors = _Late("sklearn.neighbors")
    optax = _Late("optax")
    parquet = _Late("pyarrow.parquet")
    pyarrow = _Late("pyarrow")
    sympy = _Late("sympy")
    xarray = _Late("xarray")


def door(room: str, files: Mapping[str, str]) -> Callable[[str], Any]:
    """The `__getattr__` of a room's front door, some of whose names are brought from their files when asked for.

    Arguments: `room`, its `__name__`; `files`, the file of each such name, or the room, "lieder.learn", that it is of.
    Returns: the function of PEP 562. It raises AttributeError for any other name.
    """

    def brought(name: str) -> Any:
        if name not in files:
            raise AttributeError(f"module '{room}' has no attribute {name!r}")
        file = files[name]
        return getattr(import_module(file if file.startswith("lieder.") else f"{room}.{file}"), name)

    return brought
