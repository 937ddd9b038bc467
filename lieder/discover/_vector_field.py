"""Symmetries of dynamical systems: fields that take solutions to solutions."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import jax.numpy as jnp
import numpy as np

from .. import interop
from ..action import AbstractAction, rates, scalars, tangent, total
from ..interop import ForeignModel
from ..sampling import Stream, Table, stream, table
from ._checks import check_action, check_error, check_width, measured
from ._doubt import Known
from ._exact import check_exact, with_exact
from ._function import streamed
from ._model import model_symmetries
from ._question import Asked, Question, Rule, Section
from ._symmetries import Symmetries


def vector_field(
    U,
    x,
    *,
    action: AbstractAction,
    controls=None,
    time=None,
    error: float | None = None,
    tolerance: float | None = None,
    min_gap: float = 5.0,
    weights=None,
    names: list[str] | None = None,
    seed: int = 0,
    evidence: Asked = "gap",
    delta: float = 0.05,
) -> Symmetries:
    """The symmetries of a dynamical system x' = U(x), x' = U(x, t), U(x, u) or U(x, u, t): solutions go to solutions.

    L_xi U = DU theta - Dtheta U, the bracket of the two fields. With controls u and time t the field moves (x, u, t),
    and L_xi U = DU theta - D_t theta_x + U D_t theta_t with D_t the derivative along the motion; that must vanish for
    whatever u does next, so that fields on x and t may not depend on u.

    Arguments:
        U: one state (n,) -> its velocity (n,); with controls and time U(x, u, t), U(x, u) or U(x, t), u (k,) and t a
            number. Foreign models take the columns side by side.
        x: (N, n) states; N n >= q. action: how states are acted on; velocities follow by the tangent lift. With
            controls or time it acts on the states alone, of width n, or on all of the columns (x, u, t), of width
            n + k + 1, n + k or n + 1; independent candidates for some are added with `lieder.action.independent`.
        controls: (N, k) or (N,) inputs u at these states. time: (N,) times t. Columns of data frames keep their names,
            others are u0, u1, ... and t.
        error, tolerance, min_gap, weights, seed, evidence, delta: as in `function`; names: of the states. Measured
            velocities y at x are certified by `dataset(x, y, target=lieder.action.tangent(action), ...)`, with `groups`
            for the rows of each trajectory.
    Returns: Symmetries; its target is the tangent lift, or `lieder.action.rates`.
    Raises: as `function`; ValueError for controls or times of another length, and for x as a stream beside them.
    Example:
        >>> import jax.numpy as jnp
        >>> import numpy as np
        >>> import lieder as ld
        >>> random = np.random.default_rng(0)
        >>> x, t = random.normal(size=(60, 2)), random.uniform(0, 2, 60)
        >>> falling = lambda x, t: jnp.stack([x[1], -t])  # a rocket that brakes harder and harder
        >>> fields = ld.points(ld.algebra.aff(3))  # of height, velocity and time
        >>> found = ld.discover.vector_field(falling, x, action=fields, time=t, names=["h", "v"])
        >>> "d/dh" in found.fields()
        True

    Reference: Otto, Zolman, Kutz, Brunton (2025), section 3 (vector fields as sections of the tangent bundle); Olver,
        Applications of Lie Groups to Differential Equations (1993), section 2.3, with time; Grizzle, Marcus, The
        structure of nonlinear control systems possessing symmetries (1985), with controls.
    """
    check_action(action, "action")
    rule = Rule(tolerance, min_gap, seed, evidence, delta)
    check_error(error)
    data = streamed(x, names)
    known = Known(error, "the given relative error of the model")
    if controls is not None or time is not None:
        question, model, together = _driven(U, data, action, controls, time)
        question = measured(question, x, data)
        check_exact(question, rule, model, error, None)
        return with_exact(model_symmetries(question, rule, model, together, known, weights), question, rule, error)
    check_width(data.names, data.rows, action, "x", "action")
    question = Question(action, tangent(action), data.names + _dashed(data.names), METHOD, lifted=True, model="U")
    question = measured(question, x, data)
    model = interop.adapted(U, data.whole, "U", data.names)
    check_exact(question, rule, model, error, None)
    return with_exact(model_symmetries(question, rule, model, data, known, weights), question, rule, error)


METHOD = "symmetries of a dynamical system"


def _dashed(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{name}'" for name in names)


def _driven(U, x: Stream, action: AbstractAction, controls, time) -> tuple[Question, Callable | ForeignModel, Stream]:
    """The question, the model of the columns (x, u, t) side by side, and these."""
    if x.whole is None:
        raise ValueError("x must be one array beside controls or time, whose rows belong to its own, not a stream.")
    inputs = None if controls is None else _beside(controls, "controls", x)
    clock = None if time is None else _beside(time, "time", x)
    if clock is not None and clock.values.shape[1] != 1:
        raise ValueError(f"time must hold one number a row, ({x.rows},), got {clock.values.shape[1]} columns.")
    parts = [Table(np.asarray(x.whole), x.names), *(part for part in (inputs, clock) if part is not None)]
    names = tuple(name for part in parts for name in part.names)
    if len(set(names)) < len(names):
        raise ValueError(f"x, controls and time share names of columns: {', '.join(names)}. Give others as names.")
    n, width = x.width, len(names)
    if action.width == n:
        action = total(action, scalars(action.algebra, width - n))
    check_width(names, x.rows, action, "x with controls and time", "action")
    data = stream(np.concatenate([part.values for part in parts], axis=1), "x with controls and time", list(names))
    target = rates(action, n, clock is not None)
    asked = Section(1, 0, along=n, also=target.by_inputs if inputs is not None else None)
    question = Question(action, target, names + _dashed(x.names), METHOD, lifted=True, model="U", section=asked)
    model = interop.adapted(U, data.whole, "U", names)
    if not isinstance(model, ForeignModel):
        model = partial(_called, model, n, inputs is not None, clock is not None)
    return question, model, data


def _beside(values, argument: str, x: Stream) -> Table:
    """Further columns of the rows of x."""
    found = table(values, argument)
    if len(found.values) != x.rows:
        raise ValueError(f"{argument} has {len(found.values)} rows and x has {x.rows}: rows must belong together.")
    width = found.values.shape[1]
    if found.names != tuple(f"{argument}{i}" for i in range(width)):
        return found
    return replace(found, names=("t",) if argument == "time" else tuple(f"u{i}" for i in range(width)))


def _called(U: Callable, n: int, driven: bool, timed: bool, z):
    """U(x, u, t) of the columns side by side."""
    end = len(z) - timed
    given = [z[:n], *([z[n:end]] if driven else []), *([z[-1]] if timed else [])]
    return jnp.asarray(U(*given))
