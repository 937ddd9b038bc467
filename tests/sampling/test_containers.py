"""Containers that NumPy misreads are refused in words by every verb that takes data."""

import sys
import types

import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
import scipy.sparse

import lieder as ld
from lieder.sampling import real_numbers

RNG = np.random.default_rng(0)
V = ld.vectors(ld.algebra.so(3))
S = ld.scalars(ld.algebra.so(3))
X = RNG.normal(size=(80, 3))
MASKED = np.ma.masked_where(X > 2.0, np.where(X > 2.0, 1e6, X))


def pretend(module: str, name: str):
    """An object of a library that need not be installed."""
    return types.new_class(name, (), {}, lambda space: space.update({"__module__": module}))()


def lazy():
    if "polars" in sys.modules:
        return sys.modules["polars"].LazyFrame({"a": X[:, 0]})
    return pretend("polars.lazyframe.frame", "LazyFrame")


CONTAINERS = {
    "masked": (MASKED, ValueError, r"has \d masked values?.*Drop"),
    "sparse": (scipy.sparse.csr_array(X), TypeError, r"is a sparse matrix; give it dense, \w+\.toarray\(\)"),
    "lazy": (lazy(), TypeError, r"is a polars LazyFrame.*\.collect\(\)"),
    "xarray": (pretend("xarray.core.dataset", "Dataset"), TypeError, "is an xarray Dataset; give one array"),
}
VERBS = {
    "dataset": lambda x: ld.discover.dataset(x, X[:, 0], source=V, target=S),
    "labels": lambda x: ld.discover.dataset(X, x, source=V, target=V),
    "graph": lambda x: ld.discover.graph(x, X[:, 0], source=V, target=S),
    "cloud": lambda x: ld.discover.cloud(x, action=V),
    "function": lambda x: ld.discover.function(lambda z: z[0], x, source=V, target=S),
    "vector_field": lambda x: ld.discover.vector_field(lambda z: -z, x, action=V),
    "level_set": lambda x: ld.discover.level_set(x, action=V, dictionary=ld.dictionary.polynomials(3, 2)),
    "functions": lambda x: ld.enforce.functions(
        ld.dictionary.functions([lambda z: jnp.sin(z[0])], 3), source=V, target=S, x=x
    ),
    "penalty": lambda x: ld.promote.penalty(lambda z: z, x, source=V, target=V),
    "element_penalty": lambda x: ld.promote.element_penalty(lambda z: z, x, source=-np.eye(3)[None]),
    "fit": lambda x: ld.models.fit(x, X[:, 0]),
    "check": lambda x: ld.nn.check(lambda z: z, V, V, x),
    "fit of functions": lambda x: ld.enforce.functions(ld.dictionary.polynomials(3, 1), source=V, target=V).fit(x, X),
    "regression": lambda x: ld.promote.Regression("linear", source="so on vectors").fit(x, X[:, 0]),
    "outputs of a regression": lambda x: ld.promote.Regression("linear", source="so on vectors").fit(X, x),
    "dynamics": lambda x: ld.enforce.sparse_dynamics(x, None, "linear", t=0.1),
    "velocities": lambda x: ld.enforce.sparse_dynamics(X, x, "linear"),
    "trajectories": lambda x: ld.enforce.sparse_dynamics([x, x], None, "linear", t=0.1),
    "features": lambda x: ld.enforce.FunctionFeatures("polynomials(2)", source="so on vectors").fit(x),
}


@pytest.mark.parametrize("verb", list(VERBS))
@pytest.mark.parametrize("name", list(CONTAINERS))
def test_they_are_named(verb, name):
    data, kind, message = CONTAINERS[name]
    with pytest.raises(kind, match=message):
        VERBS[verb](data)


# What every verb says, in the same words, of numbers of a kind; the rest is taken as the numbers that it stands for.
WHOLE = np.round(3 * X).astype(int)
STAMPS = np.datetime64("2026-01-01") + np.arange(240).reshape(80, 3).astype("timedelta64[s]")
REFUSED = {
    "booleans": (X > 0, TypeError, "has dtype bool: a switch has no continuous symmetry"),
    "complex": (X + 1j, ValueError, "has dtype complex128: split complex numbers into columns"),
    "text": (X.astype(str), TypeError, "has dtype <U32: every entry must be a real number"),
    "None among numbers": (
        np.where(X > 2.0, None, X),
        TypeError,
        "has dtype object: every entry must be a real number",
    ),
    "booleans among numbers": (np.where(X > 2.0, True, X.astype(object)), TypeError, "every entry must be a real"),
    "time stamps": (STAMPS, TypeError, r"has dtype datetime64\[s\]: convert times to numbers"),
    "frame with text": (pd.DataFrame({"a": X[:, 0], "b": "u", "c": 1.0}), TypeError, "column 'b' has dtype .*every"),
    "frame with times": (
        pd.DataFrame({"a": X[:, 0], "b": 1.0, "c": STAMPS[:, 0]}),
        TypeError,
        "column 'c' has dtype datetime64.*convert times",
    ),
    "ragged": ([[1.0, 2.0, 3.0], [1.0, 2.0]], ValueError, "ragged: its rows have different lengths"),
    "NaN": (np.where(X > 2.0, np.nan, X), ValueError, "(?i)nan|finite"),
    "infinity": (np.where(X > 2.0, np.inf, X), ValueError, "(?i)inf|finite"),
    "missing integers": (
        pd.DataFrame({name: pd.array([None, *WHOLE[1:, k]], "Int64") for k, name in enumerate("abc")}),
        ValueError,
        "(?i)nan|finite",
    ),
    "no rows": (X[:0], ValueError, r"\(0, 3\)|0 rows|empty|no rows|0 samples?|got 0 in"),
}
TAKEN = {
    "integers": (WHOLE, WHOLE),
    "lists of integers": (WHOLE.tolist(), WHOLE),
    "small integers": (WHOLE.astype(np.int8), WHOLE),
    "objects": (X.astype(object), X),
    "frame": (pd.DataFrame(X, columns=list("abc")), X),
    "frame of integers and numbers": (pd.DataFrame({"a": X[:, 0], "b": WHOLE[:, 1], "c": X[:, 2]}), None),
    "nullable frame": (pd.DataFrame({k: pd.array(X[:, i], "Float64") for i, k in enumerate("abc")}), X),
    "nullable integers": (pd.DataFrame({k: pd.array(WHOLE[:, i], "Int64") for i, k in enumerate("abc")}), WHOLE),
}


@pytest.mark.parametrize("name", list(REFUSED))
@pytest.mark.parametrize("verb", list(VERBS))
def test_kinds_of_numbers_are_refused_in_the_same_words(verb, name):
    data, kind, message = REFUSED[name]
    with pytest.raises(kind, match=message):
        VERBS[verb](data)


@pytest.mark.parametrize("name", list(TAKEN))
@pytest.mark.parametrize("verb", list(VERBS))
def test_kinds_of_numbers_are_taken_for_the_numbers_that_they_are(verb, name, monkeypatch):
    """By every verb: what it reads is what comes out of the one place that reads, so that this place is looked at."""
    data, numbers = TAKEN[name]
    numbers = np.column_stack([X[:, 0], WHOLE[:, 1], X[:, 2]]) if numbers is None else numbers

    assert all(getattr(ld, room) for room in ("discover", "enforce", "models", "nn", "promote"))  # imported by now

    class Read(Exception):
        pass

    def read(given, argument):
        values, names = real_numbers(given, argument)
        if given is data:
            assert values.dtype == np.float64
            np.testing.assert_array_equal(values, numbers)
            raise Read
        return values, names

    for room in [module for name, module in sys.modules.items() if name.startswith("lieder.")]:
        if getattr(room, "real_numbers", None) is real_numbers:
            monkeypatch.setattr(room, "real_numbers", read)
    with pytest.raises(Read):
        VERBS[verb](data)


def test_a_mask_that_hides_nothing_is_no_matter():
    found = ld.discover.function(lambda z: (z**2).sum(), np.ma.array(X), source=V, target=S)
    assert found.dim == 3


def test_tensors_with_gradients():
    torch = pytest.importorskip("torch")
    tensor = torch.tensor(X, requires_grad=True)
    for verb in ("dataset", "cloud", "function", "penalty", "check", "fit"):
        with pytest.raises(TypeError, match=r"is a torch tensor that carries gradients; give \w+\.detach\(\)"):
            VERBS[verb](tensor)
    assert ld.discover.function(lambda z: (z**2).sum(), torch.tensor(X), source=V, target=S).dim == 3
