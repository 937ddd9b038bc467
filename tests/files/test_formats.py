"""The same rows from every format, whole or in several files; and what is refused, in words."""

import warnings
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

import lieder as ld
from lieder.files import read_csv, read_gridded, rows

h5py = pytest.importorskip("h5py")
pyarrow = pytest.importorskip("pyarrow")
pytest.importorskip("pyarrow.parquet")
pytest.importorskip("pyarrow.feather")
xarray = pytest.importorskip("xarray")
pytest.importorskip("h5netcdf")
zarr = pytest.importorskip("zarr")
pandas = pytest.importorskip("pandas")

NAMES = ["x", "y (m)", "e"]
FORMATS = ["csv", "parquet", "feather", "h5", "nc", "zarr", "npz"]


def frame(count=60, seed=0):
    x = np.random.default_rng(seed).normal(size=(count, 2))
    return pandas.DataFrame({"x": x[:, 0], "y (m)": x[:, 1], "e": np.sum(x**2, axis=1)})


def write(data, path: Path) -> Path:
    """A data frame as its users write it."""
    kind = path.suffix[1:]
    if kind == "csv":
        data.to_csv(path, index=False)
    elif kind == "parquet":
        data.to_parquet(path, index=False)
    elif kind == "feather":
        data.to_feather(path)
    elif kind == "npz":
        np.savez(path, **{name: data[name].to_numpy() for name in data})
    elif kind == "h5":
        with h5py.File(path, "w") as file:
            for name in data:
                file[name] = data[name].to_numpy()
    else:
        whole = xarray.Dataset({name: ("row", data[name].to_numpy()) for name in data})
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # zarr's, on what it writes
            whole.to_netcdf(path) if kind == "nc" else whole.to_zarr(path)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A table whole and, in natural order, in three files, in every format."""
    where, data = tmp_path_factory.mktemp("formats"), frame()
    for kind in FORMATS:
        write(data, where / f"all.{kind}")
        for k, some in zip((1, 2, 10), np.array_split(np.arange(len(data)), 3), strict=True):
            write(data.iloc[some].reset_index(drop=True), where / f"run{k}.{kind}")
    return where


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("files", ["all", "run*"])
def test_the_same_rows_from_every_format(folder, kind, files):
    found = rows(folder / f"{files}.{kind}", NAMES)
    whole = frame().to_numpy()
    np.testing.assert_array_equal(found.gather().values, whole)
    np.testing.assert_array_equal(np.concatenate(list(found)), whole)
    np.testing.assert_array_equal(np.concatenate(list(found)), whole)  # as often as one likes
    turned = found[["e", "x"]]
    assert turned.names == ("e", "x")
    np.testing.assert_array_equal(np.concatenate(list(turned)), whole[:, [2, 0]])
    np.testing.assert_array_equal(turned.gather().values, whole[:, [2, 0]])


def test_files_in_natural_order(folder):
    """run2 before run10, of a pattern; as they are named, of a list."""
    found = rows(str(folder / "run*.parquet"), ["x"])
    assert [path.stem for path in found.files] == ["run1", "run2", "run10"]
    pair = [folder / "run10.h5", folder / "run2.h5"]
    assert list(rows(pair, ["x"]).files) == pair


def test_rows_come_in_pieces(folder, monkeypatch):
    """Never more together than the budget allows, and in their order."""
    monkeypatch.setattr("lieder.files._pieces.MOST", 21)
    for kind in FORMATS:
        pieces = list(rows(folder / f"all.{kind}", NAMES))
        if kind != "npz":
            assert max(map(len, pieces)) <= 7, kind
        np.testing.assert_array_equal(np.concatenate(pieces), frame().to_numpy())


def test_units_are_kept(tmp_path):
    data = frame()
    fields = [pyarrow.field(name, pyarrow.float64(), metadata={"unit": "m"} if name == "x" else None) for name in data]
    table = pyarrow.Table.from_pandas(data, schema=pyarrow.schema(fields), preserve_index=False)
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet")
    pyarrow.feather.write_feather(table, tmp_path / "a.feather")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for name in data:
            file[name] = data[name].to_numpy()
        file["x"].attrs["units"] = "m"
    whole = xarray.Dataset({name: ("row", data[name].to_numpy()) for name in data})
    whole["x"].attrs["units"] = "m"
    whole.to_netcdf(tmp_path / "a.nc")
    for kind in ("parquet", "feather", "h5", "nc"):
        found = rows(tmp_path / f"a.{kind}", NAMES)
        assert found.units == found.gather().units == ("m", "", "")
        assert found[["e", "x"]].units == ("", "m") and "x (m), y (m), e from" in repr(found)
    whole["x"].attrs["units"] = "km"
    whole.to_netcdf(tmp_path / "b.nc")
    with pytest.raises(ValueError, match=r"column 'x' is in m in '.*a\.nc' and in km in '.*b\.nc'"):
        rows(tmp_path / "*.nc", NAMES)


def test_models_at_rows_with_units_say_them(tmp_path):
    angle = np.linspace(0, 5, 50)
    x = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for name, column in zip("xy", x.T, strict=True):
            file[name] = column
        file["y"].attrs["units"] = "m"
    at, turns = rows(tmp_path / "a.h5", ["x", "y"]), ld.vectors(ld.algebra.so(2))
    energy = ld.discover.function(lambda z: z @ z, at, source=turns)
    assert (energy.names, energy.units) == (("x", "y", "y0"), ("", "m", ""))
    assert ld.discover.vector_field(lambda z: z * (z @ z), at, action=turns).units == ("", "m", "", "")
    flat = ld.discover.section(lambda z: jnp.eye(2), at, action=turns, kind="metric")
    assert flat.dim == 1 and flat.units[:2] == ("", "m")
    circle = ld.dictionary.polynomials(2, 2)
    gathered = ld.discover.level_set(at.gather(), action=turns, dictionary=circle, count=1)
    assert (gathered.names, gathered.units) == (("x", "y"), ("", "m"))


def test_columns_that_are_parts(tmp_path):
    """Arrays (N, k), tables of records, groups; structs and lists of one length."""
    z = np.arange(12.0).reshape(4, 3)
    records = np.array([(k, 2 * k) for k in range(4)], dtype=[("a", "i4"), ("b", "f4")])
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["run/z"], file["run/table"], file["run/t"] = z, records, np.arange(4)
    found = rows(tmp_path / "a.h5", ["run/z.2", "run/table.b", "run/t"]).gather().values
    np.testing.assert_array_equal(found, np.stack([z[:, 2], records["b"], np.arange(4)], axis=1))
    lists = pyarrow.FixedSizeListArray.from_arrays(pyarrow.array(z.ravel()), 3)
    struct = pyarrow.StructArray.from_arrays([lists, pyarrow.array(np.arange(4))], ["z", "t"])
    table = pyarrow.table({"run": struct, "v": lists})
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet")
    pyarrow.feather.write_feather(table, tmp_path / "a.feather")
    for kind in ("parquet", "feather"):
        found = rows(tmp_path / f"a.{kind}", ["run.z.2", "run.t", "v.0"]).gather().values
        np.testing.assert_array_equal(found, np.stack([z[:, 2], np.arange(4), z[:, 0]], axis=1))


def test_variables_of_several_dimensions(tmp_path, monkeypatch):
    """A row for each place; packed numbers are unpacked, fill values are gaps."""
    place, height = np.arange(4.0), np.array([0.0, 10.0, 20.0])
    values = place + height[:, None] / 8
    values[1, 2] = np.nan
    whole = xarray.Dataset({"T": (("height", "place"), values)}, {"place": place, "height": height})
    whole["T"].encoding.update(dtype="int16", scale_factor=0.25, add_offset=1.0, _FillValue=-999)
    whole.to_netcdf(tmp_path / "a.nc")
    for most in (2**20, 6):
        monkeypatch.setattr("lieder.files._pieces.MOST", most)
        found = rows(tmp_path / "a.nc", ["place", "height", "T"], missing="drop").gather()
        inside = np.isfinite(values.ravel())
        spread = [np.tile(place, 3), np.repeat(height, 4), values.ravel()]
        np.testing.assert_array_equal(found.values, np.stack(spread, axis=1)[inside])
        assert found.left_out == 1
    with pytest.raises(
        ValueError, match=r"row 6, column 'T' of '.*a\.nc' holds no value \(NaN or null\).*1 of 12 rows"
    ):
        rows(tmp_path / "a.nc", ["place", "T"]).gather()


KINDS = {
    "float32": pandas.Series([0.5, 1.25, 3.0], dtype="float32"),
    "int64": pandas.Series([1, 2, 3]),
    "nullable": pandas.Series([1, 2, 3], dtype="Int32"),
    "category of numbers": pandas.Series([1, 2, 1]).astype("category"),
    "objects": pandas.Series([1.0, 2, 3], dtype=object),
}


@pytest.mark.parametrize("kind", KINDS)
def test_kinds_of_numbers(tmp_path, kind):
    data = pandas.DataFrame({"a": KINDS[kind]})
    data.to_parquet(tmp_path / "a.parquet")
    data.to_feather(tmp_path / "a.feather")
    for path in tmp_path.iterdir():
        found = rows(path, ["a"]).gather().values
        assert found.dtype == np.float64
        np.testing.assert_array_equal(found[:, 0], np.asarray(KINDS[kind], np.float64))


NO_NUMBERS = {
    "text": (["red", "green", "red"], r"column 'a' of '.*' holds 'red' in row 0.*red, green\. A category has no"),
    "numbers as text": (["1", "2", "3"], r"holds '1' in row 0.*The column holds text: write it as numbers"),
    "categories": (pandas.Series(["u", "v", "u"]).astype("category"), r"'u' in row 0.*A category has no"),
    "switch": ([True, False, True], r"holds true and false: a switch has no continuous symmetry"),
    "stamps": (pandas.date_range("2026-01-01", periods=3), r"holds times\. It is a time.*--time in lieder dynamics"),
    "durations": (pandas.to_timedelta([1, 2, 3], unit="s"), r"holds durations\. Write it as numbers of a unit"),
    "lists": ([[1, 2], [3], [4]], r"holds '\[1, 2\]' in row 0, where a number is needed"),
    "gap": ([1.0, None, np.nan], r"row 1, column 'a' of '.*' holds no value \(NaN or null\).*2 of 3 rows"),
    "nothing": ([None, None, None], r"row 0, column 'a' .* holds no value.*3 of 3 rows"),
}


@pytest.mark.parametrize("kind", NO_NUMBERS)
def test_columns_without_numbers(tmp_path, kind):
    values, message = NO_NUMBERS[kind]
    pandas.DataFrame({"a": values}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(ValueError, match=message):
        rows(tmp_path / "a.parquet", ["a"]).gather()


def test_gaps_are_counted_and_left_out(tmp_path):
    """With the rows of all columns asked for, so that inputs and outputs stay together."""
    data = pandas.DataFrame({"a": pandas.array([1, None, 3, 4], "Int64"), "b": [1.0, 2, np.nan, 4], "c": [None] * 4})
    data.to_parquet(tmp_path / "a.parquet")
    found = rows(tmp_path / "a.parquet", ["a", "b"], missing="drop")
    np.testing.assert_array_equal(found.gather().values, [[1, 1], [4, 4]])
    assert found.gather().left_out == 2
    np.testing.assert_array_equal(np.concatenate(list(found["a"])), [[1], [4]])
    with pytest.raises(
        ValueError, match=r"row 1, column 'a'.*2 of 4 rows.*--missing drop \(in Python missing='drop'\)"
    ):
        rows(tmp_path / "a.parquet", ["a", "b"]).gather()


STAMPS = pandas.date_range("2026-03-01", periods=4, freq="30s")


@pytest.mark.parametrize("kind", ["parquet", "feather", "nc", "zarr", "csv"])
@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
def test_stamps_are_seconds(tmp_path, kind, zone):
    if zone and kind in ("nc", "zarr"):
        return  # their times have no zone
    data = pandas.DataFrame({"t": STAMPS.tz_localize(zone), "x": np.arange(4.0), "run": ["a", "a", "b", "b"]})
    found = rows(write(data, tmp_path / f"a.{kind}"), ["x"], time="t", label="run").gather()
    np.testing.assert_array_equal(found.times, [0, 30, 60, 90])
    assert found.labels == ("a", "a", "b", "b")


def test_every_file_is_a_trajectory(tmp_path):
    for k in range(2):
        write(pandas.DataFrame({"t": [0.0, 1.0], "x": [k, 5.0]}), tmp_path / f"run{k}.parquet")
    parts = rows(tmp_path / "*.parquet", ["x"], time="t").gather().trajectories()
    assert [Path(name).name for name in parts] == ["run0.parquet", "run1.parquet"]
    write(pandas.DataFrame({"t": [0.0, 0.0], "x": [1.0, 5.0]}), tmp_path / "run2.parquet")
    with pytest.raises(ValueError, match=r"do not increase at row 1 of '.*run2\.parquet'"):
        rows(tmp_path / "*.parquet", ["x"], time="t").gather()


def test_empty_files_are_passed_over(tmp_path):
    write(frame(3), tmp_path / "a.parquet")
    write(frame(3).iloc[:0], tmp_path / "b.parquet")
    found = rows(tmp_path / "*.parquet", NAMES).gather()
    assert len(found.values) == 3 and found.empty == (str(tmp_path / "b.parquet"),)
    with pytest.raises(ValueError, match=r"'.*b\.parquet' has 0 rows of data"):
        rows(tmp_path / "b.parquet", NAMES).gather()
    with pytest.raises(ValueError, match=r"'.*b\.parquet' has 0 rows of data"):
        list(rows(tmp_path / "b.parquet", NAMES))


@pytest.mark.parametrize("kind", FORMATS)
def test_a_column_that_is_not_there(folder, kind):
    with pytest.raises(ValueError, match=rf"no column 'y' in '.*all\.{kind}'.* It has: (x, y \(m\), e|e, x, y \(m\))"):
        rows(folder / f"all.{kind}", ["x", "y"])


@pytest.mark.parametrize("kind", FORMATS)
def test_a_file_that_is_none(tmp_path, kind):
    path = tmp_path / f"a.{kind}"
    path.write_bytes(b"\x93 no such file \xff" * 9)
    name = {"h5": "HDF5", "nc": "NetCDF", "npz": "NumPy archive", "feather": "Arrow"}.get(kind, kind.title())
    message = "is not UTF-8 text" if kind == "csv" else f"cannot be read as a {name} file .*Is it whole"
    with pytest.raises(ValueError, match=message) as told:
        rows(path, ["x"])
    assert "\n" not in str(told.value) and "pickle" not in str(told.value)


def test_another_suffix(folder, tmp_path):
    for kind, name in (("parquet", "Parquet"), ("feather", "Arrow"), ("h5", "HDF5 or NetCDF")):
        (tmp_path / "a.csv").write_bytes((folder / f"all.{kind}").read_bytes())
        with pytest.raises(ValueError, match=f"is not UTF-8 text. It begins like a {name} file: give it that suffix"):
            rows(tmp_path / "a.csv", ["x"])
    (tmp_path / "a.xlsx").write_bytes(b"PK\x03\x04\xff\xfe")
    with pytest.raises(ValueError, match="begins like a spreadsheet or an archive: save it as CSV"):
        rows(tmp_path / "a.xlsx", ["x"])
    with pytest.raises(IsADirectoryError, match=r"is a folder; .* '.*b\.parquet/\*\.parquet', say"):
        (tmp_path / "b.parquet").mkdir()
        rows(tmp_path / "b.parquet", ["x"])


def test_files_that_differ(tmp_path):
    write(frame(), tmp_path / "run0.parquet")
    write(frame().rename(columns={"x": "X"}), tmp_path / "run1.parquet")
    with pytest.raises(ValueError, match=r"no column 'x' in '.*run1\.parquet'; did you mean 'X'\?"):
        rows(tmp_path / "run*.parquet", NAMES)
    write(frame().astype({"x": str}), tmp_path / "run1.parquet")
    with pytest.raises(ValueError, match=r"column 'x' of '.*run1\.parquet' holds '0\.1257.*' in row 0"):
        rows(tmp_path / "run*.parquet", NAMES).gather()


def test_a_pattern_of_nothing(folder, tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r"'.*walk\*\.parquet' matches no file\. The folder '.*' holds all\.csv"
    ):
        rows(folder / "walk*.parquet", ["x"])
    with pytest.raises(FileNotFoundError, match=r"matches nothing: there is no folder '.*nowhere'"):
        rows(tmp_path / "nowhere" / "*" / "a.csv", ["x"])
    with pytest.raises(ValueError, match="the list of files is empty"):
        rows([], ["x"])
    with pytest.raises(ValueError, match=r"all\.csv' is named twice"):
        rows([folder / "all.csv", folder / "all.csv"], ["x"])
    with pytest.raises(TypeError, match="expected a path, a pattern such as"):
        rows(3, ["x"])
    with pytest.raises(ValueError, match="columns: expected a list of names, got 'xy'"):
        rows(folder / "all.csv", "xy")


def test_arrays_that_are_no_table(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"], file["run/y"], file["u"], file["z"] = np.arange(5), np.arange(4), np.ones((2, 3, 4)), np.ones((5, 2))
        file.create_group("empty")
    for columns, message in (
        (["x", "run/y"], r"columns of different lengths, 'x' 5, 'run/y' 4: they are no table"),
        (["run"], r"'run' of '.*' is a group; name what is in it: run/y"),
        (["u"], r"'u' of '.*' has shape \(2, 3, 4\): a column has one number a row"),
        (["z"], r"'z' of '.*' has shape \(5, 2\): its columns are 'z\.0' to 'z\.1'"),
        (["y"], r"no column 'y' in '.*'.* It has: run/y, x, z\.0, z\.1"),
    ):
        with pytest.raises(ValueError, match=message):
            rows(tmp_path / "a.h5", columns)
    xarray.Dataset({"a": ("p", [1.0, 2.0]), "b": ("q", [1.0, 2.0, 3.0]), "c": 1.0}).to_netcdf(tmp_path / "a.nc")
    with pytest.raises(ValueError, match=r"'a' on \(p\) and 'b' on \(q\): they share no rows"):
        rows(tmp_path / "a.nc", ["a", "b"])
    with pytest.raises(ValueError, match=r"c of '.*' are single numbers, no columns"):
        rows(tmp_path / "a.nc", ["c"])
    np.save(tmp_path / "b.npz.npy", np.ones(3))
    (tmp_path / "b.npz.npy").rename(tmp_path / "b.npz")
    with pytest.raises(ValueError, match=r"holds a single array \(\.npy\)"):
        rows(tmp_path / "b.npz", ["x"])


@pytest.mark.parametrize(
    ("kind", "package"), [("parquet", "pyarrow"), ("h5", "h5py"), ("nc", "xarray"), ("zarr", "xarray")]
)
def test_without_the_package(folder, monkeypatch, kind, package):
    monkeypatch.setattr("lieder.files._formats.find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match=rf"read by {package}, which is not .*pip install 'lieder\[files\]'"):
        rows(folder / f"all.{kind}", ["x"])


T, X = np.array([0.0, 0.5, 2.0]), np.array([-1.0, 0.0, 1.0, 3.0])
U = np.sin(T[:, None] + 2 * X) + np.array([0.0, 3.0])[:, None, None]  # two solutions


@pytest.mark.parametrize("kind", ["h5", "nc", "zarr", "npz", "parquet"])
@pytest.mark.parametrize("files", ["one", "several"])
def test_functions_on_a_grid(tmp_path, kind, files):
    """In one file with solutions first, transposed where dimensions have names; or in a file a solution."""
    grid = {"t": T, "x": X}
    parts = {"all": U} if files == "one" else {"run2": U[:1], "run10": U[1:]}
    for name, u in parts.items():
        path = tmp_path / f"{name}.{kind}"
        if kind == "parquet":
            spread = np.stack(np.broadcast_arrays(np.arange(len(u))[:, None, None], T[:, None], X, u), -1)
            write(pandas.DataFrame(spread.reshape(-1, 4), columns=["run", "t", "x", "u"]), path)
        elif kind == "npz":
            np.savez(path, u=u, **grid)
        elif kind == "h5":
            with h5py.File(path, "w") as file:
                file["u"], file["t"], file["x"] = u, T, X
        else:
            whole = xarray.Dataset({"u": (("run", "t", "x"), u)}, grid).transpose("x", "run", "t")
            whole["u"].attrs["units"] = "K"
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # zarr's, on what it writes
                whole.to_netcdf(path) if kind == "nc" else whole.to_zarr(path)
    label = "run" if kind == "parquet" and files == "one" else None
    read = read_gridded(tmp_path / f"*.{kind}", ["t", "x"], ["u"], label=label)
    np.testing.assert_array_equal(read.samples, U[:, None])
    np.testing.assert_array_equal(read.axes[1], X)
    assert read.units == ("", "", "K" if kind in ("nc", "zarr") else "")


def test_what_xarray_cannot_tell(tmp_path):
    """Calendars of climate models without the package that knows them; groups; arrays without names of dimensions."""
    days = ("time", [0.5, 1.5, 2.5], {"units": "days since 2001-01-01", "calendar": "noleap"})
    xarray.Dataset({"T": ("time", [1.0, 2.0, 3.0])}, {"time": days}).to_netcdf(tmp_path / "a.nc")
    steps = np.diff(rows(tmp_path / "a.nc", ["T"], time="time").gather().times)
    assert steps[0] == steps[1] and steps[0] in (1, 86400)
    xarray.Dataset({"T": ("time", [1.0, 2.0, 3.0])}).to_netcdf(tmp_path / "b.nc", group="run")
    with pytest.raises(ValueError, match=r"no variables outside groups\. Named \.h5 it is read as HDF5"):
        rows(tmp_path / "b.nc", ["T"])
    (tmp_path / "b.nc").rename(tmp_path / "b.h5")
    np.testing.assert_array_equal(rows(tmp_path / "b.h5", ["run/T"]).gather().values[:, 0], [1, 2, 3])
    zarr.open_group(tmp_path / "a.zarr", mode="w").create_array("x", data=np.arange(3.0))
    with pytest.raises(ValueError, match=r"arrays of '.*a\.zarr' have no names of dimensions"):
        rows(tmp_path / "a.zarr", ["x"])


def test_a_gap_on_a_grid(tmp_path):
    u = U[0].copy()
    u[1, 2] = np.nan
    xarray.Dataset({"u": (("t", "x"), u)}, {"t": T, "x": X}).to_netcdf(tmp_path / "u.nc")
    with pytest.raises(ValueError, match=r"'u' of '.*u\.nc' has no value at t=0\.5, x=1, and at 1 of 12 points"):
        read_gridded(tmp_path / "u.nc", ["t", "x"], ["u"])
    xarray.Dataset({"u": (("t", "x"), U[0])}, {"t": T, "x": X + 1}).to_netcdf(tmp_path / "v.nc")
    xarray.Dataset({"u": (("t", "x"), U[0])}, {"t": T, "x": X}).to_netcdf(tmp_path / "w.nc")
    with pytest.raises(ValueError, match=r"'.*v\.nc' and '.*w\.nc' have different values of 'x'"):
        read_gridded(tmp_path / "[vw].nc", ["t", "x"], ["u"])


def test_read_csv_reads_text_of_any_suffix(tmp_path):
    (tmp_path / "a.nc").write_text("a,b\n1,2\n3,4\n")
    np.testing.assert_array_equal(read_csv(tmp_path / "a.nc", ["b"]).values, [[2], [4]])
