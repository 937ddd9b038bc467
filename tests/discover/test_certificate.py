"""The certified count: bounds that hold, nothing certified that is not so, and words for what cannot be certified."""

from functools import lru_cache

import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

import lieder as ld
from lieder import models
from lieder.discover._certificate import bounded, counted
from lieder.discover._certify import certificate
from lieder.discover._equivalence import below
from lieder.discover._question import Question, Rule
from lieder.discover._reduce import Units
from lieder.linalg import Band

AFFINE = ld.algebra.aff(3)


def found(x, y, algebra=AFFINE, **named):
    named = {"fit": "polynomial(3)", "evidence": "certificate"} | named
    return ld.discover.dataset(x, y, source=ld.points(algebra), target=ld.scalars(algebra), **named)


def sphere(rows, noise, seed, bent=0.0):
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, 3))
    y = np.sum(x**2, axis=1) + bent * (x[:, 0] ** 3 - 3 * x[:, 0] * x[:, 1] ** 2 + x[:, 0] * x[:, 1] * x[:, 2])
    return x, y + noise * y.std() * random.normal(size=rows)


def within(random, band):
    """A matrix whose error along every direction is at most that of the band, and that along one."""
    root = np.linalg.cholesky(band.scale)
    error = random.normal(size=(9, len(root)))
    return band.times * (error / np.linalg.norm(error, 2)) @ root.T


@pytest.mark.parametrize("seed", range(3))
def test_bounds_hold_for_every_law_within_the_bands(seed):
    random = np.random.default_rng(seed)
    k = 4
    defects = np.sort(random.uniform(0.0, 1.0, k)) * np.array([0.01, 0.1, 1.0, 1.0])
    frame = np.linalg.qr(random.normal(size=(9, k)))[0]
    scales = [forms @ forms.T * 1e-4 for forms in random.normal(size=(2, k, k))]
    numerator, denominator = Band(2.0, scales[0] + 1e-9 * np.eye(k)), Band(3.0, scales[1] + 1e-9 * np.eye(k))
    bounds = bounded(defects, numerator, denominator)
    assert np.all(np.diff(bounds.upper) >= 0) and np.all(bounds.lower <= defects) and np.all(defects <= bounds.upper)
    for _ in range(500):
        law = frame * defects - within(random, numerator), frame - within(random, denominator)
        true = ld.linalg.relative_spectrum(*law, 1e-12).values
        assert np.all(true <= bounds.upper + 1e-12) and np.all(true >= bounds.lower - 1e-12)
        least, most = counted(bounds, 0.05)
        assert least <= np.sum(true <= 0.05) <= most


@lru_cache
def cubics(rows):
    """Polynomials of degree 3, in the units of these rows (bytes)."""
    x = np.frombuffer(rows).reshape(-1, 3)
    features = models.linear_features(models.fit(x, np.sum(x, axis=1), "polynomial(3)"))
    assert features is not None
    return features


def stated(x, y, seed=0, groups=None):
    """The certificate alone, of polynomials of degree 3."""
    features = cubics(x[:100].tobytes())
    estimate = models.least_squares(x, y[:, None], np.ones(len(x)), features, groups, seed)
    names = ("x0", "x1", "x2", "y")
    question = Question(ld.points(AFFINE), ld.scalars(AFFINE), names, "")
    return certificate(question, Rule(seed=seed), estimate, Units(np.ones(3), np.ones(1)), x, np.ones(len(x)))


@pytest.mark.parametrize("noise", ["normal", "student, 3", "heteroskedastic", "shared"])
def test_a_defect_a_little_above_delta_is_not_certified(noise):
    """All directions of the law are broken, two of them by hardly more than delta."""
    x, law = sphere(300, 0.0, 0, bent=0.065)
    codes = np.arange(300) % 30
    assert stated(x, law).at_least == 0 and 0.05 < stated(x, law).upper[0] < 0.06
    draws = {
        "normal": lambda random: random.normal(size=300),
        "student, 3": lambda random: random.standard_t(3, 300),
        "heteroskedastic": lambda random: x[:, 0] * random.normal(size=300),
        "shared": lambda random: random.normal(size=30)[codes],
    }
    for seed in range(30):
        y = law + 0.05 * law.std() * draws[noise](np.random.default_rng(seed))
        assert stated(x, y, seed, codes if noise == "shared" else None).at_least == 0


@pytest.mark.parametrize("constant", [0.0, 5.0])
def test_noise_is_never_certified(constant):
    x = np.random.default_rng(0).normal(size=(300, 3))
    for seed in range(30):
        noise = np.random.default_rng(seed).normal(size=300)
        assert stated(x, constant + noise, seed).at_least == 0
    s = found(x, constant + np.random.default_rng(1).normal(size=300), fit="polynomial")
    assert s.certificate is not None and s.certificate.at_least == 0 and s.certificate.at_most == 12
    assert "Nothing can be certified: the model explains nothing" in str(s.certificate)


def test_rotations_are_certified_and_the_rest_is_broken():
    s = found(*sphere(400, 0.03, 1))
    c = s.certificate
    assert c is not None and (c.at_least, c.at_most) == (3, 3)
    assert s.symmetric.shape == (3, 12) and s.broken.shape == (9, 12) and s.undecided.shape == (0, 12)
    assert np.all(c.debiased[:3] <= c.defects[:3]) and np.all(c.lower <= c.upper)
    assert c.least_delta(3) <= 0.05 < c.least_delta(4) and c.least_delta(13) == np.inf
    assert c.misfit > 0.01 and c.coverage > 1 and c.halved < 0.05 and c.flows > 0.01
    assert "Exactly 3 symmetries to within 0.05 of |DF|, with 95 % confidence." in str(c)
    assert "Exactly 3 symmetries" in str(s)


def test_a_cluster_moved_is_another_cluster():
    """The law has the rotations, its inputs do not: they lie on one side."""
    random = np.random.default_rng(2)
    x = random.normal(size=(400, 3)) + np.array([3.0, 0.0, 0.0])
    y = np.sum(x**2, axis=1)
    c = found(x, y + 0.01 * y.std() * random.normal(size=400), ld.algebra.so(3)).certificate
    assert c is not None and c.at_least == 3 and c.inputs < 0.05
    assert "are distributed differently" in str(c)


def test_few_noisy_rows_leave_the_count_open():
    c = found(*sphere(150, 0.1, 3)).certificate
    assert c is not None and c.at_least < 3 <= c.at_most
    assert f"At least {c.at_least}, at most {c.at_most} symmetries" in str(c) or "nothing ruled out" in str(c)


def test_a_family_that_the_data_contradict_certifies_nothing():
    x, y = sphere(400, 0.05, 4, bent=0.1)
    c = found(x, y, fit="polynomial(2)").certificate
    assert c is not None and c.at_least == 0 and "the data contradict the family" in c.reason


def test_fewer_rows_than_parameters():
    c = found(*sphere(20, 0.01, 5), fit="polynomial(3)", algebra=ld.algebra.so(3)).certificate
    assert c is not None and c.at_least == 0 and c.at_most == 3
    assert "20 rows do not tell how well 20 parameters are known" in c.reason


def circle(seed, wide, noise, count=400):
    random = np.random.default_rng(seed)
    angle = random.uniform(0, 2 * np.pi, count)
    return np.stack([wide * np.cos(angle), np.sin(angle)], axis=1) + noise * random.normal(size=(count, 2))


def of_cloud(z, **named):
    c = ld.discover.cloud(z, action=ld.vectors(ld.algebra.so(2)), evidence="certificate", **named).certificate
    assert c is not None
    return c


def test_a_cloud_is_certified_by_tangent_spaces_drawn_anew():
    """Circles are certified, ellipses whose turn has a defect of .0503 never, rounder or flatter ones ruled out."""
    c = of_cloud(circle(0, 1.0, 0.01))
    assert (c.at_least, c.at_most) == (1, 1) and c.upper[0] < 0.05 and c.least_delta(1) < 0.05
    assert "of the fields' length" in str(c) and "fields tangent to a surface of dimension 1" in str(c)
    for seed in range(5):
        assert of_cloud(circle(seed, 1.0747, 0.01)).at_least == 0
    c = of_cloud(circle(0, 1.3, 0.01))
    assert (c.at_least, c.at_most) == (0, 0) and c.lower[0] > 0.05


def test_a_ring_that_bends_between_its_neighbours_is_not_certified():
    """Its turn has a defect of .0513. Fits to neighbours flatten its waves, which is seen and allowed for."""
    random = np.random.default_rng(1)
    angle = random.uniform(0, 2 * np.pi, 400)
    z = (1 + 0.0145 * np.cos(5 * angle))[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    for seed in range(3):
        noise = 0.003 * np.random.default_rng(seed).normal(size=z.shape)
        assert of_cloud(z + noise).at_least == 0


def test_a_graph_is_certified_as_a_cloud():
    s = found(*sphere(600, 0.003, 5), ld.algebra.so(3), fit="graph")
    c = s.certificate
    assert c is not None and c.at_least + c.weak <= c.at_most and "fields tangent" in c.family
    noise = np.random.default_rng(0).normal(size=200)
    s = found(sphere(200, 0.0, 5)[0], noise, ld.algebra.so(3), fit="graph")
    assert s.certificate is not None and s.certificate.at_least == 0
    assert "Nothing can be certified: the inputs explain nothing" in str(s.certificate) and len(s.undecided) == 3


def test_too_few_points_for_tangent_spaces_drawn_anew():
    c = of_cloud(circle(0, 1.0, 0.01, 24))
    assert c.at_least == 0 and c.reason


def test_weak_directions_are_not_certified():
    """All points lie near a plane: no turn out of it is certified, though the law has all."""
    random = np.random.default_rng(6)
    x = random.normal(size=(400, 3)) * np.array([1.0, 1.0, 0.01])
    y = np.sum(x**2, axis=1)
    c = found(x, y + 1e-6 * random.normal(size=400), ld.algebra.so(3), fit="polynomial(2)").certificate
    assert c is not None and c.weak == 2 and c.at_least == 1 and c.at_most == 3


def test_other_models_are_certified_by_their_refits():
    c = found(*sphere(250, 0.02, 7), ld.algebra.so(3), fit="kernel").certificate
    assert c is not None and c.family == "Gaussian process" and c.at_least == 3


def test_it_changes_nothing_else(tmp_path):
    x, y = sphere(200, 0.02, 8)
    plain, asked = found(x, y, evidence="gap"), found(x, y)
    assert plain.certificate is None and "ertificate" not in str(plain)
    np.testing.assert_array_equal(plain.defects, asked.defects)
    assert plain.dim == asked.dim and plain.evidence.verdict == asked.evidence.verdict
    with pytest.raises(ValueError, match="certificate: none was asked for"):
        plain.plot_certificate()
    assert len(plain.symmetric) == plain.dim  # the gap's three sets, without a certificate
    back = ld.discover.Symmetries.load(asked.save(tmp_path / "s.npz"))
    assert str(back) == str(asked) and back.certificate is not None
    np.testing.assert_array_equal(back.undecided, asked.undecided)
    assert ld.discover.Symmetries.load(plain.save(tmp_path / "p.npz")).certificate is None


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ({"delta": 0.0}, "delta must lie between 0 and 1"),
        ({"delta": 1.0}, "delta must lie between 0 and 1"),
        ({"alpha": 0.0}, "alpha must lie between 0.001 and 0.5"),
        ({"alpha": 0.9}, "alpha must lie between 0.001 and 0.5"),
        ({"alpha": True}, "alpha must lie"),
        ({"evidence": "proof"}, "evidence must be 'gap' or 'certificate', got 'proof'"),
        ({"groups": [1] * 200}, "groups: all rows are of one group"),
    ],
)
def test_what_makes_no_sense_is_refused(named, said):
    with pytest.raises(ValueError, match=said):
        found(*sphere(200, 0.02, 9), **named)


def grouped(seed, groups=16, each=25):
    """Noise that all rows of a group share, beside a law of which they see a part."""
    random = np.random.default_rng(seed)
    codes = np.repeat(np.arange(groups), each)
    x = 0.5 * random.normal(size=(len(codes), 3)) + random.normal(size=(groups, 3))[codes]
    y = np.sum(x**2, axis=1)
    return x, y + 0.1 * y.std() * random.normal(size=groups)[codes], codes


def test_rows_of_one_group_are_left_out_together():
    x, y, codes = grouped(10)
    alone = found(x, y, groups=range(len(x)), fit="polynomial(2)")
    together = found(x, y, groups=[f"planet {k}" for k in codes], fit="polynomial(2)")
    c, g = alone.certificate, together.certificate
    assert c is not None and g is not None and (c.groups, g.groups) == (400, 16)
    assert g.debiased[3] != c.debiased[3] and "16 groups of 400 rows" in str(g)
    spread = [np.ptp(s.evidence.intervals, axis=1)[3:].mean() for s in (alone, together)]
    assert spread[1] > 1.5 * spread[0] and "of 16 groups" in together.evidence.model


def test_what_groups_share_is_known_less_well():
    x, y, codes = grouped(12)
    rows, groups = stated(x, y), stated(x, y, groups=codes)
    assert groups.upper[0] > 1.2 * rows.upper[0]


def test_few_groups_certify_nothing():
    x, y, codes = grouped(11)
    c = found(x, y, groups=codes % 5).certificate
    assert c is not None and "5 groups are too few" in c.reason and c.at_least == 0


@pytest.mark.parametrize("offset", [0.0, 1e4, 1e5])
def test_rows_far_from_the_origin_have_as_many_symmetries(offset):
    """A turn about the points is there what turns and shifts leave of each other: no candidate may be lost."""
    rng = np.random.default_rng(5)
    x = rng.normal(size=(400, 3))
    y = np.sum(x**2, axis=1) + 0.02 * rng.normal(size=400)
    source = ld.points(ld.algebra.aff(3))
    found = ld.discover.dataset(
        x + offset, y, source=source, target=ld.scalars(source.algebra), fit="polynomial(2)", evidence="certificate"
    )
    c = found.certificate
    assert found.dim == 3 and (c.at_least, c.at_most, len(c.directions)) == (3, 3, 12)


def test_a_posterior_knows_what_ten_refits_do_not():
    """A cone, smooth and no polynomial: its turn is certified, that of a bent one is not."""
    random = np.random.default_rng(3)
    x = random.normal(size=(250, 2))
    for bend, least in ((0.0, 1), (0.3, 0)):
        y = np.sqrt(0.3 + np.sum(x**2, axis=1)) + bend * np.cos(1.2 * x[:, 0] + 0.5 * x[:, 1])
        y = y + 0.004 * y.std() * random.normal(size=len(x))
        c = found(x, y, ld.algebra.so(2), fit="kernel").certificate
        assert c is not None and c.at_least == least and c.upper[0] >= c.defects[0] >= c.lower[0]


def test_shifted_outputs_count_among_the_size_of_a_drawn_law():
    """An affine target turns outputs also where the model is zero; defects do not hang on which column is shifted."""
    random = np.random.default_rng(4)
    x = random.normal(size=(150, 2))
    y = np.stack([np.tanh(x[:, 0]), x[:, 1]], axis=1) + 0.01 * random.normal(size=(150, 2))
    shifts = ld.points(ld.algebra.t(2))
    s = ld.discover.dataset(x, y, source=shifts, target=shifts, fit="kernel", evidence="certificate")
    c = s.certificate
    assert c is not None and np.all(c.upper >= c.defects) and np.all(c.upper < 1.5)


def test_a_given_function_is_certified_for_certain():
    """In the same words, without a probability; to within the error that the user states."""
    x = np.random.default_rng(0).normal(size=(60, 3))
    points = ld.points(AFFINE)

    def bent(z):
        return jnp.sum(z**2) + 0.065 * (z[0] ** 3 - 3 * z[0] * z[1] ** 2 + z[0] * z[1] * z[2])

    c = ld.discover.function(lambda z: jnp.sum(z**2), x, source=points, evidence="certificate").certificate
    assert c is not None and (c.at_least, c.at_most, c.alpha) == (3, 3, 0.0)
    assert "Exactly 3 symmetries to within 0.05 of |DF|, for certain." in str(c) and "F itself, at these" in str(c)
    for delta in (0.01, 0.5):
        s = ld.discover.function(bent, x, source=points, evidence="certificate", delta=delta)
        c = s.certificate
        assert c is not None and c.at_least == c.at_most == np.sum(s.defects <= delta)
    s = ld.discover.function(bent, x, source=points, evidence="certificate", error=0.04)
    c = s.certificate
    assert c is not None and c.at_least == np.sum(s.defects <= 0.01) and c.at_most == np.sum(s.defects <= 0.09)
    field = ld.discover.vector_field(lambda z: -z, x, action=points, evidence="certificate").certificate
    assert field is not None and (field.at_least, field.at_most) == (9, 9) and "U itself" in str(field)


def test_level_functions_are_certified_without_a_tenth_of_the_points():
    random = np.random.default_rng(1)
    angle = random.uniform(0, 2 * np.pi, 200)
    quadrics, turns = ld.dictionary.polynomials(2, 2), ld.vectors(ld.algebra.so(2))
    for width, least, most in ((1.0, 1, 1), (1.06, 0, 1), (1.2, 0, 0)):
        z = np.stack([width * np.cos(angle), np.sin(angle)], axis=1) + 0.01 * random.normal(size=(200, 2))
        s = ld.discover.level_set(z, action=turns, dictionary=quadrics, evidence="certificate")
        c = s.certificate
        assert c is not None and (c.at_least, c.at_most) == (least, most)
        assert "functions that vanish on the points" in str(c)
    few = ld.discover.level_set(z, action=turns, dictionary=quadrics, evidence="certificate", groups=np.arange(200) % 5)
    assert few.certificate is not None and "5 groups are too few" in few.certificate.reason


def test_verbs_without_a_certificate_say_what_has_one():
    x = np.random.default_rng(0).normal(size=(60, 2))
    y, action = np.sum(x**2, axis=1), ld.vectors(ld.algebra.so(2))
    scalars = ld.scalars(action.algebra)
    trained = LinearRegression().fit(x, y)
    refused = {
        "F was trained": lambda: ld.discover.function(trained, x, source=action, evidence="certificate"),
        "labels": lambda: ld.discover.function(jnp.sum, x, source=action, labels=y, evidence="certificate"),
    }
    for what, call in refused.items():
        with pytest.raises(ValueError, match=f"evidence.*{what}|evidence: {what}"):
            call()
    with pytest.raises(ValueError, match="groups: no model was fitted"):
        ld.discover.dataset(x, y, source=action, target=scalars, fit="graph", groups=np.arange(60) % 12)


@pytest.mark.parametrize("sizes", [[1.0, 1.0], [1.0] * 5, [1e-4] * 4 + [1.0]], ids=["two", "five", "one that errs"])
def test_below_counts_what_is_small_and_not_what_is_at_delta(sizes):
    """Rows L b^ = L b + error with independent normal errors: the last defect is delta, the others are zero. Where four
    hardly err, and all by the same two functions, they leave these to the fifth."""
    random = np.random.default_rng(3)
    k, delta, trials = len(sizes), 0.05, 200
    rows, noise = 40, 0.006 * np.array(sizes) * np.ones((40, 1))
    noise[2 if min(sizes) < 1 else 40 :] = 0.0
    law = np.zeros((rows, k))
    law[0, k - 1] = delta
    exact = Band(0.0, np.eye(k) * 1e-300)
    found = []
    for _ in range(trials):
        errors = noise * random.normal(size=(99, rows, k))
        seen = law + noise * random.normal(size=(rows, k))
        _, values, axes = np.linalg.svd(seen, full_matrices=False)
        axes = axes[::-1].T
        found.append(below(values[::-1], seen @ axes, errors @ axes, np.zeros(k), exact, delta, 0.05).count)
    assert np.mean(np.array(found) == k) <= 0.05 + 2 * np.sqrt(0.05 / trials) and np.mean(np.array(found) >= 1) > 0.5


def test_rows_of_trajectories_rule_nothing_out_as_a_graph():
    """Near each state lies its own trajectory alone, a curve that no turn keeps; the map is kept by every turn."""
    random = np.random.default_rng(6)
    states = [random.uniform(-1.5, 1.5, size=(20, 2))]
    for _ in range(25):  # small steps of a swirl towards the unit circle
        x = states[-1]
        states.append(x + 0.1 * (x + x[:, ::-1] * [-1.0, 1.0] - x * np.sum(x**2, axis=1, keepdims=True)))
    now, later = (np.concatenate(part) for part in (states[:-1], states[1:]))
    later = later + 0.003 * np.std(later - now) * random.normal(size=later.shape)
    plane = ld.vectors(ld.algebra.so(2))
    found = ld.discover.graph(now, later, source=plane, target=plane, transition=True, evidence="certificate")
    c = found.certificate
    assert c is not None and (c.at_least, c.at_most) == (0, 1)
    assert "as rows of trajectories do: give dimension=" in c.reason
