"""What training by an adversary says of its generators, in numbers and in words."""

import numpy as np
from jaxtyping import Float

from ..discover import Learnt
from ._game import FLOOR, Settings

ALIKE = 10.0  # degrees within which restarts count as having found the same
MERGED = 0.95  # cosine of two generators from which on they are one
RESOLVED = 3.0  # standard errors by which parts of a discrete generator must be caught more than the whole
SHRUNK = 0.05  # share of their size by which generators move the rows at least


def told(
    settings: Settings,
    every: Float[np.ndarray, "restarts r k"],
    chosen: int,
    basis: Float[np.ndarray, "k q"],
    judged: Float[np.ndarray, "r+1 2"],
    between: Float[np.ndarray, "r 2"] | None,
    stopped: str,
) -> Learnt:
    """The record's numbers and words.

    Arguments: `settings` of the game; `every`, the generators of all restarts over the game's `basis`, and which are
        `chosen`; `judged`, divergence in bits and its standard error for each of these, and for directions taken at
        random; `stopped`, why training ended early, or "".
    Returns: what goes into the record.
    """
    v, angles = every[chosen], _angles(every, chosen)
    bits, errors = judged.T
    random = max(bits[-1], FLOOR)
    shares = np.maximum(bits[:-1], 0.0) / random
    known = np.sqrt(np.max(np.maximum(-bits[:-1], 0.0) + 2 * errors[:-1]) / random)
    defects = np.minimum(np.sqrt(shares), 1.0)
    described = (
        f"{settings.steps} steps of {settings.batch} rows; new discriminators find {_list(bits[:-1])} bits between"
        f" held-out rows and those moved by each generator, and {bits[-1]:.2g} by directions taken at random"
    )
    notes = [
        f"The number of generators, {len(v)}, was given: training decides which they are, not how many there are.",
    ]
    if len(angles):
        alike = int(np.sum(angles <= ALIKE)) + 1
        notes.append(
            f"{alike} of {len(angles) + 1} restarts ended within {ALIKE:g} degrees of one another."
            + ("" if alike > 1 else " There may be more symmetries than were asked for, or training found one by luck.")
        )
    if between is not None:
        notes.append(
            "Only whole multiples of the generators are symmetries: the rows of `basis` have the size of a step, and"
            " exp(basis[0]) is an element of a discrete group. Verbs that take an action would make it continuous."
        )
    if stopped:
        notes.append(f"Training ended early: {stopped}.")
    unknown = _failed(settings, v, bits, errors) or _unresolved(judged, between)
    order = np.argsort(defects, kind="stable")
    return Learnt(
        (v @ basis)[order],
        defects[order],
        float(np.clip(known, 1e-3, 1.0)),
        "what the divergence of held-out rows leaves open, two standard errors",
        described,
        tuple(notes),
        unknown,
        between is not None,
    )


def _failed(settings: Settings, v: np.ndarray, bits: np.ndarray, errors: np.ndarray) -> str:
    """Why nothing may be claimed, and what to change; or ""."""
    sizes = np.linalg.norm(v, axis=1) * settings.coefficients.spread
    if (dead := np.flatnonzero(sizes < SHRUNK)).size:
        return (
            f"generator{'s' * (dead.size > 1)} {_list(dead + 1)} shrank to the identity: raise losses.identity, or keep"
            " size='fixed'"
        )
    unit = v / np.linalg.norm(v, axis=1, keepdims=True)
    merged = np.argwhere(np.triu(np.abs(unit @ unit.T), 1) > MERGED)
    if len(merged):
        i, j = merged[0] + 1
        return f"generators {i} and {j} became one: raise losses.channels, ask for fewer, or keep size='fixed'"
    if bits[-1] < max(FLOOR, 3 * errors[-1]):
        return (
            "the discriminator tells not even rows moved in directions taken at random from real ones: give more rows"
            " or steps, or a larger spread"
        )
    return ""


def _unresolved(judged: np.ndarray, between: np.ndarray | None) -> str:
    """Why the size of discrete generators is not known, or "": rows that a part of one moves must be caught."""
    if between is None:
        return ""
    wider = between[:, 0] - judged[:-1, 0]
    error = np.hypot(between[:, 1], judged[:-1, 1])
    blind = np.flatnonzero(wider < np.maximum(FLOOR, RESOLVED * error))
    if not blind.size:
        return ""
    which = f"generator{'s' * (blind.size > 1)} {_list(blind + 1)}"
    return (
        f"rows moved by a part of {which} are caught no more than rows that the whole one moves, so that its size means"
        " nothing: give more rows, steps or width, or ask for what is continuous (distribution='normal')"
    )


def _angles(every: np.ndarray, chosen: int) -> Float[np.ndarray, " others"]:
    """The largest angle, in degrees, between the span of the chosen generators and those of the other restarts."""
    spans = [np.linalg.qr(v.T)[0] for v in every]
    cosines = [np.linalg.svd(spans[chosen].T @ span, compute_uv=False).min() for span in spans]
    return np.degrees(np.arccos(np.clip(np.delete(cosines, chosen), 0.0, 1.0)))


def _list(values) -> str:
    return ", ".join(f"{value:.2g}" for value in values)
