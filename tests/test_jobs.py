"""Independent jobs: the same results wherever they are done, faults told, interruptions resumed."""

import os
import threading
from contextlib import nullcontext

import jax
import jax.numpy as jnp
import joblib
import numpy as np
import pytest
from sklearn.linear_model import Ridge

from lieder import models
from lieder.action import vectors
from lieder.algebra import so
from lieder.dictionary import polynomials
from lieder.jobs import courses, results
from lieder.promote import Regression

BACKENDS = ["threading", "loky"]
X = np.random.default_rng(0).normal(size=(60, 2))
Y = np.exp(-np.sum(X**2, axis=1)) + 0.1 * np.random.default_rng(1).normal(size=60)


def spread(backend):
    return nullcontext() if backend is None else joblib.parallel_config(backend=backend, n_jobs=2)


def study(scale):
    """A job that closes over a compiled function."""
    wave = jax.jit(lambda x: scale * jnp.sin(x))

    def work(seed):
        values = np.asarray(wave(np.random.default_rng(seed).normal(size=3)))
        where = os.getpid(), threading.get_ident()
        return {"values": values, "x64": bool(jax.config.jax_enable_x64), "where": where}

    return work


@pytest.mark.parametrize("backend", BACKENDS)
def test_results_and_their_order_are_those_of_a_loop(backend):
    alone = [study(2.0)(seed) for seed in range(7)]
    with spread(backend):
        found = results(study(2.0), range(7), "study")
    for one, other in zip(found, alone, strict=True):
        np.testing.assert_array_equal(one["values"], other["values"])
        assert one["values"].dtype == np.float64 and one["where"] != other["where"]


@pytest.mark.parametrize("backend", BACKENDS)
def test_jax_has_the_bits_that_the_caller_s_context_has(backend):
    with jax.enable_x64(False), spread(backend):
        found = results(study(2.0), range(2))
    assert [(one["x64"], one["values"].dtype) for one in found] == [(False, np.float32)] * 2
    assert jax.config.jax_enable_x64


def test_by_default_jobs_are_done_here_and_one_alone_is_everywhere():
    here = os.getpid(), threading.get_ident()
    assert [one["where"] for one in results(study(1.0), range(2))] == [here] * 2
    with spread("loky"):
        assert results(study(1.0), [0])[0]["where"] == here
    assert results(study(1.0), []) == []


@pytest.mark.parametrize("backend", [None, "threading"])
def test_what_is_done_when_it_is_interrupted_is_not_done_again(backend, tmp_path):
    file, done = tmp_path / "study.npz", []
    broken = threading.Event()

    def work(job):
        if job == 5 and not broken.is_set():
            broken.set()
            raise KeyboardInterrupt
        done.append(job)
        return {"square": job**2, "row": np.arange(job), "pair": (job, None)}

    with spread(backend):
        with pytest.raises(KeyboardInterrupt):
            results(work, range(8), checkpoint=file)
        found = results(work, range(8), checkpoint=file)
        again = results(work, range(8), checkpoint=file)
    if backend is None:
        assert sorted(done) == list(range(8))
    for job, (one, other) in enumerate(zip(found, again, strict=True)):
        assert one["square"] == job**2 and one["pair"] == other["pair"] == [job, None]
        np.testing.assert_array_equal(one["row"], other["row"])
    with pytest.raises(ValueError, match=r"checkpoint: .*study.npz belongs to other data or settings"):
        results(work, range(9), checkpoint=file)
    with pytest.raises(ValueError, match=r"belongs to other data or settings"):
        results(work, range(8), "another study", checkpoint=file)


def test_a_result_that_no_file_holds(tmp_path):
    with pytest.raises(TypeError, match=r"cannot be kept in a file \(.*\)\. Let the work return numbers, texts, arr"):
        results(lambda job: {job}, range(2), checkpoint=tmp_path / "study.npz")


@pytest.mark.parametrize("backend", [None, *BACKENDS])
def test_items_of_a_course_come_in_order(backend):
    def work(job):
        yield from ((job, item) for item in range(job))

    with spread(backend):
        assert sorted(courses(work, [3, 1, 2])) == [(1, 0), (2, 0), (2, 1), (3, 0), (3, 1), (3, 2)]


def test_here_an_item_comes_as_it_is_made():
    made = []

    def work(job):
        for item in range(2):
            made.append(item)
            yield item

    coming = courses(work, [0, 0])
    next(coming)
    assert made == [0]


# What the library spreads


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_path_with_its_folds(backend, tmp_path):
    V = vectors(so(2))
    model = Regression(polynomials(2, 2), source=V, refit=False, folds=3)
    given = {"alphas": [0.3, 0.1]}
    alone = model.path(X, Y, **given)
    with spread(backend):
        found = model.path(X, Y, **given, checkpoint=tmp_path / "path.npz")
    np.testing.assert_allclose(found.errors, alone.errors, rtol=1e-12)
    np.testing.assert_allclose(found.coefficients, alone.coefficients, rtol=1e-12, atol=1e-14)
    refitted = Regression(polynomials(2, 2), source=V, folds=3)
    with spread(backend):
        both = refitted.path(X, Y)
    np.testing.assert_allclose(both.errors, refitted.path(X, Y).errors, rtol=1e-12)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_fit_by_an_estimator(backend):
    alone = models.fit(X, Y, Ridge())
    with spread(backend):
        found = models.fit(X, Y, Ridge())
    assert found.error == pytest.approx(alone.error, rel=1e-12)
    assert found.scores == pytest.approx(alone.scores, rel=1e-12)
    np.testing.assert_allclose(found.gain, alone.gain, rtol=1e-12)


# A fault ends the other process's workers, which take long to begin: last


def _second_fails(job):
    if job == 1:
        raise ZeroDivisionError("no such thing")
    return job


@pytest.mark.parametrize("backend", [None, *BACKENDS])
def test_a_fault_says_in_which_job_it_was(backend):
    with spread(backend), pytest.raises(ZeroDivisionError, match="no such thing") as fault:
        results(_second_fails, range(3), "study")
    assert fault.value.__notes__ == ["This was job 2 of 3 (study)."]


def test_what_is_no_work_and_what_are_no_jobs():
    with pytest.raises(TypeError, match=r"work must be a function of one job, got NoneType"):
        results(None, range(2))
    with pytest.raises(TypeError, match=r"jobs must be a list of what work takes, one by one, got 5; range\(n\)"):
        results(abs, 5)
