"""The command line: the data and the mistakes of an ordinary user."""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import lieder
from lieder.cli import app, main

PLANETS = Path(__file__).parents[2] / "examples" / "planets.csv"
CANDIDATES = "gl(3) on vectors(x,y,z); gl(3) on vectors(ax,ay,az)"


@pytest.fixture(scope="module")
def few_planets(tmp_path_factory):
    """One row in 16: quick, and still all planets."""
    lines = PLANETS.read_text(encoding="utf-8").splitlines()
    path = tmp_path_factory.mktemp("planets") / "planets.csv"
    path.write_text("\n".join([lines[0], *lines[1::16]]) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def circle(tmp_path_factory):
    angle = np.random.default_rng(0).uniform(0, 2 * np.pi, 150)
    path = tmp_path_factory.mktemp("circle") / "circle.csv"
    rows = "\n".join(f"{np.cos(t):.17g},{np.sin(t):.17g},{t:.17g}" for t in angle)
    path.write_text(f"u,v,t\n{rows}\n", encoding="utf-8")
    return path


def command(*arguments, monkeypatch, capsys):
    """What a shell would see: the exit code, the standard output and the standard error."""
    monkeypatch.setattr(sys, "argv", ["lieder", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        main()
    shown = capsys.readouterr()
    return ended.value.code, shown.out, shown.err


def test_planets(few_planets, tmp_path, monkeypatch, capsys):
    result = tmp_path / "planets.npz"
    code, out, _ = command(
        *("discover", few_planets, "--inputs", "x,y,z", "--outputs", "ax,ay,az", "--candidates", CANDIDATES),
        *("--fit", "radial(-5,0)", "--save", result),
        monkeypatch=monkeypatch,
        capsys=capsys,
    )
    assert code == 0
    assert "2 symmetries among 18 candidates" in out
    assert "x d/dy - y d/dx" in out and "ax d/day - ay d/dax" in out
    assert f"Result: {result}" in out
    found = lieder.Symmetries.load(result)
    assert found.dim == 2
    # The inverse-square law: lengths to the power -2.
    scalings = found.sparse()
    scaling = scalings[np.argmax(np.abs(scalings[:, 0]))]
    assert scaling[9] / scaling[0] == pytest.approx(-2, abs=0.02)


def test_a_point_cloud(circle, tmp_path, monkeypatch, capsys):
    page = tmp_path / "circle.html"
    code, out, _ = command(
        *("discover", circle, "--inputs", "u,v", "--candidates", "gl(2) on vectors(u,v)", "--report", page),
        monkeypatch=monkeypatch,
        capsys=capsys,
    )
    assert code == 0 and "1 symmetry among 4 candidates" in out and "u d/dv - v d/du" in out
    assert f"Report: {page}" in out and "</html>" in page.read_text(encoding="utf-8")


def test_a_tolerance(circle, monkeypatch, capsys):
    code, out, _ = command(
        *("discover", circle, "--inputs", "u,v", "--candidates", "gl(2) on vectors(u,v)", "--tolerance", "0.3"),
        monkeypatch=monkeypatch,
        capsys=capsys,
    )
    assert code == 0 and "given tolerance 0.3" in out


def test_version():
    shown = CliRunner().invoke(app, ["version"])
    assert shown.exit_code == 0 and shown.output.strip() == lieder.__version__


CLOUD = ("--inputs", "u,v", "--candidates", "gl(2) on vectors(u,v)")
MISTAKES = {
    "no such file": (("nothing.csv", *CLOUD), "there is no 'nothing.csv'"),
    "missing column": (("FILE", "--inputs", "u,w", "--candidates", "gl(2) on vectors(u,w)"), "there is no column 'w'"),
    "unknown algebra": (("FILE", "--inputs", "u,v", "--candidates", "gll(2) on vectors(u,v)"), "did you mean gl"),
    "width": (("FILE", "--inputs", "u,v", "--candidates", "gl(3) on vectors(u,v)"), "vectors(u,v) has 2 columns"),
    "empty name": (
        ("FILE", "--inputs", "u,,v", "--candidates", "gl(2) on vectors(u,v)"),
        "--inputs 'u,,v' holds an empty name",
    ),
    "name twice": (
        ("FILE", "--inputs", "u,u", "--candidates", "gl(2) on vectors(u,v)"),
        "--inputs 'u,u' names a column twice",
    ),
    "both sides": (("FILE", *CLOUD, "--outputs", "v"), "--inputs and --outputs share v"),
    "delimiter": (("FILE", *CLOUD, "--delimiter", ";"), "pass --delimiter ','"),
    "weights": (
        ("FILE", *CLOUD, "--outputs", "t", "--weights", "much"),
        "--weights must be auto, relative or equal, got 'much'",
    ),
    "tolerance": (("FILE", *CLOUD, "--tolerance", "7"), "tolerance must lie in"),
    "min-gap": (("FILE", *CLOUD, "--min-gap", "0.5"), "min_gap must be a finite number above 1"),
    "seed": (("FILE", *CLOUD, "--seed", "-1"), "seed must be a whole number"),
    "fit": (("FILE", *CLOUD, "--outputs", "t", "--fit", "polinomial"), "fit: 'polinomial'"),
    "report": (("FILE", *CLOUD, "--report", "nowhere/page.html"), "'nowhere' does not exist"),
    "save": (("FILE", *CLOUD, "--save", "nowhere/result.npz"), "'nowhere' does not exist"),
}


@pytest.mark.parametrize(("arguments", "message"), list(MISTAKES.values()), ids=list(MISTAKES))
def test_a_mistake_is_one_line(arguments, message, circle, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    arguments = [circle if argument == "FILE" else argument for argument in arguments]
    code, out, err = command("discover", *arguments, monkeypatch=monkeypatch, capsys=capsys)
    assert code == 2 and out == ""
    assert err.startswith("lieder: ") and err.count("\n") == 1
    assert message in err


CSV_MISTAKES = {
    "ragged": ("u,v\n1.0,2.0\n3.0\n", "line 3 of"),
    "text": ("u,v\n1.0,2.0\n3.0,four\n", "line 3, column 'v'"),
    "empty cell": ("u,v\n1.0,\n3.0,4.0\n", "line 2, column 'v' of"),
    "NaN": ("u,v\n" + "".join(f"{k}.5,{'nan' if k == 3 else k * k}\n" for k in range(9)), "column 'v', row 3"),
    "empty": ("", "is empty"),
    "one row": ("u,v\n1.0,2.0\n", "has 1 row of data"),
    "semicolons": ("u;v\n1.0;2.0\n2.0;1.0\n", "pass --delimiter ';'"),
    "constant": ("u,v\n" + "".join(f"{k}.5,2.0\n" for k in range(9)), "constant columns: 'v'"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "message"), list(CSV_MISTAKES.values()), ids=list(CSV_MISTAKES))
def test_a_wrong_file_is_one_line(text, message, tmp_path, monkeypatch, capsys):
    path = tmp_path / "data.csv"
    path.write_text(text, encoding="utf-8")
    code, _, err = command("discover", path, *CLOUD, monkeypatch=monkeypatch, capsys=capsys)
    assert code == 2 and err.count("\n") == 1 and message in err


def test_help_is_quick_and_light():
    script = (
        "import sys\nsys.argv = ['lieder', 'discover', '--help']\nfrom lieder.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "assert not {'jax', 'sklearn', 'matplotlib', 'sympy'} & set(sys.modules), 'heavy imports'\n"
    )
    folder = str(Path(lieder.__file__).parents[1])
    environment = {**os.environ, "PYTHONPATH": folder, "COVERAGE_PROCESS_START": ""}
    times = []
    for _ in range(3):
        begin = time.perf_counter()
        shown = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=False
        )
        times.append(time.perf_counter() - begin)
        assert shown.returncode == 0, shown.stderr
        assert "--candidates" in shown.stdout
    # The best of three: the machine may be busy.
    assert min(times) < 1.0
