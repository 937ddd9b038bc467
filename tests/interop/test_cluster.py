"""Processes of a Dask cluster, one of which is killed at its work; skipped where Dask is not installed."""

import os
from pathlib import Path

import jax.numpy as jnp
import joblib
import numpy as np
import pytest
from sklearn.tree import DecisionTreeRegressor

import lieder as ld

array = pytest.importorskip("dask.array")
distributed = pytest.importorskip("distributed")

TURNS = ld.vectors(ld.algebra.gl(2))
X = np.random.default_rng(0).normal(size=(900, 2))


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    here = str(tmp_path_factory.mktemp("workers"))
    with (
        distributed.LocalCluster(
            n_workers=3, threads_per_worker=1, dashboard_address=None, local_directory=here
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def bowl(z):
    return jnp.sin(z[0] ** 2 + z[1] ** 2)


def fatal(rows, mark: str):
    """Ends the process that is the first to come by."""
    path = Path(mark)
    try:
        path.touch(exist_ok=False)
    except FileExistsError:
        return rows
    os._exit(1)


def test_three_workers_give_the_answer_of_the_array_also_when_one_is_killed(client, tmp_path):
    whole = ld.discover.function(bowl, X, source=TURNS)
    height = jnp.asarray(1.0)  # a model of the caller's own, which workers cannot import
    lazy = array.from_array(X, chunks=(100, 2))
    found = [
        ld.discover.function(lambda z: height * bowl(z), rows, source=TURNS)
        for rows in (lazy, lazy.map_blocks(fatal, str(tmp_path / "mark"), dtype=float, meta=X[:0]))
    ]
    assert (tmp_path / "mark").exists()
    for one in found:
        assert one.dim == whole.dim == 1
        np.testing.assert_allclose(one.defects, whole.defects, rtol=1e-10, atol=1e-14)
        np.testing.assert_allclose(one.basis, whole.basis, atol=1e-10)


def test_equations_conserved_functions_and_clouds_are_those_of_the_array(client):
    def circle(z):  # of the caller's own: it travels
        return jnp.stack([z[1], -z[0]])

    lazy, rates = array.from_array(X, chunks=(300, 2)), np.stack([X[:, 1], -X[:, 0]], axis=1)
    ring = X / np.linalg.norm(X, axis=1, keepdims=True)
    calls = {
        "coefficients": lambda x, _: ld.enforce.sparse_dynamics(x, rates, "linear").coefficients_,
        "conserved": lambda x, _: ld.discover.conserved(circle, "polynomials(2)", x=x).basis,
        "cloud": lambda _, z: ld.discover.cloud(z, action=TURNS, max_points=200).defects,
    }
    for name, call in calls.items():
        found, whole = call(lazy, array.from_array(ring, chunks=(300, 2))), call(X, ring)
        np.testing.assert_allclose(found, whole, rtol=1e-10, atol=1e-13, err_msg=name)


def test_jobs_go_to_the_workers_where_joblib_is_told_so(client):
    scale = jnp.asarray(2.0)

    def work(job):
        return os.getpid(), float(scale * job)

    with joblib.parallel_config("dask"):
        found = ld.jobs.results(work, range(6), "")
    assert [value for _, value in found] == [2.0 * job for job in range(6)]
    assert {process for process, _ in found} <= set(client.run(os.getpid).values())
    with joblib.parallel_config("dask"), pytest.raises(ValueError, match="five") as told:
        ld.jobs.results(refusing, range(6), "study")
    assert told.value.__notes__ == ["This was job 6 of 6 (study)."]


def refusing(job):
    if job == 5:
        raise ValueError("five")


def test_an_estimator_is_known_on_workers_as_it_is_here(client):
    F = ld.interop.from_sklearn(DecisionTreeRegressor(max_depth=4).fit(X, X[:, 0] ** 2), X)
    assert F.mark is not None and client.submit(F.mark).result() == F.mark()


def test_an_error_on_a_worker_is_the_callers(client):
    holed = X.copy()
    holed[777, 0] = np.inf
    with pytest.raises(ValueError, match="column 'x0', row 777"):
        ld.discover.function(bowl, array.from_array(holed, chunks=(100, 2)), source=TURNS)
