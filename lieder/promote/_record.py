"""What a fitted function keeps, judged apart from how it was fitted."""

from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from ..action import AbstractAction, AbstractFibreAction, bracket_constants
from ..algebra import LieAlgebra
from ..discover import Evidence, FiniteSymmetries, Symmetries, finite
from ..discover import function as discover_function
from ._model import DictionaryModel

_CONSTANT = 1e-9  # a function that varies by less than this share of the data is constant but for rounding
_GAP = 5.0  # the least ratio that counts as a gap, as in discover
_TOP = float(np.sqrt(2.0))  # the largest relative defect there is


@dataclass(frozen=True, eq=False)
class Examined:
    """What is asked of a fitted function, and what its fit says.

    Fields: `F`; `source`, `target`; `candidates` that move something, and those that are `still`; `points`, at which F
        is examined; `error`, relative to what varies in the data; `kept`, how many candidates the fit counts, and
        whether it is `refitted`; `size`, of the data; `names`, `outputs`.
    """

    F: DictionaryModel
    source: AbstractAction
    target: AbstractFibreAction
    candidates: Float[np.ndarray, "e q"]
    still: Float[np.ndarray, "i q"]
    points: Float[np.ndarray, "C n"]
    error: float
    kept: int
    refitted: bool
    size: float
    names: tuple[str, ...]
    outputs: tuple[str, ...]


def recorded(what: Examined) -> Symmetries:
    """The record of `ld.discover.function`, at the resolution that the fit itself has.

    Returns: Symmetries; where it does not count what the fit counts, its evidence says so.
    """
    values = what.F.values(what.points)
    varies = float(np.abs(values - values.mean(axis=0)).max()) > _CONSTANT * what.size
    if not varies and _unmoved(what, values):
        record = _of_constant(what, values)
    else:
        record = discover_function(
            what.F,
            what.points,
            source=what.source,
            target=what.target,
            error=min(what.error, 1.0),
            min_gap=_GAP,
            names=list(what.names),
            output_names=list(what.outputs),
        )
    told = f"a regression with an error of {_percent(what.error)} % of what varies in y, by which {what.kept} are kept"
    told += ", exactly" if what.refitted and what.kept else ", not refitted" if what.kept else ""
    if record.dim != what.kept:
        told += f"; judged at that error the record counts {record.dim}: the two disagree"
    return replace(record, evidence=replace(record.evidence, model=told))


def recorded_elements(what: Examined, refitted: bool, numbers: Int[np.ndarray, " H"]) -> FiniteSymmetries:
    """The record of `ld.discover.finite`, at the resolution that the fit itself has.

    Arguments: `what`, with the actions of the finite elements; `refitted`; `numbers` of those that the fit keeps.
    Returns: FiniteSymmetries; where it does not count what the fit counts, its evidence says so.
    """
    record = finite(
        what.F,
        what.points,
        source=what.source,
        target=what.target,
        error=float(np.clip(what.error, np.finfo(float).eps, 1.0)),
        names=list(what.names),
        output_names=list(what.outputs),
    )
    told = (
        f"a regression with an error of {_percent(what.error)} % of what varies in y, by which {len(numbers)} are kept"
    )
    told += ", exactly" if refitted else ", not refitted"
    if record.order != len(numbers):
        told += f"; judged at that error the record counts {record.order}: the two disagree"
    return replace(record, evidence=replace(record.evidence, model=told))


def _percent(share: float) -> str:
    """Two digits, and no power of ten for a hundred."""
    return f"{100 * share:.0f}" if share > 0.995 else f"{100 * share:.2g}"


def _unmoved(what: Examined, values: np.ndarray) -> bool:
    """Whether no candidate moves these outputs."""
    with jax.enable_x64(True):
        z, y = jnp.asarray(what.points[:5], jnp.float64), jnp.asarray(values[:5], jnp.float64)
        moved = np.asarray(jax.vmap(what.target.over)(z, y))
    return float(np.abs(moved).max(initial=0.0)) <= _CONSTANT * what.size


def _of_constant(what: Examined, values: np.ndarray) -> Symmetries:
    """A constant that nothing moves keeps everything; whether the data are constant is what its error says."""
    source, candidates, x = what.source, what.candidates, what.points
    resolution = float(np.clip(what.error, np.finfo(float).eps, _TOP))
    gap = _TOP / resolution
    told = gap >= _GAP
    directions = candidates / np.linalg.norm(candidates, axis=1, keepdims=True)
    dim = len(directions) if told else 0
    labels = tuple(f"X{k + 1}" for k in range(dim))
    algebra, closure = LieAlgebra("found", labels, constants=np.zeros((dim, dim, dim))), None
    if dim:  # all that moves anything, which is closed as the candidates are
        constants, closure = bracket_constants(source.restrict(directions, algebra), x[:256])
        algebra = LieAlgebra("found", labels, constants=constants, tolerance=float(np.clip(1e3 * closure, 1e-6, 0.1)))
    evidence = Evidence(
        "symmetries" if told else "cannot tell",
        "largest gap",
        resolution,
        "the error of the fit, a constant",
        None,
        gap,
        float(np.sqrt(resolution * _TOP)),
        _GAP,
        closure=closure,
    )
    frame = np.linalg.inv(np.concatenate([candidates, what.still])).T
    return Symmetries(
        source=source,
        target=what.target,
        dim=dim,
        defects=np.zeros(len(directions)),
        directions=directions,
        ineffective=what.still,
        evidence=evidence,
        algebra=algebra,
        basis=directions[:dim],
        numerator=np.zeros((1, source.algebra.dim)),
        denominator=frame[: len(candidates)],
        rows=values.size,
        points=x[:512],
        values=values[:512],
        names=(*what.names, *what.outputs),
        method="symmetries of a fitted constant",
    )
