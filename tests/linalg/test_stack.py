"""Laws of stacks of sparse matrices: all of them against the same thing done densely."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lieder.linalg import MatrixStack, stacked


def sparse(rng, shape, share):
    return rng.normal(size=shape) * (rng.uniform(size=shape) < share)


def every_unit(rows, columns):
    """gl(n) in its natural order: the outer-product branch."""
    return np.eye(rows * columns).reshape(rows * columns, rows, columns)


RNG = np.random.default_rng(0)
STACKS = {
    "full": RNG.normal(size=(4, 3, 5)),
    "sparse": sparse(RNG, (6, 4, 3), 0.2),
    "one empty generator": np.concatenate([np.zeros((1, 3, 3)), sparse(RNG, (2, 3, 3), 0.3)]),
    "all zero": np.zeros((2, 3, 4)),
    "no generator": np.zeros((0, 3, 4)),
    "gl(3)": every_unit(3, 3),
    "units of a rectangle": every_unit(2, 4),
    "gl(3) reordered": every_unit(3, 3)[::-1].copy(),
    "gl(3) doubled": 2.0 * every_unit(3, 3),
    "1 x 1": np.array([[[2.0]]]),
}
every_stack = pytest.mark.parametrize("a", list(STACKS.values()), ids=list(STACKS))


@every_stack
def test_round_trip(a):
    stack = MatrixStack.from_dense(a)
    assert stack.shape == a.shape
    assert np.array_equal(stack.dense(), a)
    assert np.array_equal(stack.flat().toarray(), a.reshape(len(a), a.shape[1] * a.shape[2]))


@every_stack
def test_apply_and_contract_agree_with_dense(a):
    rng = np.random.default_rng(1)
    left, x = rng.normal(size=(2, a.shape[1])), rng.normal(size=a.shape[2])
    stack = MatrixStack.from_dense(a)
    np.testing.assert_allclose(stack.apply(jnp.asarray(x)), np.einsum("grc,c->gr", a, x), atol=1e-14)
    wanted = np.einsum("mr,grc,c->mg", left, a, x)
    np.testing.assert_allclose(stack.contract(jnp.asarray(left), jnp.asarray(x)), wanted, atol=1e-13)
    jitted = jax.jit(lambda s, left, x: s.contract(left, x))(stack, left, x)
    np.testing.assert_allclose(jitted, wanted, atol=1e-13)


@every_stack
def test_float32_stays_float32(a):
    stack = MatrixStack.from_dense(a)
    x, left = jnp.ones(a.shape[2], jnp.float32), jnp.ones((2, a.shape[1]), jnp.float32)
    assert stack.apply(x).dtype == jnp.float32
    assert stack.contract(left, x).dtype == jnp.float32


@every_stack
def test_linear_operations(a):
    rng = np.random.default_rng(2)
    q, rows, columns = a.shape
    stack = MatrixStack.from_dense(a)
    c = rng.normal(size=(3, q))
    np.testing.assert_allclose(stack.combine(c).dense(), np.einsum("rg,gab->rab", c, a), atol=1e-14)
    assert np.array_equal(stack.transpose().dense(), a.transpose(0, 2, 1))
    assert np.array_equal((-stack).dense(), -a)
    assert stack.transpose().transpose().same_as(stack)
    cut = columns // 2
    if cut:
        assert np.array_equal(stack.columns(0, cut).dense(), a[:, :, :cut])
    assert np.array_equal(stack.columns(cut, columns).dense(), a[:, :, cut:])
    placed = stack.placed((q + 2, rows + 1, columns + 3), generator=1, row=1, column=2).dense()
    wanted = np.zeros((q + 2, rows + 1, columns + 3))
    wanted[1 : q + 1, 1:, 2 : columns + 2] = a
    assert np.array_equal(placed, wanted)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_stacked_is_concatenation(axis):
    rng = np.random.default_rng(3)
    shapes = [[2, 3, 4], [2, 3, 4]]
    shapes[1][axis] = 5
    parts = [sparse(rng, shape, 0.5) for shape in shapes]
    got = stacked([MatrixStack.from_dense(p) for p in parts], axis)
    assert np.array_equal(got.dense(), np.concatenate(parts, axis))


@settings(deadline=None, max_examples=10)
@given(st.integers(1, 5), st.integers(1, 5), st.integers(1, 5), st.integers(0, 2**31))
def test_entries_in_any_order_with_repeats(q, rows, columns, seed):
    rng = np.random.default_rng(seed)
    entries = 12
    index = np.stack([rng.integers(0, size, entries) for size in (q, rows, columns)])
    value = rng.normal(size=entries)
    dense = np.zeros((q, rows, columns))
    np.add.at(dense, tuple(index), value)
    stack = MatrixStack.from_entries((q, rows, columns), index, value)
    np.testing.assert_allclose(stack.dense(), dense, atol=1e-14)
    assert np.all(np.diff(stack.index[0]) >= 0)
    x, left = rng.normal(size=columns), rng.normal(size=(2, rows))
    got = stack.contract(jnp.asarray(left), jnp.asarray(x))
    np.testing.assert_allclose(got, np.einsum("mr,grc,c->mg", left, dense, x), atol=1e-12)


def test_entries_that_cancel_are_dropped():
    stack = MatrixStack.from_entries((1, 2, 2), [[0, 0], [1, 1], [0, 0]], [1.0, -1.0])
    assert len(stack.value) == 0


def test_same_as_tells_apart():
    a = MatrixStack.from_dense(np.eye(2)[None])
    assert a.same_as(MatrixStack.from_dense(np.eye(2)[None]))
    assert not a.same_as(MatrixStack.from_dense(2 * np.eye(2)[None]))
    assert not a.same_as(MatrixStack.from_dense(np.ones((1, 2, 2))))
    assert not a.same_as(MatrixStack.from_dense(np.eye(3)[None]))
