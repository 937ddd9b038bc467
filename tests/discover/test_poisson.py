"""Solution operators of Poisson's equation, given and trained: which motions of the grid they commute with."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import lieder as ld

N = 4
random = np.random.default_rng(0)
WAVES = np.sin(np.pi * np.outer(np.arange(1, N + 1), np.arange(1, N + 1)) / (N + 1)) * np.sqrt(2 / (N + 1))
STIFF = 2 - 2 * np.cos(np.pi * np.arange(1, N + 1) / (N + 1))
RING = 2 - 2 * np.cos(2 * np.pi * np.fft.fftfreq(N))
ROUND = RING[:, None] + RING
ROUND[0, 0] = np.inf  # the mean is not determined, and taken for zero

NUMBERS = np.arange(N * N).reshape(N, N)
MOVES = [np.rot90(NUMBERS), NUMBERS[:, ::-1], np.roll(NUMBERS, 1, 0), np.roll(NUMBERS, 1, 1)]
GRID = ld.algebra.permutations([move.reshape(-1).tolist() for move in MOVES], N * N)  # 16 shifts and D4: 128 elements


def walled(f):
    """-Laplace u = f on a square, u = 0 at its edge."""
    return (WAVES @ ((WAVES @ f.reshape(N, N) @ WAVES) / (STIFF[:, None] + STIFF)) @ WAVES).reshape(-1)


def periodic(f):
    return jnp.real(jnp.fft.ifft2(jnp.fft.fft2(f.reshape(N, N)) / ROUND)).reshape(-1)


def answer(operator, labels=None):
    x = random.normal(size=(60, N * N))
    more = {} if labels is None else {"labels": np.asarray(jax.vmap(labels)(jnp.asarray(x)))}
    motion = ld.vectors(GRID)
    return ld.discover.finite(operator, x, source=motion, target=motion, **more)


@pytest.mark.parametrize(("operator", "order"), [(walled, 8), (periodic, 128)])
def test_solution_operators(operator, order):
    found = answer(operator)
    assert found.order == order and (order != 8 or found.name == "D4")


def test_a_trained_operator_keeps_the_square_and_no_shift():
    """A matrix fitted to 300 noisy pairs knows nothing of the square, and has its symmetry as far as it is known."""
    x = random.normal(size=(300, N * N))
    y = np.asarray(jax.vmap(walled)(jnp.asarray(x)))
    weights = np.linalg.lstsq(x, y + 0.02 * y.std() * random.normal(size=y.shape), rcond=None)[0]
    found = answer(lambda f: f @ weights, walled)
    assert (found.order, found.name) == (8, "D4")


def test_a_fourier_layer_has_shifts_and_learns_the_square():
    """tanh of a convolution with trained multipliers, one a frequency: shifts are built in, mirrors are learned."""
    truth = lambda f: jnp.tanh(2 * periodic(f))  # noqa: E731
    x = jnp.asarray(random.normal(size=(300, N * N)))
    y = jax.vmap(truth)(x)

    def layer(weights, f):
        spectrum = jnp.fft.fft2(f.reshape(N, N)) * (weights[0] + 1j * weights[1])
        return jnp.tanh(jnp.real(jnp.fft.ifft2(spectrum))).reshape(-1)

    optimiser = optax.adam(0.03)
    loss = lambda w: jnp.mean((jax.vmap(lambda f: layer(w, f))(x) - y) ** 2)  # noqa: E731

    def step(carry, _):
        weights, state = carry
        updates, state = optimiser.update(jax.grad(loss)(weights), state)
        return (optax.apply_updates(weights, updates), state), None

    start = jnp.asarray(0.1 * random.normal(size=(2, N, N)))
    train = jax.jit(lambda w: jax.lax.scan(step, (w, optimiser.init(w)), None, length=400)[0][0])
    rough, weights = start, train(start)
    assert answer(lambda f: layer(weights, f), truth).order == 128
    assert answer(lambda f: layer(rough, f)).order == 16  # untrained: shifts alone
