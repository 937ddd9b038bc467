"""Generators that a discriminator cannot catch: symmetries of a distribution, with neither a model nor derivatives."""

import os
from functools import partial
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from ..action import AbstractAction, AbstractFibreAction
from ..discover import Symmetries, pairs
from ..files import fingerprint
from ..sampling import check_whole, checked_flag
from ._devices import copied, fetched, split_over, whole
from ._distribution import Coefficients, Kind
from ._game import BLOCK, Game, Losses, Settings, board, orthonormal
from ._sight import products_of
from ._told import told
from ._training import trained

HELD = 0.2  # share of the rows that training does not see
MOST_HELD = 4096
# Of a discrete generator, multiples that are far from whole ones of any root of it: at one of them at least what makes
# it discrete must be seen.
PARTS = (0.618, 0.45)


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
    waves: int = 0,
    products: bool = False,
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
            from 1 to spread and their negatives, for discrete groups, whose generator then has a size of its own: that
            of `basis`. The first half of training takes 1 alone, which leads there from afar.
        size: "fixed" (default): generators move the rows by their own size (rms, in units of each block's spread), each
            across the others, so that none can shrink or become another; "free", as published, and default for
            "integers": `losses` must keep them from the identity.
        losses: what is added to the generators' loss; by default nothing where the size is fixed, else
            `Losses(identity=1, channels=1)`.
        width: of the two hidden layers of the discriminator. batch: rows a step. steps: of training; the learning
            `rates`, of generators and of the discriminator, fall to zero over them (a cosine), so that nothing drifts.
        smooth: weight of the discriminator's slope (R1); 0 for what jumps: no penalty, and a network with kinks.
        waves: sines of the rows, along directions taken at random, that the discriminator sees beside them (0: none).
            Without, it is slow to see what is narrow, such as seven teeth in a turn: some 128 there.
        products: the discriminator sees products of pairs of columns, decorrelated, in place of the columns (False).
            For rows on surfaces of second order, such as 4-vectors of given masses; it takes more rows than products.
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
    free = _free(size, distribution)
    check_whole(restarts, "restarts")
    losses = losses if losses is not None else Losses(1.0, "cosine", 1.0) if free else Losses()
    settings = Settings(
        n_generators, Coefficients(distribution, spread), not free, losses, width, batch, steps, rates, smooth, waves
    )
    asked = {"source": source, "target": target, "settings": settings, "products": products, "restarts": restarts}
    split = split_over(x, batch, asked | {"transition": transition, "seed": seed})
    rows = pairs(
        whole(x),
        whole(y),
        source=source,
        target=target,
        transition=transition,
        names=names,
        output_names=output_names,
        method="symmetries by an adversary",
    )
    held = _held(len(rows.inputs), seed)
    on = copied(board(rows.rows, rows.motion, held, _products(products, rows.rows, held)), split)
    game = Game(rows.question.both, settings, split)
    if n_generators > len(on.basis):
        raise ValueError(
            f"n_generators: {n_generators} were asked for, but only {len(on.basis)} combinations of the"
            f" {source.algebra.dim} candidates move the rows. Ask for fewer, or give more candidates."
        )
    start, course, judging = jax.random.split(jax.random.key(seed), 3)
    starts = [game.start(on, each) for each in jax.random.split(start, restarts)]
    done = trained(
        jax.tree.map(lambda *leaves: jnp.stack(leaves), *starts),
        partial(game.block, on),
        lambda states: jnp.min(game.scores(on, states)),
        blocks=-(-steps // BLOCK),
        key=course,
        title="Generators against a discriminator",
        mark=fingerprint(rows.rows, on.basis, repr(settings), products, restarts, seed),
        checkpoint=checkpoint,
        split=split,
    )
    # Discriminators that judge do not wait for each other, as devices would: each has one device.
    game, on = Game(rows.question.both, settings), fetched(on, split)
    chosen = int(jnp.argmin(game.scores(on, done.best)))
    every = np.asarray(jax.vmap(orthonormal)(done.best["v"]) if settings.fixed else done.best["v"], float)
    judged = game.judged(on, every[chosen], judging)
    between = None
    if distribution == "integers":
        looks = [
            game.judged(on, part * every[chosen], jax.random.fold_in(judging, i))[:-1] for i, part in enumerate(PARTS)
        ]
        between = np.stack(looks)[np.argmax([look[:, 0] for look in looks], axis=0), np.arange(n_generators)]
    basis = np.asarray(on.basis, float)
    return rows.recorded(told(settings, every, chosen, basis, judged, between, done.stopped), held)


def _free(size: str, distribution: str) -> bool:
    if size not in ("fixed", "free"):
        raise ValueError(f"size must be 'fixed' or 'free', got {size!r}.")
    return size == "free" or distribution == "integers"


def _products(products: bool, rows: Float[np.ndarray, "N n"], held: Int[np.ndarray, " held"]) -> bool:
    """Whether products are seen, where there are rows enough to decorrelate them."""
    count, seen = products_of(rows.shape[1]), len(rows) - len(held)
    if checked_flag(products, "products") and seen <= count:
        raise ValueError(
            f"products: {rows.shape[1]} columns make {count} products, and {seen} rows for training do not say how they"
            " vary. Give more rows, or leave products away."
        )
    return bool(products)


def _held(count: int, seed: int) -> Int[np.ndarray, " held"]:
    """The rows for judging, taken at random."""
    held = min(max(int(HELD * count), 1), MOST_HELD)
    return np.sort(np.random.default_rng(seed).permutation(count)[:held])
