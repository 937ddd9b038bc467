"""Noether's theorem: the momentum of each symmetry of a Hamiltonian."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from .. import interop
from ..action import AbstractAction, velocities
from ..dictionary import AbstractDictionary, sized
from ..interop import ForeignModel
from ..linalg import decide, relative_spectrum, row_echelon, simplest_fraction
from ..sampling import check_rows, check_varying, table
from ._checks import check_action, check_width
from ._conserved_along import along_fields
from ._conserved_basis import independent
from ._conserved_evidence import CONSERVED, TOP, ConservedEvidence
from ._conserved_family import Family
from ._conserved_record import Conserved
from ._sparsify import DENOMINATOR
from ._symmetries import Symmetries

EXACT = 1e-8  # share of a field's size up to which it is symplectic, and keeps H, where it was given
RULE = "given symmetries"
_NEAR = 1e-9  # share of a coefficient up to which it is a simple fraction, or nothing


def noether(
    H: Any,
    x: Any,
    *,
    symmetries: Symmetries | AbstractAction,
    pairs: Sequence[tuple[Any, Any]] | None = None,
    dictionary: AbstractDictionary | str | Callable[[int], AbstractDictionary] = "polynomials(2)",
    names: list[str] | tuple[str, ...] | None = None,
) -> Conserved:
    """The momentum J of each symmetry theta of a Hamiltonian H: the function of which theta is the Hamiltonian field.

        dJ = omega(theta, .)    that is    dJ/dp = theta_q,  dJ/dq = -theta_p

    J exists where theta keeps omega = sum dq ^ dp (is symplectic), and is conserved, {J, H} = 0, where theta keeps H.
    Both are checked at the points. Fields that keep the values of H alone, such as most of what `discover.function`
    finds for it, have no momentum: of a record of discovery the symplectic part is taken; of an action, which is the
    user's word, every generator must be symplectic.

    Arguments:
        H: the Hamiltonian, one state (n,) -> a number; any callable or foreign model.
        x: (N, n) states, n even.
        symmetries: what `discover.function(H, x, source=...)` found, or an action on states.
        pairs: which columns are coordinate and momentum of each other, by name or number, [("x", "px"), ...]; default:
            the first half are the coordinates, the second half their momenta in the same order.
        dictionary: in which J is written, up to a constant; default "polynomials(2)", enough for affine fields.
        names: of the columns, default those of a data frame or x0, x1, ...
    Returns: Conserved; its `generators` are the symmetries in words, one a function, its `defects` those of {J, H} = 0.
    Raises: ValueError: an odd number of columns; pairs that are not all columns; a generator that is not symplectic or
        does not keep H, in words; a momentum that is not in the dictionary; nothing symplectic among what was found.
    Example:
        >>> import jax.numpy as jnp
        >>> import numpy as np
        >>> import lieder as ld
        >>> energy = lambda z: jnp.sum(z[2:] ** 2) / 2 + jnp.sum(z[:2] ** 2) ** 2
        >>> states = np.random.default_rng(0).normal(size=(40, 4))
        >>> turns = 2 * ld.vectors(ld.algebra.so(2))  # positions and momenta alike
        >>> momenta = ld.discover.noether(energy, states, symmetries=turns, names=["x", "y", "px", "py"])
        >>> momenta.generators, momenta.expressions()
        (('J12',), ['py x - px y'])

    Reference: Arnold, Mathematical Methods of Classical Mechanics, section 40; Marsden and Ratiu, Introduction to
        Mechanics and Symmetry, chapter 11 (momentum maps).
    """
    data = table(x, "x", names)
    check_rows(data.values, data.names, "x")
    check_varying(data.values.min(axis=0), data.values.max(axis=0), data.names, "x")
    points = np.asarray(data.values, np.float64)
    flip = _symplectic_form(pairs, data.names)
    given = isinstance(symmetries, AbstractAction)
    if not given and not isinstance(symmetries, Symmetries):
        raise TypeError(
            "symmetries must be what discover.function found for H, or an action such as lieder.vectors(algebra), got"
            f" {type(symmetries).__name__}."
        )
    action = symmetries if isinstance(symmetries, AbstractAction) else symmetries.source
    check_action(action, "symmetries")
    check_width(data.names, len(points), action, "x", "symmetries")
    rows = np.eye(action.algebra.dim) if isinstance(symmetries, AbstractAction) else symmetries.sparse()
    if len(rows) == 0:
        raise ValueError("symmetries holds none: nothing was found, and no momentum belongs to it.")
    tolerance = EXACT
    if isinstance(symmetries, Symmetries):
        tolerance = max(EXACT, 3.0 * symmetries.evidence.limit(symmetries.defects[: symmetries.dim]))
    family = Family.of(sized(dictionary, points.shape[1]), points)
    gradient = _gradient(interop.adapted(H, points, "H", data.names), points)
    rows = _symplectic(action, rows, points, family.scale, flip, tolerance, given)
    fields = velocities(action, rows, points)
    texts = _texts(symmetries, action, rows, data.names)
    _check_kept(fields, gradient, family.scale, tolerance, texts)
    momenta = _momenta(fields @ flip.T, family, points, tolerance, texts)
    flow = gradient @ np.linalg.inv(flip).T  # the Hamiltonian field of H
    return _record(momenta, texts, family, points, flow, data.names)


def _symplectic_form(pairs: Any, names: tuple[str, ...]) -> Float[np.ndarray, "n n"]:
    """The matrix that takes theta to dJ."""
    n = len(names)
    if n % 2:
        raise ValueError(f"x has {n} columns: coordinates and momenta come in pairs, so their number must be even.")
    half = n // 2
    chosen = list(zip(range(half), range(half, n), strict=True)) if pairs is None else [tuple(pair) for pair in pairs]
    try:
        places = [tuple(names.index(one) if isinstance(one, str) else int(one) for one in pair) for pair in chosen]
    except ValueError:
        places = []
    if sorted(one for pair in places for one in pair) != list(range(n)) or any(len(pair) != 2 for pair in places):
        raise ValueError(
            f"pairs must name each column once, a coordinate and its momentum in each pair; columns:"
            f" {', '.join(names)}; got {pairs!r}."
        )
    flip = np.zeros((n, n))
    for q, p in places:
        flip[p, q], flip[q, p] = 1.0, -1.0
    return flip


def _gradient(H: Callable | ForeignModel, x: np.ndarray) -> Float[np.ndarray, "N n"]:
    if not isinstance(H, ForeignModel) and interop.is_numpy(H, x):
        H = interop.from_numpy(H, x)
    if isinstance(H, ForeignModel):
        found = np.asarray(H.jacobians(x), np.float64)
    else:
        with jax.enable_x64(True):
            found = np.asarray(jax.jit(jax.vmap(jax.jacfwd(H)))(jnp.asarray(x)))
    found = found.reshape(len(x), -1)
    if found.shape != x.shape:
        raise ValueError(
            f"H must return one number for one state, the energy; it returned {found.shape[1] // x.shape[1]}."
        )
    if not np.isfinite(found).all():
        raise ValueError("H is not differentiable at some rows of x (NaN). Leave these out.")
    return found


def _symplectic(
    action: AbstractAction,
    rows: np.ndarray,
    x: np.ndarray,
    scale: np.ndarray,
    flip: np.ndarray,
    tolerance: float,
    given: bool,
) -> np.ndarray:
    """The combinations whose one-form omega(theta, .) is closed."""
    with jax.enable_x64(True):
        slopes = np.asarray(jax.jit(jax.vmap(jax.jacfwd(action.fields)))(jnp.asarray(x)))  # N, q, n, n
    forms = np.einsum("kq,ij,nqjl->knil", rows, flip, slopes) * scale[:, None] * scale[None, :]
    values = velocities(action, rows, x) @ flip.T * scale
    bent = ((forms - forms.swapaxes(2, 3)) / 2).reshape(len(rows), -1).T
    whole = np.concatenate([forms.reshape(len(rows), -1), values.reshape(len(rows), -1)], axis=1).T
    share = np.linalg.norm(bent, axis=0) / np.linalg.norm(whole, axis=0)
    if given:
        if np.any(share > tolerance):
            worst = int(np.argmax(share))
            raise ValueError(
                f"symmetries: generator {action.algebra.names[worst]} is not symplectic: it changes the area"
                f" sum dq ^ dp by {share[worst]:.2g} of its own size, so that no momentum belongs to it. Leave it out"
                " (action.restrict), or say by pairs= which columns belong together."
            )
        return rows
    spectrum = relative_spectrum(bent, whole, 1e-12)
    count = decide(spectrum.values, tolerance=tolerance).count
    if count == 0:
        raise ValueError(
            "symmetries: none of the combinations found is symplectic (the least changes sum dq ^ dp by"
            f" {spectrum.values[0]:.2g} of its size), so that no momentum belongs to any. Look for symmetries among"
            " symplectic candidates, such as lieder.algebra.sp(n), or say by pairs= which columns belong together."
        )
    if count == len(rows):
        return rows
    kept = row_echelon(spectrum.directions[:count] @ rows, np.ones(rows.shape[1]))
    return np.array([[_simple(value, np.abs(row).max()) for value in row] for row in kept])


def _check_kept(
    fields: np.ndarray, gradient: np.ndarray, scale: np.ndarray, tolerance: float, texts: tuple[str, ...]
) -> None:
    sizes = np.linalg.norm(fields / scale, axis=2) * np.linalg.norm(gradient * scale, axis=1)
    share = np.linalg.norm(np.einsum("kni,ni->kn", fields, gradient), axis=1) / np.linalg.norm(sizes, axis=1)
    if np.any(share > tolerance):
        worst = int(np.argmax(share))
        raise ValueError(
            f"symmetries: {texts[worst]} does not keep H: along it H changes by {share[worst]:.2g} of what it could, so"
            " its momentum is not conserved. Find the symmetries of H by discover.function(H, x, source=...) first."
        )


def _momenta(
    forms: np.ndarray, family: Family, x: np.ndarray, tolerance: float, texts: tuple[str, ...]
) -> Float[np.ndarray, "k D"]:
    """Coefficients, in the user's units, of functions with the given differentials."""
    gradients = family.gradients(x).transpose(0, 2, 1).reshape(-1, family.dictionary.size)
    size = np.linalg.norm(gradients, axis=0)
    size = np.where(size > 0, size, 1.0)
    wanted = (forms * family.scale).reshape(len(forms), -1).T
    found = np.linalg.lstsq(gradients / size, wanted, rcond=1e-12)[0] / size[:, None]
    missed = np.linalg.norm(gradients @ found - wanted, axis=0) / np.linalg.norm(wanted, axis=0)
    if np.any(missed > tolerance):
        worst = int(np.argmax(missed))
        raise ValueError(
            f"dictionary: the momentum of {texts[worst]} is no combination of its {family.dictionary.size} functions"
            f" (missed by {missed[worst]:.2g}). Give a larger one, such as polynomials of one degree more."
        )
    rows = found.T @ np.linalg.inv(family.change)
    weight = np.linalg.norm(gradients @ np.linalg.inv(family.change).T, axis=0)
    moved = np.abs(rows) * weight
    return np.array(
        [
            [_simple(value, part.max() / w) if w > 0 else 0.0 for value, w in zip(row, weight, strict=True)]
            for row, part in zip(rows, moved, strict=True)
        ]
    )


def _simple(value: float, size: float) -> float:
    """A coefficient without what rounding left in it."""
    if abs(value) <= _NEAR * size:
        return 0.0
    near = simplest_fraction(value, _NEAR * abs(value))
    return float(near) if near.denominator <= DENOMINATOR else float(value)


def _texts(symmetries: Any, action: AbstractAction, rows: np.ndarray, names: tuple[str, ...]) -> tuple[str, ...]:
    if isinstance(symmetries, Symmetries):
        columns = [*names, *symmetries.names[len(names) :]]
        return tuple(symmetries.written(row, columns).removesuffix(" ") for row in rows)
    return tuple(action.algebra.names)


def _record(momenta, texts, family: Family, x: np.ndarray, flow: np.ndarray, names: tuple[str, ...]) -> Conserved:
    changing = along_fields(family, x, flow[None], names).changing(0.0)
    numerator, denominator = changing.numerator @ family.change.T, changing.denominator @ family.change.T
    spread = np.linalg.norm(denominator @ momenta.T, axis=0)
    defects = np.linalg.norm(numerator @ momenta.T, axis=0) / np.maximum(spread, np.finfo(float).tiny)
    count, order = independent(momenta @ family.change, family, x, 0.0)
    rising = np.argsort(defects, kind="stable")
    worst = float(defects.max())
    evidence = ConservedEvidence(
        CONSERVED,
        RULE,
        TOP,
        max(worst, EXACT),
        1.0,
        worst,
        "the largest {J, H} in units of the spread of J and the rate of the motion",
        resolutions=np.full(len(defects), worst),
        constant=len(changing.constant),
    )
    drawn = x[np.linspace(0, len(x) - 1, min(300, len(x))).astype(int)]
    return Conserved(
        dictionary=family.dictionary,
        names=names,
        dim=len(momenta),
        independent=count,
        basis=momenta[order],
        slow=np.zeros((0, family.dictionary.size)),
        defects=defects[rising],
        directions=momenta[rising],
        spread=(spread / np.sqrt(len(x)))[order],
        evidence=evidence,
        numerator=numerator,
        denominator=denominator,
        rows=len(x),
        trajectories=0,
        times=(np.arange(len(drawn), dtype=float),),
        states=(drawn,),
        method="momenta of symmetries of a Hamiltonian",
        generators=tuple(texts[k] for k in order),
    )
