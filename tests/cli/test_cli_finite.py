"""lieder finite: a table of noisy energies of a square lattice, and mistakes in words."""

import json
import sys

import numpy as np
import pytest

from lieder.cli import main


@pytest.fixture(scope="module")
def energies(tmp_path_factory):
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (300, 2))
    y = x[:, 0] ** 4 + x[:, 1] ** 4 - 3 * x[:, 0] ** 2 * x[:, 1] ** 2
    rows = np.column_stack([x, y + 0.05 * y.std() * rng.normal(size=300)])
    path = tmp_path_factory.mktemp("energies") / "energies.csv"
    path.write_text("x,y,energy\n" + "\n".join(",".join(map(repr, row.tolist())) for row in rows), encoding="utf-8")
    return path


def command(*words, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["lieder", *map(str, words)])
    with pytest.raises(SystemExit) as stopped:
        main()
    said = capsys.readouterr()
    return stopped.value.code or 0, said.out, said.err


def test_the_group_of_a_table(energies, tmp_path, monkeypatch, capsys):
    kept, page, again_page = tmp_path / "found.npz", tmp_path / "found.html", tmp_path / "again.html"
    asked = ("finite", energies, "--inputs", "x,y", "--outputs", "energy", "--fit", "polynomial(4)")
    both = {"monkeypatch": monkeypatch, "capsys": capsys}
    code, out, _ = command(
        *asked, "--candidates", "polygon(8) on vectors(x,y)", "--save", kept, "--report", page, **both
    )
    assert f"Report: {page}" in out and "D4, 8 of 16 elements" in page.read_text(encoding="utf-8")
    assert code == 0 and "D4, 8 of 16 elements" in out and f"Result: {kept}" in out
    code, again, _ = command("show", kept, **both)
    assert code == 0 and again.strip() in out
    code, said, _ = command("show", kept, "--json", **both)
    told = json.loads(said)
    assert code == 0 and (told["verdict"], told["group"], told["order"]) == ("symmetries", "D4", 8)
    readings = [one["reading"] for one in told["candidates"]]
    assert len(readings) == 16 and readings.count("holds") + readings.count("follows") == 8
    code, plain, _ = command(*asked, "--candidates", "polygon(8) on vectors(x,y)", "--json", **both)
    assert code == 0 and json.loads(plain) == told
    code, said, _ = command("show", kept, "--report", again_page, **both)
    assert code == 0 and f"Report: {again_page}" in said and "Subgroups" in again_page.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--candidates", "so(2) on vectors(x,y)"), "so(2) has no discrete elements to be tested"),
        (("--candidates", "polygon(8) on vectors(x,z)"), "no column 'z'"),
        (("--candidates", "polygon(8) on vectors(x,y)", "--delta", "2"), "delta must lie between 0 and 1"),
    ],
)
def test_mistakes_in_words(energies, words, message, monkeypatch, capsys):
    asked = ("finite", energies, "--inputs", "x,y", "--outputs", "energy", *words)
    code, _, fault = command(*asked, monkeypatch=monkeypatch, capsys=capsys)
    assert code == 2 and message in fault


def test_promote_keeps_a_subgroup(energies, tmp_path, monkeypatch, capsys):
    """Of the 16 elements of D8 a quartic fitted to the energies keeps the eight of D4; they have a page and a file."""
    page, kept = tmp_path / "kept.html", tmp_path / "kept.npz"
    asked = ("promote", energies, "--inputs", "x,y", "--outputs", "energy", "--dictionary", "polynomials(4)")
    both = {"monkeypatch": monkeypatch, "capsys": capsys}
    written = ("--report", page, "--save", kept)
    code, out, _ = command(*asked, "--candidates", "polygon(8) on vectors(x,y)", *written, **both)
    assert code == 0 and "\nKept: 8 of 16 finite elements, at strength" in out and "D4, 8 of 16 elements" in out
    assert out.startswith("energy = ") and f"Report: {page}" in out and f"Result: {kept}" in out
    assert "D4, 8 of 16 elements" in page.read_text(encoding="utf-8")
    code, shown, _ = command("show", kept, **both)
    assert code == 0 and shown.strip() in out
    asked = (*asked[:-1], "fourier(1)")
    code, _, fault = command(*asked, "--candidates", "polygon(8) on vectors(x,y)", **both)
    assert code == 2 and "dictionary: element 0 of D8 takes" in fault and fault.count("\n") == 1
