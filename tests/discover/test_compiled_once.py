"""What depends on the actions alone is compiled once for all equal actions, and a model once a question."""

import jax
import numpy as np
import pytest

import lieder as ld
from lieder.discover import _doubt

COMPILED: list[str] = []
jax.monitoring.register_event_duration_secs_listener(
    lambda event, _, **__: COMPILED.append(event) if event.endswith("backend_compile_duration") else None
)
X = np.random.default_rng(0).normal(size=(300, 3))
SPHERE = X / np.linalg.norm(X, axis=1, keepdims=True)


def linear():
    """Made anew at each call: equal, and not the same."""
    return ld.vectors(ld.algebra.gl(3))


def quadratic():
    return ld.action.FieldAction(
        ld.algebra.Span("quadratic", tuple(f"q{k}" for k in range(30))),
        ld.linalg.MatrixStack.from_dense(np.eye(30).reshape(30, 3, 10)),
        ld.dictionary.polynomials(3, 2),
        (("points", 3),),
    )


def compilations(ask) -> int:
    """Programs compiled by the second of two calls."""
    ask()
    before = len(COMPILED)
    ask()
    return len(COMPILED) - before


@pytest.mark.parametrize("action", [linear, quadratic])
def test_a_cloud_is_asked_twice(action):
    assert compilations(lambda: ld.discover.cloud(SPHERE, action=action())) == 0


def test_a_graph_is_asked_twice():
    y = SPHERE * X[:, :1]
    assert compilations(lambda: ld.discover.graph(X, y, source=linear(), target=linear())) == 0


def test_of_a_model_its_rows_its_slopes_and_its_values_are_compiled():
    def ask():
        return ld.discover.function(lambda z: z @ z, X, source=linear())

    assert ask().dim == 3
    assert compilations(ask) == 3


def test_a_foreign_model_is_not_compiled():
    def ask():
        values, slopes = lambda x: np.sum(x**2, axis=1, keepdims=True), lambda x: 2 * x[:, None]
        return ld.discover.function(ld.interop.ForeignModel(values, slopes, ""), X, source=linear(), error=1e-6)

    assert ask().dim == 3
    assert compilations(ask) == 0


def test_brackets_of_other_numbers_are_not_compiled_again():
    action, random = quadratic(), np.random.default_rng(1)

    def ask():
        rows = random.normal(size=(4, 30))
        return ld.action.measured_algebra(action, rows, ("a", "b", "c", "d"), X)

    assert compilations(ask) == 0


@pytest.mark.parametrize("fit", ["polynomial(2)", "kernel"])
def test_a_fit_to_other_labels_is_not_compiled_again(fit):
    random = np.random.default_rng(3)
    action = linear()

    def ask():
        y = np.sum(X**2, axis=1) + 0.01 * random.normal(size=len(X))
        return ld.discover.dataset(X, y, source=action, target=ld.scalars(action.algebra), fit=fit)

    assert ask().dim == 3
    assert compilations(ask) == 0


def test_doubt_is_compiled_once_for_all_batches(monkeypatch):
    y = np.sum(X**2, axis=1) + 0.01 * np.random.default_rng(2).normal(size=len(X))

    def ask(bytes_):
        monkeypatch.setattr(_doubt, "BYTES", bytes_)
        before = len(COMPILED)
        found = ld.discover.dataset(X, y, source=linear(), target=ld.scalars(linear().algebra), fit="polynomial(2)")
        return found.evidence.resolutions, len(COMPILED) - before

    ask(2**17)  # what is compiled but once
    (few, once), (many, often) = ask(2**15 + 2**11), ask(2**14 + 2**11)
    assert often <= once + 2  # a last batch of another size may need a program of its own
    np.testing.assert_allclose(many, few, rtol=1e-9)
