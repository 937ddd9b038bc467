"""Every Python block of README.md and docs/, and every script of examples/, runs as a reader would run it."""

import contextlib
import doctest
import importlib
import io
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FENCE = re.compile(
    r"(?P<mark>^ *<!-- no-run -->\n)?^(?P<indent> *)```python\n(?P<code>(?:.*\n)*?)(?P=indent)```[ ]*$", re.MULTILINE
)
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
SCRIPTS = sorted((ROOT / "examples").glob("*.py"))

# Pages with blocks that are shown and not run (the line before the fence is `<!-- no-run -->`), and how many of them.
# torch is an extra; 2,000 molecules are a file of their own; digits take minutes
NOT_RUN: dict[str, int] = {"docs/gallery-data.md": 1, "docs/finite.md": 1, "docs/generative.md": 1}
# Pages whose blocks need an extra, and a package of it; .ci/run runs them where it is.
EXTRA = {"docs/files.md": "xarray", "docs/scale.md": "dask"}


def blocks(page: Path) -> list[tuple[int, bool, str]]:
    """The Python blocks of a page: line of the first statement, whether it is run, code."""
    text = page.read_text(encoding="utf-8")
    found = []
    for fence in FENCE.finditer(text):
        indent = len(fence["indent"])
        code = "".join(line[indent:] for line in fence["code"].splitlines(keepends=True))
        found.append((text.count("\n", 0, fence.start("code")) + 1, fence["mark"] is None, code))
    return found


WITH_BLOCKS = [page for page in PAGES if any(run for _, run, _ in blocks(page))]


def test_every_fence_is_read():
    """A fence that the pattern misses would go unrun in silence."""
    for page in PAGES:
        opened = re.findall(r"^\s*[`~]{3,}\s*\{?\.?py", page.read_text(encoding="utf-8"), re.MULTILINE)
        assert len(opened) == len(blocks(page)), page


def test_blocks_that_are_not_run_are_listed():
    idle = {str(page.relative_to(ROOT)): sum(not run for _, run, _ in blocks(page)) for page in PAGES}
    assert {page: count for page, count in idle.items() if count} == NOT_RUN


@pytest.mark.parametrize("page", WITH_BLOCKS, ids=lambda page: str(page.relative_to(ROOT)))
def test_page_runs(page, tmp_path, monkeypatch):
    """The blocks of one page share a namespace, in an empty folder that holds examples/, without network."""
    if package := EXTRA.get(str(page.relative_to(ROOT))):
        pytest.importorskip(package)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)

    def refuse(*_):
        raise OSError(f"{page.name} opens a network connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    namespace = {"__name__": "__main__"}
    for line, run, code in blocks(page):
        if run:
            # Empty lines first, so that a traceback names the line of the page.
            exec(compile("\n" * (line - 1) + code, str(page), "exec"), namespace)


WITH_EXAMPLES = [path for path in sorted((ROOT / "lieder").rglob("*.py")) if ">>> " in path.read_text(encoding="utf-8")]


@pytest.mark.parametrize("path", WITH_EXAMPLES, ids=lambda path: path.stem)
def test_examples_in_docstrings_run(path):
    module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        failed, tried = doctest.testmod(module)
    assert tried and not failed, told.getvalue()


def test_every_name_on_a_page_exists():
    """Also in running text, which is not run."""
    missing = {
        f"{page.relative_to(ROOT)}: ld.{room}.{name}"
        for page in PAGES
        for room, name in re.findall(r"\bld\.([a-z]+)\.(\w+)", page.read_text(encoding="utf-8"))
        if not hasattr(importlib.import_module(f"lieder.{room}"), name)
    }
    assert not missing


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("|L_F|_* <= sqrt(2) sum_i x_i^2", r"|L_{F}|_* \le \sqrt {2} \sum _{i} x_{i}^{2}"),
        ("R_new = chol(1 + B^T B) R", r"R_{\text{new}} = \; \text{chol}(1 + B^{T} B) R"),
        ("x(t)    within each window", r"x(t) \quad \; \text{within each window}"),
    ],
)
def test_equations_of_docstrings(text, latex):
    sys.path.insert(0, str(ROOT / "docs"))
    try:
        equations = importlib.import_module("equations")
    finally:
        sys.path.pop(0)
    assert equations.is_equation(text) or "=" not in text
    assert " ".join(equations.tex(text).split()) == latex
    assert not equations.is_equation("lhs, rhs = ld.enforce.constraints(library, symmetry)")


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_example_runs(script, tmp_path):
    """Each script runs with --quick in an empty folder."""
    run = subprocess.run(
        [sys.executable, str(script), "--quick"],
        cwd=tmp_path,
        env={**os.environ, "MPLBACKEND": "Agg"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert run.returncode == 0, f"{run.stdout}\n{run.stderr}"
    assert run.stdout.strip(), "an example prints what it found"


def test_readme_begins_with_the_two_commands():
    """The first screen holds exactly two console blocks; .ci/run types them in a fresh environment."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = re.findall(r"^```console\n(.*\n)```$", text, re.MULTILINE)
    assert len(commands) == 2
    assert commands[0].startswith('pip install ".[html]" && lieder discover examples/planets.csv')
    assert commands[1] == 'pip install ".[test]" && pytest\n'
