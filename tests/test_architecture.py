"""The rules of the house hold in lieder, and each rule catches a fault planted for it."""

import importlib
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import architecture
import pytest

import lieder

PACKAGE = Path(lieder.__file__).parent


def test_the_house_keeps_its_rules():
    faults = architecture.violations(PACKAGE)
    assert not faults, "\n" + "\n".join(faults)


def test_every_file_of_every_room_was_read():
    read = architecture.read(PACKAGE)
    for room in architecture.FLOORS:
        files = {path.relative_to(PACKAGE) for path in (PACKAGE / room).rglob("*.py")}
        assert {source.path for source in read if source.room == room and len(source.path.parts) > 1} == files, room


# A file of the package, what is written in it, and the fault that must be reported.
PLANTED = {
    "upward import": ("algebra.py", "from lieder.discover import function\n", "algebra.*imports discover"),
    "upward import of a room": ("linalg.py", "from lieder import algebra\n", "linalg.*imports algebra"),
    "upward import, plain": ("linalg.py", "import lieder.nn as nn\n", "linalg.*imports nn"),
    "upward relative import": ("linalg.py", "from . import action\n", "linalg.*imports action"),
    "upward import at a doorway": ("discover.py", "from lieder.learn import latent\n", "discover.*imports learn"),
    "same-floor import": ("algebra.py", "from lieder.dictionary import radial\n", "algebra.*imports dictionary"),
    "same-floor relative import": ("linalg.py", "from .sampling import rows\n", "linalg.*imports sampling"),
    "upward import while typing": (
        "linalg.py",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from lieder.action import points\n",
        "linalg.*imports action",
    ),
    "private import": ("action.py", "from lieder.linalg._stack import MatrixStack\n", "private to linalg"),
    "front of the house": ("action.py", "from lieder import points\n", "not from the front"),
    "delayed import": ("action.py", "def f():\n    import scipy\n", "delayed import"),
    "delayed import by importlib": ("action.py", "from importlib import import_module\n", "importlib"),
    "foreign framework": ("models.py", "import torch\n", "imports torch outside interop"),
    "long file": ("action.py", "\n" * 401, "401 lines"),
    "unplanned room": ("songs.py", "", "not a room"),
    "forbidden room": ("utils.py", "", "names no concept"),
    "forbidden file": ("linalg/_helpers.py", "", "names no concept"),
    "public file": ("linalg/stack.py", "", "begin its name with _"),
    "small folder": ("models/__init__.py", "", "a folder of 1 files"),
    "plain re-export": ("linalg/__init__.py", "from lieder.linalg._a import A\n", "X as X"),
    "future annotations": ("action.py", "from __future__ import annotations\n", "breaks jaxtyping"),
    "super": ("action.py", "class _A:\n    def f(self):\n        super().f()\n", r"super\(\)"),
    "hasattr": ("action.py", "print(hasattr(1, 'x'))\n", r"hasattr\(\)"),
    "option bag": ("action.py", "def _f(**options):\n    pass\n", r"\*\*options"),
    "option bag of a lambda": ("action.py", "_f = lambda **options: 1\n", r"\*\*options"),
    "assert": ("action.py", "assert True\n", "our own bug"),
    "rank by the largest gap": (
        "models.py",
        "import numpy\n_f = lambda s: numpy.argmax(s[1:] / s[:-1])\n",
        "largest gap: ask linalg",
    ),
    "rank by a tolerance": ("models.py", "_f = lambda s, tolerance: (s <= tolerance).sum()\n", "ask linalg.decide"),
    "rank by a share": ("models.py", "import numpy\n_f = lambda s: numpy.sum(s > 1e-9 * s[0])\n", "ask linalg.decide"),
    "rank by a place": (
        "models.py",
        "import numpy\n_f = lambda s, tolerance: numpy.searchsorted(s, tolerance)\n",
        "ask linalg.decide",
    ),
    "no docstring": ("action.py", "def points():\n    pass\n", "points has no docstring"),
    "closed kind": (
        "models.py",
        "from lieder import action\n_f = lambda a: isinstance(a, list | action.Sum)\n",
        "asks for the class Sum",
    ),
    "circle": (
        "linalg/_a.py",
        'from lieder.linalg._b import b\n\n\nclass A:\n    """An A."""\n',
        r"in a circle: linalg._a -> linalg._b -> linalg._a",
    ),
    "circle by the front door": (
        "linalg/_a.py",
        'from lieder.linalg import b\n\n\nclass A:\n    """An A."""\n',
        r"in a circle: linalg",
    ),
    "circle while typing": (
        "linalg/_a.py",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from ._b import b\nclass A:\n    'An A.'\n",
        "in a circle",
    ),
    "circle in a function": (
        "linalg/_a.py",
        "class A:\n    'An A.'\n    def f(self):\n        from . import _b\n",
        "circle",
    ),
    "no docstring inside": (
        "linalg/_a.py",
        "class A:\n    pass\n",
        "A has no docstring",
    ),
    "no Returns": ("action.py", 'def points():\n    """Points."""\n    return 1\n', "what it Returns"),
    "a section inside a line": (
        "action.py",
        'def points():\n    """Points. Returns: one."""\n    return 1\n',
        "does not begin its line",
    ),
    "no Raises": ("action.py", 'def points():\n    """Points."""\n    raise ValueError\n', "what it Raises"),
}

CLEAN = {
    "__init__.py": '"""The house."""\n\n\ndef __getattr__(name):\n    import scipy\n',
    "linalg/__init__.py": "from lieder.linalg._a import A as A\n",
    "linalg/_a.py": 'class A:\n    """An A."""\n',
    "linalg/_b.py": "from lieder.linalg._a import A\n\nassert True  # our own bug\n",
    "promote/__init__.py": "from lieder.promote._a import Abstract as Abstract\n",
    "promote/_a.py": (
        "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    from lieder.promote._b import One\n\n\n"
        'class Abstract:\n    """A contract."""\n\n    def first(self) -> "One": ...\n'
    ),
    "promote/_b.py": "from lieder.promote._a import Abstract\n\n\nclass One(Abstract):\n    pass\n",
    "action.py": (
        "import scipy\nfrom lieder.linalg import A\n\n\nclass Sum(AbstractAction):\n"
        '    """Sum."""\n\n\n'
        'def points():\n    """Points.\n\n    Returns: one.\n    Raises: ValueError.\n    """\n'
        "    if A:\n        raise ValueError\n    return 1\n"
    ),
    "interop.py": "def _load():\n    import torch\n",
    "cli.py": "def main():\n    from lieder import action\n",
}


def _write(package, files):
    for path, text in files.items():
        file = package / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def test_a_clean_house_is_passed(tmp_path):
    _write(tmp_path, CLEAN)
    assert architecture.violations(tmp_path) == []


@pytest.mark.parametrize("fault", PLANTED)
def test_a_planted_fault_is_caught(tmp_path, fault):
    path, text, message = PLANTED[fault]
    _write(tmp_path, {**CLEAN, path: text})
    faults = architecture.violations(tmp_path)
    assert re.search(message, "\n".join(faults)), faults


def test_every_rule_is_reached_by_a_planted_fault(tmp_path):
    """A rule that no planted fault reaches might never fail."""
    idle = {rule.__name__ for rule in [*architecture.FILE_RULES, *architecture.HOUSE_RULES]}
    for fault, (path, text, _) in PLANTED.items():
        package = tmp_path / fault.replace(" ", "_")
        _write(package, {**CLEAN, path: text})
        sources = architecture.read(package)
        idle -= {rule.__name__ for rule in architecture.FILE_RULES if any(fault for s in sources for fault in rule(s))}
        idle -= {rule.__name__ for rule in architecture.HOUSE_RULES if any(rule(package, sources))}
    assert idle == set()


def test_dependencies_are_what_is_imported():
    """pyproject.toml lists what the package imports and nothing else; extras and pandas are met in interop."""
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
    listed = {re.split(r"[^\w-]", line)[0].replace("scikit-learn", "sklearn") for line in project["dependencies"]}
    imported = {name.split(".")[0] for source in architecture.read(PACKAGE) for name in architecture.imports(source)}
    assert imported - set(sys.stdlib_module_names) - architecture.GUARDED - {"lieder"} == listed


def test_import_is_light():
    """`import lieder` and a look around it import neither JAX nor NumPy."""
    code = "import sys, lieder; dir(lieder); print([m for m in ('jax', 'numpy', 'scipy') if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


HEAVY = ("matplotlib", "sympy", "optax", "typer", "sklearn.neighbors", "torch", "dask", "pysindy")


@pytest.mark.parametrize("verb", ["discover", "enforce", "promote", "nn"])
def test_a_verb_loads_nothing_that_it_needs_late(verb):
    """Formulas, pictures and trees of neighbours come with the first answer that needs them."""
    code = f"import sys, lieder.{verb}; print([m for m in {HEAVY} if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_a_discovery_that_is_not_printed_loads_no_formulas():
    code = (
        "import sys, numpy as np, lieder as ld\n"
        "x = np.random.default_rng(0).normal(size=(30, 2))\n"
        "found = ld.discover.function(lambda x: x @ x, x, source=ld.vectors(ld.algebra.gl(2)))\n"
        "print(found.dim, repr(found)[:10], [m for m in ('matplotlib', 'sympy') if m in sys.modules])\n"
        "print(found.fields(), 'sympy' in sys.modules, 'matplotlib' in sys.modules)\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines() == ["1 Symmetries []", "['x0 d/dx1 - x1 d/dx0'] True False"]


def test_the_front_of_the_house():
    assert len(lieder.__all__) < 40
    assert len(set(lieder.__all__)) == len(lieder.__all__)
    assert dir(lieder) == sorted(lieder.__all__)
    with pytest.raises(AttributeError, match="no attribute 'song'; it has action"):
        lieder.song  # noqa: B018


@pytest.mark.parametrize("name", lieder.__all__)
def test_every_name_at_the_front_is_there(name):
    thing = getattr(lieder, name)
    if name in lieder._ROOMS:
        assert thing is importlib.import_module(f"lieder.{name}")
