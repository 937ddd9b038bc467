"""Which file is read by what: one table from suffix to reader."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from ._arrays import archive_file, hdf5_file
from ._arrow import arrow_file, parquet_file
from ._labelled import netcdf_file, zarr_store
from ._pieces import Source
from ._text import Text


@dataclass(frozen=True)
class Format:
    """A kind of file: `suffixes`, what `opens` it, and the packages of the extra `files` that this needs."""

    name: str
    suffixes: tuple[str, ...]
    opens: Callable[[Path], Source]
    packages: tuple[str, ...] = ()


FORMATS = (
    Format("Parquet", (".parquet", ".pq"), parquet_file, ("pyarrow",)),
    Format("Feather and Arrow", (".feather", ".arrow", ".ipc"), arrow_file, ("pyarrow",)),
    Format("HDF5", (".h5", ".hdf5", ".he5"), hdf5_file, ("h5py",)),
    Format("NetCDF", (".nc", ".nc4", ".cdf"), netcdf_file, ("xarray", "h5netcdf")),
    Format("Zarr", (".zarr",), zarr_store, ("xarray", "zarr")),
    Format("NumPy archive", (".npz",), archive_file),
)
_OF_SUFFIX = {suffix: one for one in FORMATS for suffix in one.suffixes}


def format_of(path: Path) -> Format | None:
    """The format that a file's suffix tells, None for delimited text.

    Raises: ModuleNotFoundError that says what to install.
    """
    found = _OF_SUFFIX.get(path.suffix.lower())
    for package in () if found is None else found.packages:
        if find_spec(package) is None:
            raise ModuleNotFoundError(
                f"file: '{path}' is read by {package}, which is not installed: pip install 'lieder[files]'."
            )
    return found


def opened(path: Path, delimiter: str, decimal: str) -> Source:
    """The file, of which the names of columns have been read."""
    found = format_of(path)
    return Text(path, delimiter, decimal) if found is None else found.opens(path)
