"""`lieder discover` on workers of Dask; skipped where Dask is not installed."""

import json

import numpy as np
import pytest
from test_cli import command

pytest.importorskip("distributed")

LAW = ("--inputs", "q,p", "--outputs", "z", "--candidates", "gl(2) on vectors(q,p)")


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    where = tmp_path_factory.mktemp("runs")
    for run in range(4):
        q, p = np.random.default_rng(run).normal(size=(2, 0 if run == 1 else 50))
        table = np.stack([q, p, (q**2 + p**2) ** 2], axis=1)
        np.savetxt(where / f"run{run}.csv", table, delimiter=",", header="q,p,z", comments="")
    return where / "*.csv"


def test_workers_give_the_answer_of_one_process(runs, monkeypatch, capsys):
    said = []
    for options in ((), ("--workers", "2")):
        code, out, err = command(
            "discover", runs, *LAW, "--fit", "polynomial(4)", "--json", *options, monkeypatch=monkeypatch, capsys=capsys
        )
        assert code == 0, err
        said.append(json.loads(out))
    one, other = said
    assert one["dim"] == other["dim"] == 1 and one["rows"] == other["rows"]
    np.testing.assert_allclose(one["defects"], other["defects"], rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize(
    "options, message",
    [
        (("--workers", "2", "--dask", "tcp://127.0.0.1:9"), "give one of the two"),
        (("--workers", "2", "--groups", "q"), "all rows are needed in one place"),
        (("--workers", "0"), "greater than or equal to 1"),
    ],
)
def test_workers_that_cannot_be_had(runs, options, message, monkeypatch, capsys):
    code, out, err = command("discover", runs, *LAW, *options, monkeypatch=monkeypatch, capsys=capsys)
    assert code == 2 and out == "" and message in err
