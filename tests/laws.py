"""The tables of cases that the laws run over. Adding a thing to the library is one file there and one line here."""

from collections.abc import Callable

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from lieder import action, algebra, dictionary
from lieder.algebra import LieAlgebra

# Every public constructor of lieder.algebra: how a user writes it, and the algebra.
ALGEBRAS: list[tuple[str, algebra.LieAlgebra]] = [
    ("t(1)", algebra.t(1)),
    ("t(3)", algebra.t(3)),
    ("so(2)", algebra.so(2)),
    ("so(3)", algebra.so(3)),
    ("so(4)", algebra.so(4)),
    ("so(5)", algebra.so(5)),
    ("so(1,1)", algebra.so(1, 1)),
    ("so(1,2)", algebra.so(1, 2)),
    ("so(1,3)", algebra.so(1, 3)),
    ("so(2,2)", algebra.so(2, 2)),
    ("so(3,4)", algebra.so(3, 4)),
    ("o(1)", algebra.o(1)),
    ("o(3)", algebra.o(3)),
    ("se(2)", algebra.se(2)),
    ("se(3)", algebra.se(3)),
    ("se(4)", algebra.se(4)),
    ("e(2)", algebra.e(2)),
    ("gl(1)", algebra.gl(1)),
    ("gl(2)", algebra.gl(2)),
    ("gl(3)", algebra.gl(3)),
    ("sl(2)", algebra.sl(2)),
    ("sl(3)", algebra.sl(3)),
    ("sl(4)", algebra.sl(4)),
    ("aff(1)", algebra.aff(1)),
    ("aff(2)", algebra.aff(2)),
    ("aff(3)", algebra.aff(3)),
    ("sp(2)", algebra.sp(2)),
    ("sp(4)", algebra.sp(4)),
    ("sp(6)", algebra.sp(6)),
    ("poincare(1)", algebra.poincare(1)),
    ("poincare", algebra.poincare()),
    ("galilean(1)", algebra.galilean(1)),
    ("galilean(2)", algebra.galilean(2)),
    ("galilean", algebra.galilean()),
    ("conformal(1)", algebra.conformal(1)),
    ("conformal(2)", algebra.conformal(2)),
    ("conformal(3)", algebra.conformal(3)),
    ("su(2)", algebra.su(2)),
    ("su(3)", algebra.su(3)),
    ("su(4)", algebra.su(4)),
    ("u(2)", algebra.u(2)),
    ("u(3)", algebra.u(3)),
    ("scalings(3)", algebra.scalings(3)),
    ("heisenberg(1)", algebra.heisenberg(1)),
    ("heisenberg(2)", algebra.heisenberg(2)),
    ("product(se(2), so(3))", algebra.product(algebra.se(2), algebra.so(3))),
    ("product(so(3), so(3), t(2))", algebra.product(algebra.so(3), algebra.so(3), algebra.t(2))),
    ("matrices(..)", algebra.matrices(np.array([[[1.0, 2.0], [0.0, 1.0]], [[0.0, 1.0], [0.0, 0.0]]]))),
    ("affine(..)", algebra.affine(np.array([[[2.0]], [[0.0]]]), np.array([[1.0], [3.0]]))),
    ("symmetric(1)", algebra.symmetric(1)),
    ("symmetric(2)", algebra.symmetric(2)),
    ("symmetric(4)", algebra.symmetric(4)),
    ("cyclic(3)", algebra.cyclic(3)),
    ("dihedral(5)", algebra.dihedral(5)),
    ("signs(3)", algebra.signs(3)),
    ("inversion(2)", algebra.inversion(2)),
    ("polygon(5)", algebra.polygon(5)),
    ("point_group(..)", algebra.point_group("Td")),
    ("lattice(..)", algebra.lattice([[0.5, 0.0], [0.0, 0.25]])),
    ("permutations(..)", algebra.permutations([[1, 0, 2], [0, 2, 1]], 4)),
    ("extended(..)", algebra.extended(algebra.gl(2), [[[0.0, 2.0], [1.0, 0.0]]])),
    ("product(dihedral(3), e(2))", algebra.product(algebra.dihedral(3), algebra.e(2))),
]

# What can be built from vectors V and covectors V*; each is a representation again.
BUILT: dict[str, Callable[[action.FieldAction], action.FieldAction]] = {
    "V": lambda v: v,
    "V*": lambda v: v.dual,
    "V + V*": lambda v: v + v.dual,
    "2 V + scalars": lambda v: 2 * v + action.scalars(v.algebra, 3),
    "V * V": lambda v: v * v,
    "V * V*": lambda v: v * v.dual,
    "V ** 0": lambda v: v**0,
    "V ** 2": lambda v: v**2,
    "(V * V).dual": lambda v: (v * v).dual,
    "V >> V": lambda v: v >> v,
    "V >> scalars": lambda v: v >> action.scalars(v.algebra),
    "(V + scalars) >> V*": lambda v: (v + action.scalars(v.algebra)) >> v.dual,
}


def _spiral(z):
    return jnp.stack([z[1] - z[0] * z[1], jnp.sin(z[0])])


def _square(z):
    return z * z


class Waves(action.AbstractAction):
    """The user's own: x runs, and y goes up and down with it, (1, height cos x)."""

    height: Float[Array | np.ndarray, ""]
    algebra: LieAlgebra = eqx.field(static=True, default=algebra.t(1))
    width: int = eqx.field(static=True, default=2)

    def field(self, xi, z):
        return xi[0] * jnp.stack([jnp.ones((), z.dtype), self.height.astype(z.dtype) * jnp.cos(z[0])])


def _bent(z):
    """Parabolas made straight; `_unbent` undoes it."""
    return jnp.stack([z[0], z[1] - z[0] ** 2])


def _unbent(z):
    return jnp.stack([z[0], z[1] + z[0] ** 2])


def _read(one: action.AbstractAction) -> action.AbstractAction:
    made = action.read(one.written() or {})
    assert isinstance(made, action.AbstractAction)
    return made


_SE, _CONFORMAL, _GL = algebra.se(2), algebra.conformal(2), algebra.gl(2)
_CURVED = action.points(_CONFORMAL)

# Every public constructor of lieder.action: the constructor, what to call the case, and the action.
ACTIONS: list[tuple[str, str, action.AbstractAction]] = [
    ("vectors", "linear", action.vectors(algebra.gl(3))),
    ("points", "affine", action.points(algebra.se(3))),
    ("covectors", "sum", action.points(_SE) + action.covectors(_SE) + action.scalars(_SE)),
    ("scalars", "scalars", action.scalars(_SE, 2)),
    ("vectors", "permutations", action.vectors(algebra.symmetric(3))),
    ("tensors", "tensors", action.tensors(_GL, 1, 1)),
    ("linear", "user matrices", action.linear(_GL, algebra.gl(2).generators.dense()[:, :, :2])),
    ("independent", "independent", action.independent(action.vectors(_GL), action.points(_SE))[1]),
    ("points", "conformal", _CURVED),
    ("points", "conformal sum", _CURVED + action.scalars(_CONFORMAL, 2)),
    ("polynomial_fields", "polynomial fields", action.polynomial_fields(2, 2)),
    ("dictionary_fields", "dictionary fields", action.dictionary_fields(dictionary.fourier(2, 1))),
    ("fields", "user fields", action.fields([_spiral, _square], 2, ["spiral", "square"])),
    ("pseudoscalars", "axial", action.vectors(algebra.o(3)) * action.pseudoscalars(algebra.o(3))),
    ("subgroup", "subgroup", action.subgroup(action.vectors(algebra.cyclic(4)), algebra.cyclic(2), [(0, 0)])),
    ("total", "total", action.total(action.points(_SE), action.vectors(_SE) + action.points(_SE))),
    ("tangent", "total over a tangent lift", action.total(_CURVED, action.tangent(_CURVED))),
    ("cotangent", "total over a cotangent lift", action.total(_CURVED, action.cotangent(_CURVED))),
    ("density", "total over a density", action.total(_CURVED, action.density(_CURVED))),
    ("tensor", "total over a tensor lift", action.total(_CURVED, action.tensor(_CURVED, 1, 1, 0.5))),
    ("rates", "total over rates", action.total(_CURVED, action.rates(_CURVED, 1, timed=True))),
    ("grid", "grid", action.grid(_SE, (6, 6), order=2)),
    ("represented", "represented", action.represented(action.vectors(_GL), "source")),
    ("prolong", "prolonged", action.prolong(action.points(_SE), 1, 2)),
    ("prolong", "prolonged polynomial fields", action.prolong(action.polynomial_fields(2, 2), 1, 2)),
    ("rescaled", "rescaled", action.rescaled(_CURVED, np.array([1.0, -2.0]), np.array([0.5, 3.0]))),
    ("encoded", "encoded", action.encoded(action.points(_SE), _bent, _unbent, 2)),
    ("read", "written and read", _read(action.points(_SE))),
    ("AbstractAction", "the user's own", Waves(np.asarray(0.7))),
    ("sized", "sized", action.sized("se on points", ["x", "y"])),
    ("parse", "parsed", action.parse("so(2) on vectors(x,y)", ["x", "y", "z"])[0]),
]


def _centre(z):
    half = len(z) // 2
    return jnp.sqrt(jnp.sum(z[:half] ** 2))


def _kepler(z):
    half = len(z) // 2
    return jnp.concatenate([z[half:], -z[:half] / _centre(z) ** 3])


def orbits_family(half: int) -> dictionary.AbstractDictionary:
    """Cubic polynomials of positions and velocities, and 1/r, x_i/r."""
    own = [lambda z: 1 / _centre(z), *(lambda z, i=i: z[i] / _centre(z) for i in range(half))]
    names = ["1/r", *(f"{name}/r" for name in "xyz"[:half])]
    cubic = dictionary.polynomials(2 * half, 3)
    return dictionary.union([cubic, dictionary.functions(own, 2 * half, names)])


_LOGS = dictionary.functions([lambda z: jnp.log(z[0]), lambda z: jnp.log(z[1])], 2, ["log(x)", "log(y)"])
_POLES = dictionary.functions([lambda z: jnp.cos(z[0]), lambda z: jnp.sin(z[0])], 2, ["cos(x)", "sin(x)"])

# Fields with known conserved quantities: the field, a dictionary, how many combinations of it are conserved, how many
# of these are functionally independent, and some of them as they are written in the columns given.
CONSERVED: dict[str, tuple[Callable, dictionary.AbstractDictionary, int, int, list[str], list[str]]] = {
    "Kepler in the plane": (_kepler, orbits_family(2), 4, 3, ["v x - u y", "1/2 u^2 + 1/2 v^2 - 1/r"], list("xyuv")),
    "Kepler in space": (_kepler, orbits_family(3), 7, 5, ["w y - v z"], list("xyzuvw")),
    "Lotka-Volterra": (
        lambda z: jnp.stack([2 / 3 * z[0] - 4 / 3 * z[0] * z[1], z[0] * z[1] - z[1]]),
        dictionary.union([dictionary.polynomials(2, 2), _LOGS]),
        1,
        1,
        ["3/4 x + y - 3/4 log(x) - 1/2 log(y)"],
        list("xy"),
    ),
    "isotropic oscillator": (
        lambda z: jnp.stack([z[2], z[3], -z[0], -z[1]]),
        dictionary.polynomials(4, 2),
        4,
        3,
        ["x^2 + u^2", "y^2 + v^2", "v x - u y", "x y + u v"],
        list("xyuv"),
    ),
    "isotropic oscillator, with products": (
        lambda z: jnp.stack([z[2], z[3], -z[0], -z[1]]),
        dictionary.polynomials(4, 4),
        13,
        3,
        ["x^2 + u^2", "y^2 + v^2", "v x - u y"],
        list("xyuv"),
    ),
    "anisotropic oscillator, 1 to 2": (
        lambda z: jnp.stack([z[2], z[3], -z[0], -4 * z[1]]),
        dictionary.polynomials(4, 3),
        4,
        3,
        ["x^2 + u^2", "y^2 + 1/4 v^2", "x^2 y + u v x - u^2 y"],
        list("xyuv"),
    ),
    "anisotropic oscillator, incommensurable": (
        lambda z: jnp.stack([z[2], z[3], -z[0], -2 * z[1]]),
        dictionary.polynomials(4, 3),
        2,
        2,
        ["x^2 + u^2", "y^2 + 1/2 v^2"],
        list("xyuv"),
    ),
    "rigid body": (
        lambda z: jnp.stack([-z[1] * z[2] / 6, 2 / 3 * z[2] * z[0], -z[0] * z[1] / 2]),
        dictionary.polynomials(3, 2),
        2,
        2,
        [],
        list("xyz"),
    ),
    "pendulum": (
        lambda z: jnp.stack([z[1], -jnp.sin(z[0])]),
        dictionary.union([dictionary.polynomials(2, 2), _POLES]),
        1,
        1,
        ["1/2 v^2 - cos(x)"],
        ["x", "v"],
    ),
    "Lorenz": (
        lambda z: jnp.stack([10 * (z[1] - z[0]), z[0] * (28 - z[2]) - z[1], z[0] * z[1] - 8 / 3 * z[2]]),
        dictionary.polynomials(3, 3),
        0,
        0,
        [],
        list("xyz"),
    ),
    "damped oscillator": (
        lambda z: jnp.stack([z[1], -z[0] - 0.3 * z[1]]),
        dictionary.polynomials(2, 4),
        0,
        0,
        [],
        ["x", "v"],
    ),
}


def states_of(name: str, count: int, seed: int) -> Float[np.ndarray, "N n"]:
    """States of a field of `CONSERVED`, where its dictionary is defined."""
    rng = np.random.default_rng(seed)
    width = CONSERVED[name][1].width
    if name == "Lotka-Volterra":
        return rng.uniform(0.3, 3.0, (count, width))
    if name == "pendulum":
        return rng.uniform(-1, 1, (count, width)) * [3.0, 2.0]
    out = rng.normal(size=(count, width))
    if name.startswith("Kepler"):
        half = width // 2
        out[:, :half] *= rng.uniform(0.5, 2.0, (count, 1)) / np.linalg.norm(out[:, :half], axis=1)[:, None]
        out[:, half:] *= 0.7
    return out
