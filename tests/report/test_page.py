"""The HTML page: self-contained, escaped, written whole or not at all."""

import base64
import os
import re
from html.parser import HTMLParser

import numpy as np
import pytest
import sympy

from lieder.files import check_path
from lieder.report import Equations, Figure, Section, Table, Text, field_figure, html, spectrum_figure

NASTY = '<script>alert("x")</script> & \' \x1b \ud800'
SAID = '<script>alert("x")</script> & \''


class _Reader(HTMLParser):
    def __init__(self):
        HTMLParser.__init__(self)
        self.tags, self.attributes, self.data, self.open = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.data.append(data)


def read(path) -> _Reader:
    reader = _Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    assert reader.open == []
    return reader


@pytest.fixture
def full(tmp_path):
    symbol = sympy.Symbol(NASTY)
    points = np.random.default_rng(0).normal(size=(50, 2))
    blocks = [
        Text(NASTY + "\n\nsecond paragraph"),
        Text(NASTY, verbatim=True),
        Table([NASTY, "defect"], [[NASTY, 0.00123], ["b", 1.5]], caption=NASTY),
        Figure(spectrum_figure(np.array([0.01, 0.3]), 1, resolution=1e-3, title=NASTY), alt=NASTY, caption=NASTY),
        Figure(field_figure(points, points, [NASTY, "b"], title=NASTY), alt="a field"),
        Equations([(NASTY, [(NASTY, symbol**2), ("b", 0.5 * symbol)])]),
    ]
    sections = [Section(NASTY, blocks), Section("empty", [])]
    return html(tmp_path / "out.html", title=NASTY, summary=NASTY, sections=sections, kind="cannot tell")


def test_everything_given_is_escaped(full):
    page = read(full)
    assert "script" not in page.tags
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    said = "".join(page.data)
    assert said.count(SAID) >= 10
    assert "Cannot tell" in said and "0.00123" in said and "second paragraph" in said
    assert "\x1b" not in said
    assert next(value for tag, name, value in page.attributes if (tag, name) == ("img", "alt")).strip() == SAID


def test_no_request_to_anywhere(full):
    page = read(full)
    targets = [value for _, name, value in page.attributes if name in ("src", "href", "srcset", "data", "action")]
    assert targets and all(value.startswith(("data:image/", "#")) for value in targets)
    style = full.read_text(encoding="utf-8")
    assert not re.search(r"url\(|@import|http://|https://", style)
    assert "default-src 'none'" in style
    assert not {"link", "script", "iframe", "object", "embed"} & set(page.tags)


def test_figures_are_inside_and_of_modest_size(full):
    page = read(full)
    sources = [value for tag, name, value in page.attributes if (tag, name) == ("img", "src")]
    assert len(sources) == 2
    for source in sources:
        data = base64.b64decode(source.split(",")[1])
        assert data.startswith(b"<?xml")
        assert b"<script" not in data
        assert len(data) < 400_000


def test_a_heavy_figure_becomes_pixels(tmp_path):
    points = np.random.default_rng(0).normal(size=(2, 2))
    figure = field_figure(points, points, ["a", "b"], title="t")
    for k in range(60):
        figure.axes[0].plot(np.random.default_rng(k).normal(size=3000), linewidth=0.1)
    figure.axes[0].set(xlim=(0, 3000), ylim=(-4, 4), aspect="auto")
    page = read(
        html(tmp_path / "p.html", title="t", summary="s", sections=[Section("a", [Figure(figure, "many lines")])])
    )
    (source,) = [value for tag, name, value in page.attributes if (tag, name) == ("img", "src")]
    assert source.startswith("data:image/png;base64,")


def test_two_looks_and_paper(full):
    text = full.read_text(encoding="utf-8")
    for word in ("prefers-color-scheme:dark", "@media print", 'name="viewport"', 'lang="en"'):
        assert word in text


def test_an_existing_page_is_replaced_and_nothing_is_left_behind(full):
    html(str(full), title="new", summary="new", sections=[])
    assert "<h1>new</h1>" in full.read_text(encoding="utf-8")
    assert os.listdir(full.parent) == ["out.html"]


def test_a_failed_write_leaves_the_old_page(full, monkeypatch):
    before = full.read_bytes()

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.replace", refuse)
    with pytest.raises(PermissionError, match=r"path: cannot write .*out\.html.*: Permission denied"):
        html(full, title="new", summary="new", sections=[])
    assert full.read_bytes() == before
    assert os.listdir(full.parent) == ["out.html"]


def test_unwritable_paths(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("x")
    with pytest.raises(FileNotFoundError, match=r"path: .*the directory '.*nowhere' does not exist\. Make it"):
        html(tmp_path / "nowhere" / "a.html", title="t", summary="s", sections=[])
    with pytest.raises(IsADirectoryError, match=r"path: '.*' is a directory\. Add a file name"):
        html(tmp_path, title="t", summary="s", sections=[])
    for path in (tmp_path / "file" / "a.html", tmp_path / "file" / "b" / "a.html"):
        with pytest.raises(NotADirectoryError, match=r"because '.*file' is a file, not a directory"):
            check_path(path)
    with pytest.raises(IsADirectoryError, match="is a directory"):
        check_path("")
    with pytest.raises(TypeError, match="path: expected the path of a file, got 3"):
        check_path(3)
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(PermissionError, match=r"path: no permission to write '.*a\.html'"):
        check_path(tmp_path / "a.html")


def test_wrong_blocks(tmp_path):
    path = tmp_path / "a.html"
    with pytest.raises(
        TypeError, match="`blocks` must hold Text, Table, Figure, Equations, Code, Download or Explorer, got str"
    ):
        html(path, title="t", summary="s", sections=[Section("a", ["text"])])
    with pytest.raises(TypeError, match="`sections` must hold Section objects, got str"):
        html(path, title="t", summary="s", sections=["text"])
    with pytest.raises(ValueError, match="row 0 has 2 cells but there are 1 columns"):
        html(path, title="t", summary="s", sections=[Section("a", [Table(["a"], [[1, 2]])])])
    with pytest.raises(ValueError, match="`kind` must be one of"):
        html(path, title="t", summary="s", sections=[], kind="yes")
    assert not path.exists()
