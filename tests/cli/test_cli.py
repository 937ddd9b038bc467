"""The command line: the data and the mistakes of an ordinary user."""

import json
import os
import re
import resource
import subprocess
import sys
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
    "NaN": ("u,v\n" + "".join(f"{k}.5,{'nan' if k == 3 else k * k}\n" for k in range(9)), "line 5, column 'v' of"),
    "empty": ("", "is empty"),
    "one row": ("u,v\n1.0,2.0\n", "has 1 row of data"),
    "semicolons": ("u;v\n1.0;2.0\n2.0;1.0\n", "pass --delimiter ';'"),
    "constant": ("u,v\n" + "1.5,2.0\n" * 9, "constant columns: 'u' (always 1.5), 'v'"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "message"), list(CSV_MISTAKES.values()), ids=list(CSV_MISTAKES))
def test_a_wrong_file_is_one_line(text, message, tmp_path, monkeypatch, capsys):
    path = tmp_path / "data.csv"
    path.write_text(text, encoding="utf-8")
    code, _, err = command("discover", path, *CLOUD, monkeypatch=monkeypatch, capsys=capsys)
    assert code == 2 and err.count("\n") == 1 and message in err


def test_gaps_comments_and_decimal_commas(tmp_path, monkeypatch, capsys):
    """A circle as a German spreadsheet writes it, with a gap and a remark."""
    angle = np.random.default_rng(0).uniform(0, 2 * np.pi, 150)
    rows = [f"{np.cos(t):.17g};{np.sin(t):.17g}".replace(".", ",") for t in angle]
    path = tmp_path / "kreis.csv"
    path.write_text("# gemessen\r\n" + "\r\n".join(["u;v", *rows, "", "0,5;NA"]), encoding="utf-8-sig")
    options = (*CLOUD, "--delimiter", ";", "--decimal", ",")
    code, _, err = command("discover", path, *options, monkeypatch=monkeypatch, capsys=capsys)
    assert code == 2 and "line 154, column 'v'" in err and "1 of 151 rows" in err
    code, out, _ = command("discover", path, *options, "--missing", "drop", monkeypatch=monkeypatch, capsys=capsys)
    assert code == 0 and "u d/dv - v d/du" in out
    assert out.startswith("1 of 151 rows have gaps and are left out.\n")


@pytest.mark.parametrize("delimiter", [r"\t", "tab", "\t"])
def test_advice_on_the_delimiter_works_when_typed(circle, tmp_path, monkeypatch, capsys, delimiter):
    path = tmp_path / "circle.tsv"
    path.write_text(circle.read_text(encoding="utf-8").replace(",", "\t"), encoding="utf-8")
    code, _, err = command("discover", path, *CLOUD, monkeypatch=monkeypatch, capsys=capsys)
    assert code == 2 and r"pass --delimiter '\t'" in err
    code, out, _ = command("discover", path, *CLOUD, "--delimiter", delimiter, monkeypatch=monkeypatch, capsys=capsys)
    assert code == 0 and "1 symmetry among 4 candidates" in out


def test_columns_with_units(circle, tmp_path, monkeypatch, capsys):
    path = tmp_path / "units.csv"
    path.write_text(circle.read_text(encoding="utf-8").replace("u,v,t", 'u (m),"v, m",t'), encoding="utf-8")
    inputs = ("--inputs", 'u (m),"v, m"')
    wrong = ("--candidates", "gl(2) on vectors(u (m),v)")
    code, _, err = command("discover", path, *inputs, *wrong, monkeypatch=monkeypatch, capsys=capsys)
    assert code == 2 and 'Put names with brackets, commas or semicolons in quotes: "u (m)".' in err
    quoted = ("--candidates", 'gl(2) on vectors("u (m)","v, m")')
    code, out, _ = command("discover", path, *inputs, *quoted, monkeypatch=monkeypatch, capsys=capsys)
    assert code == 0 and "[u (m)] d/d[v, m] - [v, m] d/d[u (m)]" in out


def test_a_quote_that_does_not_end(circle, monkeypatch, capsys):
    options = ("--inputs", '"u,v', "--candidates", "gl(2) on vectors(u,v)")
    code, _, err = command("discover", circle, *options, monkeypatch=monkeypatch, capsys=capsys)
    assert code == 2 and "has a quote that does not end" in err


def test_show(circle, tmp_path, monkeypatch, capsys):
    result, page = tmp_path / "circle.npz", tmp_path / "circle.html"
    _, said, _ = command("discover", circle, *CLOUD, "--save", result, monkeypatch=monkeypatch, capsys=capsys)
    code, out, _ = command("show", result, "--report", page, monkeypatch=monkeypatch, capsys=capsys)
    assert code == 0 and page.exists()
    assert out.splitlines()[:-1] == said.splitlines()[:-1]
    for wrong, message in ((tmp_path / "none.npz", "there is no"), (circle, "circle.csv")):
        code, _, err = command("show", wrong, monkeypatch=monkeypatch, capsys=capsys)
        assert code == 2 and message in err and err.count("\n") == 1


@pytest.fixture(scope="module")
def spirals(tmp_path_factory):
    """Two decaying spirals, every quarter of a minute: u' = -u/10 - v, v' = u - v/10, in seconds."""
    path = tmp_path_factory.mktemp("spirals") / "spirals.csv"
    lines = ["run,when,seconds,u,v,du,dv"]
    for run, size in (("a", 1.0), ("b", 2.0)):
        for k in range(100):
            t = 0.1 * k
            u, v = (size * np.exp(-0.1 * t) * np.array([np.cos(t), np.sin(t)])).tolist()
            stamp = f"2026-03-01T12:00:{t:09.6f}"
            lines.append(f"{run},{stamp},{t!r},{u!r},{v!r},{-0.1 * u - v!r},{u - 0.1 * v!r}")
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


STATES = ("--states", "u,v", "--dictionary", "polynomials(2)")
WAYS = {
    "numbers": ("--time", "seconds", "--trajectories", "run"),
    "stamps": ("--time", "when", "--trajectories", "run"),
    "velocities": ("--velocities", "du,dv"),
    "symmetry": ("--time", "when", "--trajectories", "run", "--symmetry", "so(2) on vectors(u,v)"),
    "inexact symmetry": ("--velocities", "du,dv", "--symmetry", "so(2) on vectors(u,v)", "--penalty", "1"),
    "threshold": ("--velocities", "du,dv", "--threshold", "0.05"),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=list(WAYS))
def test_dynamics(spirals, monkeypatch, capsys, way):
    code, out, _ = command("dynamics", spirals, *STATES, *way, monkeypatch=monkeypatch, capsys=capsys)
    assert code == 0
    assert "  u' = -0.1 u - 1 v\n  v' = 1 u - 0.1 v\n" in out
    assert "4 of 12 possible terms" in out
    left = re.search(r"Not explained of each rate .*: u' ([\d.e-]+) %, v' ([\d.e-]+) %\.", out)
    assert left and max(float(part) for part in left.groups()) < 0.1
    assert f"from 200 states in {1 if '--velocities' in way else 2} trajector" in out


def test_a_state_may_be_the_velocity_of_another(tmp_path, monkeypatch, capsys):
    path = tmp_path / "swing.csv"
    t = np.linspace(0, 6, 60)
    rows = "\n".join(f"{a!r},{b!r},{c!r}" for a, b, c in np.stack([np.sin(t), np.cos(t), -np.sin(t)], axis=1).tolist())
    path.write_text(f"x,v,a\n{rows}\n", encoding="utf-8")
    options = ("--states", "x,v", "--velocities", "v,a", "--dictionary", "linear")
    code, out, _ = command("dynamics", path, *options, monkeypatch=monkeypatch, capsys=capsys)
    assert code == 0 and "x' = 1 v\n  v' = -1 x\n" in out


def test_dynamics_with_a_found_symmetry(spirals, circle, tmp_path, monkeypatch, capsys):
    result = tmp_path / "circle.npz"
    command("discover", circle, *CLOUD, "--save", result, monkeypatch=monkeypatch, capsys=capsys)
    options = ("--velocities", "du,dv", "--symmetry", result)
    code, out, _ = command("dynamics", spirals, *STATES, *options, monkeypatch=monkeypatch, capsys=capsys)
    assert code == 0 and "free coefficients at the start: 2." in out
    found = re.search(r"u' = (-[\d.]+) u - ([\d.]+) v\n  v' = ([\d.]+) u - ([\d.]+) v\n", out)
    assert found, out
    # The rotation was measured, to half a per cent, and so are equations that have it.
    np.testing.assert_allclose([float(number) for number in found.groups()], [-0.1, 1, 1, 0.1], atol=0.01)
    swapped = ("--states", "v,u", "--velocities", "dv,du", "--symmetry", result)
    code, _, err = command("dynamics", spirals, *swapped, monkeypatch=monkeypatch, capsys=capsys)
    assert code == 2 and "was found in the columns u, v; give these as --states, in this order" in err


DYNAMICS_MISTAKES = {
    "no time": (STATES, "--time is missing"),
    "two runs": ((*STATES, "--time", "seconds"), "do not increase at line 102"),
    "velocities": ((*STATES, "--velocities", "du"), "--velocities names 1 columns for 2 --states"),
    "threshold": ((*STATES, "--velocities", "du,dv", "--threshold", "low"), "--threshold must be auto or a number"),
    "dictionary": (("--states", "u,v", "--velocities", "du,dv", "--dictionary", "polinom(2)"), "polynomials"),
    "record": ((*STATES, "--velocities", "du,dv", "--symmetry", "nothing.npz"), "nothing.npz"),
}


@pytest.mark.parametrize(("arguments", "message"), list(DYNAMICS_MISTAKES.values()), ids=list(DYNAMICS_MISTAKES))
def test_a_mistake_about_dynamics_is_one_line(arguments, message, spirals, monkeypatch, capsys):
    code, out, err = command("dynamics", spirals, *arguments, monkeypatch=monkeypatch, capsys=capsys)
    assert code == 2 and out == "" and err.count("\n") == 1 and message in err


def test_promote(tmp_path, monkeypatch, capsys):
    """z = (a - 2 b)^2 of three columns: the plane that F does not see keeps its translations."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (40, 3))
    y = (x[:, 0] - 2 * x[:, 1]) ** 2 + 0.01 * rng.normal(size=40)
    path, figure, result = tmp_path / "table.csv", tmp_path / "path.png", tmp_path / "kept.npz"
    rows = "\n".join(",".join(f"{value:.17g}" for value in (*row, value)) for row, value in zip(x, y, strict=True))
    path.write_text(f"a,b,c (m),z\n{rows}\n", encoding="utf-8")
    options = ("--inputs", "a,b,c (m)", "--outputs", "z", "--candidates", 't(3) on points(a,b,"c (m)")')
    written = ("--figure", figure, "--save", result)
    code, out, _ = command("promote", path, *options, *written, monkeypatch=monkeypatch, capsys=capsys)
    assert code == 0 and "\nKept: 2 of 3 candidates, at strength" in out
    assert out.startswith("z = ") and figure.read_bytes().startswith(b"\x89PNG")
    assert lieder.Symmetries.load(result).names == ("a", "b", "c (m)", "z")
    code, _, err = command(
        *("promote", path, *options, "--alpha", "1", "--figure", figure), monkeypatch=monkeypatch, capsys=capsys
    )
    assert code == 2 and "--figure shows a path over strengths" in err


def test_version_as_an_option(monkeypatch, capsys):
    code, out, _ = command("--version", monkeypatch=monkeypatch, capsys=capsys)
    assert code == 0 and out.strip() == lieder.__version__


def test_warnings_are_one_line(circle, monkeypatch, capsys):
    """Without the source line that Python shows."""
    import warnings

    monkeypatch.setattr("lieder.files.rows", lambda *_, **__: warnings.warn("odd", UserWarning, stacklevel=1))
    monkeypatch.setattr(sys, "argv", ["lieder", "discover", str(circle), *CLOUD])
    with warnings.catch_warnings(), pytest.raises(Exception):  # noqa: B017 - nothing was read
        warnings.simplefilter("always")
        main()
    assert capsys.readouterr().err == "lieder: warning: odd\n"


@pytest.mark.parametrize(
    ("inputs", "message"), [("u,w", "columns: there is no column 'w'"), ("u,v", "candidates: no column 'w'")]
)
def test_a_wrong_column_is_said_before_jax_is_imported(circle, inputs, message):
    script = (
        f"import sys\nsys.argv = ['lieder', 'discover', {str(circle)!r}, '--inputs', {inputs!r}, '--candidates',"
        " 'gl(2) on vectors(u,w)']\nfrom lieder.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "assert not {'jax', 'sklearn', 'matplotlib', 'sympy', 'scipy'} & set(sys.modules), 'heavy imports'\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(lieder.__file__).parents[1])}
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=False)
    assert shown.returncode == 0, shown.stderr
    assert shown.stderr.startswith(f"lieder: {message}")


def test_help_is_quick_and_light():
    script = (
        "import sys\nsys.argv = ['lieder', 'discover', '--help']\nfrom lieder.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "assert not {'jax', 'sklearn', 'matplotlib', 'sympy'} & set(sys.modules), 'heavy imports'\n"
    )
    folder = str(Path(lieder.__file__).parents[1])
    environment = {**os.environ, "PYTHONPATH": folder, "COVERAGE_PROCESS_START": ""}
    seconds = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        shown = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=False
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        assert shown.returncode == 0, shown.stderr
        assert "--candidates" in shown.stdout
    # CPU seconds, the best of three, a quarter of a second alone: five processes on two cores have made it .58.
    assert min(seconds) < 1


def test_certificate_and_groups(few_planets, monkeypatch, capsys):
    """Eight planets are too few groups for a certificate, and the answer says so."""
    code, out, _ = command(
        *("discover", few_planets, "--inputs", "x,y,z", "--outputs", "ax,ay,az", "--candidates", CANDIDATES),
        *("--fit", "radial(-5,0)", "--evidence", "certificate", "--groups", "planet"),
        monkeypatch=monkeypatch,
        capsys=capsys,
    )
    shown = " ".join(re.sub("[┃│]", " ", out).split())
    assert code == 0 and "groups are too few to tell how much groups differ, 10 are needed" in shown
    assert "defects at all rows, of" in shown


@pytest.fixture(scope="module")
def swings(tmp_path_factory):
    """A pendulum without friction, small and large, by its elliptic motion seen at 60 times."""
    rng, rows = np.random.default_rng(0), []
    for run in range(8):
        x, v = rng.uniform(-1.5, 1.5), rng.uniform(-0.8, 0.8)
        for step in range(60):
            rows.append(f"{run},{0.1 * step:.3f},{x:.9f},{v:.9f}")
            for _ in range(50):  # leapfrog, whose error is far below a digit of what is tested
                v -= 0.001 * np.sin(x)
                x += 0.002 * v
                v -= 0.001 * np.sin(x)
    path = tmp_path_factory.mktemp("swings") / "swings.csv"
    path.write_text("run,t,x,v\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return path


def test_conserved_quantities(swings, tmp_path, monkeypatch, capsys):
    result, figure, page = (tmp_path / f"energy.{kind}" for kind in ("npz", "png", "html"))
    code, out, _ = command(
        *("conserved", swings, "--states", "x,v", "--time", "t", "--trajectory", "run", "--functions", "cos(x)"),
        *("--save", result, "--figure", figure, "--report", page),
        monkeypatch=monkeypatch,
        capsys=capsys,
    )
    assert f"Report: {page}" in out and "Conserved quantities found" in page.read_text(encoding="utf-8")
    assert code == 0 and "1. 1/2 v^2 - cos(x)" in out and f"Result: {result}" in out and figure.stat().st_size > 1000
    code, again, _ = command("show", result, monkeypatch=monkeypatch, capsys=capsys)
    assert code == 0 and again.strip() in out
    again = tmp_path / "again.html"
    code, out, _ = command("show", result, "--report", again, monkeypatch=monkeypatch, capsys=capsys)
    assert code == 0 and f"Report: {again}" in out and "1/2 v^2 - cos(x)" in again.read_text(encoding="utf-8")
    code, said, _ = command(
        *("conserved", swings, "--states", "x,v", "--time", "t", "--trajectory", "run", "--functions", "cos(x)"),
        *("--json", "--save", result),
        monkeypatch=monkeypatch,
        capsys=capsys,
    )
    told = json.loads(said)
    assert code == 0 and (told["verdict"], told["dim"], told["trajectories"]) == ("conserved", 1, 8)
    assert told["conserved"][0]["function"] == "1/2 v^2 - cos(x)" and len(told["conserved"][0]["drift"]) == 3
    code, shown, _ = command("show", result, "--json", monkeypatch=monkeypatch, capsys=capsys)
    assert code == 0 and json.loads(shown) == told


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--states", "x,v", "--trajectory", "run", "--dictionary", ""), "both empty: there is nothing to combine"),
        (("--states", "x,v", "--trajectory", "run", "--functions", "cos(y)"), "'y' is neither a column"),
        (("--states", "x,w", "--trajectory", "run"), "w"),
        (("--states", "x,v", "--trajectory", "run", "--time", "x"), "do not increase at line"),
        (("--states", "x,v", "--trajectory", "x"), "number 0 has 1 row, too few"),
    ],
)
def test_conserved_in_words(swings, options, message, monkeypatch, capsys):
    code, _, fault = command("conserved", swings, *options, monkeypatch=monkeypatch, capsys=capsys)
    assert code == 2 and message in fault


def _refused(text):
    raise ValueError(f"{text} is no JSON")


def strict(text):
    """JSON without NaN and infinities, which few readers take."""
    return json.loads(text, parse_constant=_refused)


def test_an_answer_as_json(few_planets, tmp_path, monkeypatch, capsys):
    table = [few_planets, "--inputs", "x,y,z", "--outputs", "ax,ay,az", "--candidates", CANDIDATES]
    saved = tmp_path / "planets.npz"
    options = ["--fit", "radial(-5,0)", "--json", "--save", saved, "--evidence", "certificate"]
    code, out, err = command("discover", *table, *options, monkeypatch=monkeypatch, capsys=capsys)
    assert code == 0 and err == ""
    answer = strict(out)
    assert answer["verdict"] == "symmetries" and answer["dim"] == 2
    assert answer["readings"][:2] == ["symmetric", "symmetric"] and len(answer["readings"]) == 18
    assert len(answer["generators"]) == 2 and len(answer["generators"][0]) == 18
    assert answer["fields"][1] == "x d/dy - y d/dx + ax d/day - ay d/dax"
    assert answer["certificate"]["at_least"] <= answer["certificate"]["at_most"]
    code, out, _ = command("show", saved, "--json", monkeypatch=monkeypatch, capsys=capsys)
    assert code == 0 and strict(out) == answer


def test_completion_knows_the_verbs():
    asked = {"_LIEDER_COMPLETE": "complete_bash", "COMP_WORDS": "lieder con", "COMP_CWORD": "1"}
    program = "import sys; sys.argv = ['lieder']; from lieder.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", program], env=os.environ | asked, capture_output=True, text=True)
    assert done.stdout.split() == ["conserved"]
