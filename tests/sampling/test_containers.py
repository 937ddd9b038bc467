"""Containers that NumPy misreads are refused in words by every verb that takes data."""

import sys
import types

import jax.numpy as jnp
import numpy as np
import pytest
import scipy.sparse

import lieder as ld

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
    "functions": lambda x: ld.enforce.functions(ld.dictionary.functions([lambda z: jnp.sin(z[0])], 3), V, S, x=x),
    "penalty": lambda x: ld.promote.penalty(lambda z: z, x, V, V),
    "element_penalty": lambda x: ld.promote.element_penalty(lambda z: z, x, -np.eye(3)[None]),
    "fit": lambda x: ld.models.fit(x, X[:, 0]),
    "check": lambda x: ld.nn.check(lambda z: z, V, V, x),
    "fit of functions": lambda x: ld.enforce.functions(ld.dictionary.polynomials(3, 1), V, V).fit(x, X),
    "regression": lambda x: ld.promote.Regression("linear", "so on vectors").fit(x, X[:, 0]),
    "outputs of a regression": lambda x: ld.promote.Regression("linear", "so on vectors").fit(X, x),
    "dynamics": lambda x: ld.enforce.sparse_dynamics(x, None, "linear", t=0.1),
    "velocities": lambda x: ld.enforce.sparse_dynamics(X, x, "linear"),
    "trajectories": lambda x: ld.enforce.sparse_dynamics([x, x], None, "linear", t=0.1),
    "features": lambda x: ld.enforce.FunctionFeatures("polynomials(2)", "so on vectors").fit(x),
}
# Estimators refuse these in scikit-learn's words.
OTHER_WORDS = {"masked": (ValueError, r"has \d masked entr"), "sparse": (TypeError, "[Ss]parse.*toarray")}
ESTIMATORS = ("regression", "outputs of a regression", "dynamics", "velocities", "trajectories", "features")


@pytest.mark.parametrize("verb", list(VERBS))
@pytest.mark.parametrize("name", list(CONTAINERS))
def test_they_are_named(verb, name):
    data, kind, message = CONTAINERS[name]
    if verb in ESTIMATORS:
        kind, message = OTHER_WORDS.get(name, (kind, message))
    with pytest.raises(kind, match=message):
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
