"""Every verb that reads tables answers alike whatever the files are, and mistakes are one line."""

import json

import numpy as np
import pytest
from test_cli import command

h5py = pytest.importorskip("h5py")
pandas = pytest.importorskip("pandas")
xarray = pytest.importorskip("xarray")
pytest.importorskip("pyarrow")
pytest.importorskip("h5netcdf")
pytest.importorskip("zarr")


def fall(run: int):
    """A harmonic motion; z depends on the distance alone."""
    t = np.linspace(0, 6, 60)
    q, p = (run + 1) * np.sin(t + run), (run + 1) * np.cos(t + run)
    return pandas.DataFrame({"t": t, "q": q, "p": p, "z": (q**2 + p**2) ** 2})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Three runs, a file each, as text, Parquet, HDF5 and NetCDF."""
    where = tmp_path_factory.mktemp("runs")
    for run in range(3):
        data = fall(run)
        data.to_csv(where / f"run{run}.csv", index=False)
        data.to_parquet(where / f"run{run}.parquet")
        with h5py.File(where / f"run{run}.h5", "w") as file:
            for name in data:
                file[name] = data[name].to_numpy()
        xarray.Dataset.from_dataframe(data).to_netcdf(where / f"run{run}.nc")
    return where


LAW = ("--inputs", "q,p", "--outputs", "z", "--candidates", "gl(2) on vectors(q,p)", "--fit", "polynomial(4)")
VERBS = {
    "discover": (*LAW, "--json"),
    "finite": ("--inputs", "q,p", "--outputs", "z", "--candidates", "polygon(4) on vectors(q,p)", *LAW[-2:], "--json"),
    "conserved": ("--states", "q,p", "--time", "t", "--json"),
    "dynamics": ("--states", "q,p", "--time", "t", "--dictionary", "linear"),
    "promote": (*LAW[:-2], "--dictionary", "polynomials(4)", "--exact"),
}


@pytest.mark.parametrize("verb", VERBS)
def test_one_answer_whatever_the_files_are(folder, verb, monkeypatch, capsys):
    said = {}
    for kind in ("csv", "parquet", "h5", "nc"):
        code, out, err = command(verb, folder / f"*.{kind}", *VERBS[verb], monkeypatch=monkeypatch, capsys=capsys)
        assert code == 0, err
        said[kind] = out.replace(f".{kind}", "")
    assert len(set(said.values())) == 1
    if verb == "discover":
        answer = json.loads(said["csv"])
        assert answer["dim"] == 1 and answer["rows"] > 0


@pytest.mark.parametrize("missing", ["refuse", "drop"])  # read batch by batch, and all at once
def test_units_are_in_the_record(folder, tmp_path, missing, monkeypatch, capsys):
    """Of files named one by one, as a shell expands a pattern."""
    for path in folder.glob("*.nc"):
        data = xarray.load_dataset(path)
        data["q"].attrs["units"], data["z"].attrs["units"] = "m", "m4"
        data.to_netcdf(tmp_path / path.name)
    some, saved = sorted(tmp_path.glob("*.nc")), tmp_path / "found.npz"
    options = (*LAW, "--missing", missing, "--save", saved)
    code, out, _ = command("discover", *some, *options, monkeypatch=monkeypatch, capsys=capsys)
    assert code == 0 and "q d/dp - p d/dq" in out and "Units: q (m), z (m4)." in out
    code, out, _ = command("show", saved, "--json", monkeypatch=monkeypatch, capsys=capsys)
    assert code == 0 and json.loads(out)["units"] == ["m", "", "m4"]
    states = ("--states", "q,p", "--time", "t", "--dictionary", "linear")
    code, out, _ = command("dynamics", *some, *states, monkeypatch=monkeypatch, capsys=capsys)
    assert code == 0 and out.startswith("Units: q (m).\n")


MISTAKES = {
    "pattern": ("walk*.parquet", "'walk*.parquet' matches no file. The folder '.' holds run0.csv, run0.h5"),
    "column": ("run0.h5", "there is no column 'w' in 'run0.h5'. It has: p, q, t, z."),
    "kind": ("wrong.nc", "'wrong.nc' cannot be read as a NetCDF file ("),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_line(folder, mistake, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    (folder / "wrong.nc").write_bytes(b"nothing")
    file, message = MISTAKES[mistake]
    options = ("--inputs", "q,w", "--candidates", "gl(2) on vectors(q,w)")
    code, out, err = command("discover", file, *options, monkeypatch=monkeypatch, capsys=capsys)
    (folder / "wrong.nc").unlink()
    assert code == 2 and out == "" and err.count("\n") == 1 and message in err


def test_without_the_extra(folder, monkeypatch, capsys):
    monkeypatch.setattr("lieder.files._formats.find_spec", lambda name: None)
    code, _, err = command("discover", folder / "run0.parquet", *LAW, monkeypatch=monkeypatch, capsys=capsys)
    assert code == 2 and "read by pyarrow, which is not installed: pip install 'lieder[files]'." in err


def test_what_was_left_out_is_told(folder, tmp_path, monkeypatch, capsys):
    data = fall(0)
    data.loc[3, "p"] = np.nan
    data.to_parquet(tmp_path / "a.parquet")
    data.iloc[:0].to_parquet(tmp_path / "b.parquet")
    path = str(tmp_path / "*.parquet")
    code, _, err = command("discover", path, *LAW, monkeypatch=monkeypatch, capsys=capsys)
    assert code == 2 and "row 3, column 'p'" in err and "1 of 60 rows" in err and err.count("\n") == 1
    wrong = (*LAW[:-1], "polinomial(4)", "--missing", "drop")  # what comes after reading is not asked
    code, out, _ = command("discover", path, *wrong, monkeypatch=monkeypatch, capsys=capsys)
    assert code == 2 and out.startswith("1 of 60 rows have gaps and are left out.\n1 of 2 files hold no rows: ")
    code, out, err = command("discover", path, *wrong, "--json", monkeypatch=monkeypatch, capsys=capsys)
    assert code == 2 and out == "" and err.startswith("1 of 60 rows have gaps")


def test_one_file_is_no_trajectories(folder, monkeypatch, capsys):
    code, _, err = command(
        "conserved", folder / "run0.h5", "--states", "q,p", "--time", "t", monkeypatch=monkeypatch, capsys=capsys
    )
    assert code == 2 and "--trajectories is missing: name the column" in err
