"""The path over strengths: its choice, its figure, interrupted and resumed, saved and loaded."""

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

import lieder as ld
from lieder.linalg import NuclearRegression
from lieder.promote import Regression, RegressionPath
from lieder.promote._kept import kept
from lieder.sampling import distinct_rows, folds

RNG = np.random.default_rng(0)
X = RNG.uniform(-1, 1, (40, 2))
Y = np.exp(0) + X[:, 0] - 2 * X[:, 0] ** 2 + 0.05 * RNG.normal(size=40)
CUBIC = ld.dictionary.polynomials(2, 3)
MODEL = Regression(CUBIC, source=ld.points(ld.algebra.se(2)), refit=False)
ALPHAS = np.geomspace(10, 1e-3, 8)


@pytest.fixture(scope="module")
def path():
    return MODEL.path(X, Y, alphas=ALPHAS)


def same(one, other):
    np.testing.assert_allclose(one.coefficients, other.coefficients, atol=1e-3)
    np.testing.assert_allclose(one.errors, other.errors, rtol=1e-3)
    np.testing.assert_array_equal(one.kept, other.kept)


def test_each_strength_is_a_fit(path):
    np.testing.assert_allclose(path.alphas, ALPHAS)
    for i in (0, 3, 7):
        single = Regression(CUBIC, source=MODEL.source, alpha=ALPHAS[i], refit=False).fit(X, Y)
        np.testing.assert_allclose(path.coefficients[i, 0], single.coef_, atol=1e-3)
        assert path.kept[i] == single.kept_
        np.testing.assert_allclose(path.losses[i], np.mean((single.predict(X) - Y) ** 2), rtol=1e-3)
    assert (path.gaps <= MODEL.tolerance).all() and (np.diff(path.losses) <= 1e-6).all()
    assert path.coefficients.shape == (8, 1, 10) and path.intercepts.shape == (8, 1)
    assert path.singular_values.shape == (8, 3) and path.errors.shape == (5, 8)


def test_the_errors_are_those_of_examples_left_out(path):
    part = folds(distinct_rows(X), 5, 0)
    # The measure and the inner product are those of all data.
    given = {"collocation": X, "inner": np.diag([2.0, 1.0, 1.0]), "refit": False}
    inside = Regression(CUBIC, source=MODEL.source, alpha=ALPHAS[4], **given)
    fitted = Regression(CUBIC, source=MODEL.source, **given).path(X, Y, alphas=ALPHAS)
    for fold in (0, 3):
        inside.fit(X[part != fold], Y[part != fold])
        error = np.mean((inside.predict(X[part == fold]) - Y[part == fold]) ** 2)
        np.testing.assert_allclose(fitted.errors[fold, 4], error, rtol=1e-3)


def test_the_choice_is_the_one_standard_error_rule(path):
    limit = path.error[path.best] + path.deviation[path.best]
    assert path.error[path.position] <= limit and (path.error[: path.position] > limit).all()
    assert path.chosen == path.alphas[path.position] >= path.alphas[path.best]
    np.testing.assert_allclose(path.deviation, path.errors.std(axis=0, ddof=1) / np.sqrt(5))
    model = Regression(CUBIC, source=MODEL.source, refit=False).fit(X, Y)
    assert model.alpha_ == model.path_.chosen and len(model.path_.alphas) == 30
    assert model.kept_ == 1  # shifts along the second axis
    direction = np.abs(ld.action.velocities(MODEL.source, model.kept_directions_[0], X)).max(axis=0)
    assert direction[0] < 0.05 * direction[1]


def test_kept_by_the_largest_ratio():
    values = np.array([1.0, 0.4, 0.02, 0.01, 1e-5])
    assert kept(values, 3e-3, 1.0, exact=False) == 3
    assert kept(values, 3e-3, 1.0, exact=True) == 1
    assert kept(values[:2], 3e-3, 1.0, exact=False) == 0
    assert kept(1e-12 * values, 3e-3, 1.0, exact=False) == 5
    assert kept(np.zeros(2), 3e-3, 0.0, exact=True) == 2


def test_outputs_in_several_columns_and_weights():
    source = ld.vectors(ld.algebra.so(2))
    velocity = np.stack([-X[:, 1], X[:, 0]], axis=1) * (1 + (X**2).sum(axis=1))[:, None]
    model = Regression(CUBIC, source=source, target=ld.action.tangent(source), refit=False)
    path = model.path(X, velocity, np.ones(40), alphas=np.array([1.0, 0.01]))
    assert path.coefficients.shape == (2, 2, 10) and (path.kept == 1).all()


# The figure


def test_figure(path):
    figure = path.plot("A title")
    top, bottom = figure.axes
    assert "squared error" in top.get_ylabel() and "singular value" in bottom.get_ylabel()
    assert "alpha" in bottom.get_xlabel() and bottom.get_xlim()[0] > bottom.get_xlim()[1]
    assert (
        figure.get_suptitle().startswith("A title")
        and f"keeps {path.kept[path.position]} of 3" in figure.get_suptitle()
    )
    assert [text.get_text() for text in figure.legends[0].get_texts()][:2] == ["least error", "chosen"]


def test_figure_of_a_path_of_one_strength(tmp_path):
    model = Regression(CUBIC, source=MODEL.source, refit=False).fit(X, np.ones(40))
    assert model.kept_ == 3 and len(model.path_.alphas) == 1
    model.path_.plot().savefig(tmp_path / "one.png")


def test_figure_of_arrays_that_do_not_fit(path):
    good = (path.alphas, path.error, path.deviation, path.singular_values, path.kept)
    with pytest.raises(ValueError, match=r"expected 8 rows, one for each alpha"):
        ld.report.path_figure(good[0], good[1][:3], *good[2:], 0)
    with pytest.raises(ValueError, match=r"`chosen` must be between 0 and 7, got 9"):
        ld.report.path_figure(*good, 9)


# Files


class Interrupted(Exception):
    pass


@pytest.mark.parametrize("done", [1, 5, 8, 19, 47])
def test_a_path_goes_on_from_its_checkpoint(done, path, tmp_path, monkeypatch):
    file = tmp_path / "path.npz"
    fit, counts = NuclearRegression.fit, {"fits": 0}

    def failing(self, *arguments):
        if counts["fits"] == done:
            raise Interrupted
        counts["fits"] += 1
        return fit(self, *arguments)

    monkeypatch.setattr(NuclearRegression, "fit", failing)
    with pytest.raises(Interrupted):
        MODEL.path(X, Y, alphas=ALPHAS, checkpoint=file)
    with pytest.raises(ValueError, match=r"holds no finished RegressionPath; pass it as `checkpoint` to go on"):
        RegressionPath.load(file)

    def counting(self, *arguments):
        counts["fits"] += 1
        return fit(self, *arguments)

    monkeypatch.setattr(NuclearRegression, "fit", counting)
    same(MODEL.path(X, Y, alphas=ALPHAS, checkpoint=file), path)
    assert counts["fits"] == 48  # none twice
    same(MODEL.path(X, Y, alphas=ALPHAS, checkpoint=file), path)
    assert counts["fits"] == 48
    assert list(tmp_path.iterdir()) == [file]
    same(RegressionPath.load(file), path)


def test_save_and_load(path, tmp_path):
    path.save(tmp_path / "kept.npz")
    again = RegressionPath.load(str(tmp_path / "kept.npz"))
    np.testing.assert_array_equal(again.coefficients, path.coefficients)
    assert again.chosen == path.chosen and again.kept_tolerance == path.kept_tolerance


def test_files_that_do_not_belong(path, tmp_path):
    file = tmp_path / "path.npz"
    MODEL.path(X, Y, alphas=ALPHAS[:2], checkpoint=file)
    with pytest.raises(ValueError, match=r"checkpoint: .*path.npz belongs to other data or settings; name another"):
        MODEL.path(X, Y + 1e-9, alphas=ALPHAS[:2], checkpoint=file)
    with pytest.raises(ValueError, match=r"belongs to other data or settings"):
        MODEL.path(X, Y, alphas=ALPHAS[:3], checkpoint=file)
    whole = file.read_bytes()
    for broken in (whole[: len(whole) // 2], b"", b"something else"):
        file.write_bytes(broken)
        with pytest.raises(ValueError, match=r"checkpoint: '.*path.npz' is no file written by a path.* or remove it"):
            MODEL.path(X, Y, alphas=ALPHAS[:2], checkpoint=file)
    np.savez(file, a=np.ones(2))
    with pytest.raises(ValueError, match=r"written by a path .*without a header.*Name another file, or remove it"):
        MODEL.path(X, Y, alphas=ALPHAS[:2], checkpoint=file)
    with pytest.raises(ValueError, match=r"path: .* is no file written by RegressionPath.save"):
        RegressionPath.load(file)
    with pytest.raises(FileNotFoundError, match=r"there is no file .*nothing.npz"):
        RegressionPath.load(tmp_path / "nothing.npz")


# Faults


def test_files_that_cannot_be_written(path, tmp_path):
    np.save(tmp_path / "array.npy", np.ones(2))
    faults = {
        tmp_path: (OSError, r"checkpoint: .* is a directory\. Add a file name"),
        tmp_path / "missing" / "path.npz": (OSError, r"checkpoint: .*directory '.*missing' does not exist\. Make it"),
        tmp_path / "array.npy": (ValueError, r"array.npy' is no file written by a path .*it holds a single array"),
    }
    for file, (kind, message) in faults.items():
        with pytest.raises(kind, match=message):
            MODEL.path(X, Y, alphas=ALPHAS, checkpoint=file)
    with pytest.raises(TypeError, match=r"checkpoint: expected the path of a file, got 3"):
        MODEL.path(X, Y, alphas=ALPHAS, checkpoint=3)
    with pytest.raises(OSError, match=r"path: .*directory '.*missing' does not exist"):
        path.save(tmp_path / "missing" / "path.npz")
    with pytest.raises(OSError, match=r"path: .* is a directory"):
        RegressionPath.load(tmp_path)


def test_interpolation_has_no_strengths():
    with pytest.raises(ValueError, match=r"exact: exact=True interpolates the data and has no strengths"):
        Regression(CUBIC, source=MODEL.source, exact=True).path(X, Y)


@pytest.mark.parametrize("alphas", [["a"], [1j], [[1.0], [1.0, 2.0]]])
def test_strengths_of_another_kind(alphas):
    with pytest.raises(
        (TypeError, ValueError), match=r"alphas: expected finite numbers above 0, one for each fit, got"
    ):
        MODEL.path(X, Y, alphas=alphas)


@pytest.mark.parametrize("alphas", [[], [1.0, -1.0], [1.0, np.nan], [np.inf], [[1.0]]])
def test_strengths_that_are_none(alphas):
    with pytest.raises(ValueError, match=r"alphas: expected finite numbers above 0, one for each fit, got"):
        MODEL.path(X, Y, alphas=np.array(alphas))


def test_strengths_below_rounding():
    with pytest.raises(
        ValueError, match=r"alphas: 1e-20 is so far below .* least squares up to rounding. Give larger ones"
    ):
        MODEL.path(X, Y, alphas=np.array([1.0, 1e-20]))


def test_too_few_examples_for_the_folds():
    with pytest.raises(ValueError, match=r"X: 7 samples are too few for 5 folds; give alpha, at most 3 folds, or"):
        MODEL.fit(X[:7], Y[:7])


def test_gaps_of_a_path_are_told():
    short = Regression(CUBIC, source=MODEL.source, refit=False, max_iterations=1)
    with pytest.warns(ConvergenceWarning, match=r"above the tolerance 1e-06 for \d+ of 8 strengths, at most 0\.\d+"):
        short.path(X, Y, alphas=ALPHAS)
