"""torch modules as models; skipped where torch is not installed."""

import numpy as np
import pytest

from lieder import interop

torch = pytest.importorskip("torch")
X = np.random.default_rng(0).normal(size=(6, 3))


def _module(outputs):
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.Tanh(), torch.nn.Dropout(), torch.nn.Linear(8, outputs))


@pytest.mark.parametrize("outputs", [1, 2, 5])
def test_jacobians_are_those_of_differences(outputs):
    module = _module(outputs).double()
    assert interop.is_torch(module)
    model = interop.from_torch(module)
    assert model.note == "exact (torch.func)" and model.steps is None
    assert model.values(X).shape == (6, outputs)
    differences = interop.central_differences(model.values, X)
    np.testing.assert_allclose(model.jacobians(X), differences.jacobians(X), atol=1e-8)


def test_the_module_is_copied_in_evaluation_mode():
    module = _module(2)
    model = interop.from_torch(module)
    before = model.values(X)
    assert before.dtype == np.float32 and module.training
    with torch.no_grad():
        module[0].weight.zero_()
    np.testing.assert_array_equal(model.values(X), before)


def test_modules_are_known_by_their_parts_and_numbers():
    one, other = _module(2), _module(2)
    half, wide = _module(2).bfloat16(), _module(2).double()
    marks = [interop.program_mark("F", interop.from_torch(each), 3) for each in (one, other, half, wide)]
    assert marks[0] == marks[1] and marks[2] != marks[0] != marks[3]
    with torch.no_grad():
        other[3].bias += 1e-6
    assert interop.program_mark("F", interop.from_torch(other), 3) != marks[0]


def test_a_module_that_answers_with_one_number():
    class Norm(torch.nn.Module):
        def forward(self, x):
            return (x**2).sum(-1)

    model = interop.from_torch(Norm().double())
    assert model.values(X).shape == (6, 1)
    np.testing.assert_allclose(model.jacobians(X)[:, 0], 2 * X, rtol=1e-6)
