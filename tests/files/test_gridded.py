"""Functions on grids from archives and tables: every layout gives the same samples, and mistakes are named."""

import numpy as np
import pytest

from lieder.files import read_gridded

T, X = np.array([0.0, 0.5, 2.0]), np.array([-1.0, 0.0, 1.0, 3.0])
U = np.sin(T[:, None] + 2 * X) + np.array([0.0, 3.0])[:, None, None]  # two solutions


def table(path, rows, head="t,x,u,run"):
    path.write_text("\n".join([head, *(",".join(map(repr, row)) for row in rows)]) + "\n", encoding="utf-8")
    return path


def rows(u, run="a"):
    return [(float(t), float(x), float(u[i, j]), run) for i, t in enumerate(T) for j, x in enumerate(X)]


def test_a_table_in_any_order(tmp_path):
    every = rows(U[0]) + rows(U[1], "b")
    np.random.default_rng(0).shuffle(shuffled := [every[i] for i in range(len(every))])
    first = sorted(shuffled, key=lambda row: row[3])  # solutions in the order of the file
    read = read_gridded(table(tmp_path / "u.csv", first), ["t", "x"], ["u"], label="run")
    np.testing.assert_array_equal(read.samples, U[:, None])
    np.testing.assert_array_equal(read.axes[0], T)
    np.testing.assert_array_equal(read.axes[1], X)


@pytest.mark.parametrize("layout", ["one", "solutions", "stacked"])
def test_an_archive(tmp_path, layout):
    u = {"one": U[0], "solutions": U, "stacked": U[:, None]}[layout]
    np.savez(tmp_path / "u.npz", t=T, x=X, u=u)
    read = read_gridded(tmp_path / "u.npz", ["t", "x"], ["u"])
    np.testing.assert_array_equal(read.samples, (U[:1] if layout == "one" else U)[:, None])


def test_two_functions_of_an_archive(tmp_path):
    np.savez(tmp_path / "u.npz", t=T, x=X, u=U, v=-U)
    read = read_gridded(tmp_path / "u.npz", ["t", "x"], ["u", "v"])
    np.testing.assert_array_equal(read.samples, np.stack([U, -U], axis=1))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (lambda r: r[:-1], "has no row for t=2, x=3, and for 1 of 12 points"),
        (lambda r: [*r, r[4]], "has more than one row for t=0.5, x=-1"),
        (lambda r: [*r, (9.0, 3.0, 0.0, "a")], "has no row for t=9, x=-1, and for 3 of 16 points"),
    ],
)
def test_tables_that_are_no_grid(tmp_path, changed, message):
    with pytest.raises(ValueError, match=message):
        read_gridded(table(tmp_path / "u.csv", changed(rows(U[0]))), ["t", "x"], ["u"])


@pytest.mark.parametrize(
    ("arrays", "functions", "message"),
    [
        ({"u": U[0]}, ["w"], "holds no array 'w', but t, x, u"),
        ({"u": U[0].T}, ["u"], r"the array 'u' has shape \(4, 3\), but the axes t, x have \(3, 4\) samples"),
        ({"u": U, "v": U[:1]}, ["u", "v"], "u, v have different numbers of solutions"),
    ],
)
def test_archives_that_do_not_fit(tmp_path, arrays, functions, message):
    np.savez(tmp_path / "u.npz", t=T, x=X, **arrays)
    with pytest.raises(ValueError, match=message):
        read_gridded(tmp_path / "u.npz", ["t", "x"], functions)


def test_no_archive(tmp_path):
    (tmp_path / "u.npz").write_text("t,x,u\n")
    with pytest.raises(ValueError, match="cannot be read as a NumPy archive file"):
        read_gridded(tmp_path / "u.npz", ["t", "x"], ["u"])
    with pytest.raises(FileNotFoundError, match=r"there is no .*v\.npz"):
        read_gridded(tmp_path / "v.npz", ["t", "x"], ["u"])
    np.savez(tmp_path / "u.npz", t=T, x=X, u=U)
    with pytest.raises(ValueError, match="an archive has no column of solutions"):
        read_gridded(tmp_path / "u.npz", ["t", "x"], ["u"], label="run")
