"""The record of a discovery: what it says, shows, keeps and gives back."""

import json
import re
import subprocess
import sys
from pathlib import Path

import jax.numpy as jnp
import matplotlib.figure
import matplotlib.pyplot as plt
import numpy as np
import pytest

import lieder as ld

RANDOM = np.random.default_rng(2)
G = ld.algebra.gl(2)
V = ld.vectors(G)
X = RANDOM.normal(size=(80, 2))
ROTATION = [0.0, -1.0, 1.0, 0.0]
ANGLE = RANDOM.uniform(0, 2 * np.pi, 200)
CIRCLE = np.stack([np.cos(ANGLE), np.sin(ANGLE)], axis=1)
NASTY = ["<script>alert(1)</script>", "a \"b\" & 'c'"]


def rotation(names=None):
    return ld.discover.function(lambda x: jnp.sin(x @ x), X, source=V, names=names)


def nothing():
    return ld.discover.function(lambda x: jnp.sin(3 * x[0]) + jnp.exp(x[1]), X, source=V)


def undecided():
    return ld.discover.function(lambda x: jnp.sin(x @ x), X, source=V, min_gap=1e30)


def swirl(x):
    r = x @ x
    return jnp.stack([-x[1] + x[0] * (1 - r), x[0] + x[1] * (1 - r)])


MADE = {
    "function": rotation,
    "vector field": lambda: ld.discover.vector_field(swirl, X, action=V),
    "polynomial fields": lambda: ld.discover.vector_field(swirl, X, action=ld.action.polynomial_fields(2, 2)),
    "cloud": lambda: ld.discover.cloud(CIRCLE, action=V),
    "graph": lambda: ld.discover.graph(
        X, np.sum(X**2, axis=1), source=V, target=ld.scalars(G, 1), names=["u", "v"], output_names=["w"]
    ),
    "no symmetry": nothing,
    "pairs": lambda: ld.discover.function(
        lambda z: z[:2] @ z[2:],
        np.c_[X, X[::-1]],
        source=ld.action.total(ld.points(ld.algebra.se(2)), ld.vectors(ld.algebra.se(2))),
    ),
}
KEPT: dict[str, ld.Symmetries] = {}


def record(name) -> ld.Symmetries:
    """Each record is made once."""
    if name not in KEPT:
        KEPT[name] = MADE[name]()
    return KEPT[name]


# In words


def test_symmetries_in_words():
    s = record("function")
    shown = str(s)
    assert "SYMMETRIES FOUND" in shown.upper()
    assert "1 symmetry among 4 candidates" in shown and "1. x0 d/dx1 - x1 d/dx0" in shown
    assert "Rule: the largest gap" in shown and "Finite check on held-out points" in shown
    assert repr(s).startswith("Symmetries(dim=1, verdict='symmetries', candidates=4, gap=")


def test_no_symmetry_in_words():
    s = record("no symmetry")
    assert s.evidence.verdict == "no symmetry" and s.dim == 0 and s.generators.shape == (0, 4)
    shown = " ".join(re.sub(r"[^\w.,:%()'-]", " ", str(s)).split())
    assert "No symmetry among 4 candidates: the least defect is" in shown and "Finite check" not in shown
    assert s.fields() == [] and s.sparse().shape == (0, 4) and s.identify() == "trivial"


def test_cannot_tell_in_words():
    s = undecided()
    assert s.evidence.verdict == "cannot tell" and s.dim == 0
    shown = " ".join(re.sub(r"[^\w.,:;%()'-]", " ", str(s)).split())
    assert "Cannot tell: the least defect is" in shown and "nothing is claimed" in shown


# What it answers


def test_fields_and_sparse():
    s = record("function")
    assert s.fields() == ["x0 d/dx1 - x1 d/dx0"]
    assert s.fields(["p", "q", "f"]) == ["p d/dq - q d/dp"]
    np.testing.assert_allclose(np.abs(s.sparse()), [[0, 1, 1, 0]])
    assert s.written(ROTATION) in ("x0 d/dx1 - x1 d/dx0", "- x0 d/dx1 + x1 d/dx0", "x1 d/dx0 - x0 d/dx1")
    with pytest.raises(ValueError, match=r"names must hold 3 names, inputs then outputs, got 2: p, q"):
        s.fields(["p", "q"])


def test_defect_and_similarity():
    s = record("function")
    assert s.defect(ROTATION) < 1e-14
    assert s.defect(np.eye(4)[0]) > 0.1
    for k in range(4):
        assert s.defect(s.directions[k]) == pytest.approx(s.defects[k], abs=1e-14)
    assert s.similarity(ROTATION) > 1 - 1e-14 and s.similarity([ROTATION]) > 1 - 1e-14
    assert s.similarity(s.directions[1]) < 1e-6
    with pytest.raises(ValueError, match=r"expected 4 coefficients.*got shape \(1, 3\)"):
        s.defect([1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="does not move the data at all"):
        s.similarity(np.zeros(4))


def test_actions_of_what_was_found():
    s = record("vector field")
    assert s.action.algebra == s.algebra and s.action.algebra.dim == s.dim == 1
    assert s.target_action.width == 2
    with pytest.raises(ValueError, match="a point cloud has no outputs"):
        _ = record("cloud").target_action


def test_identify():
    assert record("function").identify() in ("R", "R^1", "so(2)", "t(1)")
    linear = ld.discover.vector_field(lambda x: -x, X, action=V)
    assert linear.dim == 4 and linear.identify() == "gl(2)"


# Pictures and pages


def test_plot():
    figure = record("function").plot()
    assert isinstance(figure, matplotlib.figure.Figure)
    plt.close("all")


def test_report_stands_alone_and_escapes_names(tmp_path):
    s = ld.discover.function(lambda x: jnp.sin(x @ x), X, source=V, names=NASTY, output_names=["<b>f</b>"])
    page = s.report(tmp_path / "page.html", explore=False).read_text(encoding="utf-8")
    plt.close("all")
    assert "<script" not in page and "<b>f</b>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    # Names of XML are no requests.
    links = re.findall(r"(?:src|href)\s*=\s*[\"']([^\"']+)", page) + re.findall(r"url\(([^)]+)\)", page)
    assert all(link.startswith(("data:", "#")) for link in links), links


def test_the_simple_basis_is_sought_once_and_is_nobodys(tmp_path, monkeypatch):
    from lieder.discover import _symmetries

    asked = []
    sought = _symmetries.simple_basis
    monkeypatch.setattr(_symmetries, "simple_basis", lambda *given: asked.append(1) or sought(*given))
    s = rotation()
    s.report(tmp_path / "page.html", explore=False)
    plt.close("all")
    s.sparse()[:] = 0.0  # the caller's own
    assert len(asked) == 1 and np.abs(s.sparse()).max() == 1.0


def test_report_without_symmetry(tmp_path):
    page = record("no symmetry").report(tmp_path / "page.html").read_text(encoding="utf-8")
    plt.close("all")
    assert "No symmetry" in page and "not claimed" in page


def test_report_to_nowhere(tmp_path):
    s = record("function")
    with pytest.raises(FileNotFoundError, match=r"directory .*nowhere' does not exist"):
        s.report(tmp_path / "nowhere" / "page.html")
    with pytest.raises(IsADirectoryError, match=r"is a directory\. Add a file name"):
        s.report(tmp_path)


# Files


@pytest.mark.parametrize("name", MADE)
def test_save_and_load(name, tmp_path):
    s = record(name)
    path = s.save(tmp_path / "found.npz")
    back = ld.Symmetries.load(path)
    for field in ("defects", "directions", "ineffective", "numerator", "denominator", "points", "values"):
        np.testing.assert_array_equal(getattr(back, field), getattr(s, field))
    for field in ("dim", "rows", "names", "method", "lifted"):
        assert getattr(back, field) == getattr(s, field)
    assert back.source.algebra == s.source.algebra and back.algebra == s.algebra
    assert str(back) == str(s) and repr(back) == repr(s) and back.fields() == s.fields()
    assert str(back.source) == str(s.source) and str(back.target) == str(s.target)
    z = jnp.asarray(s.examples()[0])
    np.testing.assert_array_equal(back.total.fields(z), s.total.fields(z))
    for field in (
        "verdict",
        "rule",
        "resolution",
        "gap",
        "cut",
        "confidence",
        "weak",
        "weak_reasons",
        "closure",
        "model",
    ):
        assert getattr(back.evidence, field) == getattr(s.evidence, field)
    np.testing.assert_array_equal(back.evidence.intervals, s.evidence.intervals)
    # A second time: what was read can be written.
    assert str(ld.Symmetries.load(back.save(tmp_path / "again.npz"))) == str(s)


def test_load_in_another_process(tmp_path):
    s = record("vector field")
    path = s.save(tmp_path / "found.npz")
    script = (
        "import sys, json, lieder as ld\n"
        "s = ld.Symmetries.load(sys.argv[1])\n"
        "same = s.source == ld.vectors(ld.algebra.gl(2)), s.source == ld.vectors(ld.algebra.sl(2))\n"
        "print(json.dumps([s.dim, s.fields(), s.defects.tolist(), *same]))\n"
    )
    folder = Path(ld.__file__).parents[1]
    shown = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, cwd=folder, check=True
    )
    assert json.loads(shown.stdout) == [s.dim, s.fields(), s.defects.tolist(), True, False]


def test_the_user_s_own_functions_are_given_again(tmp_path):
    def turn(z):
        return jnp.stack([-z[1], z[0]])

    def grow(z):
        return z

    source = ld.action.fields([turn, grow], 2)
    s = ld.discover.function(lambda x: x @ x, X, source=source)
    assert s.dim == 1
    path = s.save(tmp_path / "found.npz")
    with pytest.raises(ValueError, match=r"or functions are your own and which no file can hold.*source="):
        ld.Symmetries.load(path)
    with pytest.raises(ValueError, match=r"source: .* of another kind than what came"):
        ld.Symmetries.load(path, source=V)
    assert str(ld.Symmetries.load(path, source=source)) == str(s)


def test_paths_that_cannot_be_written(tmp_path):
    s = record("function")
    with pytest.raises(OSError, match=r"path: cannot write .*directory '.*nowhere' does not exist\. Make it"):
        s.save(tmp_path / "nowhere" / "found.npz")
    with pytest.raises(OSError, match=r"path: .*is a directory\. Add a file name"):
        s.save(tmp_path)


def test_files_of_another_kind(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"path: there is no file .*nothing\.npz"):
        ld.Symmetries.load(tmp_path / "nothing.npz")
    text = tmp_path / "text.npz"
    text.write_text("no arrays")
    array = tmp_path / "array.npy"
    np.save(array, X)
    arrays = tmp_path / "arrays.npz"
    np.savez(arrays, x=X)
    empty = tmp_path / "empty.npz"
    empty.write_bytes(b"")
    half = tmp_path / "half.npz"
    half.write_bytes(record("function").save(tmp_path / "whole.npz").read_bytes()[:900])
    other = tmp_path / "other.npz"
    np.savez(other, header=np.array(json.dumps({"format": "lieder symmetries 99"})))
    for path in (text, array, arrays, empty, half):
        with pytest.raises(ValueError, match=f"path: .*{path.name}' is no file written by Symmetries.save"):
            ld.Symmetries.load(path)
    with pytest.raises(ValueError, match="has format 'lieder symmetries 99', this version reads"):
        ld.Symmetries.load(other)


def test_three_sets_of_directions():
    s = ld.discover.function(lambda x: x[:1] ** 2 + x[1:] ** 2, X, source=V)
    assert [len(part) for part in (s.symmetric, s.undecided, s.broken)] == [s.dim, 0, len(s.defects) - s.dim]
    noisy = ld.discover.function(lambda x: x[:1] ** 2 + 1.1 * x[1:] ** 2, X, source=V, error=0.3)
    assert noisy.evidence.verdict == "cannot tell" and len(noisy.symmetric) == 0
    assert len(noisy.undecided) >= 1 and len(noisy.undecided) + len(noisy.broken) == len(noisy.defects)


def test_invariants_of_what_was_found():
    x = np.random.default_rng(0).normal(size=(200, 3))
    turned = ld.vectors(ld.algebra.so(3))
    s = ld.discover.function(lambda z: z[:1] ** 2 + z[1:2] ** 2, x, source=turned, names=["a", "b", "c"])
    assert s.invariants().expressions() == ["c", "a^2 + b^2", "c^2"] and s.invariants().independent == 2
    ball = ld.discover.function(lambda z: jnp.sum(z**2)[None], x, source=turned, names=["a", "b", "c"])
    assert ball.invariants().expressions() == ["a^2 + b^2 + c^2"]
    assert ball.invariants("polynomials(1)").dim == 0
    none = ld.discover.function(lambda z: jnp.sum(z**3)[None], x, source=turned)
    with pytest.raises(ValueError, match="invariants: no symmetry was found"):
        none.invariants()
