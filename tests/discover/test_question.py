"""A question goes from the door to the answer: few arguments on the way, faults in the caller's words."""

import inspect
import pkgutil
from importlib import import_module

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

import lieder as ld
from lieder import discover

G = ld.algebra.gl(2)
V = ld.vectors(G)
X = np.random.default_rng(0).normal(size=(60, 2))
MOST = 7  # arguments that a reader keeps in mind


def test_nothing_carries_many_arguments_along():
    """Only the doors, public functions, take a long list of options; what is behind them takes records."""
    files = [import_module(f"lieder.discover.{module.name}") for module in pkgutil.iter_modules(discover.__path__)]
    own = {
        name: len(inspect.signature(thing).parameters)
        for file in files
        for name, thing in vars(file).items()
        if inspect.isfunction(thing) and thing.__module__ == file.__name__ and not hasattr(discover, name)
    }
    assert len(own) > 60
    assert {name: count for name, count in own.items() if count > MOST} == {}


# A call and what its caller calls the model, the labels or the family.
FAULTS = {
    "a field of another width": (
        lambda: discover.vector_field(LinearRegression().fit(X, X[:, 0]), X, action=V),
        r"U answers with 1 numbers for one example, but target acts on 2",
    ),
    "a field that overflows": (
        lambda: discover.vector_field(lambda x: 1e200 * x, X, action=V),
        r"U or its derivative is so large on x that its squares overflow",
    ),
    "a field that was not fitted": (
        lambda: discover.vector_field(LinearRegression(), X, action=V),
        r"U: this LinearRegression is not fitted",
    ),
    "labels that hold NaN": (
        lambda: discover.function(lambda x: x @ x, X, source=V, labels=np.full(60, np.nan)),
        r"labels holds nan in column 'labels0', row 0",
    ),
    "labels that are zero": (
        lambda: discover.function(lambda x: x @ x, X, source=V, labels=np.zeros(60)),
        r"labels: every entry is zero",
    ),
    "a family that is none": (
        lambda: discover.dataset(X, X, source=V, target=V, fit="polynomail"),
        r"fit: 'polynomail' is none of",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_come_in_the_caller_s_words(fault):
    call, message = FAULTS[fault]
    with pytest.raises((ValueError, TypeError), match=rf"^{message}"):
        call()


@pytest.mark.parametrize("rule", [{"tolerance": 2.0}, {"min_gap": 1.0}, {"seed": -1}])
def test_a_rule_that_decides_nothing_is_refused_at_every_door(rule):
    doors = {
        "function": lambda: discover.function(lambda x: x @ x, X, source=V, **rule),
        "vector_field": lambda: discover.vector_field(lambda x: x, X, action=V, **rule),
        "dataset": lambda: discover.dataset(X, X, source=V, target=V, **rule),
        "graph": lambda: discover.graph(X, X, source=V, target=V, **rule),
        "cloud": lambda: discover.cloud(X, action=V, **rule),
        "level_set": lambda: discover.level_set(X, action=V, dictionary=ld.dictionary.polynomials(2, 2), **rule),
    }
    for door in doors.values():
        with pytest.raises(ValueError, match=f"^{next(iter(rule))} must"):
            door()
