"""Generators that a discriminator cannot catch: symmetries of a distribution, with neither a model nor derivatives."""

import os
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ..action import AbstractAction, AbstractFibreAction
from ..discover import Learnt, Symmetries, pairs
from ..files import fingerprint
from ._distribution import Coefficients, Kind
from ._game import BLOCK, Game, Losses, Settings, orthonormal
from ._told import told
from ._training import Trained, trained

HELD = 0.2  # share of the rows that training does not see
MOST_HELD = 4096


def adversarial(
    x,
    y=None,
    *,
    source: AbstractAction,
    target: AbstractFibreAction | None = None,
    transition: bool = False,
    n_generators: int = 1,
    distribution: Kind = "normal",
    spread: float = 1.0,
    size: Literal["fixed", "free"] = "fixed",
    losses: Losses | None = None,
    width: int = 128,
    batch: int = 128,
    steps: int = 1500,
    rates: tuple[float, float] = (3e-3, 1e-3),
    smooth: float = 0.1,
    restarts: int = 3,
    checkpoint: str | os.PathLike[str] | None = None,
    names: list[str] | None = None,
    output_names: list[str] | None = None,
    seed: int = 0,
) -> Symmetries:
    """Symmetries by a game: generators move rows, and a network tries to tell moved rows from real ones (LieGAN).

    Row z = (x, y) is moved to exp(sum_k c_k L_k) z with coefficients c drawn at random, and each L_k a combination of
    the candidates. The generators are trained to be taken for real, the discriminator to catch them. Neither a model of
    y nor neighbours are needed, but the distribution of the rows must be symmetric, that of x too, and how many
    generators there are has to be given. Where it must be known how many, ask `graph`, `dataset` or `cloud` first.

    Arguments:
        x: (N, n) rows; y: (N, m) what belongs to them (values, or numbers of classes), none for a point cloud.
        source, target: how candidates act on them (default: nothing moves y). Blocks of gl(n), each its own, are
            `vectors` of a `product` of algebras; tied blocks are `4 * vectors(gl(2))`.
        transition: y is x a short time later: displacements are judged.
        n_generators: how many are trained.
        distribution, spread: of c: "normal" with standard deviation `spread` (1), "uniform" within +-spread, "integers"
            from 1 to spread and their negatives, for discrete groups, whose generator then has a size of its own.
        size: "fixed" (default): generators move the rows by their own size (rms, in units of each block's spread), each
            across the others, so that none can shrink or become another; "free", as published, and default for
            "integers": `losses` must keep them from the identity.
        losses: what is added to the generators' loss; by default nothing where the size is fixed, else
            `Losses(identity=1, channels=1)`.
        width: of the two hidden layers of the discriminator. batch: rows a step. steps: of training; the learning
            `rates`, of generators and of the discriminator, fall to zero over them (a cosine), so that nothing drifts.
        smooth: weight of the discriminator's slope (R1).
        restarts: trainings from other starts; that of the best held-out criterion is taken.
        checkpoint: file from which training goes on where it was interrupted.
        names, output_names: of the columns. seed: of all that is drawn.
    Returns:
        Symmetries. New discriminators judge each generator alone on held-out rows: its defect is the root of how much
        of the divergence (Jensen-Shannon, bits) is left that directions taken at random have. "Cannot tell" where they
        catch it, or catch not even those.
    Raises:
        ValueError, TypeError: as `graph`; settings that are none. FloatingPointError where training fails at once.
    Reference: Yang, Walters, Dehmamy, Yu (2023), Generative adversarial symmetry discovery.
    """
    rows = pairs(
        x,
        y,
        source=source,
        target=target,
        transition=transition,
        names=names,
        output_names=output_names,
        method="symmetries by an adversary",
    )
    free = _free(size, distribution)
    losses = losses if losses is not None else Losses(1.0, "cosine", 1.0) if free else Losses()
    settings = Settings(
        n_generators, Coefficients(distribution, spread), not free, losses, width, batch, steps, rates, smooth
    )
    game = _game(rows, settings, seed)
    key = jax.random.key(seed)
    starts = [game.start(jax.random.fold_in(key, number)) for number in range(restarts)]
    states = jax.tree.map(lambda *leaves: jnp.stack(leaves), *starts)
    done = trained(
        states,
        game.block,
        lambda states: float(jnp.min(game.scores(states))),
        blocks=-(-steps // BLOCK),
        key=jax.random.fold_in(key, restarts),
        title="Generators against a discriminator",
        mark=fingerprint(rows.rows, game.basis, repr(settings), restarts, seed),
        checkpoint=checkpoint,
    )
    return rows.recorded(_learnt(game, done, key), game.held)


def _free(size: str, distribution: str) -> bool:
    if size not in ("fixed", "free"):
        raise ValueError(f"size must be 'fixed' or 'free', got {size!r}.")
    return size == "free" or distribution == "integers"


def _game(rows, settings: Settings, seed: int) -> Game:
    """The game on a random part of the rows; the others judge."""
    count = len(rows.inputs)
    order = np.random.default_rng(seed).permutation(count)
    held = min(max(int(HELD * count), 1), MOST_HELD)
    game = Game(rows, settings, np.sort(order[held:]), np.sort(order[:held]))
    if settings.generators > len(game.basis):
        raise ValueError(
            f"n_generators: {settings.generators} were asked for, but only {len(game.basis)} combinations of the"
            f" {rows.question.source.algebra.dim} candidates move the rows. Ask for fewer, or give more candidates."
        )
    return game


def _learnt(game: Game, done: Trained, key) -> Learnt:
    """The generators of the best restart, and what new discriminators say of them."""
    scores = np.asarray(game.scores(done.best))
    chosen = int(np.argmin(scores))
    every = np.asarray(jax.vmap(orthonormal)(done.best["v"]) if game.settings.fixed else done.best["v"], float)
    v = every[chosen]
    judged = game.judged(v, jax.random.fold_in(key, -1))
    return told(game, v, judged, _angles(every, chosen), done.stopped)


def _angles(every: Float[np.ndarray, "restarts r k"], chosen: int) -> Float[np.ndarray, " others"]:
    """The largest angle, in degrees, between the span of the chosen generators and those of the other restarts."""
    spans = [np.linalg.qr(v.T)[0] for v in every]
    cosines = [np.linalg.svd(spans[chosen].T @ span, compute_uv=False).min() for span in spans]
    return np.degrees(np.arccos(np.clip(np.delete(cosines, chosen), 0.0, 1.0)))
