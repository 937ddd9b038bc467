"""Pages of finite symmetries: what the lattice says, and that all names are text."""

import re

import jax.numpy as jnp
import numpy as np
import pytest

import lieder as ld
from lieder.discover._group_page import joined, nodes

X = np.random.default_rng(0).uniform(-1, 1, (200, 2))
HOSTILE = ["<script>document.title='gone'</script>", '"><img src=x onerror="document.title=1">']


def square(z):
    return z[0] ** 4 + z[1] ** 4 - 3 * z[0] ** 2 * z[1] ** 2


@pytest.fixture(scope="module")
def found():
    source = ld.vectors(ld.algebra.polygon(8))
    return ld.discover.finite(square, X, source=source, names=HOSTILE, output_names=["</script><b>v</b>"])


def test_a_subgroup_holds_where_all_its_elements_do(found):
    parts = nodes(found.group, found.evidence, found.found)
    answer = [k for k, one in enumerate(parts) if np.array_equal(np.flatnonzero(one.members[0]), found.found)]
    assert found.name == "D4" and len(answer) == 1 and parts[answer[0]].reading == "holds"
    for one in parts:
        assert (one.reading == "holds") == bool(np.isin(np.flatnonzero(one.members[0]), found.symmetric).all())
    assert sum(len(one.members) for one in parts) == 19 and [one.reading for one in parts].count("holds") == 6
    sizes = [int(one.members[0].sum()) for one in parts]
    lines = joined(parts)
    assert all(sizes[a] < sizes[b] for a, b in lines)
    above = {b for a, b in lines if a == answer[0]}
    assert [sizes[b] for b in above] == [16]  # D4 lies in D8, with nothing between


def test_the_page_says_it_and_names_are_text(found, tmp_path):
    text = found.report(tmp_path / "found.html").read_text(encoding="utf-8")
    for words in ("Finite symmetries of the data", "D4, 8 of 16 elements", "mirror along 22.5 deg", "Use them"):
        assert words in text
    assert "<script" not in text and "<b>v" not in text and "<img src=x" not in text
    assert "default-src 'none'" in text and not re.search("(src|href)=.?https?:", text)
    assert "finite.npz" in text and ">broken<" in text


def test_no_answer_has_a_page_too(tmp_path):
    """Nothing is broken or holds for sure: nothing to use, and the summary says so."""
    half = np.abs(X)  # a quarter of the plane: no element leaves it where it is
    asked = ld.discover.finite(
        square,
        half,
        source=ld.vectors(ld.algebra.signs(2)),
        labels=half[:, 0] ** 4 + half[:, 1] ** 4 - 3 * half[:, 0] ** 2 * half[:, 1] ** 2,
    )
    text = asked.report(tmp_path / "none.html").read_text(encoding="utf-8")
    assert "Cannot tell" in text and "Use them" not in text
    slanted = ld.discover.finite(lambda z: z[0] + jnp.exp(z[1]), X, source=ld.vectors(ld.algebra.signs(2)))
    assert "No symmetry" in slanted.report(tmp_path / "no.html").read_text(encoding="utf-8")


def test_large_groups_are_not_drawn(tmp_path):
    """S6: 720 elements, as numbers in a table of which the first are shown."""
    x = np.random.default_rng(1).normal(size=(40, 6))
    whole = ld.discover.finite(lambda z: jnp.sum(z**3), x, source=ld.vectors(ld.algebra.symmetric(6)))
    text = whole.report(tmp_path / "large.html").read_text(encoding="utf-8")
    assert whole.order == 720 and "too many subgroups to be drawn" in text and "The first 200 of 719." in text


def test_bad_paths(found, tmp_path):
    with pytest.raises(OSError, match="missing"):
        found.report(tmp_path / "missing" / "page.html")
