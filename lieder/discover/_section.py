"""Symmetries of sections of bundles: metrics, vector fields, forms, densities, tensors over the space of the points."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from .. import interop
from ..action import AbstractAction, AbstractFibreAction, check_same_algebra, tensor
from ..interop import ForeignModel
from ..sampling import Stream, checked_flag
from ._checks import check_action, check_error, check_width, checked_names, measured
from ._doubt import Known
from ._function import streamed
from ._model import model_symmetries
from ._question import Question, Rule, Section
from ._symmetries import Symmetries

GLANCE = 64  # points at which it is seen whether a section is what it is said to be
ODD = 1e-6  # share of a tensor up to which its wrong part counts as rounding; of a float32 one


class Kind(NamedTuple):
    """Slots, the weight as a density, and the sign that exchanging the two slots brings: 0 where nothing is said."""

    up: int
    down: int
    weight: float = 0.0
    sign: int = 0


KINDS = {
    "function": Kind(0, 0),
    "vector": Kind(1, 0),
    "covector": Kind(0, 1),
    "metric": Kind(0, 2, sign=1),
    "two-form": Kind(0, 2, sign=-1),
    "cometric": Kind(2, 0, sign=1),
    "bivector": Kind(2, 0, sign=-1),
    "endomorphism": Kind(1, 1),
    "density": Kind(0, 0, 1.0),
}


def section(
    S,
    x,
    *,
    action: AbstractAction,
    kind: str | tuple[int, int] | AbstractFibreAction,
    weight: float | None = None,
    up_to_factor: bool = False,
    error: float | None = None,
    tolerance: float | None = None,
    min_gap: float = 5.0,
    weights=None,
    names: list[str] | None = None,
    component_names: list[str] | None = None,
    seed: int = 0,
) -> Symmetries:
    """The fields that leave a section of a bundle as it is: isometries of a metric, what commutes with a flow, ...

        L_xi S = DS theta_xi - phi_xi(x, S) = 0,

    where phi moves the values as the field moves the points. The relative defect rho(xi) is |L_xi S| over the root of
    |DS|^2 |theta|^2 + |phi|^2 + |S|^2 (|theta|^2 + |Dtheta|^2), sums over points, in units in which these spread by
    one: a constant section can be asked about as well, and a translation.

    Arguments:
        S: one point (n,) -> its value: a number for a function or density, (n,) for a vector or covector, (n, n), or
            flattened, for a tensor of two slots. Differentiable by JAX, a torch module or a scikit-learn estimator.
        x: (N, n) points at which it is asked. action: how they are acted on.
        kind: "metric", "cometric" (symmetric, slots down or up), "two-form", "bivector" (antisymmetric: symplectic and
            Poisson structures), "vector", "covector", "endomorphism" (one slot up, one down), "density", "function";
            (up, down) for tensors with so many slots up and then down; or an action on values over the algebra of
            `action`, where they move in a way of their own.
        weight: as a density, which adds -weight div theta S to phi; default that of the kind, 1 for a density, else 0.
        up_to_factor: count fields that only rescale the section from place to place, L_xi S = f(x) S: conformal Killing
            fields of a metric, fields that take orbits of a vector field to orbits.
        error, tolerance, min_gap, weights, seed: as in `function`. names: of the columns of x.
        component_names: of the components, default S[x,y] and the like.
    Returns:
        Symmetries; its target is the lift of `action` to the values.
    Raises:
        ValueError: values of another shape, zero everywhere, a metric that is not symmetric or a two-form that is not
            antisymmetric, an unknown kind, a weight of an action; `up_to_factor` of one component, which any field
            rescales; TypeError and ValueError as `function`.
    Example:
        >>> import jax.numpy as jnp
        >>> import numpy as np
        >>> import lieder as ld
        >>> points = np.random.default_rng(0).uniform(-1, 1, (60, 2)) + [0, 2]
        >>> halfplane = lambda z: jnp.eye(2) / z[1] ** 2
        >>> fields = ld.action.polynomial_fields(2, 2)
        >>> found = ld.discover.section(halfplane, points, action=fields, kind="metric", names=["x", "y"])
        >>> found.dim, found.identify()
        (3, 'sl(2)')

    Reference: Kobayashi, Nomizu, Foundations of Differential Geometry I (1963), section VI.3, for Killing fields; Otto,
        Zolman, Kutz, Brunton (2025), section 3, for sections of bundles.
    """
    rule = Rule(tolerance, min_gap, seed)
    check_error(error)
    data = streamed(x, names)
    question, model = asked_section(S, data, Bundle(action, kind, weight, up_to_factor), component_names)
    question = measured(question, x, data)
    known = Known(error, "the given relative error of the section")
    return model_symmetries(question, rule, model, data, known, weights)


class Bundle(NamedTuple):
    """What a section is a section of, and what counts, by the names of the arguments; `called`, that of the action."""

    action: AbstractAction
    kind: str | tuple[int, int] | AbstractFibreAction | None
    weight: float | None
    up_to_factor: bool
    called: str = "action"


def asked_section(S, data: Stream, bundle: Bundle, component_names) -> tuple[Question, Callable | ForeignModel]:
    """The question about a section at the points of a stream, and the section with flat values."""
    action, kind, weight, up_to_factor, called = bundle
    check_action(action, called)
    up_to_factor = checked_flag(up_to_factor, "up_to_factor")
    check_width(data.names, data.rows, action, "x", called)
    slots, target = _fibre(action, kind, weight)
    if up_to_factor and target.width == 1:
        raise ValueError(
            f"up_to_factor=True: a {kind if isinstance(kind, str) else 'section'} has one component, which every field"
            " rescales. Leave it out, or give a section of more components."
        )
    default = [f"S[{','.join(place)}]" for place in _places(data.names, slots)] if slots else None
    default = default or [f"S{i}" for i in range(target.width)]
    components = checked_names(component_names, target.width, "component_names", default)
    question = Question(
        action,
        target,
        data.names + components,
        f"symmetries of a section{', up to a factor' if up_to_factor else ''}",
        lifted=True,
        model="S",
        section=Section(slots.up if slots else 0, slots.down if slots else 0, up_to_factor),
    )
    model = flat(interop.adapted(S, data.whole, "S", data.names), target.width)
    _check_kind(model, data, kind, slots)
    return question, model


def _fibre(action: AbstractAction, kind, weight: float | None) -> tuple[Kind | None, AbstractFibreAction]:
    """The slots, unless the user's own action says how values move, and the action on values."""
    if isinstance(kind, AbstractFibreAction):
        if weight is not None:
            raise ValueError("weight: kind is an action of its own; add the weight to it, or name a kind.")
        check_action(kind, "kind", fibre=True)
        check_same_algebra(action, kind)
        return None, kind
    if isinstance(kind, str) and kind in KINDS:
        slots = KINDS[kind]
    elif isinstance(kind, tuple) and len(kind) == 2 and all(type(k) is int and k >= 0 for k in kind):
        slots = Kind(*kind)
    else:
        raise ValueError(
            f"kind must be {', '.join(map(repr, KINDS))}, a pair (slots up, slots down) or an action on values, got"
            f" {kind!r}."
        )
    weight = slots.weight if weight is None else weight
    if isinstance(weight, bool) or not isinstance(weight, int | float | np.number) or not np.isfinite(weight):
        raise ValueError(f"weight must be a finite number, got {weight!r}.")
    return slots, tensor(action, slots.up, slots.down, float(weight))


def _places(names: tuple[str, ...], slots: Kind) -> list[tuple[str, ...]]:
    out: list[tuple[str, ...]] = [()]
    for _ in range(slots.up + slots.down):
        out = [(*place, name) for place in out for name in names]
    return out


def flat(model: Callable | ForeignModel, width: int) -> Callable | ForeignModel:
    """With values (n, n) as n^2 numbers; what has another number of them is left for the check of models."""
    if isinstance(model, ForeignModel):
        return model

    def values(z):
        value = model(z)
        return jnp.reshape(value, (-1,)) if jnp.size(value) == width else value

    return values


def _check_kind(model: Callable | ForeignModel, data: Stream, kind, slots: Kind | None) -> None:
    """A ValueError when the first values vanish, or have not the symmetry that the kind says.

    Faults of the model itself are told by the checks of models, which come next."""
    points = np.asarray(data.glance(GLANCE))
    try:
        with jax.enable_x64(points.dtype == np.float64):
            found = model.values(points) if isinstance(model, ForeignModel) else jax.vmap(model)(jnp.asarray(points))
        values = np.asarray(found, np.float64).reshape(len(points), -1)
    except Exception:
        return
    if not np.isfinite(values).all():
        return
    if not values.any():
        raise ValueError(f"S is zero at the first {len(points)} points: every field leaves it as it is.")
    n = points.shape[1]
    if slots is None or slots.sign == 0 or values.shape[1] != n * n:
        return
    square = values.reshape(-1, n, n)
    wrong = np.abs(square - slots.sign * np.swapaxes(square, 1, 2)).max(axis=(1, 2))
    if wrong.max() > ODD * np.abs(square).max():
        row, word = int(np.argmax(wrong)), "symmetric" if slots.sign == 1 else "antisymmetric"
        pair = f"kind=({slots.up}, {slots.down})"
        raise ValueError(
            f"S is not {word}, as a {kind} is: at row {row} of x entries across the diagonal differ from it by"
            f" {wrong[row]:.3g}. Mend S, or write {pair} for a tensor of any symmetry."
        )
