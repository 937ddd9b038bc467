"""What constructors and layers say of arguments that they cannot take, and networks that can only be zero."""

import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lieder as ld
from lieder.nn._vanishing import vanishing

O3 = ld.algebra.o(3)
V, S = ld.vectors(O3), ld.scalars(O3)
PSEUDO = ld.action.linear(O3, np.zeros((3, 1, 1)), -np.ones((1, 1, 1)))
KEY = jax.random.key(0)

FAULTS = {
    "width": (lambda: ld.nn.MLP(V, V, width=3.5, key=KEY), ValueError, r"width must be 1, 2, 3, \.\.\., got 3\.5"),
    "depth": (lambda: ld.nn.MLP(V, V, depth=1.5, key=KEY), ValueError, "depth must be .* got 1.5"),
    "key": (lambda: ld.nn.MLP(V, V, key=0), TypeError, r"key must be a random key, .*; got 0"),
    "key of a layer": (lambda: ld.nn.Linear(V, V, key=0), TypeError, "key must be a random key"),
    "rank": (lambda: ld.nn.MLP(V, V, rank=2.5, key=KEY), ValueError, r"rank must be 1, 2, 3, \.\.\., got 2\.5"),
    "rank of a layer": (lambda: ld.nn.Bilinear(2 * V, S, rank="8", key=KEY), ValueError, "rank must be .* got '8'"),
    "size": (lambda: ld.nn.Bilinear(2 * V, S, size=float("nan"), key=KEY), ValueError, "size must be .* got nan"),
    "order": (lambda: ld.nn.hidden(V, V, 20, order=1.5), ValueError, r"order must be .* got 1\.5"),
    "dtype": (lambda: ld.nn.Linear(V, V, dtype="foo", key=KEY), TypeError, "dtype must be .* got 'foo'"),
    "hidden": (lambda: ld.nn.MLP(V, V, hidden=3, key=KEY), TypeError, "hidden must be a representation, .* got 3"),
    "hidden numbers": (lambda: ld.nn.MLP(V, V, hidden=[3], depth=1, key=KEY), TypeError, r"hidden .* got \[3\]"),
    "tolerance": (lambda: ld.nn.Linear(V, V, tolerance="a", key=KEY), ValueError, "tolerance must lie .* got 'a'"),
    "complex": (
        lambda: ld.nn.Linear(V, V, key=KEY)(1j * jnp.ones(3)),
        TypeError,
        "x has dtype complex128, but",
    ),
}


@pytest.mark.parametrize("fault", list(FAULTS))
def test_faults(fault):
    call, kind, message = FAULTS[fault]
    with pytest.raises(kind, match=message):
        call()


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_pseudoscalar_takes_three_vectors(count):
    assert vanishing(count * V, PSEUDO + S).tolist() == [count < 3, False]


def test_other_stabilisers():
    so3 = ld.algebra.so(3)
    v = ld.vectors(so3)
    # The axis of one vector fixes that vector alone; two vectors are fixed by nothing.
    assert not vanishing(v, v * v).any()
    assert vanishing(ld.scalars(so3), v).all()
    assert not vanishing(ld.points(ld.algebra.se(3)), ld.scalars(ld.algebra.se(3))).any()
    assert vanishing(ld.points(ld.algebra.se(3)), ld.vectors(ld.algebra.se(3))).all()
    swap = ld.vectors(ld.algebra.symmetric(3))
    assert not vanishing(swap, swap).any()


def test_a_network_that_can_only_be_zero_warns():
    with pytest.warns(UserWarning, match=r"outputs 0 of target, .*, are zero for every equivariant function"):
        net = ld.nn.MLP(V, PSEUDO, width=64, depth=2, key=KEY)
    assert abs(float(net(jnp.array([0.3, -1.0, 2.0]))[0])) < 1e-12
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ld.nn.MLP(V, V, width=12, depth=1, key=KEY)


def test_a_network_prints_its_weights_alone():
    # JAX prints each function that it traces, too: representations and maps took half a second each time.
    printed = repr(ld.nn.MLP(V, V, width=12, depth=1, key=KEY))
    assert len(printed.splitlines()) < 30
    assert "weight=f" in printed and "LieAlgebra" not in printed
