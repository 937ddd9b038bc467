"""`lieder.discover.generative`: which transformations data have undergone, how far, and what stood before them."""

import math
import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace

import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike

from ..action import AbstractAction
from ._devices import split_over, whole
from ._model import Generative
from ._pictures import checked_pictures, standard
from ._sizes import Sizes, named_sizes
from ._stages import Errors, Task, errors, fitted, inferred
from ._transformations import Composed, Transformations, named_transformations

AFFINE = ("shift x", "shift y", "rotation", "scale x", "scale y", "shear")
LEAVES, LOSES, CHANCE, EMPTY = 0.25, 0.2, 0.5, 0.1  # of squared errors and of squares, see `_notes`


def generative(
    images: ArrayLike,
    *,
    transformations: Sequence[str] | AbstractAction | Transformations = AFFINE,
    bounds: Mapping[str, float] | None = None,
    sizes: str | Sizes = "small",
    held_out: float = 0.15,
    seed: int = 0,
    checkpoint: str | os.PathLike[str] | None = None,
) -> Generative:
    """Which transformations pictures have undergone and how far: a generative model of their symmetry.

    Each picture is taken for x = T_eta prototype: stretched along its own axes, then turned, then shifted; under an
    action, exp(sum_k eta_k G_k). A network f is taught, by transforming pictures further, to read off eta, so that the
    prototype, which T_f(x) takes to x, is one for all transforms of a picture; and a
    density p(eta | prototype) is then fitted to what it reads off. Where the density is wide the data are symmetric,
    and as far as it is wide.

    Arguments:
        images: (N, rows, columns) or (N, channels, rows, columns), N >= 20, finite, none of a single colour. What is
            beyond the frame is taken for background, the middle value of the rim.
        transformations: words ("shift x", "shift y", "rotation", "scale x", "scale y", "shear"; of three channels also
            "hue", "saturation", "value"), or an action on the flattened pictures: `lieder.action.grid(...)`, whose
            flows compose, or any other, whose flows follow one another and take longer. Default: the six affine ones.
        bounds: how far each is sought, by name: eta is drawn uniformly within +-bounds in training. Radians for angles,
            shares of the longer side for shifts, logarithms for scales, saturation and value, a slope for shear.
            Default: rotation and hue pi, shifts .15, scales .3, shear .4, saturation .6, value .4; for a grid, what
            moves some place by a quarter of the frame. An action of another kind needs them. With scales beside it,
            give rotation no more than the data may have, 1.2 say: under half a turn a scale is no longer told apart.
        sizes: "small" (default; a minute or two on one core for 2,000 pictures of 16 x 16), "published", or your own
            `lieder.learn.Sizes`.
        held_out: share of the pictures that training does not see; they choose the best state and tell the spreads.
        seed: of all that is drawn.
        checkpoint: a file (.npz); each stage keeps its progress in one beside it, NAME-inference.npz and
            NAME-density-0.2.npz (one for each share of features left out), and goes on from there.
    Returns: a `Generative`: print it for the answer in words.
    Raises: ValueError and TypeError for pictures, transformations, bounds or sizes that cannot be used, in words;
        FloatingPointError where training makes no finite numbers from the start. Warns (RuntimeWarning) where a stage
        has collapsed, and says what to change.
    Reference: Allingham, Mlodozeniec, Padhy, Antoran, Krueger, Turner, Nalisnick, Hernandez-Lobato (2024), A generative
        model of symmetry transformations, NeurIPS.
    """
    how = named_sizes(sizes)
    asked = {"transformations": transformations, "bounds": bounds, "sizes": how, "held_out": held_out, "seed": seed}
    split = split_over(images, math.gcd(how.inference.batch, how.density.batch), asked)
    given = checked_pictures(whole(images))
    chosen = named_transformations(transformations, (given.shape[1], given.shape[2], given.shape[3]), bounds)
    if not 0 < held_out < 1:
        raise ValueError(f"held_out: expected a share between 0 and 1, got {held_out}.")
    moves = not isinstance(chosen, Composed) or chosen.active[0]
    common = standard(given, moves)
    order = np.random.default_rng(seed).permutation(len(given))
    apart = min(max(round(held_out * len(given)), 2), len(given) - 2)
    pictures = jnp.asarray(common.inward(given[order]))
    task = Task(chosen, pictures[apart:], pictures[:apart], how, seed, checkpoint, split)
    network, first = inferred(task)
    flow, second = fitted(task, network)
    wrong = errors(task, network)
    found = Generative.of((chosen, common, network, flow, how), np.asarray(task.kept), wrong, seed)
    notes = _notes(wrong)
    courses = {"inference": first.criteria, "density": second.criteria}
    stopped = [
        f"the {stage} {one.stopped}" for stage, one in (("inference", first), ("density", second)) if one.stopped
    ]
    for note in notes:
        warnings.warn(f"generative: {note}.", RuntimeWarning, stacklevel=2)
    return replace(found, courses=courses, notes=(*notes, *stopped), channels=np.ndim(images) == 4)


def _notes(wrong: Errors) -> list[str]:
    """What has gone wrong, in words, with what to change."""
    notes = []
    if wrong.frame > LEAVES:
        notes.append(
            f"transformations within the bounds take {100 * wrong.frame:.0f} % of what is in the pictures out of the"
            " frame: pad the pictures, or give smaller bounds"
        )
    if wrong.chance > 0 and wrong.equivariance > CHANCE * wrong.chance:
        notes.append(
            f"the inference has hardly learnt to read transformations off (error {wrong.equivariance:.2g}, by chance"
            f" {wrong.chance:.2g}): train longer, widen it, or take fewer transformations"
        )
    if wrong.empty < EMPTY:
        notes.append(
            f"the prototypes are nearly empty ({100 * wrong.empty:.0f} % of the pictures' mean square): give smaller"
            " bounds or a longer blur"
        )
    elif wrong.lost > LOSES:
        notes.append(
            f"the prototypes lose {100 * wrong.lost:.0f} % of their pictures, which leave the frame or shrink: pad the"
            " pictures, or give smaller bounds"
        )
    return notes
