"""Pages of conserved quantities: functions, their course and drift, defects; all names are text."""

import re

import jax.numpy as jnp
import numpy as np
import pytest

import lieder as ld

HOSTILE = ["<script>document.title='gone'</script>", '"><img src=x onerror="document.title=1">']
T = np.linspace(0, 10, 120)


def circles(loss: float):
    random = np.random.default_rng(0)
    runs = [
        a * np.stack([np.cos(T + p), -np.sin(T + p)], 1) for a, p in ((1, 0), (1.5, 1), (0.7, 2), (2, 0.5), (1.2, 3))
    ]
    return [run * np.exp(-loss * T)[:, None] + 0.003 * random.normal(size=run.shape) for run in runs]


@pytest.mark.parametrize("loss", [0.0, 0.004])
def test_the_page_says_it_and_names_are_text(loss, tmp_path):
    found = ld.discover.conserved(circles(loss), "polynomials(2)", t=[T] * 5, names=HOSTILE)
    text = found.report(tmp_path / "found.html").read_text(encoding="utf-8")
    assert "<script" not in text and "<img src=x" not in text and "default-src 'none'" in text
    assert not re.search("(src|href)=.?https?:", text)
    assert "drift, in spreads per unit of time" in text and "Along trajectories" in text
    assert text.count("<figure>") == 2
    if loss == 0.0:
        assert "Conserved quantities found" in text and "conserved.npz" in text and "Use them" in text
    else:
        assert "None in this family" in text and "changes slowly" in text and "Use them" not in text
        assert found.evidence.drift is not None and f"{found.evidence.drift[0, 0]:.3g}" in text


def test_fields_and_own_functions(tmp_path):
    """Of a field there is no course in time; functions of one's own are said to be in no file."""
    dictionary = ld.dictionary.functions([lambda z: z[0] ** 2, lambda z: z[1] ** 2, lambda z: z[0]], 2)
    x = np.random.default_rng(0).normal(size=(60, 2))
    found = ld.discover.conserved(lambda z: jnp.stack([z[1], -z[0]]), dictionary, x=x)
    text = found.report(tmp_path / "found.html").read_text(encoding="utf-8")
    assert found.dim == 1 and "Along trajectories" not in text and "make the dictionary again as it was" in text
    with pytest.raises(OSError, match="missing"):
        found.report(tmp_path / "missing" / "page.html")


def test_noether_names_the_symmetry_of_each(tmp_path):
    x = np.random.default_rng(0).normal(size=(60, 2))
    shear = ld.vectors(ld.algebra.matrices([np.array([[0.0, 1.0], [0.0, 0.0]])]))
    found = ld.discover.noether(lambda z: z[1] ** 2 / 2, x, symmetries=shear, names=["q", "p"])
    text = found.report(tmp_path / "found.html").read_text(encoding="utf-8")
    assert found.dim == 1 and "of the symmetry" in text and "1/2 p^2" in text
