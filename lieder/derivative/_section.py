"""The Lie derivative of a section of a bundle, relative to the sizes of the section and of the field."""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from ..action import AbstractAction, AbstractFibreAction
from ..interop import ForeignModel
from ._lie import Blocks


def section_blocks(
    S: Callable | ForeignModel,
    source: AbstractAction,
    target: AbstractFibreAction,
    up_to_factor: bool = False,
    also: Callable[[Array, Array], Array] | None = None,
) -> Callable[..., Blocks]:
    """A function from a batch to its `Blocks`, compiled once, for a section S of the bundle that `target` describes.

    rows: L_k S = DS theta_k - phi_k(x, S); `up_to_factor`, their part at right angles to S.

    A section may be constant, or the field a translation, and still the field may break it or not: so what |L_k S| is
    compared with holds, besides |DS||theta_k| and |phi_k|, the size of the section times that of the field and of its
    slope, |S||theta_k| and |S||Dtheta_k|, in units in which the points spread by one.

    Arguments: `S`, one point (n,) -> (m,) or a foreign model; `source`, `target`, over one algebra; `also`, what must
        vanish too, (x, y) -> (q, m, r), derivatives of values along the r coordinates that follow the first m: rows of
        L besides, times |S|.
    Returns: a function of a batch (B, n), seeds (B,), which nothing depends on, and units s (n,), t (m,), as `blocks`.
        `moved` (B, n + n^2, q) and `turned` (B, m, q) are rows over generators.
    """
    m, one, unit = target.width, np.ones(source.width), np.ones(target.width)

    def example(x: Array, y: Array, jacobian: Array, s: Array, t: Array) -> Blocks:
        out = _of_section(source, target, up_to_factor, (x, y, jacobian), s, t)
        if also is None:
            return out
        more = also(x, y)
        more = jnp.linalg.norm(t * y) * t[:, None] * more * s[m : m + more.shape[2]]
        return out._replace(rows=jnp.concatenate([out.rows, more.reshape(len(more), -1).T]))

    together = jax.vmap(example, in_axes=(0, 0, 0, None, None))
    if isinstance(S, ForeignModel):
        contract = jax.jit(together)

        def foreign(x, probes, s=one, t=unit):
            jacobians = jnp.asarray(S.jacobians(x))
            values = jnp.asarray(S.values(x)).reshape(len(x), m)
            units = (jnp.asarray(each, jacobians.dtype) for each in (s, t))
            return contract(jnp.asarray(x), values, jacobians.reshape(len(x), m, -1), *units)

        return foreign

    def both(model, z):
        flat = jnp.reshape(model(z), (m,))
        return flat, flat

    @eqx.filter_jit
    def compiled(model, x, s, t):
        jacobians, values = jax.vmap(jax.jacfwd(lambda z: both(model, z), has_aux=True))(x)
        return together(x, values, jacobians, s, t)

    return lambda x, probes, s=one, t=unit: compiled(
        S, jnp.asarray(x), jnp.asarray(s, x.dtype), jnp.asarray(t, x.dtype)
    )


def _of_section(source, target, up_to_factor: bool, jet: tuple[Array, Array, Array], s: Array, t: Array) -> Blocks:
    x, y, jacobian = jet
    q = source.algebra.dim
    theta = source.fields(x)
    phi = t[:, None] * target.over(x, y).T
    slope, section = t[:, None] * jacobian * s, t * y
    rows = slope @ (theta / s).T - phi
    size = jnp.sum(section**2)
    if up_to_factor:
        along = jnp.where(size > 0, section / jnp.where(size > 0, size, 1.0), 0.0)
        rows = rows - jnp.outer(along, section @ rows)
    bend = jax.jacfwd(source.fields)(x) * s / s[:, None]  # generators, coordinates, slopes along coordinates
    moved = jnp.sqrt(jnp.sum(slope**2) + size) * (theta / s)
    grown = jnp.sqrt(size) * bend.reshape(q, -1)
    return Blocks(rows, y, jnp.concatenate([moved, grown], axis=1).T, phi)


def section_width(source: AbstractAction) -> int:
    """Rows of `moved` for each example.

    Arguments: `source`, of width n.
    Returns: n + n^2.
    """
    return source.width + source.width**2
