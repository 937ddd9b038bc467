"""lieder pde: archives and tables, a page for people and an object for programs, and mistakes in one line."""

import json
import sys

import numpy as np
import pytest

import lieder
from lieder.cli import main

T, X = np.linspace(0, 1, 40), np.arange(32) * 2 * np.pi / 32


def heat(phase: float) -> np.ndarray:
    k = np.arange(1, 4)[:, None, None]
    return np.sum(np.exp(-(k**2) * T[:, None]) * np.sin(k * X + phase * k**2), axis=0)


U = np.stack([heat(phase) for phase in (0.1, 1.0, 2.0)])


@pytest.fixture
def command(monkeypatch, capsys):
    """What a shell would see: the exit code, the standard output and the standard error."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["lieder", "pde", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        shown = capsys.readouterr()
        return ended.value.code, shown.out, shown.err

    return run


def test_an_archive(tmp_path, command):
    page = tmp_path / "found.html"
    np.savez(tmp_path / "heat.npz", t=T, x=X, u=U)
    code, out, _ = command(tmp_path / "heat.npz", "--order", 2, "--save", tmp_path / "found.npz", "--report", page)
    assert f"Report: {page}" in out and "x d/du" in page.read_text(encoding="utf-8")
    assert code == 0 and "6 symmetries among 12 candidates" in out and "u_t = 1 u_xx" in out and "x d/du" in out
    assert lieder.Symmetries.load(tmp_path / "found.npz").dim == 6


def test_a_table_and_an_object(tmp_path, command):
    """Columns with other names, candidates as a text, several solutions; the output is JSON from end to end."""
    lines = [
        f"{t:.17g};{x:.17g};{U[s, i, j]:.17g};{s}" for s in range(3) for i, t in enumerate(T) for j, x in enumerate(X)
    ]
    (tmp_path / "heat.csv").write_text("\n".join(["time;place;T;run", *lines]) + "\n", encoding="utf-8")
    code, out, _ = command(
        *(tmp_path / "heat.csv", "--order", 2, "--axes", "time,place", "--functions", "T", "--solutions", "run"),
        *("--delimiter", ";", "--candidates", "gl(3) on vectors(time,place,T)", "--json"),
    )
    assert code == 0
    told = json.loads(out)
    assert told["verdict"] == "symmetries" and told["dim"] == 3 and told["candidates"] == 9
    assert set(told["fields"]) == {"T d/dT", "place d/dT", "time d/dtime + 1/2 place d/dplace"}
    assert told["names"] == ["time", "place", "T"] and len(told["defects"]) == 9


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--axes", "t"], "--axes 't': name the column of time, then one or two of space"),
        (["--axes", "t,u"], "--axes and --functions share u"),
        (["--functions", "w"], "holds no array 'w'"),
        (["--candidates", "gl(2) on vectors(t,z)"], "no column 'z'"),
        (["--derivative", "spectral,exact"], "derivative must be one of auto, spectral, local, differences"),
        (["--solutions", "run"], "an archive has no column of solutions"),
    ],
)
def test_mistakes(arguments, message, tmp_path, command):
    np.savez(tmp_path / "heat.npz", t=T, x=X, u=U)
    code, out, error = command(tmp_path / "heat.npz", "--order", 2, *arguments)
    assert code == 2 and out == "" and error.startswith("lieder: ") and error.count("\n") == 1 and message in error
