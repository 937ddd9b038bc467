"""The one training loop: what it keeps, how it goes on after a kill, and what it says when numbers blow up."""

import os
import signal
import subprocess
import sys
import textwrap

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lieder import learn

KEY = jax.random.key(3)


@jax.jit
def block(state, key):
    """Noisy steps towards 1; the state counts its steps."""

    def step(state, key):
        x, n = state
        return (x + 0.1 * (1.0 - x) + 0.01 * jax.random.normal(key, x.shape), n + 1), jnp.sum((x - 1.0) ** 2)

    state, losses = jax.lax.scan(step, state, jax.random.split(key, 5))
    return state, {"loss": losses.mean()}


def distance(state):
    return jnp.sum((state[0] - 1.0) ** 2)


def never(state, key):
    raise AssertionError


START = (jnp.zeros(3), jnp.zeros((), int))


def train(blocks=12, criterion=distance, block=block, **more):
    return learn.trained(START, block, criterion, blocks=blocks, key=KEY, title="test", mark="m", **more)


def test_the_best_state_is_kept_though_later_ones_are_worse():
    found = train(criterion=lambda state: abs(int(state[1]) - 25))
    assert int(found.best[1]) == 25 and int(found.last[1]) == 60 and found.chosen == 4
    assert found.criteria.shape == found.losses["loss"].shape == (12,) and found.stopped == ""


def test_of_equals_the_last_is_kept():
    found = train(criterion=lambda state: max(abs(int(state[1]) - 25), 8))
    assert int(found.best[1]) == 30 and found.chosen == 5


def test_patience():
    found = train(criterion=lambda state: abs(int(state[1]) - 25), patience=3)
    assert int(found.best[1]) == 25 and int(found.last[1]) == 40 and "3 blocks" in found.stopped


def test_resumed_equals_uninterrupted_bit_for_bit(tmp_path):
    file = tmp_path / "c.npz"
    whole = train(12)
    train(7, checkpoint=file)
    found = train(12, checkpoint=file)
    assert np.array_equal(found.last[0], whole.last[0]) and np.array_equal(found.best[0], whole.best[0])
    assert np.array_equal(found.criteria, whole.criteria)
    assert np.array_equal(found.losses["loss"], whole.losses["loss"])
    again = train(12, checkpoint=file, block=never)  # finished: nothing is called
    assert np.array_equal(again.last[0], whole.last[0])


def test_an_interruption_by_hand_loses_nothing(tmp_path):
    calls = []

    def interrupted(state):
        calls.append(1)
        if len(calls) == 6:
            raise KeyboardInterrupt
        return distance(state)

    file = tmp_path / "c.npz"
    with pytest.raises(KeyboardInterrupt):
        train(criterion=interrupted, checkpoint=file)
    found = train(checkpoint=file)
    assert np.array_equal(found.last[0], train().last[0])


KILLED = """
    import os, signal, sys
    sys.path.insert(0, {here!r})
    from test_training import distance, train
    calls = []
    def criterion(state):
        calls.append(1)
        if len(calls) == 8:
            os.kill(os.getpid(), signal.SIGKILL)
        return distance(state)
    train(criterion=criterion, checkpoint={file!r}, every=0.0)
"""


def test_a_killed_process_loses_one_interval_at_most(tmp_path):
    file = str(tmp_path / "c.npz")
    code = textwrap.dedent(KILLED.format(here=os.path.dirname(__file__), file=file))
    done = subprocess.run([sys.executable, "-c", code], env=os.environ | {"JAX_ENABLE_X64": "1"})
    assert done.returncode == -signal.SIGKILL
    with np.load(file) as kept:
        assert len(kept["criteria"]) == 7
    assert np.array_equal(train(checkpoint=file).last[0], train().last[0])


def test_a_checkpoint_of_other_settings_is_refused(tmp_path):
    file = tmp_path / "c.npz"
    train(2, checkpoint=file)
    with pytest.raises(ValueError, match="belongs to other data or settings"):
        learn.trained(START, block, distance, blocks=3, key=KEY, title="t", mark="other", checkpoint=file)
    with pytest.raises(ValueError, match="belongs to other data or settings"):
        start = (jnp.zeros(4), jnp.zeros((), int))
        learn.trained(start, block, distance, blocks=3, key=KEY, title="t", mark="m", checkpoint=file)
    other = tmp_path / "d.npz"
    other.write_text("no archive")
    with pytest.raises(ValueError, match="no file written by training"):
        train(2, checkpoint=other)


def exploding(at):
    def explode(state, key):
        state, losses = block(state, key)
        return state, losses | {"generator": jnp.where(state[1] > at, jnp.nan, 0.0)}

    return explode


def test_numbers_that_blow_up_stop_it_with_the_best_state():
    with pytest.warns(RuntimeWarning, match="generator became infinite or not a number in block 5 of 12; the state"):
        found = train(block=exploding(20))
    assert len(found.criteria) == 4 and int(found.last[1]) == 20 and "learning rate" in found.stopped


def test_numbers_that_blow_up_at_once_leave_no_state():
    with pytest.raises(FloatingPointError, match=r"in block 1 of 12\. Lower the learning rate"):
        train(block=exploding(0))
