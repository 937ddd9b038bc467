"""What a latent action says of itself, in numbers and in words."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ..discover import Learnt
from ._autoencoder import THIN
from ._encoding import Encoding
from ._equivariance import Equivariance

MISSED = 0.03  # share of the variance, without its noise, that the decoder may miss
NOISE = 0.5  # share of the variance that may be noise
BEYOND = 10.0  # standard errors, by which directions taken at random must miss more where the next state is drawn
UNLIKE = 0.3  # squared share of directions taken at random, by which moved pairs may differ from pairs
APART = 4.0  # times what the fit misses, by which directions taken at random must miss


@dataclass(frozen=True, eq=False)
class Judged:
    """What was measured on pairs that training did not see.

    Fields: `missed`, share of the variance that the decoder misses; `noise`, the part of that share which nobody could
        know; `noisy`, the share of the variance that is noise, with as much in the directions that the latent holds;
        `thin`, the spread of the narrowest direction of the raw latent beside the widest; `unlike` (r,), how far
        moved pairs are from pairs, squared, as a share of directions taken at random; `undone`, root mean square of
        encode(decode(z)) - z at moved z, in spreads; `equivariance`, of the latent dynamics; `rest`, how far the point
        that generators leave at rest lies from the mean of the latent, in spreads.
    """

    missed: float
    noise: float
    noisy: float
    thin: float
    unlike: Float[np.ndarray, " r"]
    undone: float
    equivariance: Equivariance
    rest: float


def learnt(
    how: Encoding, route: str, v: Float[np.ndarray, "r q"], judged: Judged, stopped: str, seconds: float
) -> Learnt:
    """What goes into the record.

    Arguments: `how` and by which `route` it was trained; `v`, generators over gl(k), of size one; `judged`; `stopped`,
        why training ended early, or "", and the `seconds` it took.
    """
    e = judged.equivariance
    defects = np.minimum(np.sqrt(e.shares), 1.0)
    described = (
        f"{how.steps} steps of {how.batch} pairs by the {route} route, {seconds:.0f} s; on pairs not trained on the"
        f" decoder misses {_missed(judged)}, and the latent dynamics of moved pairs miss"
        f" {_list(np.sqrt(e.found))} of a step, those of directions taken at random {np.sqrt(e.random):.2g}, of pairs"
        f" as they are {np.sqrt(e.fit):.2g}"
    )
    notes = [
        f"The number of generators, {len(v)}, was given. A symmetry keeps the distribution of pairs (x, next x); since"
        " the latent has covariance one, it can only turn it.",
        f"Moved pairs differ from pairs, in moments, by {_list(np.sqrt(np.maximum(judged.unlike, 0)))} of what"
        f" directions taken at random do; encoding undoes decoding to {judged.undone:.2g} of the latent's spread. The"
        f" point that they leave at rest lies {judged.rest:.2g} spreads from the mean of the rows.",
    ]
    if not e.function:
        notes.append(
            f"The next row is no function of the latent: a fit misses {np.sqrt(e.open):.2g} of a step. Where it is"
            " drawn at random, or rows are noisy, that is as it should be, and moved pairs are compared in mean and"
            " covariance given the latent; else the latent is folded or too small."
        )
    if stopped:
        notes.append(f"Training ended early: {stopped}.")
    order = np.argsort(defects, kind="stable")
    return Learnt(
        v[order],
        defects[order],
        float(np.clip(e.resolved, 1e-3, 1.0)),
        "what held-out pairs leave open of the equivariance: two standard errors over trajectories, and the fit's miss",
        described,
        tuple(notes),
        _failed(judged),
    )


def _failed(judged: Judged) -> str:
    """Why nothing may be claimed, and what to change; or ""."""
    e = judged.equivariance
    if judged.thin < THIN:
        return (
            f"the latent collapsed: its narrowest direction has {judged.thin:.1g} of the spread of its widest, so that"
            " the data need fewer coordinates: ask for a smaller latent_dim, or raise training.reconstruction"
        )
    if judged.noisy > NOISE:  # few columns: a latent of independent rows holds noise, which rotations keep
        return (
            f"of the variance of the rows {100 * judged.noisy:.2g} % is noise, alike in all directions and new in each"
            " row: what is left beside it is too little to tell. Average or smooth the rows"
        )
    if judged.missed - judged.noise > MISSED * (1 - judged.noise):
        return (
            f"on rows that it was not trained on the decoder misses {_missed(judged)}, so that the latent does not"
            " stand for the data: give more rows, training.steps or training.widths, or a larger latent_dim"
        )
    if e.function and e.random < APART * e.fit:
        return (
            "the next state is predicted from the latent hardly better than when pairs are moved in directions taken at"
            f" random (what is missed is {np.sqrt(e.fit):.2g} and {np.sqrt(e.random):.2g} of a step): give more rows or"
            " steps, or pairs further apart in time"
        )
    if not e.function and e.random - e.fit < BEYOND * np.max(e.errors):
        return (
            f"the next state is no function of the latent: a fit misses {np.sqrt(e.open):.2g} of a step, and pairs"
            " moved in directions taken at random are not told from pairs in mean and covariance either. The latent may"
            " be folded, or too small: take another seed, more training.steps, a larger latent_dim, or more rows"
        )
    if np.max(judged.unlike) > UNLIKE:
        return (
            f"moved pairs are told from pairs by their moments ({np.sqrt(np.max(judged.unlike)):.2g} of what directions"
            " taken at random do): more training.steps, a larger training.symmetry, or fewer generators may help, or"
            " there is no such symmetry"
        )
    return ""


def _missed(judged: Judged) -> str:
    text = f"{100 * judged.missed:.2g} % of the variance"
    if judged.noise < 0.01 or judged.noise < 0.2 * judged.missed:
        return text
    return f"{text}, of which {100 * judged.noise:.2g} % is noise, alike in all directions and new in each row"


def _list(values) -> str:
    return ", ".join(f"{value:.2g}" for value in values)
