"""Discrete elements of an algebra (o(2), e(2), finite groups) in every verb: honoured, or refused in words.

`HONOURED` has a row for each verb and kind of action: what comes out without and with the discrete elements. `REFUSED`
has the calls of verbs that see generators only. A verb without a row fails.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lieder as ld
from lieder import action, algebra, dictionary, discover, enforce, nn, promote

KEY = jax.random.key(0)
X = np.random.default_rng(0).normal(size=(60, 2))
P = dictionary.polynomials
TURN = np.array([[0.0, -1.0], [1.0, 0.0]])
PLANE = algebra.permutations(np.zeros((0, 2), int))  # the group that moves nothing
MIRROR = algebra.extended(PLANE, [np.diag([-1.0, 1.0])])


X4 = np.random.default_rng(1).normal(size=(60, 4))
PICTURES = np.random.default_rng(2).normal(size=(4, 9))


def rotations(elements):
    return ld.vectors(algebra.o(2) if elements else algebra.so(2))


def space(elements):
    return ld.vectors(algebra.o(3) if elements else algebra.so(3))


def motions(elements):
    return ld.points(algebra.e(2) if elements else algebra.se(2))


def directions(elements):
    return ld.vectors(motions(elements).algebra)


def picture(group):
    """Pictures of 3 x 3 samples."""
    return action.grid(group, (3, 3), order=2)


def image(elements):
    return picture(MIRROR if elements else PLANE)


def mirror(elements):
    """The mirror along x, or the one along y, which leaves x as it is."""
    return algebra.extended(PLANE, [np.diag([-1.0, 1.0]) if elements else np.diag([1.0, -1.0])])


def scalars(a, count=1):
    return ld.scalars(a.algebra, count)


def moves(a):
    """Vectors and their lengths, the features of a layer."""
    return 2 * a + scalars(a)


def checked(model, a):
    """How far `nn.check` finds a model from equivariant under discrete elements."""
    x = np.random.default_rng(1).normal(size=(10, a.width))
    return float(nn.check(model, a, a, x).total[1].max(initial=0.0))


def broken(model, source, target):
    """The same by hand, for the first element."""
    x = jnp.asarray(np.random.default_rng(1).normal(size=(4, source.width)))
    there = jax.vmap(lambda z: model(source.element(0, z)) - target.element(0, model(z)))(x)
    return float(jnp.abs(there).max())


def keeps(make):
    """Whether a layer made for rotations, with the reflection or without, keeps the reflection."""

    def answer(elements):
        layer = make(moves(rotations(elements)))
        source = make(moves(rotations(True))).source
        return broken(lambda x: layer(x), source, moves(rotations(True))) < 1e-5

    return answer


def fields(elements):
    """An operator on vector fields over 7 x 7 places, compared under the reflection of the whole plane."""
    a, whole = directions(elements), action.grid(motions(True).algebra, (7, 7), directions(True))
    operator = nn.IntegralOperator(a, a, key=KEY, size=3, degree=1)
    return broken(lambda u: operator(u.reshape(2, 7, 7)).reshape(-1), whole, whole) < 1e-5


def dynamics(a, **more):
    """Turning and falling, measured with noise: no reflection keeps the turn."""
    rates = X @ TURN.T - 0.1 * X + 0.1 * np.random.default_rng(2).normal(size=X.shape)
    return enforce.sparse_dynamics(X, rates, P(2, 1), symmetry=a, threshold=0.0, **more)


def pair(a):
    """Two bodies, each drawn to the other and turned about it."""
    apart = X4[:, :2] - X4[:, 2:]
    force = apart @ (TURN - np.eye(2)).T
    return enforce.SparseDynamics(P(4, 1), symmetry=2 * a, threshold=0.0).fit(
        X4, np.concatenate([force, -force], axis=1)
    )


def searched(a, by):
    """The same motion by formulas, and whether the turn is kept."""
    rates = X @ TURN.T - 0.1 * X
    small = {"population": 20, "generations": 2, "functions": ("add", "sub")}
    found = enforce.symbolic_dynamics(X, rates, symmetry=a, by=by, penalty=1e4, **small)
    turned = found.predict(np.eye(2))
    return bool(abs(turned[0, 1] - turned[1, 0]) > 1)


def penalised(a, x):
    """The penalty of a model that tells left from right: x_0, or the first row of a picture, summed."""
    first = x.shape[1] // 3 or 1
    return float(promote.element_penalty(lambda u: u[:first].sum()[None], x, source=a, smoothing=0.0))


def size2(x):
    return (x**2).sum(axis=1)


def promoted(source, truth, **more):
    model = promote.Regression(P(2, 2), source=source, **more).fit(X, truth(X))
    assert model.kept_ == 1
    return len(model.kept_elements_)


def features(a):
    return enforce.FunctionFeatures("polynomials(2)", source=2 * a).fit(X4).transform(X4).shape[1]


# verb, kind of action: what is computed with elements or without, then what comes out without, and with
HONOURED = {
    "discover.finite": (
        lambda e: discover.finite(lambda z: z[0] ** 2 + z[1] ** 3, X, source=ld.vectors(mirror(e))).order,
        1,
        2,
    ),
    # Searched without its mirror, O(2) has no other component.
    "discover.finite_search": (
        lambda e: discover.finite_search(size, X, source=rotations(e), starts=8).order,
        1,
        2,
    ),
    # x.x, y.y, x.y and the constant; x cross y only where nothing is reflected
    "enforce.functions, vectors": (
        lambda e: enforce.functions(P(4, 2), source=2 * rotations(e), target=scalars(rotations(e))).dim,
        5,
        4,
    ),
    "enforce.functions, o(3)": (
        lambda e: enforce.functions(P(9, 3), source=3 * space(e), target=scalars(space(e))).dim,
        8,
        7,
    ),
    "enforce.functions, points": (
        lambda e: enforce.functions(P(6, 2), source=3 * motions(e), target=scalars(motions(e))).dim,
        5,
        4,
    ),
    "enforce.functions, lift": (
        lambda e: enforce.functions(P(2, 1), source=rotations(e), target=action.tangent(rotations(e))).dim,
        2,
        1,
    ),
    "enforce.functions, tensors": (
        lambda e: enforce.functions(P(2, 0), source=rotations(e), target=rotations(e) ** 2).dim,
        2,
        1,
    ),
    "enforce.functions, grid": (
        lambda e: enforce.functions(dictionary.linear(9), source=image(e), target=scalars(image(e))).dim,
        9,
        6,
    ),
    "enforce.FunctionFeatures": (lambda e: features(rotations(e)), 4, 3),
    "enforce.maps, vectors": (lambda e: enforce.maps(rotations(e), rotations(e)).dim, 2, 1),
    "enforce.maps, tensors": (lambda e: enforce.maps(rotations(e) ** 2, scalars(rotations(e))).dim, 2, 1),
    "enforce.maps, grid": (lambda e: enforce.maps(image(e).sparse(), scalars(image(e))).dim, 9, 6),
    "enforce.homogeneous": (lambda e: enforce.maps(enforce.homogeneous(2 * motions(e)), directions(e)).dim, 2, 1),
    "enforce.kernels": (lambda e: enforce.kernels(directions(e), directions(e), degree=2).dim, 6, 3),
    "enforce.project": (
        lambda e: round(enforce.project(TURN, source=rotations(e), target=rotations(e)).relative, 9),
        0.0,
        1.0,
    ),
    "enforce.sparse_dynamics": (lambda e: dynamics(rotations(e)).dimension_, 2, 1),
    "enforce.sparse_dynamics, penalty": (
        lambda e: bool(abs(dynamics(rotations(e), penalty=1e4).coefficients_[0, 2]) > 0.5),
        True,
        False,
    ),
    "enforce.SparseDynamics, points": (lambda e: pair(motions(e)).dimension_, 4, 2),
    "enforce.constraints": (lambda e: len(enforce.constraints(P(2, 1), symmetry=rotations(e)).lhs), 4, 5),
    "enforce.symbolic_dynamics": (lambda e: searched(rotations(e), "invariants"), True, False),
    "enforce.symbolic_dynamics, flow": (lambda e: searched(rotations(e), "flow"), True, False),
    "nn.check, vectors": (
        lambda e: checked(lambda x: jnp.asarray(TURN) @ x, rotations(e)) > 0.1,
        False,
        True,
    ),
    "nn.check, grid": (lambda e: checked(lambda u: u * jnp.arange(9.0), image(e)) > 0.1, False, True),
    "nn.Linear, vectors": (keeps(lambda a: nn.Linear(a, a, key=KEY)), False, True),
    "nn.Linear, grid": (lambda e: nn.Linear(image(e).sparse(), scalars(image(e)), key=KEY).maps.dim, 9, 6),
    "nn.Bilinear": (keeps(lambda a: nn.Bilinear(a, a, key=KEY)), False, True),
    "nn.Quadratic": (keeps(lambda a: nn.Quadratic(a, a, key=KEY)), False, True),
    "nn.MLP": (keeps(lambda a: nn.MLP(a, a, width=16, depth=1, key=KEY)), False, True),
    # Gates and lengths are functions of scalars alone
    "nn.Norm": (keeps(nn.Norm), True, True),
    "nn.Gated": (keeps(nn.Gated), True, True),
    "nn.hidden": (lambda e: enforce.maps(nn.hidden(rotations(e), rotations(e), 2), rotations(e)).dim, 2, 1),
    "nn.IntegralOperator": (fields, False, True),
    # An inner product of generators
    "promote.orthonormal": (lambda e: len(promote.orthonormal(motions(e))), 3, 3),
    # The size of the group that is kept, 1 where there is none
    "promote.Regression": (lambda e: promoted(rotations(e), size2), 1, 2),
    "promote.Regression, text": (lambda e: promoted("o on vectors" if e else "so on vectors", size2), 1, 2),
    "promote.Regression, tangent": (lambda e: promoted(rotations(e), lambda x: -x, target="tangent"), 1, 2),
    # One mirror of two: the other leaves x, and the row of a picture
    "promote.element_penalty, vectors": (lambda e: penalised(ld.vectors(mirror(e)), X) > 0.1, False, True),
    "promote.element_penalty, grid": (lambda e: penalised(picture(mirror(e)), PICTURES) > 0.1, False, True),
}

O2, E2 = rotations(True), 2 * motions(True)
LIFT = action.tangent(O2)
GRID = action.grid(algebra.e(2), (7, 7))
FIELDS = np.random.default_rng(3).normal(size=(60, 49))
NET = [lambda x: x, lambda x: x]
SCALED = ld.vectors(algebra.extended(algebra.scalings(2), [np.diag([-1.0, 1.0])]))


def size(x):
    return jnp.sum(x**2)[None]


# verb, kind of action: a call that sees generators only
REFUSED = {
    "discover.function, vectors": lambda: discover.function(size, X, source=O2),
    "discover.function, points": lambda: discover.function(size, X4, source=E2),
    "discover.function, lift": lambda: discover.function(lambda x: -x, X, source=O2, target=LIFT),
    "discover.function, tensors": lambda: discover.function(lambda x: x, X4, source=O2**2, target=O2**2),
    "discover.function, grid": lambda: discover.function(size, FIELDS, source=GRID),
    "discover.function, pair": lambda: discover.function(size, X4, source=action.total(O2, LIFT)),
    "discover.vector_field": lambda: discover.vector_field(lambda x: -x, X, action=O2),
    "discover.reduce": lambda: discover.reduce(size, X, source=O2),
    "discover.units": lambda: discover.units(size, X, source=O2),
    "discover.graph": lambda: discover.graph(X, X, source=O2, target=O2),
    "discover.graph, lift": lambda: discover.graph(X, X, source=O2, target=LIFT),
    "learn.adversarial": lambda: discover.adversarial(X, X, source=O2, target=O2),
    "discover.pairs": lambda: discover.pairs(X, X, source=O2, target=O2),
    "discover.cloud": lambda: discover.cloud(X, action=O2),
    "discover.cloud, points": lambda: discover.cloud(X4, action=E2),
    "discover.dataset": lambda: discover.dataset(X, X, source=O2, target=O2),
    "discover.section": lambda: discover.section(lambda x: jnp.eye(2), X, action=O2, kind="metric"),
    "discover.noether": lambda: discover.noether(lambda z: z @ z, X, symmetries=O2),
    "discover.dimensionless": lambda: discover.dimensionless(SCALED),
    "discover.level_set": lambda: discover.level_set(X, action=O2, dictionary=P(2, 2)),
    "discover.pde": lambda: discover.pde(X[:32].reshape(8, 8), (np.arange(8.0), np.arange(8.0)), 1, candidates=O2),
    "promote.penalty, vectors": lambda: promote.penalty(size, X, source=O2),
    "promote.penalty, points": lambda: promote.penalty(size, X4, source=E2),
    "promote.penalty, lift": lambda: promote.penalty(lambda x: -x, X, source=O2, target=LIFT),
    "promote.penalty, tensors": lambda: promote.penalty(lambda x: x, X4, source=O2**2, target=O2**2),
    "promote.penalty, grid": lambda: promote.penalty(size, FIELDS, source=GRID),
    "promote.layer_penalty": lambda: promote.layer_penalty(NET, X, source=O2, target=O2, hidden=[O2]),
}

# Public names of the four rooms that take no action, or records of what the others found
NO_VERBS = {
    "discover": {
        "Learnt",
        "Pairs",
        *("Evidence", "Verdict", "Symmetries", "Part", "merge", "FiniteEvidence", "FiniteSymmetries", "Certificate"),
        *("conserved", "Conserved", "ConservedEvidence", "Dimensionless"),
    },
    "enforce": {
        *("Constraints", "EquivariantFunctions", "EquivariantKernels", "EquivariantMaps", "Projection"),
        *(
            "SymbolicDynamics",
            "AbstractSlopes",
            "Smoothed",
            "SmoothingSpline",
            "TotalVariation",
            "WeakForm",
            "linear_in_parameters",
        ),
    },
    "promote": {"RegressionPath"},
    "nn": {"Check", "neighbours"},
}


@pytest.mark.parametrize("name", list(HONOURED))
def test_discrete_elements_are_honoured(name):
    compute, without, present = HONOURED[name]
    assert compute(False) == without
    assert compute(True) == present


@pytest.mark.parametrize("name", list(REFUSED))
def test_discrete_elements_are_refused_in_words(name):
    with pytest.raises(
        ValueError, match=r"(source|action|candidates|symmetries|units): .* 1 discrete element, .*Take the algebra"
    ):
        REFUSED[name]()


@pytest.mark.parametrize("room", [discover, enforce, promote, nn], ids=list(NO_VERBS))
def test_no_verb_is_left_out(room):
    here = room.__name__.split(".")[-1]
    public = {name for name, value in vars(room).items() if callable(value) and not name.startswith("_")}
    met = {name.split(",")[0].split(".")[1] for name in (*HONOURED, *REFUSED) if name.startswith(here + ".")}
    assert public - NO_VERBS[here] == met
