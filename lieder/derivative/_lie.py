"""The Lie derivative: the only place where a generator meets a model."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..action import AbstractAction, AbstractFibreAction, check_same_algebra
from ..interop import ForeignModel, is_tree, mapped

PROBES = 8  # random directions for |DF|_F where the Jacobian itself is not formed: relative error about 1/sqrt(8 N)


def lie_derivative(
    F: Callable, x: Float[Array, " n"], *, source: AbstractAction, target: AbstractFibreAction
) -> Float[Array, "m generators"]:
    """How a model changes under each generator, at one example.

    (L_k F)(x) = DF(x) theta_k(x) - phi_k(x, F(x)); F is equivariant under the connected group iff all vanish
    everywhere.

    Arguments:
        F: one example (n,) -> one output (m,), or a scalar when m = 1; differentiable by JAX.
        x: (n,) one example; use jax.vmap for many.
        source, target: how inputs and outputs are acted on; over one algebra of dimension q.
    Returns:
        (m, q), column k for generator k, in units of F times 1/parameter of the generator.
    Raises:
        ValueError: widths that do not match, different algebras. TypeError: a model that JAX cannot differentiate.
    Reference: Otto, Zolman, Kutz, Brunton (2025), equation 1; theory of Lie derivatives of sections.
    """
    check_same_algebra(source, target)
    x = jnp.asarray(x)
    if x.shape != (source.width,):
        raise ValueError(
            f"x must be one example of shape ({source.width},), as source acts on {source}; got {x.shape}. Use"
            " jax.vmap for many."
        )
    if not jnp.issubdtype(x.dtype, jnp.floating):
        raise TypeError(f"x has dtype {x.dtype}; derivatives need real floating-point inputs, such as x.astype(float).")
    check_model(F, source, target, x.dtype)
    s, t = jnp.ones(source.width, x.dtype), jnp.ones(target.width, x.dtype)
    return _example(F, source, target, x, jnp.asarray(0), s, t).rows


class Blocks(NamedTuple):
    """What one batch of examples contributes, or one example without the leading axis.

    `rows` (B, m, q) of L; `values` (B, m) of F; `moved` and `turned`: the terms |DF| theta and phi of the denominator,
    as features (B, D) where the action is linear in features and as rows (B, n, q) otherwise; see `expand`.
    """

    rows: Array
    values: Array
    moved: Array
    turned: Array


def blocks(F: Callable | ForeignModel, source: AbstractAction, target: AbstractFibreAction) -> Callable[..., Blocks]:
    """A function from a batch to its `Blocks`, compiled once.

    L is assembled by whichever is cheapest for the shapes (n inputs, m outputs, q generators): q directional
    derivatives, n of them (the Jacobian by columns) or m gradients (the Jacobian by rows).

    Arguments: `F`, one example (n,) -> (m,), or a foreign model; `source`, `target`, over one algebra.
    Returns: a function of a batch (B, n), seeds of random probes (B,) and, if wanted, units s (n,) and t (m,), default
        one. Inputs are then measured in units s and outputs in units 1/t: rows are t L, and |DF| is |t DF s|.
    """
    one, unit = np.ones(source.width), np.ones(target.width)
    if isinstance(F, ForeignModel):

        def foreign(x, probes, s=one, t=unit):
            jacobians = jnp.asarray(F.jacobians(x))
            y, units = jnp.asarray(F.values(x)), _units(jacobians.dtype, s, t)
            return _contracted(source, target, jnp.asarray(x), y, jacobians, *units)

        return foreign
    if is_tree(F, source, target):
        compiled = partial(_shared, source, target)
    else:
        compiled = eqx.filter_jit(
            lambda model, x, probes, s, t: jax.vmap(lambda a, b: _example(model, source, target, a, b, s, t))(x, probes)
        )
    return lambda x, probes, s=one, t=unit: compiled(F, jnp.asarray(x), jnp.asarray(probes), *_units(x.dtype, s, t))


@partial(jax.jit, static_argnums=(0, 1))
def _shared(source, target, model: Callable, x: Array, probes: Array, s: Array, t: Array) -> Blocks:
    """For all models that are trees of one kind."""
    return jax.vmap(lambda a, b: _example(model, source, target, a, b, s, t))(x, probes)


@partial(jax.jit, static_argnums=(0, 1))
def _contracted(
    source: AbstractAction, target: AbstractFibreAction, x: Array, y: Array, jacobians: Array, s: Array, t: Array
) -> Blocks:
    return jax.vmap(lambda a, b, c: _assemble(source, target, a, b, c, s, t))(x, y, jacobians)


def _units(dtype, s: np.ndarray, t: np.ndarray) -> tuple[Array, Array]:
    return jnp.asarray(s, dtype), jnp.asarray(t, dtype)


def slopes(F: Callable | ForeignModel, inputs: int, outputs: int) -> Callable[[np.ndarray], np.ndarray]:
    """Jacobians of a model at a few points.

    Arguments: `F`, one example (inputs,) -> (outputs,), or a foreign model.
    Returns: a function of points (B, inputs), compiled once for each B, which gives (B, outputs, inputs).
    """
    if isinstance(F, ForeignModel):
        return lambda x: np.asarray(F.jacobians(x)).reshape(len(x), outputs, inputs)
    compiled = mapped(F, _jacobian, outputs, outputs <= inputs)
    return lambda x: np.asarray(compiled(jnp.asarray(x)))


def _jacobian(F: Callable, outputs: int, by_rows: bool) -> Callable:
    return (jax.jacrev if by_rows else jax.jacfwd)(lambda z: jnp.reshape(F(z), (outputs,)))


def lie_rows(
    source: AbstractAction,
    target: AbstractFibreAction,
    x: Float[np.ndarray, "B n"],
    values: Float[np.ndarray, "B models m"],
    jacobians: Float[np.ndarray, "B models m n"],
) -> Float[np.ndarray, "B models m q"]:
    """L of several models at once, from their values and Jacobians at the same examples.

    Arguments: `source`, `target`, over one algebra of q generators; `x` (B, n); `values` (B, K, m); `jacobians`
        (B, K, m, n).
    Returns: (B, K, m, q).
    """
    return np.asarray(_lie_rows(source, target, jnp.asarray(x), jnp.asarray(values), jnp.asarray(jacobians)))


@partial(jax.jit, static_argnums=(0, 1))
def _lie_rows(source: AbstractAction, target: AbstractFibreAction, x: Array, values: Array, jacobians: Array) -> Array:
    def one(x: Array, y: Array, jacobian: Array) -> Array:
        along = source.contract(jacobian, x)
        if target.is_trivial:
            return along
        return along - target.over(x, y).T

    return jax.vmap(jax.vmap(one, in_axes=(None, 0, 0)))(x, values, jacobians)


class Moves(NamedTuple):
    """What generators do at some points: `fields` theta_k(x) (B, q, n), `turns` phi_k(x, y) (B, q, m), and their
    derivatives by y, `turning` (B, q, m, m)."""

    fields: np.ndarray
    turns: np.ndarray
    turning: np.ndarray


def moves(
    source: AbstractAction,
    target: AbstractFibreAction,
    x: Float[np.ndarray, "B n"],
    y: Float[np.ndarray, "B m"],
) -> Moves:
    """All generators at points x with outputs y, from which L of any model there is a product of matrices.

    Arguments: `source`, `target`, over one algebra of q generators; `x` (B, n); `y` (B, m).
    Returns: Moves.
    """
    with jax.enable_x64(True):
        return Moves(*(np.asarray(part) for part in _moves(source, target, jnp.asarray(x), jnp.asarray(y))))


@eqx.filter_jit
def _moves(source: AbstractAction, target: AbstractFibreAction, x: Array, y: Array) -> tuple[Array, Array, Array]:
    def one(a: Array, b: Array) -> tuple[Array, Array, Array]:
        return source.fields(a), target.over(a, b), jax.jacfwd(lambda c: target.over(a, c))(b)

    return jax.vmap(one)(x, y)


def check_model(F: Callable, source: AbstractAction, target: AbstractFibreAction, dtype, name: str = "F") -> None:
    """Nothing, when F maps (n,) to (m,) real numbers and JAX can trace it.

    Arguments: `F`; `source` of width n, `target` of width m; `dtype` of the inputs; `name`, what the caller calls F.
    Raises: TypeError when JAX cannot trace it or it returns no array of reals; ValueError when it fails on one
        example or returns another shape.
    """
    n, m = source.width, target.width
    try:
        out = jax.eval_shape(F, jax.ShapeDtypeStruct((n,), dtype))
    except jax.errors.TracerArrayConversionError:
        raise TypeError(
            f"{name} cannot be differentiated by JAX: it turns its input into a NumPy array. Write it with jax.numpy."
            " Of a scikit-learn estimator or a torch module give lieder.discover the object itself."
        ) from None
    except jax.errors.ConcretizationTypeError:
        raise TypeError(
            f"{name} cannot be differentiated by JAX: it asks for the value of its input, with `if`, float() or int()."
            " Use jnp.where for cases, and leave numbers as arrays."
        ) from None
    except (TypeError, ValueError, IndexError) as error:
        # JAX's own messages run over many lines; the first says what is wrong.
        said = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
        raise ValueError(
            f"{name} fails on one example of shape ({n},): {said}. {name} takes one example, not a batch."
        ) from error
    shape, kind = getattr(out, "shape", None), getattr(out, "dtype", None)
    if shape is None or kind is None:
        raise TypeError(
            f"{name} must return one array, got {type(out).__name__}. Return jnp.stack([...]) or"
            " jnp.concatenate([...])."
        )
    if not jnp.issubdtype(kind, jnp.floating):
        raise TypeError(f"{name} returns dtype {kind}; derivatives need real floating-point outputs.")
    if shape != (m,) and not (shape == () and m == 1):
        raise ValueError(
            f"{name} returns shape {shape} for one example, but target has width {m}: it must return ({m},)."
        )


def _example(
    F: Callable,
    source: AbstractAction,
    target: AbstractFibreAction,
    x: Array,
    probe: Array,
    s: Array,
    t: Array,
) -> Blocks:
    n, m, q = source.width, target.width, source.algebra.dim
    f = lambda z: jnp.reshape(F(z), (m,))  # noqa: E731
    # In units of one evaluation: a directional derivative adds one, a gradient two.
    by_fields, by_columns, by_rows = 1 + q + min(PROBES, n), 1 + n, 1 + 2 * m
    if by_rows <= min(by_columns, by_fields):
        y, pullback = jax.vjp(f, x)
        (jacobian,) = jax.vmap(pullback)(jnp.eye(m, dtype=y.dtype))
        return _assemble(source, target, x, y, jacobian, s, t)
    y, push = jax.linearize(f, x)
    if by_columns <= by_fields:
        return _assemble(source, target, x, y, jax.vmap(push)(jnp.eye(n, dtype=x.dtype)).T, s, t)
    along = jax.vmap(push)(source.fields(x)).T
    probes = jax.random.normal(jax.random.fold_in(jax.random.key(0), probe), (PROBES, n), x.dtype)
    norm = jnp.linalg.norm(jax.vmap(push)(probes * s) * t) / PROBES**0.5
    return _finish(source, target, x, y, along, norm, s, t)


def _assemble(
    source: AbstractAction, target: AbstractFibreAction, x: Array, y: Array, jacobian: Array, s: Array, t: Array
) -> Blocks:
    # Without the barriers XLA fuses what comes before into the loops over generators and features, and computes it
    # once for each of them.
    y, jacobian = jax.lax.optimization_barrier((y, jacobian))
    norm = jax.lax.optimization_barrier(jnp.linalg.norm(t[:, None] * jacobian * s))
    return _finish(source, target, x, y, source.contract(jacobian, x), norm, s, t)


def _finish(
    source: AbstractAction,
    target: AbstractFibreAction,
    x: Array,
    y: Array,
    along: Array,
    norm: Array,
    s: Array,
    t: Array,
) -> Blocks:
    moving, turning = source.expansion, target.expansion
    moved = norm * (source.fields(x).T / s[:, None] if moving is None else moving.dictionary(x))
    if turning is not None:
        turned = turning.dictionary(y)
        rows = along if target.is_trivial else along - target.over(x, y).T
        return Blocks(t[:, None] * rows, y, moved, turned)
    phi = target.over(x, y).T
    return Blocks(t[:, None] * (along - phi), y, moved, t[:, None] * phi)


def feature_width(action: AbstractFibreAction) -> int:
    """Columns of the triangular factor that a term of the denominator is reduced to.

    Arguments: `action`, a source (then of `moved`) or a target (of `turned`).
    Returns: the number D of features of an action that is linear in them, else the number of generators.
    """
    fields = action.expansion
    return action.algebra.dim if fields is None else fields.dictionary.size


def expand(
    action: AbstractFibreAction,
    factor: Float[np.ndarray, "rows features"],
    scale: Float[np.ndarray, " n"] | None = None,
) -> Float[np.ndarray, "more generators"]:
    """Rows over generators from a factor over features.

    For theta_k = T_k f the sum over points of |sum_k xi^k theta_k(x_i)|^2 is the sum over coordinates a of
    |R (T xi)_a|^2 with R the triangular factor of the f(x_i): D columns are reduced for every point, not q.

    Arguments: `action`; `factor` (rows, D); `scale` (n,), by which each coordinate's rows are multiplied, default one.
    Returns: (n rows, q).
    """
    fields = action.expansion
    if fields is None:
        return factor
    _, n, size = fields.generators.shape
    scale = np.ones(n) if scale is None else scale
    flat = fields.generators.flat()
    return np.concatenate([scale[a] * (factor @ flat[:, a * size : (a + 1) * size].T.toarray()) for a in range(n)])
