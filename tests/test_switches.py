"""Switches: a text such as "no", which Python takes for yes, is refused wherever a truth value is taken."""

import importlib
import inspect
import os
import pkgutil

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lieder as ld

KEY = jax.random.key(0)
SO2 = ld.algebra.so(2)
V = ld.vectors(SO2)
O2 = ld.algebra.o(2)
MIRROR, IMAGE = ld.vectors(O2), ld.action.grid(O2, (3, 3), order=2)
JETS = ld.action.prolong(MIRROR, 1, 1)
ENCODED = ld.action.encoded(MIRROR, jnp.sinh, jnp.arcsinh, 2)
X = np.random.default_rng(0).normal(size=(60, 2))


PART = ld.discover.reduce(lambda x: x @ x, X, source=V, target=ld.scalars(SO2))


def record():
    return ld.discover.function(lambda x: x @ x, X, source=V, target=ld.scalars(SO2))


def conserved():
    return ld.discover.conserved(lambda x: jnp.stack([x[1], -x[0]]), "polynomials(2)", x=X)


def penalised(penalty, **switch):
    return penalty(lambda x: jnp.stack([x @ x, x[0]]), jnp.asarray(X), source=V, target=V, **switch)


def regression(**switch):
    return ld.promote.Regression(ld.dictionary.polynomials(2, 2), source=V, alpha=0.1, **switch).fit(X, X[:, 0])


def features(**switch):
    return ld.enforce.FunctionFeatures("polynomials(2)", source="so on vectors", **switch).fit(X)


# Where a switch is met: its name -> a call that gives it a value.
SWITCHES = {
    "action.FieldAction.element inverse": lambda v: MIRROR.element(0, jnp.ones(2), inverse=v),
    "action.FieldAction.element_over inverse": lambda v: MIRROR.element_over(0, jnp.ones(2), jnp.ones(2), inverse=v),
    "action.GridAction.element inverse": lambda v: IMAGE.element(0, jnp.ones(9), inverse=v),
    "action.GridAction.element_over inverse": lambda v: IMAGE.element_over(0, jnp.ones(9), jnp.ones(9), inverse=v),
    "action.Lift.element_over inverse": lambda v: ld.action.tangent(IMAGE).element_over(
        0, jnp.ones(9), jnp.ones(9), inverse=v
    ),
    "action.TotalAction.element inverse": lambda v: ld.action.total(IMAGE, MIRROR).element(0, jnp.ones(11), inverse=v),
    "action.TotalAction.element_over inverse": lambda v: ld.action.total(IMAGE, MIRROR).element_over(
        0, jnp.ones(1), jnp.ones(11), inverse=v
    ),
    "action.Prolonged.element inverse": lambda v: JETS.element(0, jnp.ones(JETS.width), inverse=v),
    "action.Prolonged.element_over inverse": lambda v: JETS.element_over(
        0, jnp.ones(JETS.width), jnp.ones(JETS.width), inverse=v
    ),
    "action.Encoded.element inverse": lambda v: ENCODED.element(0, jnp.ones(2), inverse=v),
    "action.Encoded.element_over inverse": lambda v: ENCODED.element_over(0, jnp.ones(2), jnp.ones(2), inverse=v),
    "action.rates timed": lambda v: ld.action.rates(V, 1, timed=v),
    "algebra.polygon mirrors": lambda v: ld.algebra.polygon(3, mirrors=v),
    "discover.Conserved.expressions slow": lambda v: conserved().expressions(slow=v),
    "discover.Conserved.transform slow": lambda v: conserved().transform(X, slow=v),
    "discover.section up_to_factor": lambda v: ld.discover.section(
        lambda x: jnp.eye(2), X, action=V, kind="metric", up_to_factor=v
    ),
    "discover.reduce up_to_factor": lambda v: ld.discover.reduce(
        lambda x: jnp.eye(2), X, source=V, kind="metric", up_to_factor=v
    ),
    "discover.units up_to_factor": lambda v: ld.discover.units(
        lambda x: jnp.eye(2), X, source=V, kind="metric", up_to_factor=v
    ),
    "discover.Symmetries.fields simple": lambda v: record().fields(simple=v),
    "discover.Symmetries.report explore": lambda v: record().report(os.devnull, explore=v),
    "discover.merge incomplete": lambda v: ld.discover.merge([PART], lambda x: x @ x, incomplete=v),
    "learn.adversarial transition": lambda v: ld.discover.adversarial(
        X, X @ [[0, 1], [-1, 0]], source=V, transition=v, width=4, batch=8, steps=1, restarts=1
    ),
    "learn.adversarial products": lambda v: ld.discover.adversarial(
        X, source=V, products=v, width=4, batch=8, steps=1, restarts=1
    ),
    "discover.pairs transition": lambda v: ld.discover.pairs(X, X @ [[0, 1], [-1, 0]], source=V, transition=v),
    "discover.graph transition": lambda v: ld.discover.graph(
        X, X @ [[0, 1], [-1, 0]], source=V, target=V, transition=v
    ),
    "enforce.FunctionFeatures constant": lambda v: features(constant=v),
    "enforce.FunctionFeatures only_generators": lambda v: features(only_generators=v),
    "enforce.kernels harmonic": lambda v: ld.enforce.kernels(
        ld.scalars(ld.algebra.se(2)), ld.vectors(ld.algebra.se(2)), harmonic=v
    ),
    "nn.Bilinear scalars": lambda v: ld.nn.Bilinear(V + ld.scalars(SO2), V, key=KEY, scalars=v),
    "nn.IntegralOperator use_bias": lambda v: ld.nn.IntegralOperator(
        ld.scalars(ld.algebra.se(2)), ld.scalars(ld.algebra.se(2)), key=KEY, size=3, use_bias=v
    ),
    "nn.Linear use_bias": lambda v: ld.nn.Linear(V, V, key=KEY, use_bias=v),
    "nn.MLP bilinear": lambda v: ld.nn.MLP(V, V, width=8, depth=1, key=KEY, bilinear=v),
    "promote.Regression exact": lambda v: regression(exact=v),
    "promote.Regression intercept": lambda v: regression(intercept=v),
    "promote.Regression refit": lambda v: regression(refit=v),
    "promote.layer_penalty per_output": lambda v: ld.promote.layer_penalty(
        [jnp.sin], jnp.asarray(X), source=V, target=V, per_output=v
    ),
    "promote.penalty per_output": lambda v: penalised(ld.promote.penalty, per_output=v),
    "promote.mirror.defect each": lambda v: ld.promote.mirror.defect(jnp.sum, jnp.ones(2), np.eye(2), each=v),
}
# Not met by users with a value of their own, and why.
FILLED_IN = {
    "action.AbstractAction.element inverse": "abstract",
    "action.AbstractAction.element_over inverse": "abstract",
    "action.AbstractFibreAction.element_over inverse": "abstract",
    "action.Rates.element_over inverse": "rates have no discrete elements",
    "action.Rates timed": "a record that rates fills in",
    "action.Closure closed": "a record that close fills in",
    "dictionary.Functions labelled": "a record that functions fills in",
    "derivative.section_blocks up_to_factor": "between rooms",
    "discover.FiniteEvidence closes": "a record that finite fills in",
    "models.Design grouped": "a record that the fit fills in",
    "discover.Learnt whole": "a record that training fills in",
    "discover.Part trained": "a record that reduce fills in",
    "discover.Symmetries lifted": "a record that discover fills in",
    "enforce.EquivariantKernels joint": "a record that kernels fills in",
    "interop.estimator_inputs first": "between rooms",
    "linalg.LowRank settled": "a record that the solver fills in",
    "learn.Generative channels": "a record that generative fills in",
    "linalg.Rank clear": "a record that the decision fills in",
    "promote.RegressionPath refitted": "a record that the path fills in",
    "report.Text verbatim": "a record that is shown, whatever it holds",
    "sampling.Stream once": "a record that stream fills in",
    "sampling.Stream.batches piece": "between rooms",
    "sampling.check_size small": "between rooms",
}


def public() -> dict[str, inspect.Signature]:
    """Every function, constructor and method that a room shows."""
    rooms = [m.name for m in pkgutil.walk_packages(ld.__path__, "lieder.") if "._" not in m.name]
    found = {}
    for room in rooms:
        module = importlib.import_module(room)
        for name, thing in ((name, getattr(module, name)) for name in dir(module)):
            if name.startswith("_") or not str(getattr(thing, "__module__", "")).startswith("lieder"):
                continue
            callables = {f"{room}.{name}": thing}
            if inspect.isclass(thing):
                own = [method for method in dir(thing) if not method.startswith("_") or method == "__call__"]
                callables |= {f"{room}.{name}.{method}": getattr(thing, method, None) for method in own}
            for path, one in callables.items():
                exception = inspect.isclass(one) and issubclass(one, BaseException)
                if callable(one) and not exception and str(getattr(one, "__module__", "")).startswith("lieder"):
                    found[path.removeprefix("lieder.")] = inspect.signature(one)
    return found


def test_no_switch_is_forgotten():
    switches = {
        f"{path} {one.name}"
        for path, signature in public().items()
        for one in signature.parameters.values()
        if isinstance(one.default, bool) or "bool" in str(one.annotation)
    }
    assert len(switches) > 20
    assert switches == {*SWITCHES, *FILLED_IN}


@pytest.mark.parametrize("name", SWITCHES)
def test_what_is_no_truth_value_is_refused(name):
    argument = name.split()[1]
    for value in ("no", 2):
        with pytest.raises(TypeError, match=rf"{argument}.*True or False, got {value!r}"):
            SWITCHES[name](value)


@pytest.mark.parametrize("name", SWITCHES)
def test_truth_values_are_taken(name):
    """What is refused above is the switch, and nothing else."""
    SWITCHES[name](False)
