"""What a page lets its reader move: data in, markup, numbers and a policy out."""

import base64
import hashlib
import importlib.util
import json
import re

import numpy as np
import pytest

from lieder.report import Directions, Explorer, Flow, Section, Text, explorable, html
from lieder.report._explorer import LOST, explorer_html

NASTY = '</script><script>alert("x")</script> & %{x}'
needs_plotly = pytest.mark.skipif(not explorable(), reason="plotly is not installed")


def explorer(reading="symmetric") -> Explorer:
    times = np.linspace(-1, 1, 5)
    start = np.random.default_rng(0).normal(size=(7, 2))
    moved = np.stack([np.column_stack([start + t, (start + t).sum(axis=1)]) for t in times])
    moved[0, 0] = np.inf
    flow = Flow(NASTY, NASTY, reading, 0.01, times, moved, moved[:, :, 2:] + 0.5, np.full(5, 0.2), np.ones(3))
    directions = Directions(np.array([0.01, 0.9]), None, None, ["symmetric", "broken"], NASTY, [(NASTY, 0.05)])
    return Explorer([NASTY, "b", "c"], 1, [0, 0, 1], directions, [flow])


def data(markup: str) -> dict:
    held = re.search(r'<script type="application/json" id="explored">(.*?)</script>', markup, re.DOTALL)
    assert held is not None
    return json.loads(held.group(1))


def test_numbers_arrive_and_nothing_ends_their_element():
    given = explorer()
    markup = explorer_html(given)
    plain = data(markup)
    assert plain["names"][0] == NASTY and markup.count("</script") == 1
    for column, packed in enumerate(plain["flows"][0]["moved"]):
        whole = np.frombuffer(base64.b64decode(packed["data"]), "<i2").reshape(5, 7)
        value = packed["low"] + (whole + 32767.0) / 65534 * (packed["high"] - packed["low"])
        wanted = given.flows[0].moved[:, :, column]
        near = np.isfinite(wanted) & (wanted >= packed["low"]) & (wanted <= packed["high"])
        assert np.array_equal(whole == LOST, ~near)
        assert np.abs(value - wanted)[near].max() <= 2e-5 * (packed["high"] - packed["low"])


def test_an_unknown_reading_is_refused():
    with pytest.raises(ValueError, match="`reading` must be one of symmetric, undecided, broken, got 'maybe'"):
        explorer_html(explorer("maybe"))


@needs_plotly
def test_the_policy_names_the_scripts_of_the_page(tmp_path):
    page = html(tmp_path / "a.html", title="t", summary="s", sections=[Section("e", [explorer()])]).read_text("utf-8")
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    running = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in running]
    assert len(digests) == 2
    assert re.search(r"script-src ([^;]*);", policy.group(1)).group(1).split() == [f"'sha256-{d}'" for d in digests]
    assert "unsafe-eval" not in page[:3000] and "connect-src" not in page[:3000]


def test_a_page_without_one_runs_no_script(tmp_path):
    page = html(tmp_path / "a.html", title="t", summary="s", sections=[Section("e", [Text("a")])]).read_text("utf-8")
    assert "<script" not in page and "script-src" not in page


def test_without_plotly_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert not explorable()
    with pytest.raises(ImportError, match=r"pip install 'lieder\[html\]'"):
        html(tmp_path / "a.html", title="t", summary="s", sections=[Section("e", [explorer()])])
    assert not list(tmp_path.iterdir())
