"""Conserved quantities of exact fields and of noisy trajectories, known answers; and each error in words."""

import functools
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from laws import CONSERVED, orbits_family, states_of
from motions import solver, starts_of
from scipy.signal import savgol_filter

import lieder as ld
from lieder import dictionary
from lieder.discover import conserved

cases = pytest.mark.parametrize("name", CONSERVED)


FIELDS = {f"damped by {g}": lambda z, g=g: jnp.stack([z[1], -z[0] - g * z[1]]) for g in (0.01, 0.02)}


@functools.cache
def solved(name, steps, size):
    return solver(FIELDS.get(name) or CONSERVED[name][0], steps, size)


def paths(name, starts, t, noise=0.0, seed=0):
    """Solutions through `starts`, noise as a share of each column's spread."""
    x = np.asarray(solved(name, len(t) - 1, float(t[1] - t[0]))(jnp.asarray(starts)))
    return list(x + noise * x.std(axis=(0, 1)) * np.random.default_rng(seed).normal(size=x.shape))


@cases
@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_fields_have_what_is_known(name, seed):
    field, functions, dim, independent, some, names = CONSERVED[name]
    x = states_of(name, 3 * functions.size + 40, seed)
    found = conserved(field, functions, x=x, names=names)
    assert (found.dim, found.independent) == (dim, independent)
    assert found.evidence.verdict == ("conserved" if dim else "none in this family")
    assert set(some) <= set(found.expressions())
    if dim:
        assert found.defects[dim - 1] < 1e-12 < 1e-3 < found.defects[dim]
        rates = jax.vmap(lambda z: jax.jvp(lambda p: found.basis @ functions(p), (z,), (field(z),))[1])(jnp.asarray(x))
        assert np.abs(rates).max() < 1e-9
        gradients = jax.vmap(lambda z: found.basis[:independent] @ functions.jacobian(z))(jnp.asarray(x[:9]))
        assert np.linalg.svd(np.asarray(gradients), compute_uv=False)[:, -1].min() > 1e-6
    else:
        assert found.expressions() == [] and found.transform(x).shape == (len(x), 0)


TRAJECTORIES = ["Lotka-Volterra", "isotropic oscillator", "rigid body", "pendulum", "Lorenz", "damped oscillator"]


QUICK = {("Lotka-Volterra", 0.05), ("isotropic oscillator", 0.01), ("pendulum", 0.0), ("Lorenz", 0.01)}


@pytest.mark.parametrize(
    ("name", "noise"),
    [
        pytest.param(name, noise, marks=() if (name, noise) in QUICK else pytest.mark.slow)
        for name in TRAJECTORIES
        for noise in (0.0, 0.01, 0.05)
    ],
)
def test_trajectories_have_what_is_known(name, noise):
    _, functions, dim, independent, some, names = CONSERVED[name]
    t = np.linspace(0.0, 4.0 if name == "Lorenz" else 12.0, 240)
    for seed in (0, 1):
        starts = starts_of(name, seed)
        found = conserved(paths(name, starts, t, noise, seed), functions, t=t, names=names)
        assert (found.dim, found.independent) == (dim, independent), (seed, found)
        assert found.evidence.verdict == ("conserved" if dim else "none in this family")
        if noise:
            spread = np.concatenate(paths(name, starts, t)).std(axis=0)
            np.testing.assert_allclose(found.evidence.noise, noise * spread, rtol=0.15)
        if name != "pendulum" or noise == 0.0:  # x^2 and 1 - cos(x) are nearly the same
            assert set(some) <= set(found.expressions())
        if dim:
            assert found.evidence.held.max() < 0.05
            fresh = paths(name, starts_of(name, seed + 7), t)
            within = [one - one.mean(axis=0) for one in map(found.transform, fresh)]
            assert np.all(np.concatenate(within).std(axis=0) < (1e-6 if noise == 0 else 2 * noise) * found.spread)


@pytest.mark.parametrize(("noise", "seed"), [(0.0, 0), pytest.param(0.01, 0, marks=pytest.mark.slow), (0.01, 1)])
def test_orbits_give_energy_momentum_and_axis(noise, seed):
    t = np.linspace(0.0, 10.0, 300)
    data = paths("Kepler in the plane", starts_of("Kepler in the plane", seed, 24), t, noise, seed)
    found = conserved(data, orbits_family(2), t=t, names=list("xyuv"))
    assert (found.dim, found.independent) == (4, 3)
    assert {"v x - u y", "1/2 u^2 + 1/2 v^2 - 1/r"} <= set(found.expressions())


def test_what_decays_is_not_conserved_but_slow():
    """Too little to be seen in the variation at this noise, clear in the trend."""
    t = np.linspace(0, 10, 400)
    for rate, noise in ((0.01, 0.0), (0.01, 0.02), (0.02, 0.05)):
        starts = np.random.default_rng(3).normal(size=(20, 2))
        found = conserved(paths(f"damped by {rate}", starts, t, noise), "polynomials(2)", t=t)
        assert found.dim == 0 and found.evidence.verdict != "conserved"
        if noise < 0.05:
            assert len(found.slow) == 1 and found.expressions(["x", "v"], slow=True) == ["x^2 + v^2"]
            drift = found.evidence.drift
            assert drift is not None and drift[0, 1] < drift[0, 0] < drift[0, 2] < 0


def test_few_noisy_rows_are_no_ground_for_a_claim():
    """Of 8 short trajectories some combination varies little by chance, yet more than noise explains."""
    t = np.linspace(0.0, 4.0, 100)
    for seed in (1, 2):
        data = paths("Lorenz", starts_of("Lorenz", seed, 8), t, 0.05, seed + 100)
        assert conserved(data, "polynomials(3)", t=t).dim == 0, seed


@pytest.mark.parametrize("rows", [pytest.param(300, marks=pytest.mark.slow), 1000])
def test_velocities_by_differentiation_are_no_ground_to_deny(rows):
    """Positions of orbits with 5 % noise, smoothed and differentiated: their error is no longer white.

    Energy and momentum are conserved, and are not denied; with velocities as noisy as the positions they are found."""
    t = np.linspace(0.0, 10.0, rows)
    window = rows // 20 * 2 + 1
    energy = dictionary.formulas(["1/sqrt(x^2 + y^2)"], list("xyuv"))
    family = dictionary.union([dictionary.polynomials(4, 2), energy])
    starts = starts_of("Kepler in the plane", 0, 24)
    noisy = np.array(paths("Kepler in the plane", starts, t, 0.05, 1))
    inside = slice(window // 2, -(window // 2))
    parts = [savgol_filter(noisy[:, :, :2], window, 3, deriv=k, delta=t[1], axis=1)[:, inside] for k in (0, 1)]
    found = conserved(np.concatenate(parts, axis=2), family, t=t[inside], names=list("xyuv"))
    assert (found.evidence.verdict, found.dim, len(found.slow)) == ("cannot tell", 0, 0)
    assert "noise with a memory" in found.evidence.notes[0]
    raw = np.concatenate([noisy[:, :, :2], np.gradient(noisy[:, :, :2], t, axis=1)], axis=2)
    assert conserved(raw, family, t=t).evidence.verdict == "cannot tell"
    measured = conserved(noisy, family, t=t, names=list("xyuv"))
    assert (measured.dim, measured.independent) == (2, 2)
    assert set(measured.expressions(digits=2)) == {"v x - u y", "1/2 u^2 + 1/2 v^2 - 1/sqrt(x^2 + y^2)"}


def test_one_trajectory_by_way_of_its_field():
    """What the error for one trajectory advises."""
    t = np.linspace(0.0, 20.0, 800)
    one = paths("Lotka-Volterra", np.array([[1.5, 0.8]]), t, 0.01)[0]
    with pytest.raises(ValueError, match=r"one trajectory came.*sparse_dynamics, and give that with x"):
        conserved(one, "polynomials(2)", t=t)
    model = ld.enforce.sparse_dynamics(one, None, "polynomials(2)", t=t, threshold=0.2)
    near = one[::8] * np.random.default_rng(0).uniform(0.8, 1.2, (100, 2))  # off the one curve
    found = conserved(model, CONSERVED["Lotka-Volterra"][1], x=near, error=0.02)
    assert (found.dim, found.evidence.verdict) == (1, "conserved")
    value = found.transform(one)[:, 0]
    assert value.std() < 0.15 * found.transform(near)[:, 0].std()


def test_noise_alone_is_nothing():
    rng = np.random.default_rng(0)
    for data in (rng.normal(size=(20, 60, 3)), rng.normal(size=(20, 60, 3)).cumsum(axis=1)):
        for seed in range(2):
            turned = np.roll(data, seed, axis=2)
            found = conserved(turned, "polynomials(2)")
            assert found.dim == 0 and len(found.slow) == 0


def test_rows_too_far_apart_in_time_cannot_tell():
    t = np.arange(0.0, 300.0, 2.0)
    found = conserved(paths("isotropic oscillator", starts_of("isotropic oscillator", 0), t), "polynomials(2)", t=t)
    assert found.evidence.verdict == "cannot tell" and found.dim == 0
    assert "too far apart in time" in str(found)


@pytest.mark.parametrize("noise", [None, 0.0, 0.01])
def test_units_and_origins_change_nothing(noise):
    field, functions = CONSERVED["anisotropic oscillator, 1 to 2"][:2]
    scale, shift = np.array([1e3, 1.0, 1e-3, 1.0]), np.array([0.0, 30.0, 0.0, -5.0])
    if noise is None:
        x = states_of("anisotropic oscillator, 1 to 2", 200, 0)
        first = conserved(field, functions, x=x)
        moved = lambda z: scale * field((z - shift) / scale)  # noqa: E731
        second = conserved(moved, functions, x=scale * x + shift)
    else:
        t = np.linspace(0, 10, 200)
        data = paths("anisotropic oscillator, 1 to 2", starts_of("anisotropic oscillator, 1 to 2", 0), t, noise)
        x = np.concatenate(data)
        first = conserved(data, functions, t=t)
        second = conserved([scale * one + shift for one in data], functions, t=100 * t)
    assert (first.dim, first.independent) == (second.dim, second.independent) == (4, 3)
    np.testing.assert_allclose(first.defects[4:], second.defects[4:], rtol=1e-6)
    # As found, not as rounded to simple coefficients, which other columns have.
    first, second = (replace(one, basis=one.directions[:4]) for one in (first, second))
    a, b = first.transform(x), second.transform(scale * x + shift)
    a, b = (np.linalg.qr(one - one.mean(axis=0))[0] for one in (a, b))
    assert np.linalg.svd(a.T @ b, compute_uv=False).min() > (1 - 1e-9 if not noise else 1 - 1e-3)


def test_relations_between_columns_are_no_conserved_quantities():
    """A pendulum in sine and cosine: their squares add up to one on all the data."""
    t = np.linspace(0, 10, 200)
    data = [np.stack([np.cos(x[:, 0]), np.sin(x[:, 0]), x[:, 1]], axis=1)
            for x in paths("pendulum", starts_of("pendulum", 0), t)]  # fmt: skip
    found = conserved(data, "polynomials(2)", t=t, names=["c", "s", "v"])
    assert found.dim == 1 and found.evidence.constant == 2 and "1 combination of functions had one value" in str(found)
    energy = np.concatenate(data) @ [-1, 0, 0] + np.concatenate(data)[:, 2] ** 2 / 2
    value = found.transform(np.concatenate(data))[:, 0]
    assert abs(np.corrcoef(energy, value)[0, 1]) > 1 - 1e-9


def test_forms_of_trajectories_are_one():
    t = np.linspace(0, 8, 80)
    data = paths("isotropic oscillator", starts_of("isotropic oscillator", 0, 8), t, 0.01)
    table, labels = np.concatenate(data), np.repeat(np.arange(8), 80)
    answers = [
        conserved(data, "polynomials(2)", t=t),
        conserved(np.array(data), "polynomials(2)", t=float(t[1])),
        conserved(iter(data), lambda n: dictionary.polynomials(n, 2), t=[t] * 8),
        conserved(table, "polynomials(2)", t=np.tile(t, 8), groups=labels),
    ]
    for other in answers[1:]:
        np.testing.assert_allclose(answers[0].defects, other.defects, rtol=1e-6, atol=1e-9)
        assert answers[0].expressions() == other.expressions()


def test_record_is_kept_printed_and_drawn(tmp_path):
    t = np.linspace(0, 10, 100)
    found = conserved(paths("pendulum", starts_of("pendulum", 1), t, 0.01), CONSERVED["pendulum"][1], t=t)
    path = found.save(tmp_path / "energy.npz")
    with pytest.raises(ValueError, match=r"functions, some of them your own.*Conserved.load\(path, dictionary=...\)"):
        ld.discover.Conserved.load(path)
    again = ld.discover.Conserved.load(path, dictionary=CONSERVED["pendulum"][1])
    assert str(again) == str(found) and repr(again) == repr(found)
    np.testing.assert_array_equal(again.transform(found.states[0]), found.transform(found.states[0]))
    assert len(found.plot().axes) == 1 and len(found.plot_spectrum().axes) == 1
    none = conserved(
        lambda z: jnp.stack([z[1], -z[0] - z[1]]), "linear", x=np.random.default_rng(0).normal(size=(9, 2))
    )
    kept = ld.discover.Conserved.load(none.save(tmp_path / "none.npz"))
    assert kept.evidence.verdict == "none in this family" and "NONE IN THIS FAMILY" in str(kept)
    with pytest.raises(ValueError, match="came from a field"):
        none.plot()
    assert len(none.plot([found.states[0]]).axes) == 1
    with pytest.raises(ValueError, match="has format"):
        ld.discover.Symmetries.load(path)


def test_a_field_known_roughly():
    """Of a field with an error defects below it are not told from zero."""
    field = lambda z: jnp.stack([z[1], -z[0] - 1e-3 * z[1]])  # noqa: E731
    x = np.random.default_rng(0).normal(size=(50, 2))
    assert conserved(field, "polynomials(2)", x=x).dim == 0
    found = conserved(field, "polynomials(2)", x=x, error=0.01)
    assert found.dim == 1 and found.expressions(["x", "v"]) == ["x^2 + v^2"]


def test_fields_of_numpy_and_fitted_fields():
    x = np.random.default_rng(0).normal(size=(60, 2))
    assert conserved(lambda z: np.array([float(z[1]), -float(z[0])]), "polynomials(2)", x=x).dim == 1
    model = ld.enforce.sparse_dynamics(x, np.stack([x[:, 1], -x[:, 0]], axis=1), "polynomials(1)")
    assert conserved(model.function, "polynomials(2)", x=x).dim == 1
    assert conserved(model, "polynomials(2)", x=x).dim == 1


OSCILLATOR = CONSERVED["isotropic oscillator"][0]
GOOD = np.random.default_rng(0).normal(size=(4, 30, 2)).cumsum(axis=1)


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((OSCILLATOR, "polynomials(2)"), {}, "x must be given with a field"),
        ((OSCILLATOR, "polynomials(2)"), {"x": np.ones((30, 4))}, "constant columns"),
        ((OSCILLATOR, "polynomials(2)"), {"x": np.eye(4)[:2]}, "constant columns"),
        ((OSCILLATOR, "polynomials(2)"), {"x": np.eye(4)}, "4 rows for 15 functions"),
        ((OSCILLATOR, "polynomials(2)"), {"x": np.eye(4), "t": 0.1}, "t belongs to trajectories"),
        ((lambda z: z[:1], "linear"), {"x": GOOD[0]}, r"one velocity a column, \(2,\)"),
        ((lambda z: z / 0.0, "linear"), {"x": GOOD[0]}, "system is not finite at row 0"),
        ((lambda z: 0.0 * z, "linear"), {"x": GOOD[0]}, "zero at every row"),
        ((GOOD, "polynomials(2)"), {"x": GOOD[0]}, "x belongs to a field"),
        ((GOOD, "polynomials(2)"), {"t": -1.0}, "positive step or increasing times"),
        ((GOOD, "polynomials(2)"), {"t": np.r_[0:29, 28]}, "times of trajectory 0 do not increase"),
        ((GOOD, "polynomials(2)"), {"t": np.arange(7.0)}, r"trajectory 0 has 30 rows, but its times have shape \(7,\)"),
        ((GOOD, "polynomials(2)"), {"t": [np.arange(30.0)]}, "times of 4 trajectories, got 1"),
        ((GOOD[0], "polynomials(2)"), {}, "one trajectory came"),
        ((GOOD[0, :2], "polynomials(2)"), {}, "number 0 has 2 rows, too few"),
        (([GOOD[0], GOOD[1][:, :1]], "polynomials(2)"), {}, "number 1 has 1 columns, the first has 2"),
        (
            (np.where(np.arange(2) == 1, np.nan, GOOD), "polynomials(2)"),
            {},
            r"trajectories\[0\] holds nan in column 'x1'",
        ),
        ((GOOD, dictionary.polynomials(3, 2)), {}, "takes 3 variables, but the data have 2"),
        ((GOOD, "polynomials(20)"), {}, "116 rows for 231 functions"),
        ((GOOD, "polynomials(2)"), {"names": ["x"]}, "2 columns but 1 name"),
        ((GOOD.reshape(-1, 2), "polynomials(2)"), {"groups": [1, 2]}, r"one label a row, shape \(120,\)"),
        ((GOOD, "polynomials(2)"), {"min_gap": 1.0}, "min_gap must be a finite number above 1"),
        ((GOOD, "polynomials(2)"), {"error": -1.0}, "error must be a relative error"),
        (
            (GOOD, dictionary.functions([lambda z: jnp.log(z[0])], 2, ["log(x)"])),
            {},
            r"log\(x\) or its derivative is not",
        ),
        (("polynomials(2)", "polynomials(2)"), {}, "must be an array of N rows"),
    ],
)
def test_bad_input_in_words(arguments, options, message):
    with pytest.raises((ValueError, TypeError), match=message):
        conserved(*arguments, **options)


def test_a_dictionary_without_the_invariants():
    found = conserved(OSCILLATOR, "linear", x=states_of("isotropic oscillator", 40, 0))
    assert found.evidence.verdict == "none in this family"
    assert "None in this family: of all combinations of 4 functions" in str(found)


def test_values_at_other_columns():
    found = conserved(OSCILLATOR, "polynomials(2)", x=states_of("isotropic oscillator", 40, 0))
    with pytest.raises(ValueError, match="x has 3 columns, but the functions are of 4"):
        found.transform(np.ones((2, 3)))
    with pytest.raises(ValueError, match="expected 15, one a function"):
        found.defect(np.ones(3))
    energy = np.zeros(15)
    energy[[5, 9, 12, 14]] = 1.0
    assert found.defect(energy) < 1e-12
    assert np.isnan(found.defect(np.eye(15)[0]))


def test_single_precision_is_no_hindrance():
    """JAX's default: everything inside is computed in float64 all the same."""
    t = np.linspace(0, 10, 100)
    data = paths("isotropic oscillator", starts_of("isotropic oscillator", 0), t, 0.01)
    with jax.enable_x64(False):
        found = conserved(data, "polynomials(2)", t=t)
        field = conserved(OSCILLATOR, "polynomials(2)", x=np.concatenate(data))
        assert found.transform(data[0]).dtype == np.float64
    assert (found.dim, found.independent, field.dim, field.independent) == (4, 3, 4, 3)
    assert field.defects[3] < 1e-12


def test_trajectories_of_different_lengths():
    t = np.linspace(0, 10, 100)
    data = paths("isotropic oscillator", starts_of("isotropic oscillator", 0), t, 0.01)
    parts = [one[: 60 + 2 * k] for k, one in enumerate(data)]
    found = conserved(parts, "polynomials(2)", t=[t[: len(one)] for one in parts])
    assert (found.dim, found.independent) == (4, 3)
